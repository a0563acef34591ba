/* role_set.h - reads and writes a set of roles as text: "r1","r2", in double quotes with \" and \\,
 * sorted by bytes and without repeats. Of what is read only the quoted parts count, in any order:
 * a text without any is the empty set.
 * Memory: the caller's. Thread: plain data. */
#ifndef WEFT_MESH_FILTER_ROLE_SET_H
#define WEFT_MESH_FILTER_ROLE_SET_H

#include "proto/span.h"

enum { ROLE_SET_MAX = 256 }; /* of one text; eight times what a session may hold */

/* Roles as they stand between the quotes, escapes included; sorted, without repeats. */
struct role_set {
    uint32_t count;
    struct span items[ROLE_SET_MAX]; /* into the text that was read */
};

/* Reads a text; false when it names more than ROLE_SET_MAX. O(text + roles^2). */
bool role_set_parse(struct role_set *roles, struct span text);

/* The bytes of the canonical text, never more than of the text that was read; and writing them. */
size_t role_set_measure(const struct role_set *roles);
void role_set_write(const struct role_set *roles, uint8_t *out);

/* Takes the first role off a text; false when there is none any more. */
bool role_set_next(struct span *text, struct span *role);

#endif
