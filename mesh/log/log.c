/* log.c - see log.h.
 *
 * Why N/2 ms between pushes: every push is N - 1 messages and every node pushes, so with a fixed
 * interval the mesh's frames would grow with N squared; with an interval that grows with N each
 * node receives about 2,000 pushes a second at most, whatever N is. The first entry after a quiet
 * time does not wait. Twice as long and the median news of a busy 100-node mesh passes 60 ms. */
#include "mesh/log/log.h"

#include "proto/kinds.h"

/* Whoever was passed over hears a little later where the log stands, and pulls. */
enum { PASSED_OVER_MS = 100 };

enum {
    NS_PER_MS = 1000000,
    COMPARES = 4, /* by all who know of a change: who does not is missed with about e^-4 */
};

void log_init(struct log *log, struct context *context, enum log_stream stream,
              enum deadline_room room, uint32_t ring_blocks)
{
    *log = (struct log){
        .context = context, .stream = stream, .room = room, .is_paced = stream == LOG_OWNERSHIP};
    log->push = (struct deadline){.room = (uint8_t)room, .purpose = LOG_PURPOSE_PUSH};
    log->compare = (struct deadline){.room = (uint8_t)room, .purpose = LOG_PURPOSE_COMPARE};
    ring_init(&log->ring, &context->memory, ring_blocks);
    log_compare_later(log);
}

void log_clear(struct log *log)
{
    deadlines_cancel(log->context->deadlines, &log->push);
    deadlines_cancel(log->context->deadlines, &log->compare);
    ring_clear(&log->ring);
}

uint64_t log_head(const struct log *log)
{
    return log->ring.head;
}

void log_compare_later(struct log *log)
{
    struct context *context = log->context;
    uint64_t about_ns = (uint64_t)context->config->gossip.sync_ms * NS_PER_MS;
    uint64_t in_ns = about_ns / 2 + random_below(&context->random, about_ns + 1);
    deadlines_set(context->deadlines, &log->compare, context->now_ns + in_ns);
}

bool log_shall_compare(struct log *log, uint64_t hash)
{
    log->unchanged = hash == log->compared ? log->unchanged + 1 : 0;
    log->compared = hash;
    return log->unchanged < COMPARES || log->unchanged % COMPARES == 0;
}

/* Ownership goes first: what is left of the backlog when topics stop is still open to it. */
static size_t backlog_max(const struct log *log)
{
    return log->stream == LOG_OWNERSHIP ? LOG_BACKLOG_BYTES_MAX : LOG_BACKLOG_BYTES_MAX / 2;
}

static bool link_takes(const struct log *log, const struct link *link)
{
    return link != NULL && link->forward_up && link->instance != 0 &&
           link->forward.bytes <= backlog_max(log);
}

uint64_t log_any_peer(struct log *log, uint64_t except)
{
    struct links *links = log->context->links;
    uint64_t chosen = 0;
    uint64_t seen = 0;
    const struct link *link = NULL;
    while ((link = links_next(links, link)) != NULL) {
        if (link->instance == except || !link_takes(log, link))
            continue;
        if (random_below(&log->context->random, ++seen) == 0)
            chosen = link->instance;
    }
    return chosen;
}

void log_hold(struct log *log, bool is_held)
{
    log->is_held = is_held;
}

uint64_t log_push_interval_ns(const struct log *log)
{
    uint64_t nodes = 1;
    const struct link *link = NULL;
    while ((link = links_next(log->context->links, link)) != NULL)
        nodes += link->forward_up ? 1 : 0;
    return nodes * NS_PER_MS / 2;
}

void log_append(struct log *log, struct span entry)
{
    if (!ring_append(&log->ring, entry))
        ring_skip(&log->ring);
    if (log->is_paced && !deadline_is_set(&log->push)) {
        uint64_t now_ns = log->context->now_ns;
        uint64_t at_ns = log->pushed == 0 ? now_ns : log->pushed_at_ns + log_push_interval_ns(log);
        if (at_ns <= now_ns)
            log_push(log); /* a deadline would fire up to a tick of the wheel later */
        else
            deadlines_set(log->context->deadlines, &log->push, at_ns);
    }
}

bool log_send(struct log *log, uint64_t peer, const struct outgoing *message)
{
    struct link *link = links_of_instance(log->context->links, peer);
    return link_takes(log, link) && outbound_send(&link->forward, message) == ERROR_OK;
}

bool log_can_answer(const struct log *log, uint64_t peer)
{
    return link_takes(log, links_of_instance(log->context->links, peer));
}

/* The entries after `after`, up to one chunk, in memory of the current pull. Returns false when
 * there is no memory: nothing is sent, and whoever misses them asks later. */
