/* routing.h - the room as mesh.c sees it: its birth, and facts that concern all of it. Messages go
 * straight to the file that decides about them: requests.h, responses.h, registrations.h,
 * commands.h, listeners.h.
 * Memory: fixed tables; answers to commands in MEMORY_QUEUES. Thread: one owner; no clock, no
 * I/O. */
#ifndef WEFT_MESH_ROUTING_ROUTING_H
#define WEFT_MESH_ROUTING_ROUTING_H

#include "mesh/ownership/ownership.h"
#include "mesh/sessions/sessions.h"
#include "proto/event.h"

struct routing;
struct node;
struct topics;

struct routing *routing_new(struct context *context, struct sessions *sessions,
                            struct ownership *ownership, struct topics *topics);
void routing_destroy(struct routing **routing);

/* What STATUS says of this node and only the door knows. */
struct routing_status {
    bool is_synced; /* once, for ever: then "nobody serves the path" may be said */
    bool is_ready;
    uint32_t members;
    uint64_t members_hash;
    uint32_t topics;
    uint64_t topics_hash, topics_behind;
};
void routing_set_status(struct routing *routing, const struct routing_status *status);

/* A member lives. The strings are copied. */
void routing_node_joined(struct routing *routing, uint64_t instance, struct span name,
                         struct span zone);

/* The living member of that instance, as the files of this room take it; NULL: there is none. */
struct node *routing_node(struct routing *routing, uint64_t instance);

/* A member is suspected, or no longer: for those who listen only; it is served as ever. */
void routing_node_suspected(struct routing *routing, uint64_t instance, bool is_suspected);

/* A member is dead, left or replaced, as the news says: its callers' requests end, and what it was
 * asked is lost. Fine for one that is gone already. */
void routing_node_gone(struct routing *routing, uint64_t instance, enum member_news news);

/* Our forward link to a member was up and is down: what was sent may be lost, and what was not is
 * given to somebody else. */
void routing_link_lost(struct routing *routing, uint64_t instance);

/* SESSION_EVENT_ENDED, after the directory was told and before the session is buried. */
void routing_session_ended(struct routing *routing, struct session *session);

/* What sessions may do has changed: of that one, or of all (NULL). What a session has and may not
 * have any more is taken back. */
void routing_rights_changed(struct routing *routing, struct session *session);

/* The session was welcomed; or some of it changed: bits of enum session_change. After the directory
 * was told. */
void routing_session_opened(struct routing *routing, struct session *session);
void routing_session_changed(struct routing *routing, struct session *session, unsigned changes);

/* Between two facts: what the directory says of listeners is carried out. */
void routing_look(struct routing *routing);

void routing_due(struct routing *routing, const struct deadline *due);

/* requests_received = the sum of the outcomes + what is in flight; every table in order. */
void routing_check(const struct routing *routing);

#endif
