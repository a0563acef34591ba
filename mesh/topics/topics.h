/* topics.h - decides what topics there are and which value each has, on this node as on all; whose
 * turn it is to change one; and which sessions hear of it.
 * Memory: values in MEMORY_TOPICS, the rest in MEMORY_DIRECTORY, MEMORY_TABLES and MEMORY_QUEUES.
 * Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_TOPICS_TOPICS_H
#define WEFT_MESH_TOPICS_TOPICS_H

#include "mesh/base/context.h"
#include "mesh/sessions/sessions.h"

struct topics;

struct topics *topics_new(struct context *context, struct sessions *sessions);
void topics_destroy(struct topics **topics);

/* SUBSCRIBE, UNSUBSCRIBE, SET, REMOVE, FETCH of a session here. ERROR_OK: it has or will have its
 * answer; else what is wrong with the message. */
enum error topics_from_session(struct topics *topics, struct session *session,
                               const struct message *message);

/* SET, REMOVE, TOPIC, and what the log says: LOG_ENTRIES, LOG_PULL, LOG_SNAPSHOT, LOG_HEADS,
 * LOG_COLLECT, LOG_COLLECTED. An error is a strike. */
enum error topics_from_node(struct topics *topics, uint64_t peer, const struct message *message);

/* Whether a message of the log is of the topics' stream. */
bool topics_is_log(const struct message *message);

/* Facts about members. This node joined, and has every live node's directory. */
void topics_joined(struct topics *topics);
void topics_member_joined(struct topics *topics, uint64_t instance);
void topics_member_lost(struct topics *topics, uint64_t instance, bool is_for_good);
void topics_held_dead(struct topics *topics); /* this node, by somebody, who may have gone on */
void topics_link_up(struct topics *topics, uint64_t instance);
void topics_link_lost(struct topics *topics, uint64_t instance); /* before its queue is dropped */

/* Facts about sessions here. */
void topics_session_ended(struct topics *topics, struct session *session);

/* What sessions may do has changed: of that one, or of all (NULL). What they may read no more is
 * taken from them, what they may read now is told. */
void topics_rights_changed(struct topics *topics, struct session *session);

/* A command's doing: a selection for an open session, and away with it. The selector as
 * selector_parse gave it. ERROR_OK, or ERROR_LIMIT_REACHED: nothing changed. Of a selection that is
 * not there: ERROR_OK. */
enum error topics_subscribe(struct topics *topics, struct session *session, struct span selector);
enum error topics_unsubscribe(struct topics *topics, struct session *session, struct span selector);

/* A selector that matched no topic when it was subscribed, and who said it. Valid until the pull
 * ends. False: none. */
struct topics_missing {
    struct session_id session;
    struct span selector;
};
bool topics_next_missing(struct topics *topics, struct topics_missing *missing);

/* A session that topics go with, to be looked up in the directory; start with *cursor = 0. The
 * answer is said by topics_creator_seen, which may not end the walk. False: the end. */
bool topics_next_creator(const struct topics *topics, uint32_t *cursor, struct session_id *session);

enum creator_state { CREATOR_THERE, CREATOR_NODE_LOST, CREATOR_GONE };
void topics_creator_seen(struct topics *topics, struct session_id session,
                         enum creator_state state);

/* Between two facts: what may go on now, does. */
void topics_look(struct topics *topics);

/* A pull begins: what was changed since the last one is pushed. It has ended. */
void topics_flush(struct topics *topics);
void topics_pull_ended(struct topics *topics);

/* True: it is time to look for the creators, topics_next_creator. */
bool topics_due(struct topics *topics, const struct deadline *due);

/* True once this node has every topic of the mesh, and sequences its share. */
bool topics_are_synced(const struct topics *topics);

uint32_t topics_count(const struct topics *topics);
uint64_t topics_hash(const struct topics *topics); /* equal topics, equal hashes */
uint64_t topics_behind(const struct topics *topics);
void topics_check(const struct topics *topics);

#endif
