#include "tests/sim/concern.h"

/* Listening to sessions: visitors begin and stop; what they are told is judged. In some seeds only:
 * each listener is told of everybody. */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "tests/sim/check_events.h"

enum {
    LISTENING_PERCENT = 40, /* of the seeds */
    OBSERVERS = 2,          /* that listen too: visitors don't stay for long */
    OBSERVER_PERCENT = 5,   /* of their alarms, until they do */
};

struct listeners {
    struct check_events check;
    bool is_on;
};

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    struct listeners *listeners = calloc(1, sizeof *listeners);
    require(listeners != NULL);
    listeners->is_on = random_below(&world->random[STREAM_LISTENERS], 100) < LISTENING_PERCENT;
    check_events_init(&listeners->check, world, faults, people);
    return listeners;
}

static void destroy(void *state)
{
    check_events_clear(&((struct listeners *)state)->check);
    free(state);
}

static void begin(void *state, struct world *world, uint32_t who)
{
    struct listeners *listeners = state;
    uint64_t filter = random_below(&world->random[STREAM_LISTENERS], CHECK_EVENTS_FILTERS);
    if (listeners->is_on)
        check_events_listen(&listeners->check, world, who, (uint32_t)filter);
}

static void stop(void *state, struct world *world, uint32_t who)
{
    check_events_unlisten(&((struct listeners *)state)->check, world, who);
}

static void alarm(void *state, struct world *world, uint32_t who)
{
    struct listeners *listeners = state;
    bool is_open = listeners->check.people->persons[who].state == PERSON_OPEN;
    if (who < OBSERVERS && who < listeners->check.people->observers && is_open &&
        listeners->check.listeners[who].number == 0 &&
        random_below(&world->random[STREAM_LISTENERS], 100) < OBSERVER_PERCENT)
        begin(state, world, who);
}

static void probe(void *state, struct world *world)
{
    check_events_probe(&((struct listeners *)state)->check, world);
}

static void count(const void *state, struct tally *tally)
{
    static const enum tally_item items[] = {
        [SESSION_NEWS_OPENED] = TALLY_EVENT_OPENED,
        [SESSION_NEWS_UPDATED] = TALLY_EVENT_UPDATED,
        [SESSION_NEWS_DISCONNECTED] = TALLY_EVENT_DISCONNECTED,
        [SESSION_NEWS_RECONNECTED] = TALLY_EVENT_RECONNECTED,
        [SESSION_NEWS_CLOSED] = TALLY_EVENT_CLOSED,
        [SESSION_NEWS_ENTERED] = TALLY_EVENT_ENTERED,
        [SESSION_NEWS_LEFT] = TALLY_EVENT_LEFT,
        [SESSION_NEWS_UNREACHABLE] = TALLY_EVENT_UNREACHABLE,
        [SESSION_NEWS_REACHABLE] = TALLY_EVENT_REACHABLE,
        [SESSION_NEWS_GONE] = TALLY_EVENT_GONE,
    };
    const struct check_events *check = &((const struct listeners *)state)->check;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        if (items[i] != 0)
            tally->items[items[i]] += check->told[i];
    tally->items[TALLY_EVENT_RESYNC] += check->resynced;
}

static const struct concern_act acts[] = {
    {"listens to sessions", 0, 4, begin},
    {"listens no more", 0, 1, stop},
};

const struct concern workload_listeners = {
    .acts = acts,
    .acts_count = sizeof acts / sizeof acts[0],
    .create = create,
    .destroy = destroy,
    .alarm = alarm,
    .probe = probe,
    .count = count,
};
