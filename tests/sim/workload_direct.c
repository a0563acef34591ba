#include "tests/sim/concern.h"

/* Requests to sessions and to filters: visitors listen on paths and stop doing so, ask one session
 * or all that match, answer at once, at their next alarm, twice, or never. */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "tests/sim/check_direct.h"

enum {
    OWED_MAX = 4,
    ANSWER_NOW_PERCENT = 70,
    ANSWER_LATE_PERCENT = 15, /* the rest never */
    TWICE_PERCENT = 5,        /* of those at once: the second one is nobody's */
};

struct owing {
    uint32_t visit;
    struct {
        uint64_t correlation;
        uint32_t number; /* 0: none */
    } owed[OWED_MAX];
};

struct direct {
    struct people *people;
    struct check_direct check;
    struct owing *persons;
};

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    struct direct *direct = calloc(1, sizeof *direct);
    require(direct != NULL);
    direct->people = people;
    direct->persons = calloc(people->count, sizeof *direct->persons);
    require(direct->persons != NULL);
    check_direct_init(&direct->check, world, faults, people);
    people_watch(people, (struct people_watcher){.state = direct, .on_heard = on_heard});
    return direct;
}

static void destroy(void *state)
{
    struct direct *direct = state;
    check_direct_clear(&direct->check);
    free(direct->persons);
    free(direct);
}

/* ---- answering -------------------------------------------------------------------------------*/

static enum error draw_answer(struct random *random)
{
    uint64_t draw = random_below(random, 10);
    return draw < 8 ? ERROR_OK : draw < 9 ? ERROR_REJECTED : ERROR_HANDLER_ERROR;
}

static void answer(struct direct *direct, struct world *world, uint32_t who, uint64_t correlation,
                   uint32_t number)
{
    check_direct_answer(&direct->check, world, who, correlation, number,
                        draw_answer(&world->random[STREAM_DIRECT]));
}

static void owe(struct direct *direct, uint32_t who, uint64_t correlation, uint32_t number)
{
    struct owing *owing = &direct->persons[who];
    uint32_t visit = direct->people->persons[who].visit;
    if (owing->visit != visit)
        *owing = (struct owing){.visit = visit};
    for (size_t i = 0; i < OWED_MAX; i++) {
        if (owing->owed[i].number != 0)
            continue;
        owing->owed[i].correlation = correlation;
        owing->owed[i].number = number;
        return;
    }
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct direct *direct = state;
    struct random *random = &world->random[STREAM_DIRECT];
    uint32_t number = check_direct_number(message->body);
    if (message->kind != KIND_REQUEST || number == 0)
        return;
    uint64_t draw = direct->people->is_quiet ? 0 : random_below(random, 100);
    if (draw < ANSWER_NOW_PERCENT)
        answer(direct, world, who, message->correlation, number);
    else if (draw < ANSWER_NOW_PERCENT + ANSWER_LATE_PERCENT)
        owe(direct, who, message->correlation, number);
    if (draw < TWICE_PERCENT && !direct->people->is_quiet)
        answer(direct, world, who, message->correlation, number);
}

/* What is owed is answered now. */
static void alarm(void *state, struct world *world, uint32_t who)
{
    struct direct *direct = state;
    struct owing *owing = &direct->persons[who];
    bool is_same = owing->visit == direct->people->persons[who].visit;
    for (size_t i = 0; i < OWED_MAX; i++) {
        uint32_t number = owing->owed[i].number;
        owing->owed[i].number = 0;
        if (number != 0 && is_same)
            answer(direct, world, who, owing->owed[i].correlation, number);
    }
}

/* ---- acting ----------------------------------------------------------------------------------*/

static void listen(void *state, struct world *world, uint32_t who)
{
    struct direct *direct = state;
    struct random *random = &world->random[STREAM_DIRECT];
    uint32_t path = (uint32_t)random_below(random, CHECK_DIRECT_PATHS);
    check_direct_listen(&direct->check, world, who, path, random_below(random, 4) != 0);
}

static uint32_t draw_timeout_ms(struct random *random)
{
    return random_below(random, 4) == 0 ? 50 + (uint32_t)random_below(random, 400)
                                        : 1000 + (uint32_t)random_below(random, 4000);
}

/* One that is, or was lately. */
static void ask_one(void *state, struct world *world, uint32_t who)
{
    struct direct *direct = state;
    struct random *random = &world->random[STREAM_DIRECT];
    uint32_t other = (uint32_t)random_below(random, direct->people->count);
    uint32_t path = (uint32_t)random_below(random, CHECK_DIRECT_PATHS);
    struct session_id to = direct->people->persons[other].session;
    if (!session_id_is_none(to))
        check_direct_ask(&direct->check, world, who, path, to, CHECK_DIRECT_FILTERS,
                         draw_timeout_ms(random));
}

static void ask_many(void *state, struct world *world, uint32_t who)
{
    struct direct *direct = state;
    struct random *random = &world->random[STREAM_DIRECT];
    uint32_t path = (uint32_t)random_below(random, CHECK_DIRECT_PATHS);
    uint32_t filter = (uint32_t)random_below(random, CHECK_DIRECT_FILTERS);
    check_direct_ask(&direct->check, world, who, path, (struct session_id){0}, filter,
                     draw_timeout_ms(random));
}

static void cancel(void *state, struct world *world, uint32_t who)
{
    struct direct *direct = state;
    if (direct->check.count > 0 && direct->check.asks[direct->check.count - 1].caller == who)
        people_say(direct->people, world, who, KIND_CANCEL,
                   people_correlation(MATTER_DIRECT, direct->check.count), NULL, NULL,
                   (struct span){0});
}

static void look(void *state, struct world *world)
{
    check_direct_look(&((struct direct *)state)->check, world);
}

static void probe(void *state, struct world *world)
{
    check_direct_probe(&((struct direct *)state)->check, world);
}

static void count(const void *state, struct tally *tally)
{
    const struct check_direct *check = &((const struct direct *)state)->check;
    tally->items[TALLY_DIRECT_SPREAD] += check->spread;
    tally->items[TALLY_DIRECT_PART] += check->parts;
    tally->items[TALLY_DIRECT_UNHANDLED] += check->unhandled;
    tally->items[TALLY_DIRECT_INCOMPLETE] += check->incomplete;
}

static const struct concern_act acts[] = {
    {"listens on a path, or no more", 1, 6, listen},
    {"asks one session", 0, 7, ask_one},
    {"asks all that match", 0, 5, ask_many},
    {"cancels what it asked last", 0, 2, cancel},
};

const struct concern workload_direct = {
    .acts = acts,
    .acts_count = sizeof acts / sizeof acts[0],
    .create = create,
    .destroy = destroy,
    .alarm = alarm,
    .look = look,
    .probe = probe,
    .count = count,
};
