#include "tests/sim/concern.h"

/* Coming and going: who is away calls a node, who waits too long gives up, who has said nothing for
 * long pings; visitors leave, or are gone without a word. An observer calls its own node again. */

#include <stdlib.h>

static const uint64_t MS = 1000000;

enum {
    CALL_MS = 4000,  /* a HELLO that is not answered is given up */
    IDLE_MS = 20000, /* who says nothing for so long pings */
    TEAMS = 4,
};

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    (void)world;
    (void)faults;
    return people;
}

static void destroy(void *state)
{
    (void)state; /* the workload's */
}

static void leave(void *state, struct world *world, uint32_t who)
{
    people_leave(state, world, who);
}

static void vanish(void *state, struct world *world, uint32_t who)
{
    people_vanish(state, world, who);
}

static void call(struct people *people, struct world *world, uint32_t who)
{
    struct random *random = &world->random[STREAM_PEOPLE];
    bool is_observer = who < people->observers;
    if (people->is_quiet && !is_observer)
        return;
    uint32_t node = is_observer ? who : (uint32_t)random_below(random, world->nodes_count);
    if (world_is_running(world, node))
        people_call(people, world, who, node,
                    is_observer ? 0 : (uint32_t)random_below(random, TEAMS));
}

static void alarm(void *state, struct world *world, uint32_t who)
{
    struct people *people = state;
    const struct person *person = &people->persons[who];
    switch (person->state) {
    case PERSON_AWAY:
        call(people, world, who);
        break;
    case PERSON_CALLING:
    case PERSON_LEAVING:
        if (world->now_ns - person->since_ns > CALL_MS * MS)
            people_vanish(people, world, who);
        break;
    case PERSON_OPEN:
        if (world->now_ns - person->said_ns > IDLE_MS * MS)
            people_say(people, world, who, KIND_PING, 0, NULL, NULL, (struct span){0});
        break;
    }
}

static const struct concern_act acts[] = {
    {"says goodbye", 0, 7, leave},
    {"is gone without a word", 0, 7, vanish},
};

const struct concern workload_visits = {
    .acts = acts,
    .acts_count = sizeof acts / sizeof acts[0],
    .create = create,
    .destroy = destroy,
    .alarm = alarm,
};
