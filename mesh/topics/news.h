/* news.h - one message about a topic for many sessions: encoded for the first of them, shared by
 * all.
 * Memory: the struct is the caller's, and so is the topic while it is told; what is shared is
 * counted by the outbox until news_end. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_NEWS_H
#define WEFT_MESH_TOPICS_NEWS_H

#include "mesh/topics/room.h"

struct news {
    const struct topic *topic;
    struct topic_update value;
    struct unsubscribed ended;
    struct outgoing message;
    struct update update;
};

/* The topic's value, with these TOPIC_MARK_..; or that the session has it no more. */
void news_of_value(struct news *news, const struct topic *topic, uint8_t marks);
void news_of_end(struct news *news, const struct topic *topic, enum unsubscribed_reason reason);

/* Into the session's queue; without memory the session is closed. */
void news_tell(struct topics *topics, struct session *session, struct news *news);

/* All have been told. */
void news_end(struct topics *topics, struct news *news);

#endif
