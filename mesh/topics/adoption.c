/* adoption.c - see adoption.h.
 *
 * Who: the sequencer of the path, at once. It may lack the entry, though others have it, when its
 * collecting was cut off; so whoever has one that nobody took over within some seconds does it. Two
 * that do it at once write the same.
 *
 * Why only what dead nodes wrote: their logs are followed by nobody, so a joiner would not get it.
 * Why under the version that it has: nothing was changed. If the node was not dead after all, what
 * it went on to write is higher, and nobody's value is lost by having been taken over.
 * What a live node wrote before its path became another's spreads by its log as before, until the
 * first update under the new sequencer takes its place. So a joiner costs the mesh no writing. */
#include "mesh/topics/adoption.h"

#include "mesh/base/bugs.h"
#include "mesh/topics/authors.h"
#include "mesh/topics/creators.h"
#include "mesh/topics/merge.h"
#include "mesh/topics/sequence.h"
#include "mesh/topics/sequencers.h"

/* A slice looks at so many entries and writes so many bytes: about a millisecond. The next one
 * comes at the next tick, so 100,000 small topics are adopted within half a second. */
/* Three times as long as a collecting takes at most. */
#define ANYBODY_NS (UINT64_C(3) * SEQUENCERS_COLLECT_MS * 1000000)

enum { SLICE_TOPICS = 4096, SLICE_WRITES = 512, SLICE_BYTES = 256 * 1024 };

static void next_slice(struct topics *topics)
{
    struct context *context = topics->context;
    deadlines_set(context->deadlines, &topics->sequencers.sweep, context->now_ns);
}

void adoption_begin(struct topics *topics)
{
    topics->sequencers.is_sweeping = true;
    topics->sequencers.swept_bytes = 0;
    topics->sequencers.swept_type = 0;
    next_slice(topics);
}

void adoption_look(struct topics *topics)
{
    const struct author *author;
    uint32_t number = 0;
    bool has_orphans = false;
    while ((author = authors_next(topics, &number)) != NULL)
        has_orphans = has_orphans || (!author->is_live && author->count > 0);
    if (has_orphans && !topics->sequencers.is_sweeping)
        adoption_begin(topics);
}

/* Into this node's log, as it is. */
static enum error adopt(struct topics *topics, const struct topic *topic)
{
    struct topic_entry entry = {.type = topic->type,
                                .term = topic->version.term,
                                .instance = topic->version.instance,
                                .n = topic->version.n,
                                .path = tree_path(topic),
                                .rest = span_of(topic->rest, topic->rest_bytes)};
    count(topics->context, COUNTER_topics_adopted);
    return authors_write(topics, &entry);
}

/* What is to be done to it; false: nothing. */
static bool look_at(struct topics *topics, struct topic *topic, enum error *error)
{
    const struct author *author = topic->author;
    bool is_orphan = author != &topics->own && !author->is_live;
    bool is_left = is_orphan && topics->sequencers.is_serving &&
                   topics->context->now_ns - author->died_ns >= ANYBODY_NS;
    bool is_over = topic->creator != NULL && topic->creator->is_gone;
    if ((!is_orphan || bug_is_planted(BUG_DEAD_KEPT)) && !is_over)
        return false;
    bool is_ours = sequencers_find(topics, topic->path_hash) == topics->own.instance;
    if (!is_ours && !is_left)
        return false;
    *error = is_ours && is_over && tree_is_there(topic) ? sequence_remove(topics, tree_path(topic))
                                                        : adopt(topics, topic);
    return true;
}

static void stand_at(struct topics *topics, const struct topic *topic)
{
    struct sequencers *all = &topics->sequencers;
    struct span path = tree_path(topic);
    memcpy(all->swept, path.data, path.bytes);
    all->swept_bytes = (uint16_t)path.bytes;
    all->swept_type = topic->type;
}

void adoption_due(struct topics *topics)
{
    struct sequencers *all = &topics->sequencers;
    if (!all->is_sweeping || all->is_collecting)
        return; /* the end of the collecting begins anew */
    struct topic *topic =
        tree_next_behind(&topics->tree, all->swept_type, span_of(all->swept, all->swept_bytes));
    size_t bytes = 0;
    uint32_t writes = 0;
    enum error error = ERROR_OK;
    for (uint32_t i = 0; i < SLICE_TOPICS && topic != NULL; i++) {
        if (writes >= SLICE_WRITES || bytes >= SLICE_BYTES)
            break;
        struct topic *next = tree_next(&topics->tree, topic);
        uint32_t rest_bytes = topic->rest_bytes;
        if (look_at(topics, topic, &error)) {
            bytes += rest_bytes;
            writes++;
        }
        if (error != ERROR_OK)
            break;
        stand_at(topics, topic);
        topic = next;
    }
    if (topic != NULL) {
        next_slice(topics); /* without memory: tried again, at the next tick */
        return;
    }
    all->is_sweeping = false;
    authors_tidy(topics);
}
