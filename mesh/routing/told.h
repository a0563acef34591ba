/* told.h - remembers what one listener was told: which sessions are there, by which feed (of the
 * node that hosts them), in which state and with which properties. So what was missed can be found
 * by comparison, and a session whose node is lost can still be spoken of.
 * Memory: MEMORY_TABLES: 56 bytes a session, 32 to 64 more to find it; doubled as they grow.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_TOLD_H
#define WEFT_MESH_ROUTING_TOLD_H

#include "mesh/base/hashmap.h"

#define TOLD_NONE UINT32_MAX

/* What the listener was told of the session's node. */
enum told_reach { TOLD_REACHABLE, TOLD_UNREACHABLE, TOLD_GONE };

/* The sessions of one feed, in the order of telling. Must not move. */
struct told_list {
    uint32_t first, last, count;
};

struct told_session {
    struct session_id id;
    struct told_list *list;  /* of its feed; NULL: free */
    uint64_t properties;     /* a hash of those told last */
    uint32_t next, previous; /* numbers, in the list of its feed; next: of the free ones */
    uint32_t seen;           /* the epoch in which its feed last spoke of it */
    uint8_t state;           /* enum session_state */
    uint8_t reach;           /* enum told_reach */
};

struct told {
    struct memory *memory;
    struct hashmap by_id;
    struct told_session *sessions;
    uint32_t capacity, used, first_free;
};

void told_init(struct told *told, struct memory *memory, uint64_t salt);
void told_clear(struct told *told);
void told_list_init(struct told_list *list);

/* The number of a session that was told; TOLD_NONE: it was not. O(1). */
uint32_t told_find(const struct told *told, struct session_id id);

/* The record of a number; valid until the next told_add. */
struct told_session *told_at(const struct told *told, uint32_t number);

/* Remembers a session that is not there yet, at the end of the list. TOLD_NONE: no memory,
 * unchanged. O(1) on average. */
uint32_t told_add(struct told *told, struct told_list *list, struct session_id id);

/* Puts it at the end of another list. */
void told_move(struct told *told, struct told_list *list, uint32_t number);

/* Forgets it. */
void told_remove(struct told *told, uint32_t number);

/* What of properties is compared: equal bytes, equal hashes. */
uint64_t told_hash(const struct told *told, struct span properties);

#endif
