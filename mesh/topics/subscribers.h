/* subscribers.h - decides what each session of this node hears of topics: the snapshot of what it
 * selects, and every change behind that.
 *
 * A session's snapshots are fed in the order of paths, as its queue takes them. A topic before the
 * place where the feed stands has been told, so its changes are told as they come; one behind it
 * has not, so nothing of it is told until the feed comes to it and tells its value of that moment.
 * So each topic's snapshot and stream meet at one point of this node's replica.
 * Memory: a fixed table by session slot, touched as used; selections.h. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_SUBSCRIBERS_H
#define WEFT_MESH_TOPICS_SUBSCRIBERS_H

#include "mesh/topics/room.h"

bool subscribers_init(struct topics *topics);
void subscribers_clear(struct topics *topics);

/* As topics_subscribe, topics_unsubscribe; the latter: whether there was such a selection. */
enum error subscribers_add(struct topics *topics, struct session *session, struct span selector);
bool subscribers_remove(struct topics *topics, struct session *session, struct span selector);

/* Between two facts: subscriptions that ended because a queue was full are told so. */
void subscribers_look(struct topics *topics);

/* The deadline TOPICS_FEED of that session is due. */
void subscribers_feed(struct topics *topics, uint32_t session);

/* A topic has this value now, or is removed: told to whom it concerns. */
void subscribers_tell_value(struct topics *topics, const struct topic *topic, bool is_resync);
void subscribers_tell_removed(struct topics *topics, const struct topic *topic);

void subscribers_session_ended(struct topics *topics, const struct session *session);

/* What the session may do is not what it was: topics that it could read and can't are taken from
 * it, those that it can and could not are told. O(topics it selects), if it reads in places only,
 * before or now. */
void subscribers_rights_changed(struct topics *topics, struct session *session);

/* The configuration's permissions have changed, and every session was looked at. */
void subscribers_permissions_changed(struct topics *topics);

void subscribers_check(const struct topics *topics);

#endif
