#include "tests/sim/concern.h"

/* Topics: in some seeds there are readers, who subscribe, come and go with the others' habits, and
 * are slow: they take nothing for a while, or a few messages at a time. Observers, one at each
 * node, set and remove topics, some in bursts, and turn readers' switches. Readers set topics too,
 * over lines that break. In some of these seeds queues are so short that they become full. */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "tests/sim/check_topics.h"

static const uint64_t MS = 1000000;

enum {
    SHORT_PERCENT = 60,    /* of the seeds with readers have short queues */
    SHORT_MESSAGES = 40,   /* in one */
    SHORT_GRANT = 10,      /* who has one says often what it has */
    PUBLISH_PERCENT = 16,  /* of an observer's alarms */
    BURST_PERCENT = 6,     /* of what it does then */
    PRESSURE_PERCENT = 70, /* the same, where queues are short and somebody takes nothing */
    BURST_LEAST = 8,
    BURST_SPREAD = 16,
    OPEN_MOST = 8,
    TRICKLE_MOST = 8,
    TAKE_ALL = UINT16_MAX,
    PROBE_MS = 15000, /* a SET that nobody answers is given up after 10 s */
    ROUND_MS = 60,
    AGAIN_MS = 200,
};

struct topics_work {
    struct people *people;
    struct check_sets sets;
    struct check_topics check;
    bool is_on, is_short;
    uint32_t probe; /* the number of its SET */
    uint64_t stalls;
};

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    struct topics_work *work = calloc(1, sizeof *work);
    require(work != NULL);
    work->people = people;
    work->is_on = people->readers < people->count;
    work->is_short =
        work->is_on && random_below(&world->random[STREAM_TOPICS], 100) < SHORT_PERCENT;
    if (work->is_short) {
        world->queue_messages = SHORT_MESSAGES;
        people->grant_every = SHORT_GRANT;
    }
    check_sets_init(&work->sets, world, faults, people);
    check_topics_init(&work->check, world, &work->sets);
    return work;
}

static void destroy(void *state)
{
    struct topics_work *work = state;
    check_topics_clear(&work->check);
    check_sets_clear(&work->sets);
    free(work);
}

/* ---- publishing ------------------------------------------------------------------------------*/

static enum set_way draw_way(struct random *random)
{
    uint64_t draw = random_below(random, 100);
    return draw < 80   ? SET_PLAINLY
           : draw < 86 ? SET_FOR_THE_SESSION
           : draw < 93 ? SET_CONDITIONALLY
                       : SET_REMOVES;
}

static void set_one(struct topics_work *work, struct world *world, uint32_t who)
{
    struct random *random = &world->random[STREAM_TOPICS];
    uint32_t path = (uint32_t)random_below(random, CHECK_SETS_PATHS);
    check_sets_ask(&work->sets, world, who, path, draw_way(random));
}

/* So that a queue becomes full in the time that somebody is slow. */
static bool is_pressing(const struct topics_work *work)
{
    const struct people *people = work->people;
    for (uint32_t who = people->readers; work->is_short && who < people->count; who++)
        if (people->persons[who].state == PERSON_OPEN && people->persons[who].credit == 0)
            return true;
    return false;
}

/* Answers may come all at once, when a node has collected what others had: there must be room. */
static void publish(struct topics_work *work, struct world *world, uint32_t who)
{
    struct random *random = &world->random[STREAM_TOPICS];
    uint32_t open = check_sets_open(&work->sets, who);
    bool is_burst =
        random_below(random, 100) < (is_pressing(work) ? PRESSURE_PERCENT : BURST_PERCENT);
    if (!is_burst && open < OPEN_MOST)
        set_one(work, world, who);
    if (!is_burst || open > 0)
        return;
    uint64_t sets = BURST_LEAST + random_below(random, BURST_SPREAD);
    for (uint64_t i = 0; i < sets; i++)
        set_one(work, world, who);
}

/* ---- reading ---------------------------------------------------------------------------------*/

static void take(struct topics_work *work, struct world *world, uint32_t who, uint32_t messages)
{
    work->stalls += messages == 0;
    people_take(work->people, world, who, messages);
}

/* An observer, who is told what became of it whatever the reader does. */
static void turn_switch(struct topics_work *work, struct world *world, uint32_t reader)
{
    struct random *random = &world->random[STREAM_TOPICS];
    uint32_t who = (uint32_t)random_below(random, work->people->observers);
    bool is_on = random_below(random, 8) < 3;
    if (work->people->persons[who].state == PERSON_OPEN)
        check_topics_switch(&work->check, world, who, reader, is_on);
}

