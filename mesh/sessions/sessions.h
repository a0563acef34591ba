/* sessions.h - decides which sessions this node hosts: who may open one, what keeps it alive and
 * when it ends. What it decides comes out as events, which mesh.c hands to the other rooms.
 *
 * An open session is active, or disconnected: see resuming.h.
 *
 *     FREE -> [opening_hello] -> OPENING -> [sessions_welcome] -> OPEN -> [sessions_close] -> ENDED
 *      ^ ^--- [sessions_turn_away] -+                                                          |
 *      +-------------------------------------- [sessions_bury] --------------------------------+
 *
 * OPENING lasts: first it is found out who it is (routing/authentication.h), then the directory is
 * told. Nobody finds such a session; its connection may end it, and nothing it says is listened to.
 *
 * Memory: a fixed table of sessions_max slots touched as used.
 * Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_SESSIONS_SESSIONS_H
#define WEFT_MESH_SESSIONS_SESSIONS_H

#include "mesh/base/context.h"
#include "mesh/base/updates.h"
#include "mesh/sessions/identity.h"
#include "mesh/sessions/permissions.h"
#include "mesh/sessions/properties.h"
#include "proto/command.h"

#define SESSION_NONE UINT32_MAX /* no slot */

enum { SESSION_TOKEN_HASH_BYTES = 32 };

enum session_phase {
    SESSION_PHASE_FREE,
    SESSION_PHASE_OPENING, /* HELLO was taken; it is not known who it is, or not yet told */
    SESSION_PHASE_OPEN,
    SESSION_PHASE_ENDED, /* closed; the other rooms have not been told yet */
};

/* What became different about an open session; bits. */
enum session_change {
    SESSION_CHANGED_PROPERTIES = 1,
    SESSION_CHANGED_ROLES = 2,
    SESSION_CHANGED_STATE = 4, /* disconnected, or connected again */
};

struct session {
    struct session_id id;
    uint32_t slot;
    uint32_t connection;
    enum session_phase phase;
    enum close_reason reason; /* ENDED */
    struct span goodbye;      /* ENDED: words for the client; live until it is buried */
    bool is_connection_lost;  /* nothing can be said to the client now; OPEN: it is disconnected */
    bool is_announced;        /* an event of it waits */
    uint8_t changes;          /* bits of enum session_change that the other rooms do not know yet */
    struct outbound outbound; /* to its client; sessions_send is the way in */
    struct properties properties;
    struct rights rights;     /* what $Roles comes to */
    struct deadline deadline; /* OPEN: the client's silence, or the end of waiting for it */
    uint32_t reconnect_ms;    /* granted; 0: the session ends with its connection */
    uint8_t token_hash[SESSION_TOKEN_HASH_BYTES];
    uint64_t owner;        /* mesh_name_hash of whose key it was opened under; 0: nobody's */
    uint64_t received_seq; /* numbered messages from the client, see kind_is_numbered */
    uint64_t acknowledged_seq, unacknowledged_bytes; /* told to it; received since */
    uint64_t hello_correlation;
    uint64_t heard_ns;       /* when its client last sent anything */
    uint64_t invalid_ns[2];  /* when its last bad messages came, the newer first; 0: never */
    uint32_t next, previous; /* slots: the open sessions; the free ones */
    uint32_t next_namesake, previous_namesake; /* principals.c's own */
    uint32_t next_event;
    uint32_t login; /* routing/authentication.h's own: what is under way for it + 1; 0: nothing */
    uint32_t operations; /* topics/pending.h's own: its SETs and REMOVEs that have no answer yet */
};

enum session_event_kind {
    SESSION_EVENT_OPENING, /* tell the directory, then sessions_welcome or _turn_away */
    SESSION_EVENT_CHANGED, /* tell the directory (state) and routing */
    SESSION_EVENT_ENDED,   /* tell the directory and routing, then sessions_bury */
};

struct session_event {
    enum session_event_kind kind;
    struct session *session;
    uint8_t changes; /* CHANGED: bits of enum session_change */
};

struct sessions;

struct sessions *sessions_new(struct context *context);
void sessions_destroy(struct sessions **sessions);

/* What WELCOME and REFUSED tell about where to go: encoded groups of node_address, this node
 * first (own_bytes of them). Copied. ERROR_LIMIT_REACHED leaves the old ones. */
enum error sessions_set_addresses(struct sessions *sessions, struct span groups, size_t own_bytes);

/* Whether HELLO is welcome: not before the node is ready, and no more when it is stopping. */
void sessions_set_ready(struct sessions *sessions, bool is_ready);

/* O(1), NULL: not hosted here (find: and open). */
struct session *sessions_find(struct sessions *sessions, struct session_id id);
struct session *sessions_of_connection(struct sessions *sessions, uint32_t connection);

/* True for a connection whose session is over and which is being cut: its frames are ignored. */
bool sessions_is_cut(const struct sessions *sessions, uint32_t connection);

/* The session in a slot that was handed out; of any phase. */
struct session *sessions_at(struct sessions *sessions, uint32_t slot);

/* Walks the open sessions, oldest first; NULL starts, NULL ends. */
struct session *sessions_next(struct sessions *sessions, const struct session *after);

