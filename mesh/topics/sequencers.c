/* sequencers.c - see sequencers.h.
 *
 * Why a peer answers LOG_COLLECT only when it has this node's first entry: from then on it sends
 * this node what this node sequences, and sequences nothing of it any more itself. So what it tells
 * is the last of its own.
 *
 * Why heads are enough: what a node has of all topics follows from how far it has come with each
 * log. Who has come as far with every one, the dead included, has every version that it has.
 *
 * (S1) members are those that live and have written their first entry, this node included
 * (S2) while nothing is collected, this node has every version that any live member had when this
 *      node's share last grew, unless the time was over first */
#include "mesh/topics/sequencers.h"

#include "mesh/topics/adoption.h"
#include "mesh/topics/authors.h"
#include "mesh/topics/operations.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)

/* Who does not know yet that this node serves, or that another is dead, does after a moment. */
#define ASK_AGAIN_NS (50 * MS_NS)

enum { LOST_MAX = sizeof((struct sequencers *)0)->lost / sizeof(uint64_t), MEMBERS_AT_FIRST = 16 };

void sequencers_init(struct topics *topics)
{
    struct sequencers *all = &topics->sequencers;
    all->deadline = (struct deadline){.room = DEADLINE_TOPICS, .purpose = TOPICS_COLLECT};
    all->sweep = (struct deadline){.room = DEADLINE_TOPICS, .purpose = TOPICS_SWEEP};
}

void sequencers_clear(struct topics *topics)
{
    struct sequencers *all = &topics->sequencers;
    deadlines_cancel(topics->context->deadlines, &all->deadline);
    deadlines_cancel(topics->context->deadlines, &all->sweep);
    memory_free(&topics->context->memory, MEMORY_DIRECTORY, all->members,
                all->capacity * sizeof all->members[0]);
    all->members = NULL;
    all->count = all->capacity = 0;
}

static bool member_add(struct topics *topics, uint64_t instance)
{
    struct sequencers *all = &topics->sequencers;
    if (all->count == all->capacity) {
        uint32_t capacity = all->capacity == 0 ? MEMBERS_AT_FIRST : 2 * all->capacity;
        uint64_t *members =
            memory_resize(&topics->context->memory, MEMORY_DIRECTORY, all->members,
                          all->capacity * sizeof all->members[0], capacity * sizeof members[0]);
        if (members == NULL)
            return false;
        all->members = members;
        all->capacity = capacity;
    }
    all->members[all->count++] = instance;
    return true;
}

void sequencers_members_changed(struct topics *topics)
{
    struct sequencers *all = &topics->sequencers;
    const struct author *author;
    uint32_t number = 0;
    all->count = 0;
    bool is_whole = !all->is_serving || member_add(topics, topics->own.instance);
    while ((author = authors_next(topics, &number)) != NULL) {
        if (author->is_live && author->replica.have > 0)
            is_whole = member_add(topics, author->instance) && is_whole;
    }
    if (!is_whole)
        all->count = 0; /* without memory for all, nobody may be chosen wrongly */
}

static uint64_t best_of(const uint64_t *members, uint32_t count, uint64_t path_hash, uint64_t best,
                        uint64_t *weight)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t other = topic_weight(path_hash, members[i]);
        if (best == 0 || other > *weight || (other == *weight && members[i] > best)) {
            best = members[i];
            *weight = other;
        }
    }
    return best;
}

uint64_t sequencers_find(const struct topics *topics, uint64_t path_hash)
{
    const struct sequencers *all = &topics->sequencers;
    uint64_t weight = 0;
    return best_of(all->members, all->count, path_hash, 0, &weight);
}

bool sequencers_must_wait(const struct topics *topics, uint64_t path_hash)
{
    const struct sequencers *all = &topics->sequencers;
    uint64_t weight = 0;
    if (!all->is_collecting || all->gained_all)
        return all->is_collecting;
    uint64_t best = best_of(all->members, all->count, path_hash, 0, &weight);
    return best_of(all->lost, all->lost_count, path_hash, best, &weight) != topics->own.instance;
}

static void collect_ask(struct topics *topics)
{
    struct context *context = topics->context;
    struct sequencers *all = &topics->sequencers;
    struct log_collect fields = {.stream = LOG_TOPICS, .head = log_head(&topics->log)};
    struct outgoing message = {.kind = KIND_LOG_COLLECT,
                               .correlation = all->epoch,
                               .schema = &log_collect_schema,
                               .fields = &fields};
    const struct author *author;
    uint32_t number = 0;
    log_flush(&topics->log); /* they are to know that this node serves */
    while ((author = authors_next(topics, &number)) != NULL) {
        if (author->is_live && !author->has_answered)
            log_send(&topics->log, author->instance, &message);
    }
    uint64_t again_ns = context->now_ns + ASK_AGAIN_NS;
    deadlines_set(context->deadlines, &all->deadline,
                  again_ns < all->ends_ns ? again_ns : all->ends_ns);
}

static void collect_begin(struct topics *topics)
{
    struct sequencers *all = &topics->sequencers;
    struct author *author;
    uint32_t number = 0;
    all->is_collecting = true;
    all->epoch++;
    all->ends_ns = topics->context->now_ns +
                   (all->was_collected ? SEQUENCERS_COLLECT_MS : SEQUENCERS_JOIN_MS) * MS_NS;
    while ((author = authors_next(topics, &number)) != NULL)
        author->has_answered = false;
    collect_ask(topics);
}

