/* content.h - what one node hosts: its sessions and registrations, as this node knows them. This is
 * the replica of that node's ownership log, and at once its part of the directory.
 *
 *     STAGED   a snapshot that is still coming: not seen by anybody
 *     LIVE     the node is alive: counted in the totals, found by look-ups
 *     SHADED   the node is lost: kept, found only as "its node is lost"
 *
 * Showing and shading is one step, whatever the size: look-ups ask the content they end at.
 * Memory: MEMORY_DIRECTORY. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_CONTENT_H
#define WEFT_MESH_OWNERSHIP_CONTENT_H

#include "mesh/ownership/directory.h"
#include "proto/ownership.h"

/* What one node may host: ten times what a node is built for, so that no node fills the directories
 * of all. What is beyond is not applied. */
enum {
    CONTENT_SESSIONS_MAX = 1 << 20,
    CONTENT_REGISTRATIONS_MAX = 1 << 18,
    CONTENT_ORIGINS_MAX = 4096, /* nodes whose sessions went on at this one */
};

enum content_visibility { CONTENT_STAGED, CONTENT_SHADED, CONTENT_LIVE };

struct content {
    struct directory *directory;
    uint64_t writer; /* instance */
    uint32_t birth;  /* of two contents of one writer the older one has the lower number */
    enum content_visibility visibility;
    struct directory_totals totals;
    uint32_t registrations; /* of any kind; totals count those of kinds that are known */
    struct hosted **tables; /* ascending by origin */
    uint32_t tables_count, tables_capacity;
};

/* An empty content, staged. NULL: no memory. */
struct content *content_new(struct directory *directory, uint64_t writer);

/* Frees the content and all that is in it. O(its entries + all registrations). */
void content_destroy(struct content **content);

/* What was staged, in the order of a snapshot, can be looked up from now on. False: no memory; it
 * must be destroyed. O(sessions). */
bool content_settle(struct content *content);

/* A staged content must be settled. O(1). */
void content_show(struct content *content, enum content_visibility visibility);

/* Carries one entry of the log out. Entries are (key, value or removal), so one that is carried out
 * twice, or late with all that follow it again, ends in the same state. ERROR_OK, or
 * ERROR_LIMIT_REACHED: unchanged. O(1) on average. A staged content takes only what snapshots hold,
 * in ascending order. */
enum error content_apply(struct content *content, const struct ownership_entry *entry);

/* State 0: not hosted here. O(1). */
struct serials_value content_session(const struct content *content, struct session_id session);

/* The table of the first origin at or above this one; NULL: none. O(log tables). */
const struct hosted *content_table_from(const struct content *content, uint64_t origin);

/* Requires that totals and hash are what the entries add up to. O(entries + all registrations). */
void content_check(const struct content *content);

#endif
