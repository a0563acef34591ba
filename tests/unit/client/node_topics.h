/* node_topics.h - the topics of the node of straw: kept in a list, told to who subscribed.
 * Memory: within the node. Thread: the node's. */
#ifndef WEFT_TESTS_UNIT_CLIENT_NODE_TOPICS_H
#define WEFT_TESTS_UNIT_CLIENT_NODE_TOPICS_H

#include "proto/envelope.h"
#include "proto/topic.h"

struct node;

enum { NODE_TOPICS = 16, NODE_SELECTIONS = 16, NODE_TOPIC_INSTANCE = 7 };

struct node_topic {
    char path[64], value[64];
    size_t value_bytes;
    uint8_t type, policy;
    uint64_t n;
};

struct node_selection {
    int session;
    char selector[64];
};

struct node_topics {
    struct node_topic topics[NODE_TOPICS];
    int count;
    struct node_selection selections[NODE_SELECTIONS];
    int selections_count;
    int subscribes, unsubscribes; /* messages heard */
    struct topic_set set;         /* the last SET; its spans have ended */
};

/* Answers a message about topics; false: it is about something else. Paths with a meaning of their
 * own: `forbidden` is ACCESS_DENIED, `moving` CLUSTER_REPARTITION, `silent` never answered. */
bool node_topics_hear(struct node *node, int session, const struct message *message);

/* The node has a topic, and who subscribed hears of it. */
void node_topics_put(struct node *node, const char *path, const char *value, bool is_resync);

/* UNSUBSCRIBED, of a topic or of a selector: whichever is not NULL. */
void node_topics_end(struct node *node, int session, const char *path, const char *selector,
                     enum unsubscribed_reason reason);

#endif
