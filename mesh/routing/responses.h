/* responses.h - decides how a request ends: the response on its way back, and the outcomes that
 * weft itself says. A flight ends here and nowhere else, so each ends once.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_RESPONSES_H
#define WEFT_MESH_ROUTING_RESPONSES_H

#include "mesh/routing/room.h"

/* RESPONSE of a handler's session. Returns ERROR_OK, also for one that came too late or twice: it
 * is dropped and counted; or what is wrong with it: the request goes on. */
enum error responses_from_session(struct routing *routing, struct session *session,
                                  const struct message *message);

/* RESPONSE of another node, the handler's. As above; an error is a strike. */
enum error responses_from_node(struct routing *routing, struct node *node,
                               const struct message *message);

/* Tells the caller how it ended, and ends the flight. */
void responses_say(struct routing *routing, struct flight *flight, enum error outcome,
                   struct span text);

/* Ends the flight without a word: there is nobody to tell, or he has been told. `outcome` is
 * what is counted if it began here. */
void responses_forget(struct routing *routing, struct flight *flight, enum error outcome);

/* Whoever served it is lost, and it is to be asked again: it serves nobody, and goes on. */
void responses_lost(struct routing *routing, struct flight *flight);

/* Tells the caller's node that the handler chosen is not here (any more), and gives the request
 * back for another choice: message is its path, type and body its value; of a request to a session
 * also the owner it knows of, or 0. Ends the flight. */
void responses_say_moved(struct routing *routing, struct flight *flight,
                         const struct parcel *parcel, uint64_t owner);

/* Answers a request of a session here that never became a flight. */
void responses_refuse(struct routing *routing, struct session *session, uint64_t correlation,
                      enum error outcome, struct span text);

/* The counter of each outcome a request may have; other errors are counted together. */
enum counter responses_counter(enum error outcome);

#endif
