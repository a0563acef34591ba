/* roles.h - decides what a set of roles is, and what becomes of it when roles come and go.
 * A role is 1..64 bytes of text without blanks, quotes, backslashes, parentheses, brackets and
 * commas, and not `*`, which stands for everybody; a session has at most 32. A set is written
 * "a","b": sorted, each once. That text is the session's property $Roles, and the only place where
 * its roles are kept.
 * Memory: struct roles is the caller's; its spans point into what it was made of.
 * Thread: pure functions. */
#ifndef WEFT_MESH_SESSIONS_ROLES_H
#define WEFT_MESH_SESSIONS_ROLES_H

#include "proto/client.h"

enum { ROLES_TEXT_BYTES_MAX = ROLES_MAX * (ROLE_BYTES_MAX + 3) };

_Static_assert((int)ROLES_TEXT_BYTES_MAX <= (int)PROPERTY_VALUE_BYTES_MAX, "$Roles is a value");

struct roles {
    struct span names[ROLES_MAX]; /* sorted, each once */
    size_t count;
};

bool roles_name_is_good(struct span name);

/* One more role; fine if it is there already. ERROR_INVALID_ARGUMENT: it can't be a role's name;
 * ERROR_LIMIT_REACHED: as many as a set may have. Unchanged after an error. */
enum error roles_add(struct roles *roles, struct span name);

/* Takes a role out; fine if it is not there. */
void roles_remove(struct roles *roles, struct span name);

bool roles_has(const struct roles *roles, struct span name);

/* Reads "a","b" in any order, blanks between them allowed; also a, b without quotes, as it stands
 * in a configuration. ERROR_INVALID_ARGUMENT or ERROR_LIMIT_REACHED as roles_add; *roles is then
 * unspecified. */
enum error roles_parse(struct roles *roles, struct span text);

/* Writes the set; the span is of `text`. */
struct span roles_print(const struct roles *roles, char text[ROLES_TEXT_BYTES_MAX]);

/* Whether a set as roles_print wrote it has the role: no parsing, for filters. O(bytes). */
bool roles_text_has(struct span text, struct span name);

/* Whether changeRoles may be asked for that: ERROR_INVALID_ARGUMENT when both are empty or one role
 * is in both. */
enum error roles_change_judge(const struct roles *remove, const struct roles *add);

#endif