static void read_on(struct topics_work *work, struct world *world, uint32_t who)
{
    struct random *random = &world->random[STREAM_TOPICS];
    uint32_t selector = (uint32_t)random_below(random, CHECK_TOPICS_SELECTORS);
    uint64_t draw = random_below(random, 100);
    bool is_slow = work->people->persons[who].credit < work->people->grant_every;
    if (draw < 15 || work->check.readers[who].stands == 0)
        check_topics_select(&work->check, world, who, selector);
    else if (draw < 25)
        set_one(work, world, who);
    else if (draw < 32)
        turn_switch(work, world, who);
    else if (draw < 36)
        take(work, world, who, is_slow ? TAKE_ALL : 0);
    else if (draw < 40 && is_slow)
        take(work, world, who, (uint32_t)random_below(random, TRICKLE_MOST));
    else if (draw < 44 && !is_slow)
        take(work, world, who, 0);
    else if (draw < 45)
        people_leave(work->people, world, who);
}

static void alarm(void *state, struct world *world, uint32_t who)
{
    struct topics_work *work = state;
    struct people *people = work->people;
    if (!work->is_on || people->persons[who].state != PERSON_OPEN)
        return;
    bool is_reader = who >= people->readers;
    if (people->is_quiet) {
        if (is_reader && people->persons[who].credit < people->grant_every)
            take(work, world, who, TAKE_ALL);
    } else if (is_reader) {
        read_on(work, world, who);
    } else if (who < people->observers &&
               random_below(&world->random[STREAM_TOPICS], 100) < PUBLISH_PERCENT) {
        publish(work, world, who);
    }
}

/* ---- in quiet --------------------------------------------------------------------------------*/

/* Somebody sets a topic, again while no node will have it. */
static void probe_set(struct topics_work *work, struct world *world)
{
    struct random *random = &world->random[STREAM_TOPICS];
    const struct set *set = work->probe == 0 ? NULL : &work->sets.sets[work->probe - 1];
    uint32_t who = (uint32_t)random_below(random, work->people->observers);
    uint32_t path = (uint32_t)random_below(random, CHECK_SETS_PATHS);
    bool is_over = set != NULL && set->is_told && set->code != ERROR_OK;
    if ((set == NULL || is_over) && people_is_present(work->people, world, who))
        work->probe = check_sets_ask(&work->sets, world, who, path, SET_PLAINLY);
}

static const char *difference(struct topics_work *work, struct world *world)
{
    const struct people *people = work->people;
    const char *found = check_sets_difference(&work->sets, world);
    if (found != NULL)
        return found;
    if (work->probe == 0 || work->sets.sets[work->probe - 1].code != ERROR_OK)
        return "no topic can be set";
    for (uint32_t who = people->readers; who < people->count; who++)
        if (people_is_present(people, world, who) && !check_topics_is_current(&work->check, who))
            return "a reader has not heard the last value of a topic";
    return NULL;
}

static void probe(void *state, struct world *world)
{
    struct topics_work *work = state;
    uint64_t end_ns = world->now_ns + PROBE_MS * MS;
    work->probe = 0;
    while (work->is_on && !world_has_failed(world)) {
        probe_set(work, world);
        check_sets_ask_all(&work->sets, world);
        world_run_ms(world, ROUND_MS);
        const char *found = difference(work, world);
        if (found == NULL) {
            check_sets_count_lost(&work->sets, world);
            return;
        }
        if (world->now_ns > end_ns)
            world_fail(world, "topics", "in quiet, after %d ms, %s", PROBE_MS, found);
        world_run_ms(world, AGAIN_MS);
    }
}

/* Whose queue is short, is closed by it: a reader's, or of one whose client is away. */
static bool explains_end(const void *state, uint32_t who, enum close_reason reason)
{
    const struct topics_work *work = state;
    return reason == CLOSE_REASON_QUEUE_LIMIT_REACHED && work->is_short &&
           (who >= work->people->readers || work->people->persons[who].reconnect_ms > 0);
}

static void count(const void *state, struct tally *tally)
{
    const struct topics_work *work = state;
    tally->items[TALLY_TOPIC_DONE] += work->sets.done;
    tally->items[TALLY_TOPIC_NOT_DONE] += work->sets.not_done;
    tally->items[TALLY_TOPIC_UNKNOWN] += work->sets.unknown;
    tally->items[TALLY_TOPIC_LOST] += work->sets.lost;
    tally->items[TALLY_TOPIC_HEARD] += work->check.heard;
    tally->items[TALLY_TOPIC_SKIPPED] += work->check.skipped;
    tally->items[TALLY_TOPIC_RESYNC] += work->check.resynced;
    tally->items[TALLY_TOPIC_ENDED] += work->check.ended;
    tally->items[TALLY_TOPIC_DROPPED] += work->check.dropped;
    tally->items[TALLY_TOPIC_STALLED] += work->stalls;
    tally->items[TALLY_TOPIC_CLOSED] += work->check.closed;
}

const struct concern workload_topics = {
    .create = create,
    .destroy = destroy,
    .alarm = alarm,
    .probe = probe,
    .explains_end = explains_end,
    .count = count,
};
