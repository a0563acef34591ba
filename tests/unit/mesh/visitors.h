/* visitors.h - what people at the door say, and what those say who are asked about them; on town.h.
 * Memory: static; texts live until the next call. Thread: one. */
#ifndef WEFT_TESTS_UNIT_MESH_VISITORS_H
#define WEFT_TESTS_UNIT_MESH_VISITORS_H

#include "proto/authentication.h"
#include "tests/unit/mesh/town.h"

/* So many nodes that know each other, each with that chain. */
void visitors_city(uint32_t nodes, const char *chain);

/* Connects, and says HELLO; offered: groups of struct property. */
uint32_t visitors_hello(uint32_t node, const char *principal, const char *credentials);
uint32_t visitors_hello_with(uint32_t node, const char *principal, const char *credentials,
                             struct span offered);

/* ERROR_OK: welcome; NOT_READY: nothing was said yet; else the code of REFUSED. Learns the
 * session's id. */
enum error visitors_answer(uint32_t client);

/* A property of its session, NULL: absent. Asked by the client itself. */
const char *visitors_property(uint32_t client, const char *key);

/* One property as groups. */
struct span visitors_group(const char *key, const char *value);

/* An anonymous session with a registration under that name; everybody has heard of it. */
uint32_t visitors_handler(uint32_t node, const char *name);
enum error visitors_register(uint32_t client, const char *name); /* code of ERROR, or OK */

/* The first question that it was asked, of which there must be one; whether a property was shown
 * with it. */
struct authenticate visitors_asked(uint32_t handler);
bool visitors_was_shown(uint32_t handler, const char *key, const char *value);

/* Which of them was asked; there must be one. */
uint32_t visitors_whoever_was_asked(const uint32_t *handlers, size_t count);

/* Answers it; properties: "key=value\nkey=value". */
void visitors_decide(uint32_t handler, enum decision_code code);
void visitors_decide_with(uint32_t handler, enum decision_code code, const char *properties);
void visitors_say_decision(uint32_t handler, uint64_t number, enum decision_code code,
                           struct span body);

void visitors_reauthenticate(uint32_t client, uint64_t correlation, const char *principal,
                             const char *credentials);

/* The code of the ERROR under that correlation, of which there must be one. */
enum error visitors_error(uint32_t client, uint64_t correlation);

#endif
