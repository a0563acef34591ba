/* topics.c - the room's birth, and what comes to it from the door: handed to the file that decides.
 *
 *     SET ------------> operations -> sequence -> authors_write -> merge -> subscribers -> UPDATE
 *     LOG_ENTRIES, LOG_SNAPSHOT ----> authors ------------------> merge -> subscribers -> UPDATE
 *     SUBSCRIBE ------> subscribers -> selections, and the tree, fed as the queue takes it
 *     members --------> sequencers -> LOG_COLLECT .. -> operations_unpark, adoption */
#include "mesh/topics/topics.h"

#include "mesh/base/selector.h"
#include "mesh/topics/adoption.h"
#include "mesh/topics/authors.h"
#include "mesh/topics/creators.h"
#include "mesh/topics/fetch.h"
#include "mesh/topics/merge.h"
#include "mesh/topics/operations.h"
#include "mesh/topics/pending.h"
#include "mesh/topics/removals.h"
#include "mesh/topics/sequencers.h"
#include "mesh/topics/subscribers.h"
#include "mesh/topics/unmet.h"
#include "proto/kinds.h"

/* The log's newest entries, for peers that a push passed over: of small updates some tens of
 * milliseconds at full speed, of the largest eight. Who is further behind gets what the log adds up
 * to, marked as a resync; twice as much makes that rarer by half, at twice the memory. */
enum { RING_BYTES_MAX = 8 * 1024 * 1024 };

struct topics *topics_new(struct context *context, struct sessions *sessions)
{
    struct topics *topics = memory_new(&context->memory, MEMORY_TABLES, sizeof *topics);
    if (topics == NULL)
        return NULL;
    topics->context = context;
    topics->sessions = sessions;
    topics->own =
        (struct author){.instance = context->instance, .is_live = true, .waiting = OPERATION_NONE};
    tree_init(&topics->tree, &context->memory, random_u64(&context->random));
    log_init(&topics->log, context, LOG_TOPICS, DEADLINE_TOPICS, RING_BLOCKS_MAX);
    log_hold(&topics->log, true);
    ring_enlarge(&topics->log.ring, RING_BLOCK_BYTES_MAX, RING_BYTES_MAX);
    replicas_init(&topics->replicas, &topics->log, random_u64(&context->random));
    creators_init(topics);
    sequencers_init(topics);
    bool is_whole =
        selections_init(&topics->selections, &context->memory, random_u64(&context->random));
    is_whole = subscribers_init(topics) && is_whole;
    is_whole = pending_init(topics) && is_whole;
    is_whole = fetch_init(topics) && is_whole;
    if (!is_whole)
        topics_destroy(&topics);
    return topics;
}

void topics_destroy(struct topics **holder)
{
    struct topics *topics = *holder;
    *holder = NULL;
    if (topics == NULL)
        return;
    fetch_clear(topics);
    pending_clear(topics);
    subscribers_clear(topics);
    selections_clear(&topics->selections);
    merge_clear(topics);
    sequencers_clear(topics);
    authors_clear(topics);
    replicas_clear(&topics->replicas);
    creators_clear(topics);
    log_clear(&topics->log);
    memory_free(&topics->context->memory, MEMORY_TABLES, topics, sizeof *topics);
}

bool topics_next_missing(struct topics *topics, struct topics_missing *missing)
{
    return unmet_next(topics, missing);
}

enum error topics_subscribe(struct topics *topics, struct session *session, struct span selector)
{
    enum error error = subscribers_add(topics, session, selector);
    if (error != ERROR_OK)
        return error;
    subscribers_feed(topics, session->slot);
    return ERROR_OK;
}

enum error topics_unsubscribe(struct topics *topics, struct session *session, struct span selector)
{
    struct unsubscribed fields = {.selector = selector, .reason = UNSUBSCRIBED_REQUESTED};
    struct outgoing message = {
        .kind = KIND_UNSUBSCRIBED, .schema = &unsubscribed_schema, .fields = &fields};
    if (subscribers_remove(topics, session, selector))
        sessions_send(topics->sessions, session, &message);
    return ERROR_OK;
}

static void refuse(struct topics *topics, struct session *session, const struct message *message,
                   enum error code, const char *text)
{
    sessions_send_error(topics->sessions, session, message->correlation, code, span_text(text));
}

