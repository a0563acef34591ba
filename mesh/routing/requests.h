/* requests.h - decides what becomes of a request: from its caller to a handler here, or to the node
 * that has one.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_REQUESTS_H
#define WEFT_MESH_ROUTING_REQUESTS_H

#include "mesh/routing/room.h"

/* REQUEST of a session here. ERROR_OK: it has or will have an outcome; else what is wrong with the
 * message: it was no request. */
enum error requests_from_session(struct routing *routing, struct session *session,
                                 const struct message *message);

/* REQUEST of another node, which chose a handler session here: handed over, or answered `moved`. An
 * error is a strike. */
enum error requests_from_node(struct routing *routing, struct node *node,
                              const struct message *message);

/* CANCEL of a caller: the outcome is CANCELLED, unless another was first. */
void requests_cancel_from_session(struct routing *routing, const struct session *session,
                                  uint64_t correlation);
void requests_cancel_from_node(struct routing *routing, const struct node *node,
                               uint64_t correlation);

/* Chooses a handler for a flight that has none and sends it the request, or says the outcome. */
void requests_route(struct routing *routing, struct flight *flight, const struct parcel *parcel);

/* Whether a request that was lost after its hand-over is asked again: its caller said that it may
 * be, it was kept, and that was not done too often. The flight must serve nobody when it is. */
bool requests_may_retry(const struct flight *flight);
void requests_retry(struct routing *routing, struct flight *flight);

/* Whether the bytes can be a value of that type. */
bool requests_value_is_valid(uint8_t type, struct span body);

#endif