void sequencers_member_lost(struct topics *topics, const struct author *author)
{
    struct sequencers *all = &topics->sequencers;
    bool served = author->replica.have > 0;
    sequencers_members_changed(topics);
    if (!all->is_serving || !served)
        return;
    if (all->lost_count < LOST_MAX)
        all->lost[all->lost_count++] = author->instance;
    else
        all->gained_all = true;
    collect_begin(topics);
}

void sequencers_member_back(struct topics *topics)
{
    if (!topics->sequencers.is_serving)
        return;
    topics->sequencers.gained_all = true;
    collect_begin(topics);
}

static bool all_is_here(const struct topics *topics)
{
    const struct author *author;
    uint32_t number = 0;
    while ((author = authors_next(topics, &number)) != NULL) {
        if (author->is_live && !author->has_answered)
            return false;
        if (author->replica.have < author->wanted)
            return false;
    }
    return true;
}

static void collect_end(struct topics *topics)
{
    struct sequencers *all = &topics->sequencers;
    struct author *author;
    uint32_t number = 0;
    while ((author = authors_next(topics, &number)) != NULL) {
        author->wanted = 0;
        if (!author->is_live)
            replica_unfollow(&author->replica, &topics->log);
    }
    all->is_collecting = all->gained_all = false;
    all->was_collected = true;
    all->lost_count = 0;
    deadlines_cancel(topics->context->deadlines, &all->deadline);
    authors_tidy(topics);
    operations_unpark(topics);
    adoption_begin(topics);
}

/* The first entry of this node's log. */
static void serve(struct topics *topics)
{
    struct topic_entry entry = {.type = TOPIC_ENTRY_SERVING};
    if (authors_write(topics, &entry) != ERROR_OK)
        return; /* at the next look */
    topics->sequencers.is_serving = true;
    topics->sequencers.gained_all = true;
    sequencers_members_changed(topics);
    collect_begin(topics);
}

void sequencers_look(struct topics *topics)
{
    struct sequencers *all = &topics->sequencers;
    if (!all->is_serving && topics->has_joined && replicas_are_synced(&topics->replicas))
        serve(topics);
    if (all->is_collecting && all_is_here(topics))
        collect_end(topics);
}

void sequencers_due(struct topics *topics)
{
    struct sequencers *all = &topics->sequencers;
    if (!all->is_collecting)
        return;
    if (topics->context->now_ns < all->ends_ns) {
        collect_ask(topics);
        return;
    }
    count(topics->context, COUNTER_topic_collects_cut);
    collect_end(topics);
}

enum error sequencers_collect_received(struct topics *topics, uint64_t peer,
                                       const struct message *message)
{
    struct log_collect fields;
    if (schema_decode(&log_collect_schema, message->fields, &fields) != ERROR_OK ||
        fields.stream != LOG_TOPICS || message->correlation == 0)
        return ERROR_INVALID_MESSAGE;
    const struct author *author = authors_find(topics, peer);
    if (author == NULL || !author->is_live || author->replica.have < fields.head)
        return ERROR_OK; /* it asks again */
    struct log_head *heads;
    uint32_t count = replicas_heads(&topics->replicas, true, &heads);
    if (count > 0)
        heads_send_collected(&topics->log, peer, message->correlation, heads, count);
    return ERROR_OK;
}

/* Whose log that peer has further than this node is followed, the dead's too. */
static void head_take(struct topics *topics, uint64_t peer, struct log_head head)
{
    if (head.writer == topics->own.instance || head.writer == 0 || head.have == 0)
        return;
    struct author *author = authors_get(topics, head.writer);
    if (author == NULL)
        return;
    if (head.have > author->wanted)
        author->wanted = head.have;
    if (author->is_live && head.writer == peer)
        replica_heard(&author->replica, &topics->log, head.have);
    else if (author->is_live)
        replica_witnessed(&author->replica, &topics->log, peer, head.have);
    else
        replica_follow_dead(&author->replica, &topics->log, peer, head.have);
}

enum error sequencers_collected_received(struct topics *topics, uint64_t peer,
                                         const struct message *message)
{
    struct log_collected fields;
    struct log_head head;
    struct span body = message->body;
    enum error error;
    if (schema_decode(&log_collected_schema, message->fields, &fields) != ERROR_OK ||
        fields.stream != LOG_TOPICS)
        return ERROR_INVALID_MESSAGE;
    while (heads_next(&body, &head, &error))
        ;
    if (error != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    struct author *author = authors_find(topics, peer);
    if (!topics->sequencers.is_collecting || message->correlation != topics->sequencers.epoch ||
        author == NULL || author->has_answered)
        return ERROR_OK; /* late */
    author->has_answered = true;
    body = message->body;
    while (heads_next(&body, &head, &error))
        head_take(topics, peer, head);
    return ERROR_OK;
}

void sequencers_check(const struct topics *topics)
{
    const struct sequencers *all = &topics->sequencers;
    uint32_t members = all->is_serving ? 1 : 0;
    const struct author *author;
    uint32_t number = 0;
    while ((author = authors_next(topics, &number)) != NULL)
        members += author->is_live && author->replica.have > 0 ? 1 : 0;
    require(all->count == members);
    require(all->is_serving == (log_head(&topics->log) > 0));
    require(!all->is_collecting || deadline_is_set(&all->deadline));
}
