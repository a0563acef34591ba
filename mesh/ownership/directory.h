/* directory.h - what the contents of all nodes share: the ways to find something, and the totals.
 * Memory: MEMORY_DIRECTORY. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_DIRECTORY_H
#define WEFT_MESH_OWNERSHIP_DIRECTORY_H

#include "mesh/ownership/handlers.h"
#include "mesh/ownership/origins.h"

struct directory_totals {
    uint32_t sessions, handlers;
    uint64_t hash; /* sum of a hash of each entry: the order of adding does not matter */
};

/* Where this node looks for sessions it lost to others (claims.h), and whether there may be any. */
struct directory_scan {
    bool is_due;
    bool in_table; /* `at` was looked at; else all of its origin is still to come */
    struct session_id at;
};

struct directory {
    struct memory *memory;
    struct origins origins;
    struct handlers handlers;
    struct directory_totals live; /* the sum over all live contents */
    uint32_t births;              /* contents that ever were */
    const struct content *own;    /* this node's; NULL until it is there */
    struct directory_scan scan;
};

void directory_init(struct directory *directory, struct memory *memory, uint64_t salt);
void directory_clear(struct directory *directory); /* all contents must be destroyed */

void directory_add(struct directory_totals *totals, const struct directory_totals *part);
void directory_subtract(struct directory_totals *totals, const struct directory_totals *part);

#endif
