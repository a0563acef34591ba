/* merge.c - see merge.h.
 *
 * (M1) a topic's version only grows
 * (M2) an entry is in the list of exactly one author, by position: of one in whose log it is
 * (M3) `there` and `hash` are what the topics that are there add up to
 * (M4) removals are in the order in which they were learnt here */
#include "mesh/topics/merge.h"

#include "mesh/base/bugs.h"
#include "mesh/topics/creators.h"
#include "mesh/topics/subscribers.h"

#define REMOVED_KEPT_NS (UINT64_C(3600000000000) * TOPICS_REMOVED_KEPT_HOURS)

static uint8_t *rest_new(struct topics *topics, struct span rest)
{
    uint8_t *copy = memory_new(&topics->context->memory, MEMORY_TOPICS, rest.bytes);
    if (copy != NULL)
        memcpy(copy, rest.data, rest.bytes);
    return copy;
}

static void rest_free(struct topics *topics, uint8_t *rest, size_t bytes)
{
    memory_free(&topics->context->memory, MEMORY_TOPICS, rest, bytes);
}

static uint64_t hash_of(const struct topic *topic)
{
    uint64_t hash = topic_weight(topic->path_hash, topic->version.term);
    return topic_weight(topic_weight(hash, topic->version.instance), topic->version.n);
}

static void list_leave(struct topic *topic)
{
    struct author *author = topic->author;
    if (author == NULL)
        return;
    *(topic->older == NULL ? &author->oldest : &topic->older->newer) = topic->newer;
    *(topic->newer == NULL ? &author->newest : &topic->newer->older) = topic->older;
    if (author->cut == topic)
        author->cut = topic->newer;
    author->count--;
    topic->author = NULL;
}

/* The last entry of the author's that stands no later than that; NULL: none. Entries come in the
 * order of their positions, but for what a snapshot brought early. */
static struct topic *list_last_until(const struct author *author, uint64_t position)
{
    struct topic *topic = author->newest;
    while (topic != NULL && topic->position > position)
        topic = topic->older;
    return topic;
}

/* A writer that says two things of one position lies. What came first stands: were both in the
 * list, nobody could be given it by positions, and whoever passed it on would seem to be wrong. */
static bool is_taken(const struct author *author, const struct topic *topic, uint64_t position)
{
    const struct topic *there = list_last_until(author, position);
    return there != NULL && there != topic && there->position == position;
}

static void list_enter(struct topic *topic, struct author *author)
{
    struct topic *after = list_last_until(author, topic->position);
    topic->author = author;
    topic->older = after;
    topic->newer = after == NULL ? author->oldest : after->newer;
    *(topic->older == NULL ? &author->oldest : &topic->older->newer) = topic;
    *(topic->newer == NULL ? &author->newest : &topic->newer->older) = topic;
    author->count++;
}

static void removed_enter(struct topics *topics, struct topic *topic)
{
    topic->removed_ns = topics->context->now_ns;
    topic->removed_before = topics->newest_removed;
    topic->removed_after = NULL;
    *(topic->removed_before == NULL ? &topics->oldest_removed
                                    : &topic->removed_before->removed_after) = topic;
    topics->newest_removed = topic;
    topics->removed++;
}

static void removed_leave(struct topics *topics, struct topic *topic)
{
    *(topic->removed_before == NULL ? &topics->oldest_removed
                                    : &topic->removed_before->removed_after) = topic->removed_after;
    *(topic->removed_after == NULL ? &topics->newest_removed
                                   : &topic->removed_after->removed_before) = topic->removed_before;
    topics->removed--;
}

/* What the topic was is not counted any more. */
static void take_off(struct topics *topics, struct topic *topic)
{
    if (tree_is_there(topic)) {
        topics->there--;
        topics->hash -= hash_of(topic);
        creators_release(topics, topic->creator);
        topic->creator = NULL;
    } else if (topic->type == TOPIC_ENTRY_REMOVED && topic->author != NULL) {
        removed_leave(topics, topic);
    }
    list_leave(topic);
    rest_free(topics, topic->rest, topic->rest_bytes);
    topic->rest = NULL;
    topic->rest_bytes = 0;
}

static void put_on(struct topics *topics, struct topic *topic, struct author *author,
                   const struct topic_entry *entry, struct creator *creator, bool was_there)
{
    bool is_there = entry->type == TOPIC_ENTRY_SET;
    topic->type = entry->type;
    topic->version =
        (struct topic_version){.term = entry->term, .instance = entry->instance, .n = entry->n};
    topic->position = entry->position;
    if (is_there && (!was_there || topic->policy != entry->policy))
        tree_rekey(&topics->tree, topic);
    topic->value_type = entry->value_type;
    if (is_there) /* what is removed is told under the policy that it had */
        topic->policy = entry->policy;
    topic->value_at = (uint16_t)(entry->rest.bytes - entry->value.bytes);
    list_enter(topic, author);
    if (is_there) {
        topics->there++;
        topics->hash += hash_of(topic);
        topic->creator = creator;
    } else if (topic->type == TOPIC_ENTRY_REMOVED) {
        removed_enter(topics, topic);
    }
}

uint64_t merge_new_term(struct topics *topics)
{
    return ++topics->term;
}

void merge_next_version(struct topics *topics, const struct topic *topic, struct topic_entry *entry)
{
    bool goes_on = topic != NULL && topic->version.instance == topics->own.instance;
    entry->term = goes_on ? topic->version.term : merge_new_term(topics);
    entry->instance = topics->own.instance;
    entry->n = goes_on ? topic->version.n + 1 : 1;
}