static bool entries_gather(struct log *log, const struct ring *ring, uint64_t writer,
                           uint64_t after, struct log_entries *entries, struct span *body)
{
    *entries = (struct log_entries){
        .writer = writer, .stream = (uint8_t)log->stream, .first = after + 1, .head = ring->head};
    size_t bytes = ring_measure(ring, after, LOG_CHUNK_BYTES, &entries->last);
    if (entries->last == after) { /* one that is larger goes alone */
        entries->last = after + 1;
        bytes = ring_entry_bytes(ring, after + 1);
    }
    uint8_t *copy = scratch_new(&log->context->scratch, bytes);
    if (copy == NULL)
        return false;
    ring_copy(ring, after, entries->last, copy);
    *body = span_of(copy, bytes);
    return true;
}

static struct outgoing entries_message(const struct log_entries *entries, uint64_t correlation,
                                       struct span body)
{
    return (struct outgoing){.kind = KIND_LOG_ENTRIES,
                             .correlation = correlation,
                             .schema = &log_entries_schema,
                             .fields = entries,
                             .body = body};
}

static void push_to_all(struct log *log, const struct log_entries *entries, struct span body)
{
    struct outgoing message = entries_message(entries, 0, body);
    struct link *link = NULL;
    while ((link = links_next(log->context->links, link)) != NULL) {
        if (link_takes(log, link) && outbound_send(&link->forward, &message) == ERROR_OK)
            log->context->counters[COUNTER_log_entries_out] += entries->last - entries->first + 1;
        else if (link->forward_up && link->instance != 0)
            log->was_passed_over = true;
    }
}

/* Of a log without pace: who was passed over by the last push would not see the gap before the next
 * one. */
static void passed_over_tell(struct log *log)
{
    struct link *link = NULL;
    log->was_passed_over = false;
    while ((link = links_next(log->context->links, link)) != NULL) {
        if (link->forward_up && link->instance != 0)
            log_state_head(log, link->instance);
    }
}

void log_flush(struct log *log)
{
    if (log->pushed < log_head(log))
        log_push(log);
}

void log_push(struct log *log)
{
    if (!log->is_paced && log->pushed == log_head(log)) {
        passed_over_tell(log);
        return;
    }
    uint64_t floor = ring_floor(&log->ring);
    if (log->pushed < floor)
        log->pushed = floor; /* a burst larger than the ring: peers see the gap and pull */
    while (log->pushed < log_head(log)) {
        struct log_entries entries;
        struct span body;
        if (!entries_gather(log, &log->ring, log->context->instance, log->pushed, &entries, &body))
            break;
        push_to_all(log, &entries, body);
        log->pushed = entries.last;
    }
    log->pushed = log_head(log);
    log->pushed_at_ns = log->context->now_ns;
    if (!log->is_paced && log->was_passed_over)
        deadlines_set(log->context->deadlines, &log->push,
                      log->pushed_at_ns + (uint64_t)PASSED_OVER_MS * NS_PER_MS);
}

void log_answer_head(struct log *log, uint64_t peer, uint64_t correlation, uint64_t writer,
                     uint64_t head)
{
    struct log_entries entries = {.writer = writer,
                                  .stream = (uint8_t)log->stream,
                                  .first = head + 1,
                                  .last = head,
                                  .head = head};
    struct outgoing message = entries_message(&entries, correlation, (struct span){0});
    log_send(log, peer, &message);
}

void log_state_head(struct log *log, uint64_t peer)
{
    log_answer_head(log, peer, 0, log->context->instance, log_head(log));
}

bool log_answer(struct log *log, const struct ring *ring, uint64_t peer, uint64_t correlation,
                const struct log_pull *pull)
{
    if (pull->have >= ring->head) {
        log_answer_head(log, peer, correlation, pull->writer, ring->head);
        return true;
    }
    if (pull->have < ring_floor(ring) || pull->cursor.bytes > 0)
        return false;
    struct log_entries entries;
    struct span body;
    if (log_can_answer(log, peer) &&
        entries_gather(log, ring, pull->writer, pull->have, &entries, &body)) {
        struct outgoing message = entries_message(&entries, correlation, body);
        if (log_send(log, peer, &message))
            log->context->counters[COUNTER_log_entries_out] += entries.last - entries.first + 1;
    }
    return true;
}

void log_answer_chunk(struct log *log, uint64_t peer, uint64_t correlation,
                      const struct log_snapshot *snapshot, struct span body)
{
    struct outgoing message = {.kind = KIND_LOG_SNAPSHOT,
                               .correlation = correlation,
                               .schema = &log_snapshot_schema,
                               .fields = snapshot,
                               .body = body};
    if (log_send(log, peer, &message) && snapshot->is_last)
        count(log->context, COUNTER_log_snapshots_out);
}
