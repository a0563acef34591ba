/* table.h - the room's own view of its table; for the files of sessions/ only.
 * Memory: see sessions.h. Thread: one owner. */
#ifndef WEFT_MESH_SESSIONS_TABLE_H
#define WEFT_MESH_SESSIONS_TABLE_H

#include "mesh/base/hashmap.h"
#include "mesh/base/permutation.h"
#include "mesh/sessions/identity.h"
#include "mesh/sessions/sessions.h"

/* In by_connection: its session is over and it has been cut, but the daemon has not said yet that
 * nothing more comes from it. So many at most; past them a late frame counts as a bad one. */
#define TABLE_CONNECTION_CUT (UINT32_MAX - 1)
enum { TABLE_CONNECTIONS_CUT_MAX = 65536 };

/* Two silences make the third fatal: 30 s is the client's own interval of PING, so a living client
 * is never asked twice. Half of it doubles the traffic of idle sessions; twice of it leaves a
 * vanished client's session standing for three minutes. */
#define SESSION_SILENCE_NS (UINT64_C(30000) * 1000000)
#define SESSION_SILENCE_END_NS (3 * SESSION_SILENCE_NS)

struct sessions {
    struct context *context;
    struct session *slots;
    struct principals_chain *principals; /* principals.c's own */
    uint32_t principals_mask;            /* how many chains, less one */
    uint32_t capacity;
    uint32_t used;                        /* slots from here on were never touched */
    uint32_t first_free;                  /* linked by next */
    uint32_t first_open, last_open, open; /* linked by next and previous */
    uint32_t connections_cut;
    uint32_t disconnected; /* of the open ones */
    uint32_t opening;
    uint32_t first_event, last_event;
    struct hashmap by_id, by_connection;
    struct permutation serials;
    uint64_t serial;
    bool is_ready;
    struct permissions *permissions;
    struct identity_chain chain;
    struct span anonymous_roles; /* as roles_print writes them */
    char anonymous_roles_text[ROLES_TEXT_BYTES_MAX];
    uint8_t *addresses;
    size_t addresses_bytes, own_address_bytes;
    struct span addresses_now; /* a copy that lives until the pull ends; empty: none yet */
};

/* A slot for that connection, in phase OPENING and in no list; NULL when all are taken. */
struct session *table_take(struct sessions *sessions, uint32_t connection);

/* Gives the slot back. `cut`: the connection is being cut, and late frames from it are expected. */
void table_release(struct sessions *sessions, struct session *session, bool cut);

/* An open session loses its connection; gets one, also in place of another, which is then
 * forgotten. table_attach returns false, and nothing has changed, when there is no memory. */
void table_detach(struct sessions *sessions, struct session *session);
bool table_attach(struct sessions *sessions, struct session *session, uint32_t connection);

/* Orders a connection that no session has to be cut; late frames from it are expected. */
void table_cut(struct sessions *sessions, uint32_t connection);

/* Queues WELCOME: what all have in common is filled in here, the rest is the caller's. */
void sessions_say_welcome(struct sessions *sessions, struct session *session,
                          struct client_welcome *welcome);

/* What the session may do comes from its roles. */
void table_rights_follow(const struct sessions *sessions, struct session *session);

/* True for a connection that is being cut; table_forget: the daemon is done with it. */
bool table_is_cut(const struct sessions *sessions, uint32_t connection);
void table_forget(struct sessions *sessions, uint32_t connection);

/* Puts the session at the end of the open ones (it is not there) and takes it out again. */
void table_link(struct sessions *sessions, struct session *session);
void table_unlink(struct sessions *sessions, struct session *session);

/* Queues the event that the session's phase and changes stand for; once, however often it is called
 * before the event is taken. */
void table_announce(struct sessions *sessions, struct session *session);

#endif
