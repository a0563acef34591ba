#include "tests/sim/concern.h"

/* Missing topics: visitors ask to be told what is missed, and subscribe where no topic is, as often
 * as several times at once. */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "tests/sim/check_missing.h"

enum { AT_ONCE_MOST = 3 };

struct missing_work {
    struct check_missing check;
};

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    struct missing_work *work = calloc(1, sizeof *work);
    require(work != NULL);
    check_missing_init(&work->check, world, faults, people);
    return work;
}

static void destroy(void *state)
{
    struct missing_work *work = state;
    check_missing_clear(&work->check);
    free(work);
}

static void serve(void *state, struct world *world, uint32_t who)
{
    struct missing_work *work = state;
    check_missing_register(&work->check, world, who,
                           (uint32_t)random_below(&world->random[STREAM_MISSING], PEOPLE_GAPS));
}

static void miss(void *state, struct world *world, uint32_t who)
{
    struct missing_work *work = state;
    struct random *random = &world->random[STREAM_MISSING];
    uint32_t selector = (uint32_t)random_below(random, CHECK_MISSING_SELECTORS);
    for (uint64_t times = 1 + random_below(random, AT_ONCE_MOST); times > 0; times--)
        check_missing_subscribe(&work->check, world, who, selector);
}

static void probe(void *state, struct world *world)
{
    check_missing_probe(&((struct missing_work *)state)->check, world);
}

static void count(const void *state, struct tally *tally)
{
    const struct check_missing *check = &((const struct missing_work *)state)->check;
    tally->items[TALLY_MISSING_TOLD] += check->notices;
    tally->items[TALLY_MISSING_COALESCED] += check->coalesced;
}

static const struct concern_act acts[] = {
    {"is to be told what is missed", 1, 4, serve},
    {"misses a topic", 1, 4, miss},
};

const struct concern workload_missing = {
    .acts = acts,
    .acts_count = sizeof acts / sizeof acts[0],
    .create = create,
    .destroy = destroy,
    .probe = probe,
    .count = count,
};
