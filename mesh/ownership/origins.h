/* origins.h - finds the tables that hold sessions created by one node. Usually there is one, that
 * of the node itself; when its sessions went on elsewhere, one more for each node that has some.
 * Memory: one small record an origin of MEMORY_DIRECTORY. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_ORIGINS_H
#define WEFT_MESH_OWNERSHIP_ORIGINS_H

#include "mesh/base/hashmap.h"
#include "mesh/base/slots.h"
#include "mesh/ownership/serials.h"

struct content;

/* The sessions of one origin that one node hosts. */
struct hosted {
    uint64_t origin;
    struct content *content; /* of the host */
    struct hosted *next;     /* of the same origin */
    struct serials serials;
};

struct origins {
    struct memory *memory;
    struct hashmap map; /* origin -> number of its struct origin */
    struct slots slots;
};

void origins_init(struct origins *origins, struct memory *memory, uint64_t salt);
void origins_clear(struct origins *origins); /* all tables must be removed */

/* A new empty table of that origin, found by origins_first from now on. NULL: no memory. */
struct hosted *origins_add(struct origins *origins, uint64_t origin, struct content *content);

/* Frees the table and what it holds. O(tables of the origin). */
void origins_remove(struct origins *origins, struct hosted *hosted);

/* The first table of that origin, then along `next`; NULL: none. O(1). */
struct hosted *origins_first(const struct origins *origins, uint64_t origin);

#endif
