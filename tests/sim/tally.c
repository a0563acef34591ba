#include "tests/sim/tally.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/kinds.h"
#include "proto/log.h"

static void count_records(struct tally *tally, struct span records)
{
    struct member_record record;
    enum error error = ERROR_OK;
    while (group_next(&member_record_schema, &records, &record, &error)) {
        tally->items[TALLY_CONFIRMED] += record.accusers.bytes > sizeof record.instance;
        tally->items[TALLY_REFUSAL_SEEN] += record.refused.bytes > 0;
    }
}

static void on_gossip(void *state, struct world *world, uint32_t node,
                      const struct message *message, const struct gossip_swim *swim)
{
    struct tally *tally = state;
    (void)world;
    (void)node;
    tally->items[TALLY_CHALLENGED] += message->kind == KIND_CHALLENGE;
    if (swim == NULL)
        return;
    tally->items[TALLY_HELP_ASKED] += message->kind == KIND_SWIM_PING_REQUEST;
    tally->items[TALLY_HELP_GIVEN] += message->kind == KIND_SWIM_ACK && swim->target != 0;
    tally->items[TALLY_NACKED] += message->kind == KIND_SWIM_NACK;
    tally->items[TALLY_BUCKETS_SENT] += swim->buckets.bytes > 0;
    tally->items[TALLY_TABLE_SENT] += message->kind == KIND_SWIM_SYNC && swim->news.bytes > 0;
    count_records(tally, swim->news);
}

static void on_forward(void *state, struct world *world, uint32_t node,
                       const struct envelope *envelope, const struct message *message)
{
    struct tally *tally = state;
    (void)envelope;
    struct log_entries entries;
    if (message->kind != KIND_LOG_ENTRIES || message->correlation == 0 ||
        message->body.bytes == 0 ||
        schema_decode(&log_entries_schema, message->fields, &entries) != ERROR_OK)
        return;
    tally->items[TALLY_LOG_RANGE]++;
    tally->items[TALLY_LOG_WITNESS] += entries.writer != world->nodes[node].instance;
}

static void count_verdict(struct tally *tally, const struct mesh_notice *notice)
{
    static const struct {
        const char *state, *why;
        enum tally_item item;
    } verdicts[] = {
        {"suspect", NULL, TALLY_SUSPECTED},
        {"alive", "refuted", TALLY_REFUTED},
        {"alive", "alive again", TALLY_REVIVED},
        {"alive", "new instance", TALLY_REPLACED},
        {"dead", "no answer", TALLY_DIED},
        {"dead", "connections refused", TALLY_CRASHED},
        {"left", NULL, TALLY_GONE},
    };
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (span_equal(notice->texts[1], span_text(verdicts[i].state)) &&
            (verdicts[i].why == NULL || span_equal(notice->texts[2], span_text(verdicts[i].why))))
            tally->items[verdicts[i].item]++;
}

static void on_notice(void *state, struct world *world, uint32_t node,
                      const struct mesh_notice *notice)
{
    struct tally *tally = state;
    (void)world;
    (void)node;
    tally->items[TALLY_JOINED] += notice->code == NOTICE_JOINED;
    tally->items[TALLY_ALONE] += notice->code == NOTICE_ALONE;
    tally->items[TALLY_PAUSED] += notice->code == NOTICE_PAUSED;
    if (notice->code == NOTICE_MEMBER)
        count_verdict(tally, notice);
}

static void on_stopped(void *state, struct world *world, uint32_t node, enum mesh_notice_code why)
{
    struct tally *tally = state;
    (void)world;
    (void)node;
    tally->items[TALLY_LEFT] += why == NOTICE_LEFT;
    tally->items[TALLY_NAME_REFUSED] += why == NOTICE_MESH_REFUSED;
    tally->items[TALLY_NAME_LOST] += why == NOTICE_NAME_LOST;
}

void tally_init(struct tally *tally, struct world *world)
{
    *tally = (struct tally){0};
    world_watch(world, (struct world_watcher){.state = tally,
                                              .on_notice = on_notice,
                                              .on_gossip = on_gossip,
                                              .on_forward = on_forward,
                                              .on_stopped = on_stopped});
}

void tally_finish(struct tally *tally, const struct world *world, const struct faults *faults)
{
    for (int fault = 0; fault < FAULTS; fault++)
        tally->struck[fault] = faults_struck(faults)[fault];
    tally->items[TALLY_STALLED] = world->frames_stalled;
    tally->items[TALLY_REPEATED] = world->frames_repeated;
    tally->items[TALLY_FLIPPED] = world->frames_flipped;
    tally->items[TALLY_RESET] = world->links_reset;
    tally->items[TALLY_LINK_LOST] = world_counter(world, COUNTER_links_lost);
    tally->items[TALLY_LINK_FULL] = world_counter(world, COUNTER_links_full);
    tally->items[TALLY_LOG_GAP] = world_counter(world, COUNTER_log_gaps);
    tally->items[TALLY_LOG_SNAPSHOT] = world_counter(world, COUNTER_log_snapshots_in);
    tally->items[TALLY_DISCONNECTED] = world_counter(world, COUNTER_sessions_disconnected);
    tally->items[TALLY_RESUMED] = world_counter(world, COUNTER_sessions_resumed);
    tally->items[TALLY_NOT_RESUMED] = world_counter(world, COUNTER_sessions_not_resumed);
    tally->items[TALLY_REROUTED] = world_counter(world, COUNTER_requests_rerouted);
    tally->items[TALLY_RETRIED] = world_counter(world, COUNTER_requests_retried);
    tally->items[TALLY_TOPIC_ADOPTED] = world_counter(world, COUNTER_topics_adopted);
    tally->items[TALLY_ANSWERED_LATE] = world_counter(world, COUNTER_responses_late);
}

void tally_add(struct tally *sum, const struct tally *tally)
{
    for (size_t i = 0; i < TALLY_ITEMS; i++)
        sum->items[i] += tally->items[i];
    for (size_t i = 0; i < FAULTS; i++)
        sum->struck[i] += tally->struck[i];
}

static bool tell(const char *where, const char *what, uint64_t times, bool is_asked_for)
{
    printf("sometimes: %-8s %-30s %10" PRIu64 "%s\n", where, what, times,
           times == 0 && is_asked_for ? "  NEVER" : "");
    return times > 0 || !is_asked_for;
}

bool tally_report(const struct tally *sum, uint32_t faults)
{
    static const char *const words[][2] = {
#define TALLY_WORDS(name, where, what) {where, what},
        TALLY_LIST(TALLY_WORDS)
#undef TALLY_WORDS
    };
    bool is_complete = true;
    for (uint32_t fault = 1; fault < FAULTS; fault++)
        if (faults_is_known(fault) && (faults >> fault & 1) != 0)
            is_complete &= tell("fault", faults_name((enum fault)fault), sum->struck[fault], true);
    for (size_t i = 0; i < TALLY_ITEMS; i++)
        is_complete &= tell(words[i][0], words[i][1], sum->items[i], faults == FAULTS_ALL);
    if (!is_complete)
        fputs("sometimes: what is marked NEVER came about in none of these runs\n", stderr);
    return is_complete;
}