/* Whether nothing lies between the versions. */
static bool is_successor(const struct topic_version *before, const struct topic_entry *entry)
{
    return before->term == entry->term && before->instance == entry->instance &&
           before->n + 1 == entry->n;
}

/* What is known already, in another's log: if that one's writer is dead, it is in this one now. */
static void move(struct topic *topic, struct author *author, const struct topic_entry *entry)
{
    if (topic->author == author || topic->author->is_live ||
        is_taken(author, topic, entry->position))
        return;
    list_leave(topic);
    topic->position = entry->position;
    list_enter(topic, author);
}

/* All that the change needs is there before anything is changed. */
static enum error prepare(struct topics *topics, const struct topic_entry *entry,
                          struct topic **topic, uint8_t **rest, struct creator **creator)
{
    bool is_new = *topic == NULL;
    *rest = NULL;
    *creator = NULL;
    if (is_new && topics->tree.count >= TOPICS_MAX)
        return ERROR_LIMIT_REACHED;
    if (!session_id_is_none(entry->creator)) {
        *creator = creators_get(topics, entry->creator);
        if (*creator == NULL)
            return ERROR_LIMIT_REACHED;
        (*creator)->topics++; /* before another topic of it is taken off */
    }
    if (entry->rest.bytes > 0)
        *rest = rest_new(topics, entry->rest);
    if (is_new && (*rest != NULL || entry->rest.bytes == 0))
        *topic = tree_add(&topics->tree, entry->type, entry->path);
    if (*topic != NULL && (*rest != NULL || entry->rest.bytes == 0))
        return ERROR_OK;
    rest_free(topics, *rest, entry->rest.bytes);
    creators_release(topics, *creator);
    return ERROR_LIMIT_REACHED;
}

enum error merge_entry(struct topics *topics, struct author *author,
                       const struct topic_entry *entry)
{
    struct topic_version version = {
        .term = entry->term, .instance = entry->instance, .n = entry->n};
    struct creator *creator;
    uint8_t *rest;
    if (entry->type == TOPIC_ENTRY_SERVING)
        return ERROR_OK;
    if (entry->term > topics->term)
        topics->term = entry->term;
    struct topic *topic = tree_find(&topics->tree, entry->type, entry->path);
    int order = topic == NULL ? 1 : topic_version_order(&version, &topic->version);
    if (order == 0)
        move(topic, author, entry);
    if (order < 0 && bug_is_planted(BUG_VERSION_BACK))
        order = 1;
    if (order <= 0)
        return ERROR_OK;
    if (is_taken(author, topic, entry->position)) {
        count(topics->context, COUNTER_log_rejected);
        return ERROR_OK; /* its log goes on */
    }
    enum error error = prepare(topics, entry, &topic, &rest, &creator);
    if (error != ERROR_OK)
        return error;
    bool was_there = topic->author != NULL && tree_is_there(topic);
    bool is_resync = was_there ? !is_successor(&topic->version, entry) : entry->n != 1;
    is_resync = is_resync && !bug_is_planted(BUG_GAP_UNMARKED);
    if (topic->author != NULL)
        take_off(topics, topic);
    topic->rest = rest;
    topic->rest_bytes = (uint32_t)entry->rest.bytes;
    put_on(topics, topic, author, entry, creator, was_there);
    if (tree_is_there(topic))
        subscribers_tell_value(topics, topic, is_resync);
    else if (was_there)
        subscribers_tell_removed(topics, topic);
    return ERROR_OK;
}

static void forget(struct topics *topics, struct topic *topic)
{
    take_off(topics, topic);
    tree_remove(&topics->tree, topic);
}

void merge_forget(struct topics *topics)
{
    uint64_t now_ns = topics->context->now_ns;
    while (topics->oldest_removed != NULL &&
           (topics->removed > TOPICS_REMOVED_MAX ||
            now_ns - topics->oldest_removed->removed_ns > REMOVED_KEPT_NS))
        forget(topics, topics->oldest_removed);
}

void merge_clear(struct topics *topics)
{
    struct topic *topic;
    while ((topic = tree_next(&topics->tree, NULL)) != NULL)
        forget(topics, topic);
    tree_clear(&topics->tree);
}

static uint32_t author_check(const struct author *author)
{
    uint32_t count = 0;
    const struct topic *topic = author->oldest;
    for (; topic != NULL; topic = topic->newer) {
        require(topic->author == author);
        require(topic->newer == NULL ? author->newest == topic
                                     : topic->newer->position > topic->position);
        count++;
    }
    require(count == author->count);
    return count;
}

void merge_check(const struct topics *topics)
{
    uint32_t there = 0;
    uint32_t removed = 0;
    uint64_t hash = 0;
    const struct topic *topic = NULL;
    tree_check(&topics->tree);
    while ((topic = tree_next(&topics->tree, topic)) != NULL) {
        require(topic->author != NULL && topic->version.term <= topics->term);
        removed += topic->type == TOPIC_ENTRY_REMOVED ? 1 : 0;
        there += tree_is_there(topic) ? 1 : 0;
        hash += tree_is_there(topic) ? hash_of(topic) : 0;
    }
    require(there == topics->there && hash == topics->hash && removed == topics->removed);
    uint32_t listed = author_check(&topics->own);
    const struct replica *replica;
    uint32_t number = 0;
    while ((replica = replicas_next(&topics->replicas, &number)) != NULL)
        listed += author_check((const struct author *)replica);
    require(listed == topics->tree.count);
}
