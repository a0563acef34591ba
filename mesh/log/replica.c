/* replica.c - see replica.h.
 *
 * One pull at a time for each writer, one answer to a pull: entries, a chunk of a snapshot, or "it
 * stands at ..". The receiver asks for the next piece when it has dealt with the last, so no sender
 * holds state for a receiver and a slow receiver slows nobody.
 *
 *     idle --gap in a push, link up------------------> pulling   [pull]
 *     idle --head heard, push not here after a grace-> pulling   [replica_retry]
 *     pulling --answer, still behind-----------------> pulling   [proceed]
 *     pulling --no answer, or one that helps nothing-> pulling, another source [replica_retry]
 *     pulling --answer, nothing missing--------------> idle      [proceed]
 *
 * A snapshot is read while its writer goes on, so a chunk may hold what is newer than `head` says.
 * That is harmless: entries are (key, value or removal), and those above the lowest head of all
 * chunks are applied after it. Keys that did not change meanwhile are met exactly once, because
 * chunks are cut by key. For the same reason any peer may go on where another stopped.
 *
 * Invariants:
 * (P1) have <= heard.
 * (P2) Only entries that follow `have` without a gap are applied.
 * (P3) While followed and behind, a pull or the retry deadline is set: nothing is forgotten.
 * (P4) Another's log comes only as the answer to a pull that was made. */
#include "mesh/log/replica.h"

#include "mesh/base/bugs.h"
#include "proto/kinds.h"

#define VERSION_MAX (UINT64_MAX / 2)

static const uint64_t ms_ns = 1000000;

/* No answer for so long: another is asked. A chunk takes 65 ms on 1 MB/s; a link that
 * is slow but alive should not be given up, a dead one is told by membership before. */
static const uint64_t pull_timeout_ms = 2000;

/* After an answer that did not help: the next is asked so much later, twice as late each time, up
 * to 16 times: what no memory is left for is not transferred five times a second. */
static const uint64_t pull_pause_ms = 200;
enum { PAUSE_DOUBLINGS_MAX = 4 };

/* So many chunks of one peer are under way at once: four fill a link of 1 Gb/s at 8 ms, and are
 * what its backlog takes; the other pulls of that peer wait a moment. */
enum { PULLS_PER_SOURCE = 4 };
static const uint64_t turn_ms = 20;

/* The writer's own link comes up about when ours does; before, it could not answer. */
static const uint64_t way_back_ms = 300;

/* A push that gossip overtook arrives within this, on a busy link. */
static const uint64_t push_grace_ms = 100;

void replica_init(struct replica *replica, const struct log *log, uint64_t writer, uint32_t slot)
{
    *replica = (struct replica){.writer = writer};
    replica->retry =
        (struct deadline){.room = (uint8_t)log->room, .purpose = LOG_PURPOSE_RETRY, .slot = slot};
}

static void retry_in(struct replica *replica, struct log *log, uint64_t ms)
{
    struct context *context = log->context;
    deadlines_set(context->deadlines, &replica->retry, context->now_ns + ms * ms_ns);
}

static bool is_behind(const struct replica *replica)
{
    return replica->have < replica->heard || !replica->is_complete;
}

static void pull_begin(struct replica *replica, struct log *log)
{
    replica->correlation = ++log->correlation;
    replica->previous = NULL;
    replica->next = log->pulling;
    if (log->pulling != NULL)
        log->pulling->previous = replica;
    log->pulling = replica;
}

/* It was answered, or will not be; nothing happens when there is none. */
static void pull_end(struct replica *replica, struct log *log)
{
    if (replica->correlation == 0)
        return;
    replica->correlation = 0;
    *(replica->previous == NULL ? &log->pulling : &replica->previous->next) = replica->next;
    if (replica->next != NULL)
        replica->next->previous = replica->previous;
}

static bool is_busy(const struct log *log, uint64_t source)
{
    uint32_t pulls = 0;
    const struct replica *replica = log->pulling;
    for (; replica != NULL; replica = replica->next)
        pulls += replica->source == source ? 1 : 0;
    return pulls >= PULLS_PER_SOURCE;
}

static void retry_later(struct replica *replica, struct log *log)
{
    uint32_t doublings = replica->attempts > 0 ? replica->attempts - 1 : 0;
    if (doublings > PAUSE_DOUBLINGS_MAX)
        doublings = PAUSE_DOUBLINGS_MAX;
    retry_in(replica, log, pull_pause_ms << doublings);
}

/* The writer knows best; others are asked when it can not be, or when it does not answer: first
 * whoever is known to have more. 0: nobody can be asked. */
static uint64_t choose_source(const struct replica *replica, struct log *log)
{
    bool is_reachable = log_can_answer(log, replica->writer);
    if (is_reachable && replica->attempts % 2 == 0)
        return replica->writer;
    if (replica->witness != 0 && log_can_answer(log, replica->witness))
        return replica->witness;
    uint64_t other = replica->attempts == 0 ? 0 : log_any_peer(log, replica->writer);
    return other == 0 && is_reachable ? replica->writer : other;
}

