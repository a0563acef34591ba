/* news.c - see news.h. */
#include "mesh/topics/news.h"

#include "proto/kinds.h"

void news_of_value(struct news *news, const struct topic *topic, uint8_t marks)
{
    *news = (struct news){
        .topic = topic,
        .value = {.path = tree_path(topic),
                  .type = topic->value_type,
                  .term = topic->version.term,
                  .instance = topic->version.instance,
                  .n = topic->version.n},
        .update = {.key = topic->key,
                   .policy = (enum topic_policy)topic->policy,
                   .marks = marks,
                   .is_start = (marks & TOPIC_MARK_SNAPSHOT) != 0},
    };
    news->message = (struct outgoing){.kind = KIND_UPDATE,
                                      .schema = &topic_update_schema,
                                      .fields = &news->value,
                                      .body = tree_value(topic)};
}

void news_of_end(struct news *news, const struct topic *topic, enum unsubscribed_reason reason)
{
    *news = (struct news){
        .topic = topic,
        .ended = {.path = tree_path(topic), .reason = (uint8_t)reason},
        .update = {.key = topic->key, .policy = (enum topic_policy)topic->policy, .is_end = true},
    };
    if (reason == UNSUBSCRIBED_REMOVED) {
        news->ended.term = topic->version.term;
        news->ended.instance = topic->version.instance;
        news->ended.n = topic->version.n;
    }
    news->message = (struct outgoing){
        .kind = KIND_UNSUBSCRIBED, .schema = &unsubscribed_schema, .fields = &news->ended};
}

void news_tell(struct topics *topics, struct session *session, struct news *news)
{
    struct outbox *outbox = topics->context->outbox;
    if (news->update.message == NULL)
        news->update.message = updates_share(outbox, &news->message);
    if (news->update.message == NULL) {
        sessions_close(topics->sessions, session, CLOSE_REASON_QUEUE_LIMIT_REACHED,
                       span_text("the node has no memory left for queues (memory.queues)"));
        return;
    }
    count(topics->context, COUNTER_topic_updates_told);
    sessions_send_update(topics->sessions, session, &news->update);
}

void news_end(struct topics *topics, struct news *news)
{
    if (news->update.message != NULL)
        updates_unshare(topics->context->outbox, &news->update.message);
}
