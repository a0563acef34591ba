/* ownership.h - decides who hosts which session and which handler, from memory alone: the directory
 * of the whole mesh, spread by each node's ownership log.
 * Memory: MEMORY_DIRECTORY. Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_OWNERSHIP_OWNERSHIP_H
#define WEFT_MESH_OWNERSHIP_OWNERSHIP_H

#include "mesh/base/context.h"
#include "proto/command.h"
#include "proto/log.h"

struct ownership;

struct ownership *ownership_new(struct context *context);
void ownership_destroy(struct ownership **ownership);

/* What happened on this node; goes into the directory at once and into the log. ERROR_OK or
 * ERROR_LIMIT_REACHED (nothing changed). */
enum error ownership_session_opened(struct ownership *ownership, struct session_id id);

/* This node goes on with a session that another one hosted or created: with a claim above all that
 * are known. ERROR_OK or ERROR_LIMIT_REACHED (nothing changed). */
enum error ownership_session_claimed(struct ownership *ownership, struct session_id id,
                                     enum session_state state);

/* A session that is hosted here and that another live node has claimed with more right (a split
 * healed, or it was handed over): it must be closed here. Returns false when there is none. */
bool ownership_next_lost(struct ownership *ownership, struct session_id *session, uint64_t *winner);

/* Whether there may be one. */
bool ownership_has_lost(const struct ownership *ownership);

void ownership_session_changed(struct ownership *ownership, struct session_id id,
                               enum session_state state);
void ownership_session_closed(struct ownership *ownership, struct session_id id);

/* One handler per kind, path and session: ERROR_HANDLER_CONFLICT. Path as path_parse gave it;
 * value: up to OWNERSHIP_VALUE_BYTES_MAX bytes that every node finds with it.
 * ERROR_NO_SUCH_SESSION: not hosted here. ERROR_LIMIT_REACHED: 1,024 a session, or no memory.
 * Unregistering what is not registered: ERROR_NO_HANDLER. A session that closes takes its
 * registrations with it. */
enum error ownership_handler_registered(struct ownership *ownership, enum handler_kind kind,
                                        struct span path, struct session_id session,
                                        struct span value);
enum error ownership_handler_unregistered(struct ownership *ownership, enum handler_kind kind,
                                          struct span path, struct session_id session);

/* The index-th registration of a session hosted here, in no order; false: there are not so many.
 * *path is valid until the directory changes. O(index). */
bool ownership_handler_of_session(const struct ownership *ownership, struct session_id session,
                                  uint32_t index, enum handler_kind *kind, struct span *path);

/* A session of this node listens to sessions; `number` says to the others which of this node's
 * LISTENs it is, and takes the place of the one before. ERROR_OK or ERROR_LIMIT_REACHED (as for
 * handlers; unchanged). It goes with its session, or by ownership_listener_removed: fine when it
 * is not there. */
enum error ownership_listener_registered(struct ownership *ownership, struct session_id session,
                                         uint64_t number);
void ownership_listener_removed(struct ownership *ownership, struct session_id session);

/* The sessions of live nodes that listen to sessions; start with *cursor = 0. */
struct listener_entry {
    uint64_t instance; /* the node */
    struct session_id session;
    uint64_t number;
};
bool ownership_next_listener(const struct ownership *ownership, uint32_t *cursor,
                             struct listener_entry *entry);

/* Another number than before: the walk may find something else. O(1). */
uint64_t ownership_listeners_changes(const struct ownership *ownership);

uint32_t ownership_listeners(const struct ownership *ownership); /* lost nodes' included */

/* A message of the log (LOG_ENTRIES, LOG_PULL, LOG_SNAPSHOT, LOG_HEADS). `peer` is the
 * sender's instance; answers go out on this node's forward link to it, if that is up. Returns
 * ERROR_OK, or ERROR_INVALID_MESSAGE: a strike, nothing changed. */
enum error ownership_receive(struct ownership *ownership, uint64_t peer,
                             const struct message *message);

/* Facts about members. A forward link that came up gets what it misses. */
void ownership_member_joined(struct ownership *ownership, uint64_t instance);
void ownership_member_failed(struct ownership *ownership, uint64_t instance); /* in the shade */
void ownership_member_gone(struct ownership *ownership, uint64_t instance);   /* for good */
void ownership_link_up(struct ownership *ownership, uint64_t instance);
void ownership_log_head(struct ownership *ownership, uint64_t instance, uint64_t version);
void ownership_due(struct ownership *ownership, const struct deadline *due);

uint64_t ownership_log_version(const struct ownership *ownership); /* this node's own head */

/* True while no live member's log is awaited: each has been received up to the head it told first.
 * Ready is whoever has joined (membership) and then finds this true once; a later newcomer's log
 * is awaited for some milliseconds again. O(members). */
bool ownership_is_synced(const struct ownership *ownership);

/* The node that hosts the session: its instance; of several that say so, the one with the highest
 * claim, then instance. `is_shaded`: only lost nodes have it (the best of them). 0: nobody.
 * O(1). */
uint64_t ownership_find_session(const struct ownership *ownership, struct session_id id,
                                bool *is_shaded);

/* The registrations at the most specific path at or above `path` that has one on a live node.
 * Fills up to `most` entries: active sessions before disconnected ones, among each those on this
 * node first; returns how many. When the path has more than `most`, the others are a stretch of
 * them by chance. O(depth + most), and skipping those that are lost or disconnected. */
struct handler_entry {
    uint64_t instance; /* the node */
    struct session_id session;
    struct span path;  /* of the registration; valid until the directory changes */
    struct span value; /* what it was registered with; the same */
    enum session_state state;
};
size_t ownership_find_handlers(struct ownership *ownership, enum handler_kind kind,
                               struct span path, struct handler_entry *entries, size_t most);

/* Whether the session, hosted here, has a registration at or above the path. O(depth x the
 * session's registrations). */
bool ownership_session_serves(const struct ownership *ownership, enum handler_kind kind,
                              struct span path, struct session_id session);

/* Walks every registration of live nodes, by kind, path, node, session; start with *cursor = 0. */
bool ownership_next_handler(const struct ownership *ownership, uint64_t *cursor,
                            enum handler_kind *kind, struct handler_entry *entry);

/* Entries of live members' logs that this node has heard of and does not have. O(members). */
uint64_t ownership_behind(const struct ownership *ownership);

uint32_t ownership_sessions(const struct ownership *ownership); /* in the live directory */
uint32_t ownership_handlers(const struct ownership *ownership);
uint64_t ownership_hash(const struct ownership *ownership); /* equal directories, equal hashes */
void ownership_check(const struct ownership *ownership);

#endif