static enum error subscribe_from_session(struct topics *topics, struct session *session,
                                         const struct message *message)
{
    struct subscription subscription;
    enum error error = schema_decode(&subscription_schema, message->fields, &subscription);
    if (error != ERROR_OK)
        return error;
    struct span selector = {0};
    struct sentence denied;
    if (selector_parse(subscription.selector, &selector) != ERROR_OK) {
        refuse(topics, session, message, ERROR_INVALID_PATH,
               "a selector is a path in which `+` is any one segment, and two stars at the end "
               "are everything there and below");
    } else if (message->kind == KIND_UNSUBSCRIBE) {
        if (subscribers_remove(topics, session, selector))
            sessions_send_done(topics->sessions, session, message->correlation);
        else
            refuse(topics, session, message, ERROR_NO_SUCH_TOPIC,
                   "the session has not subscribed that selector");
    } else if (!permissions_allow_somewhere(&session->rights, PERMISSION_READ_TOPIC)) {
        permissions_say_denied(&denied, PERMISSION_READ_TOPIC, selector);
        sessions_send_error(topics->sessions, session, message->correlation, ERROR_ACCESS_DENIED,
                            sentence_span(&denied));
    } else if (subscribers_add(topics, session, selector) != ERROR_OK) {
        refuse(topics, session, message, ERROR_LIMIT_REACHED,
               "a session has at most 10,000 selectors of 1 MiB in all, a node 1,048,576");
    } else {
        sessions_send_done(topics->sessions, session, message->correlation);
        subscribers_feed(topics, session->slot);
    }
    return ERROR_OK;
}

enum error topics_from_session(struct topics *topics, struct session *session,
                               const struct message *message)
{
    if (message->kind == KIND_SET)
        return operations_set_from_session(topics, session, message);
    if (message->kind == KIND_REMOVE)
        return removals_from_session(topics, session, message);
    if (message->kind == KIND_FETCH)
        return fetch_from_session(topics, session, message);
    return subscribe_from_session(topics, session, message);
}

bool topics_is_log(const struct message *message)
{
    struct log_entries entries;
    struct log_pull pull;
    struct log_snapshot snapshot;
    struct log_heads heads;
    if (message->kind == KIND_LOG_ENTRIES)
        return schema_decode(&log_entries_schema, message->fields, &entries) == ERROR_OK &&
               entries.stream == LOG_TOPICS;
    if (message->kind == KIND_LOG_PULL)
        return schema_decode(&log_pull_schema, message->fields, &pull) == ERROR_OK &&
               pull.stream == LOG_TOPICS;
    if (message->kind == KIND_LOG_SNAPSHOT)
        return schema_decode(&log_snapshot_schema, message->fields, &snapshot) == ERROR_OK &&
               snapshot.stream == LOG_TOPICS;
    return message->kind == KIND_LOG_HEADS &&
           schema_decode(&log_heads_schema, message->fields, &heads) == ERROR_OK &&
           heads.stream == LOG_TOPICS;
}

static enum error log_received(struct topics *topics, uint64_t peer, const struct message *message)
{
    if (message->kind == KIND_LOG_ENTRIES)
        return authors_entries_received(topics, peer, message);
    if (message->kind == KIND_LOG_SNAPSHOT)
        return authors_chunk_received(topics, peer, message);
    if (message->kind == KIND_LOG_PULL)
        return authors_pull_received(topics, peer, message);
    if (message->kind == KIND_LOG_HEADS)
        return replicas_heads_received(&topics->replicas, peer, message);
    if (message->kind == KIND_LOG_COLLECT)
        return sequencers_collect_received(topics, peer, message);
    return sequencers_collected_received(topics, peer, message);
}

enum error topics_from_node(struct topics *topics, uint64_t peer, const struct message *message)
{
    enum error error;
    if (message->kind < KIND_SUBSCRIBE) {
        error = log_received(topics, peer, message);
        if (error != ERROR_OK)
            count(topics->context, COUNTER_log_rejected);
        return error;
    }
    struct author *author = authors_find(topics, peer);
    if (author == NULL || !author->is_live || author == &topics->own) {
        count(topics->context, COUNTER_frames_not_ours); /* it could not be answered */
        return ERROR_OK;
    }
    return operations_from_node(topics, author, message);
}

void topics_joined(struct topics *topics)
{
    topics->has_joined = true;
    log_hold(&topics->log, false);
}

void topics_member_joined(struct topics *topics, uint64_t instance)
{
    if (instance == topics->own.instance)
        return;
    bool is_back = authors_find(topics, instance) != NULL;
    struct author *author = authors_get(topics, instance);
    if (author == NULL) {
        count(topics->context, COUNTER_log_rejected);
        return;
    }
    author->is_live = true;
    replica_follow(&author->replica, &topics->log);
    sequencers_members_changed(topics);
    if (is_back)
        sequencers_member_back(topics);
}