static void pull(struct replica *replica, struct log *log)
{
    pull_end(replica, log);
    if (bug_is_planted(BUG_NO_PULL) && replica->is_complete)
        return;
    replica->source = choose_source(replica, log);
    if (log->is_held || (replica->source != 0 && is_busy(log, replica->source))) {
        retry_in(replica, log, log->is_held ? pull_pause_ms : turn_ms);
        return;
    }
    pull_begin(replica, log);
    struct log_pull fields = {.writer = replica->writer,
                              .stream = (uint8_t)log->stream,
                              .have = replica->have,
                              .cursor = replica->in_snapshot ? replica->cursor : (struct span){0}};
    struct outgoing message = {.kind = KIND_LOG_PULL,
                               .correlation = replica->correlation,
                               .schema = &log_pull_schema,
                               .fields = &fields};
    if (replica->source != 0 && log_send(log, replica->source, &message)) {
        retry_in(replica, log, pull_timeout_ms);
        return;
    }
    pull_end(replica, log);
    replica->attempts++;
    retry_later(replica, log);
}

/* An answer has been dealt with, or entries came: what next. */
static void proceed(struct replica *replica, struct log *log, bool was_answer)
{
    if (replica->correlation != 0)
        return; /* another answer is under way */
    if (was_answer && replica->have >= replica->heard)
        replica->is_complete = true;
    if (!is_behind(replica))
        deadlines_cancel(log->context->deadlines, &replica->retry);
    else if (was_answer && replica->attempts == 0)
        pull(replica, log);
    else if (!deadline_is_set(&replica->retry))
        retry_later(replica, log);
}

/* The answer of the source asked did not help. */
static void answer_failed(struct replica *replica, struct log *log)
{
    pull_end(replica, log);
    replica->attempts++;
    if (replica->source == replica->witness)
        replica->witness = 0;
    retry_later(replica, log);
}

void replica_follow(struct replica *replica, struct log *log)
{
    if (replica->is_followed)
        return;
    replica->is_followed = true;
    replica->attempts = 0;
    pull(replica, log);
}

void replica_follow_dead(struct replica *replica, struct log *log, uint64_t peer, uint64_t head)
{
    if (head > VERSION_MAX || head <= replica->have ||
        (replica->is_followed && head <= replica->heard))
        return;
    replica->is_followed = true;
    replica->is_complete = true; /* up to what was heard, which is all there will ever be */
    replica->heard = head;
    replica->witness = peer;
    replica->attempts = 0;
    if (replica->correlation == 0)
        pull(replica, log);
}

void replica_unfollow(struct replica *replica, struct log *log)
{
    replica->is_followed = false;
    replica->has_spoken = false;
    replica->in_snapshot = false;
    pull_end(replica, log);
    deadlines_cancel(log->context->deadlines, &replica->retry);
}

void replica_link_up(struct replica *replica, struct log *log)
{
    if (!replica->is_followed || replica->in_snapshot)
        return;
    replica->attempts = 0;
    if (replica->has_spoken)
        pull(replica, log);
    else
        retry_in(replica, log, way_back_ms);
}

/* The writer itself is believed also when it says less than somebody else did. */
static void hear_writer(struct replica *replica, uint64_t head)
{
    replica->heard = head > replica->have ? head : replica->have;
}

/* It may be on its way, and only a little later than the news of it. */
static void wait_for_push(struct replica *replica, struct log *log)
{
    if (is_behind(replica) && !deadline_is_set(&replica->retry))
        retry_in(replica, log, push_grace_ms + log_push_interval_ns(log) / ms_ns);
}

void replica_heard(struct replica *replica, struct log *log, uint64_t head)
{
    if (!replica->is_followed || head > VERSION_MAX)
        return;
    hear_writer(replica, head);
    wait_for_push(replica, log);
}

void replica_witnessed(struct replica *replica, struct log *log, uint64_t peer, uint64_t head)
{
    if (!replica->is_followed || head > VERSION_MAX || head <= replica->have)
        return;
    if (head > replica->heard)
        replica->heard = head;
    replica->witness = peer;
    wait_for_push(replica, log);
}

void replica_peer_lost(struct replica *replica, struct log *log, uint64_t peer)
{
    if (replica->witness == peer)
        replica->witness = 0;
    if (replica->is_followed && replica->correlation != 0 && replica->source == peer)
        replica_retry(replica, log);
}

void replica_retry(struct replica *replica, struct log *log)
{
    if (!replica->is_followed)
        return;
    if (replica->correlation != 0)
        replica->attempts++; /* it did not answer */
    pull_end(replica, log);
    if (is_behind(replica))
        pull(replica, log);
}

static bool entries_are_sound(const struct log *log, const struct log_entries *entries,
                              size_t body_bytes)
{
    if (entries->stream != log->stream || entries->first == 0 || entries->head > VERSION_MAX)
        return false;
    if (entries->last > entries->head || entries->first > entries->last + 1)
        return false;
    return (entries->first == entries->last + 1) == (body_bytes == 0);
}

