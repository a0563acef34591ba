/* passwords.h - decides whose password is checked next: the daemon works on MESH_PASSWORDS_AT_ONCE
 * of them, the others stand in line here, where one whose client is gone is forgotten at no cost.
 * Memory: of its own two numbers; the line is in logins.h. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_PASSWORDS_H
#define WEFT_MESH_ROUTING_PASSWORDS_H

#include "mesh/routing/logins.h"
#include "mesh/routing/room.h"

/* Puts the login in line. */
void passwords_ask(struct routing *routing, struct login *login);

/* The daemon has checked one: exactly one fact for each MESH_CHECK_PASSWORD. roles: with RIGHT, as
 * roles_parse reads them; others are a "no". */
void passwords_checked(struct routing *routing, uint64_t number, enum mesh_password password,
                       struct span roles);

#endif