void topics_member_lost(struct topics *topics, uint64_t instance, bool is_for_good)
{
    struct author *author = authors_find(topics, instance);
    operations_node_lost(topics, instance);
    if (author == NULL || author == &topics->own)
        return;
    author->lost_ns = is_for_good ? 0 : topics->context->now_ns;
    if (author->is_live) {
        author->died_ns = topics->context->now_ns;
        author->is_live = false;
        replica_unfollow(&author->replica, &topics->log);
        sequencers_member_lost(topics, author);
    }
    replicas_peer_lost(&topics->replicas, instance);
    authors_tidy(topics);
}

void topics_held_dead(struct topics *topics)
{
    sequencers_member_back(topics);
}

void topics_link_up(struct topics *topics, uint64_t instance)
{
    log_state_head(&topics->log, instance);
    struct replica *replica = replicas_find(&topics->replicas, instance);
    if (replica != NULL)
        replica_link_up(replica, &topics->log);
}

void topics_link_lost(struct topics *topics, uint64_t instance)
{
    operations_link_lost(topics, instance);
}

void topics_session_ended(struct topics *topics, struct session *session)
{
    subscribers_session_ended(topics, session);
    operations_session_ended(topics, session);
    fetch_session_ended(topics, session);
}

void topics_rights_changed(struct topics *topics, struct session *session)
{
    if (session != NULL) {
        subscribers_rights_changed(topics, session);
        return;
    }
    struct session *at = NULL;
    while ((at = sessions_next(topics->sessions, at)) != NULL)
        subscribers_rights_changed(topics, at);
    subscribers_permissions_changed(topics);
}

bool topics_next_creator(const struct topics *topics, uint32_t *cursor, struct session_id *session)
{
    const struct creator *creator = creators_next(topics, cursor);
    if (creator != NULL)
        *session = creator->session;
    return creator != NULL;
}

void topics_creator_seen(struct topics *topics, struct session_id session, enum creator_state state)
{
    struct creator *creator = creators_find(topics, session);
    if (creator != NULL && creators_seen(topics, creator, state))
        adoption_begin(topics);
}

void topics_look(struct topics *topics)
{
    sequencers_look(topics);
    subscribers_look(topics);
    merge_forget(topics);
}

void topics_flush(struct topics *topics)
{
    log_flush(&topics->log);
}

void topics_pull_ended(struct topics *topics)
{
    topics->unmet = NULL; /* scratch memory; mesh.c has taken them */
}

static void log_due(struct topics *topics, const struct deadline *due)
{
    struct replica *replica;
    switch ((enum log_purpose)due->purpose) {
    case LOG_PURPOSE_PUSH:
        log_push(&topics->log);
        break;
    case LOG_PURPOSE_COMPARE:
        replicas_compare(&topics->replicas);
        adoption_look(topics);
        break;
    case LOG_PURPOSE_RETRY:
        replica = replicas_at(&topics->replicas, due->slot);
        require(replica != NULL);
        replica_retry(replica, &topics->log);
        break;
    case LOG_PURPOSES:
        require(false);
    }
}

bool topics_due(struct topics *topics, const struct deadline *due)
{
    if (due->purpose < LOG_PURPOSES) {
        log_due(topics, due);
        return false;
    }
    switch ((enum topics_purpose)due->purpose) {
    case TOPICS_FEED:
        subscribers_feed(topics, due->slot);
        break;
    case TOPICS_COLLECT:
        sequencers_due(topics);
        break;
    case TOPICS_SWEEP:
        adoption_due(topics);
        break;
    case TOPICS_OPERATION:
        operations_due(topics, due->slot);
        break;
    case TOPICS_FETCH:
        fetch_due(topics);
        break;
    case TOPICS_CREATORS:
        return true;
    }
    return false;
}

bool topics_are_synced(const struct topics *topics)
{
    return topics->sequencers.was_collected;
}

uint32_t topics_count(const struct topics *topics)
{
    return topics->there;
}

uint64_t topics_hash(const struct topics *topics)
{
    return topics->hash;
}

uint64_t topics_behind(const struct topics *topics)
{
    return replicas_behind(&topics->replicas);
}

void topics_check(const struct topics *topics)
{
    merge_check(topics);
    creators_check(topics);
    sequencers_check(topics);
    subscribers_check(topics);
    pending_check(topics);
    fetch_check(topics);
}
