/* allowance.h - decides what an "allow" gives a session: a principal, roles, and what else an
 * authenticator wants it to have; and gives it.
 * Memory: the struct is the caller's and does not move; spans point into what it was made of.
 * Thread: one owner. */
#ifndef WEFT_MESH_SESSIONS_ALLOWANCE_H
#define WEFT_MESH_SESSIONS_ALLOWANCE_H

#include "mesh/sessions/property_changes.h"
#include "mesh/sessions/sessions.h"

struct allowance {
    struct property_changes changes; /* $Principal and $Roles always among them */
    char roles_text[ROLES_TEXT_BYTES_MAX];
};

/* An allow of the node's own: that principal, those roles (as roles_parse reads them), and the user
 * properties offered (groups; empty: none). ERROR_OK, or as property_set_offer, with *culprit; also
 * ERROR_INVALID_ARGUMENT for roles that are none. */
enum error allowance_make(struct allowance *allowance, struct span principal, struct span roles,
                          struct span offered, struct span *culprit);

/* An allow of a handler: groups of struct property. What it says nothing of: the principal is as
 * claimed, there are no roles. Returns ERROR_OK, or ERROR_INVALID_MESSAGE for groups, keys, values,
 * roles or a principal against the rules; *allowance is unspecified then. */
enum error allowance_read(struct allowance *allowance, struct span groups, struct span claimed);

/* Gives it all to a session, OPENING or OPEN. What an open one may do follows at once, and others
 * are told (sessions_changed). ERROR_OK, or ERROR_LIMIT_REACHED with nothing changed. */
enum error allowance_give(struct sessions *sessions, struct session *session,
                          const struct allowance *allowance);

#endif