static bool is_answer(const struct replica *replica, uint64_t peer, uint64_t correlation)
{
    return correlation != 0 && correlation == replica->correlation && peer == replica->source;
}

/* Sound entries that can not be applied: what they tell is used all the same. */
static enum replica_verdict pass_over(struct replica *replica, struct log *log, uint64_t peer,
                                      const struct log_entries *entries, uint64_t correlation,
                                      bool was_answer)
{
    bool is_stated = correlation == 0; /* unasked: the peer's link to us has just come up */
    bool is_gap = entries->first > replica->have + 1;
    bool is_ignorant = entries->head == 0 && peer != replica->writer;
    bool is_useless = replica->have < replica->heard || replica->in_snapshot || is_ignorant;
    if (was_answer && is_useless) {
        answer_failed(replica, log);
    } else if (was_answer) {
        replica->attempts = 0;
        proceed(replica, log, true);
    } else if (is_gap && entries->last >= entries->first) {
        count(log->context, COUNTER_log_gaps);
        if (replica->correlation == 0)
            pull(replica, log);
    } else if (is_behind(replica) &&
               (replica->correlation == 0 || (is_stated && replica->source == peer))) {
        pull(replica, log); /* what was asked of it before had no way back */
    }
    return REPLICA_IGNORE;
}

enum replica_verdict replica_judge_entries(struct replica *replica, struct log *log, uint64_t peer,
                                           uint64_t correlation, const struct log_entries *entries,
                                           size_t body_bytes, uint64_t *skip)
{
    bool is_pushed = correlation == 0;
    if (!entries_are_sound(log, entries, body_bytes) || (is_pushed && entries->writer != peer))
        return REPLICA_REFUSE;
    if (replica == NULL || !replica->is_followed)
        return REPLICA_IGNORE;
    bool was_answer = is_answer(replica, peer, correlation);
    if (!was_answer && peer != replica->writer)
        return REPLICA_IGNORE; /* a late answer */
    replica->has_spoken = replica->has_spoken || peer == replica->writer;
    if (peer == replica->writer)
        hear_writer(replica, entries->head);
    else if (entries->head > replica->heard)
        replica->heard = entries->head;
    if (was_answer)
        pull_end(replica, log);
    if (entries->last <= replica->have || entries->first > replica->have + 1)
        return pass_over(replica, log, peer, entries, correlation, was_answer);
    *skip = replica->have + 1 - entries->first;
    return REPLICA_APPLY;
}

void replica_applied(struct replica *replica, struct log *log, const struct log_entries *entries)
{
    require(entries->first <= replica->have + 1 && entries->last > replica->have);
    log->context->counters[COUNTER_log_entries_in] += entries->last - replica->have;
    replica->have = entries->last;
    if (replica->heard < replica->have)
        replica->heard = replica->have;
    replica->attempts = 0;
    if (replica->in_snapshot && replica->have >= replica->snapshot_head) {
        replica->in_snapshot = false; /* overtaken by pushes; the chunk under way is not wanted */
        pull_end(replica, log);
    }
    proceed(replica, log, replica->correlation == 0);
}

enum replica_verdict replica_judge_chunk(struct replica *replica, struct log *log, uint64_t peer,
                                         uint64_t correlation, const struct log_snapshot *snapshot,
                                         size_t body_bytes)
{
    bool is_sound = snapshot->stream == log->stream && snapshot->head <= VERSION_MAX &&
                    (body_bytes > 0 || snapshot->is_last) && correlation != 0;
    if (!is_sound)
        return REPLICA_REFUSE;
    if (replica == NULL || !replica->is_followed || !is_answer(replica, peer, correlation))
        return REPLICA_IGNORE; /* late */
    if (snapshot->head > replica->heard)
        replica->heard = snapshot->head;
    if (snapshot->head <= replica->have) {
        replica->in_snapshot = false; /* overtaken by pushes, or an old replica was asked */
        answer_failed(replica, log);
        return REPLICA_IGNORE;
    }
    return REPLICA_APPLY;
}

void replica_chunk_applied(struct replica *replica, struct log *log,
                           const struct log_snapshot *snapshot, struct span cursor)
{
    if (!replica->in_snapshot || snapshot->head < replica->snapshot_head)
        replica->snapshot_head = snapshot->head;
    pull_end(replica, log);
    replica->attempts = 0;
    replica->in_snapshot = !snapshot->is_last;
    replica->cursor = cursor;
    if (!snapshot->is_last) {
        pull(replica, log);
        return;
    }
    count(log->context, COUNTER_log_snapshots_in);
    replica->have = replica->snapshot_head;
    proceed(replica, log, true);
}

void replica_not_applied(struct replica *replica, struct log *log)
{
    replica->in_snapshot = false;
    answer_failed(replica, log);
}
