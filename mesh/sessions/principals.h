/* principals.h - finds the open sessions of one principal without looking at all of them.
 * Memory: MEMORY_TABLES, made at start, 8 to 16 bytes a possible session; adding can't fail.
 * Thread: one owner. */
#ifndef WEFT_MESH_SESSIONS_PRINCIPALS_H
#define WEFT_MESH_SESSIONS_PRINCIPALS_H

#include "mesh/sessions/sessions.h"

/* False: no memory. */
bool principals_init(struct sessions *sessions);
void principals_clear(struct sessions *sessions);

/* The session is open from now on, or no more; its $Principal stays the same in between. For the
 * files of sessions/ only. O(1). */
void principals_add(struct sessions *sessions, struct session *session);
void principals_remove(struct sessions *sessions, struct session *session);

/* Walks the open sessions of a principal, oldest first; NULL starts, NULL ends. O(1) a session,
 * and those that share its hash. */
struct session *principals_next(struct sessions *sessions, struct span principal,
                                const struct session *after);

#endif
