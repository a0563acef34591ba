/* handlers.h - finds the registrations at a path, those of a session, and all in order.
 * Kinds that this version does not know are kept like any other.
 * Memory: a record for each registration and for each path of MEMORY_DIRECTORY. Spans of paths live
 * as long as the path has a registration. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_HANDLERS_H
#define WEFT_MESH_OWNERSHIP_HANDLERS_H

#include "mesh/base/hashmap.h"
#include "mesh/base/slots.h"
#include "proto/error.h"
#include "proto/request.h"

struct content;

struct handler_path {
    struct handler **at; /* `count` of them, by node, then session */
    uint32_t count, capacity;
    struct handler_path *next_of_key;     /* other strings under the same hash */
    struct handler_path *next, *previous; /* in order, or waiting for it */
    bool is_ordered;
    uint8_t kind; /* enum handler_kind or later */
    uint32_t number;
    uint32_t bytes;
    uint8_t text[];
};

struct handler {
    struct content *content; /* of the node that hosts the session */
    struct session_id session;
    struct handler_path *path;
    struct handler *next_of_session;
    uint32_t number;
    uint32_t value_bytes;
    uint8_t value[];
};

struct handlers {
    struct memory *memory;
    struct slots slots;        /* struct handler */
    struct slots paths;        /* struct handler_path */
    struct hashmap by_path;    /* kind and path -> number of a path */
    struct hashmap by_session; /* session -> number of its first handler */
    struct handler_path *ordered, *unordered;
    const struct handler_path *last_found; /* by handlers_at_again, or NULL */
    uint64_t listeners_changes; /* how often a listener came, went, or may have come to light */
};

void handlers_init(struct handlers *handlers, struct memory *memory, uint64_t salt);
void handlers_clear(struct handlers *handlers);

/* Adds a registration; an older one with the same key is found no more by handlers_find, and is
 * the caller's to remove. NULL: no memory, unchanged. O(log of the path's), and moving pointers. */
struct handler *handlers_add(struct handlers *handlers, struct content *content, uint8_t kind,
                             struct span path, struct session_id session, struct span value);

/* NULL: there is none. */
struct handler *handlers_find(const struct handlers *handlers, const struct content *content,
                              uint8_t kind, struct span path, struct session_id session);

void handlers_remove(struct handlers *handlers, struct handler *handler);

/* Any registration that this session has on this node; NULL: none. O(1). */
struct handler *handlers_of_session(const struct handlers *handlers, const struct content *content,
                                    struct session_id session);

/* Any registration on this node; NULL: none. Start with *number = 0; the one given may be removed.
 * O(all) for a whole walk. */
struct handler *handlers_of_content(const struct handlers *handlers, const struct content *content,
                                    uint32_t *number);

/* The registrations at exactly this path; NULL: none. O(1). */
const struct handler_path *handlers_at(const struct handlers *handlers, uint8_t kind,
                                       struct span path);

/* The same, for whoever asks for one path many times in a row: what was found last is looked at
 * first. */
const struct handler_path *handlers_at_again(struct handlers *handlers, uint8_t kind,
                                             struct span path);

/* The paths in order of kind and path, whatever lives there. The first call after a change sorts
 * what came since: O(n log n). */
const struct handler_path *handlers_in_order(struct handlers *handlers);

struct span handlers_path(const struct handler_path *path);
struct span handlers_value(const struct handler *handler);

/* The index of the first registration of that content at the path, and how many there are. */
uint32_t handlers_range(const struct handler_path *path, const struct content *content,
                        uint32_t *count);

/* Orders as the walk does: negative, 0, positive. */
int handlers_compare_paths(uint8_t kind_a, struct span path_a, uint8_t kind_b, struct span path_b);

#endif
