/* roster.h - keeps the members in order of name, for whoever lists them. Sorted when it is asked
 * for after a change, and not before.
 * Memory: MEMORY_MEMBERS, 16 bytes a member, made at the first listing. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_ROSTER_H
#define WEFT_MESH_MEMBERSHIP_ROSTER_H

#include "mesh/membership/members.h"

struct roster_row {
    const char *name;
    uint32_t who;
};

struct roster {
    struct roster_row *rows;
    uint32_t count, capacity;
    uint64_t changes; /* the table's, when this was sorted */
};

void roster_clear(struct roster *roster, struct memory *memory);

/* All known members, this node first, then in order of name: NULL starts, NULL ends. A change of
 * the table is taken up at the next start. */
const struct member *roster_next(struct roster *roster, struct members *members,
                                 const struct member *after);

#endif