uint32_t sessions_open(const struct sessions *sessions);     /* how many are open: all but closed */
uint32_t sessions_opening(const struct sessions *sessions);  /* how many are OPENING */
uint32_t sessions_capacity(const struct sessions *sessions); /* slots are below this */
uint32_t sessions_used(const struct sessions *sessions);     /* and were handed out below this */

/* How it is found out who somebody is, and what those hold who are nobody in particular. */
const struct identity_chain *sessions_chain(const struct sessions *sessions);
struct span sessions_anonymous_roles(const struct sessions *sessions);

/* Whether the session may do that at that path (as path_parse gave it; empty: no path). One test of
 * a bit, unless the permission is given in places only. */
bool sessions_may(const struct sessions *sessions, const struct session *session,
                  enum permission permission, struct span path);

/* The configured permissions, as they are now. */
const struct permissions *sessions_permissions(const struct sessions *sessions);

/* Takes roles away and adds others; those it does not hold, and those it holds, are no error. What
 * it may do follows at once, and sessions_changed says so. ERROR_INVALID_ARGUMENT: see
 * roles_change_judge; ERROR_LIMIT_REACHED: more than ROLES_MAX, or no memory. Unchanged after an
 * error. */
enum error sessions_change_roles(struct sessions *sessions, struct session *session,
                                 const struct roles *remove, const struct roles *add);

/* The configuration's permissions are others now: compiles them, and every session's rights follow.
 * O(sessions). */
void sessions_reconfigured(struct sessions *sessions);

/* Queues a message to the client. A full queue closes the session, queue_limit_reached. */
void sessions_send(struct sessions *sessions, struct session *session,
                   const struct outgoing *message);

/* Queues an update of a topic to the client, or merges it (updates.h). A queue that is full all
 * the same closes the session, queue_limit_reached. */
void sessions_send_update(struct sessions *sessions, struct session *session,
                          const struct update *update);

/* Takes a subscription that ended because its session's queue was full: the topic's key, as in the
 * update; its updates have left the queue. False: there is none. Whoever sends updates asks behind
 * each fan-out, and mesh.c once more behind each message, as any message may fill a queue; who is
 * told takes the subscription away and says so to the client, by an update that is an end. O(1). */
bool sessions_next_ended_subscription(struct sessions *sessions, struct session **session,
                                      uint32_t *key);

/* The two plain answers. */
void sessions_send_done(struct sessions *sessions, struct session *session, uint64_t correlation);
void sessions_send_error(struct sessions *sessions, struct session *session, uint64_t correlation,
                         enum error code, struct span text);

/* Ends an open session, once; further calls change nothing. The words are for its client and are
 * copied. Everything else follows from the event. */
void sessions_close(struct sessions *sessions, struct session *session, enum close_reason reason,
                    struct span words);

/* Whoever changed properties, roles or state of a session says so here, behind the change, however
 * many he changed at once: those who listen are told before the next message is looked at. Fine for
 * a session that nobody was told of yet, or that is over: nothing happens. O(1). */
void sessions_changed(struct sessions *sessions, struct session *session, enum session_change what);

/* Changes properties of an open session, and says so if one has another value then. Returns
 * ERROR_OK, or ERROR_LIMIT_REACHED with nothing changed. */
enum error sessions_change_properties(struct sessions *sessions, struct session *session,
                                      const struct property_set *changes);

/* Turns the session's switch (session->outbound.is_conflated). Returns how many waiting updates
 * were merged away at once. O(messages that wait). */
uint32_t sessions_set_conflated(struct session *session, bool is_conflated);

/* As the directory and listeners are to know it. */
enum session_state sessions_state(const struct session *session);

/* All of them: the node stops. */
void sessions_close_all(struct sessions *sessions, enum close_reason reason);

/* The connection is gone: the session waits for another one (resuming.h), or ends; one that is
 * OPENING, and for which nobody is asked any more, was never there. */
void sessions_connection_lost(struct sessions *sessions, uint32_t connection);

/* Whether there is one to take. */
bool sessions_has_event(const struct sessions *sessions);

/* Takes the next event; false: none. It must be dealt with before the next one is taken. */
bool sessions_next_event(struct sessions *sessions, struct session_event *event);

/* The answers to SESSION_EVENT_OPENING: WELCOME, or REFUSED and the slot is free again. */
void sessions_welcome(struct sessions *sessions, struct session *session);
void sessions_turn_away(struct sessions *sessions, struct session *session, enum error code,
                        struct span text);

/* REFUSED to a connection that has no session, which is then cut. */
void sessions_refuse(struct sessions *sessions, uint32_t connection, uint64_t correlation,
                     enum error code, struct span text);

/* The answer to SESSION_EVENT_ENDED, when directory and routing know: what is queued leaves, then
 * GOODBYE, then the connection is cut. Frees the slot. */
void sessions_bury(struct sessions *sessions, struct session *session);

/* The pull has ended (scratch.h): what was kept for it is forgotten. */
void sessions_pull_ended(struct sessions *sessions);

void sessions_due(struct sessions *sessions, const struct deadline *due);
void sessions_check(const struct sessions *sessions);

#endif
