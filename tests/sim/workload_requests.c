#include "tests/sim/concern.h"

/* Requests to paths: visitors serve paths and stop doing so, ask, cancel, and answer at once, at
 * their next alarm, or never. */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "tests/sim/check_outcomes.h"

enum {
    BURST_PERCENT = 8, /* of the seeds have bursts: they make logs outgrow their rings */
    BURST_REGISTRATIONS = 620,
    BURSTS_MAX = 2, /* of a run: they cost as much as all else */
    OWED_MAX = 8,
    OFTEN = 3,
    ANSWER_NOW_PERCENT = 60,
    ANSWER_LATE_PERCENT = 25, /* the rest never */
};

struct owed {
    uint64_t correlation;
    uint32_t number; /* 0: none */
};

struct visitor {
    struct owed owed[OWED_MAX];
    uint32_t visit; /* of what is owed */
    uint32_t asked; /* the number of its last request; 0: none */
};

struct requests {
    struct people *people;
    struct check_outcomes check;
    struct visitor *visitors; /* one for each person */
    uint32_t bursts_left;
};

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    struct requests *requests = calloc(1, sizeof *requests);
    require(requests != NULL);
    requests->people = people;
    requests->visitors = calloc(people->count, sizeof *requests->visitors);
    require(requests->visitors != NULL);
    if (random_below(&world->random[STREAM_PEOPLE], 100) < BURST_PERCENT)
        requests->bursts_left = BURSTS_MAX;
    check_outcomes_init(&requests->check, world, faults, people);
    people_watch(people, (struct people_watcher){.state = requests, .on_heard = on_heard});
    return requests;
}

static void destroy(void *state)
{
    struct requests *requests = state;
    check_outcomes_clear(&requests->check);
    free(requests->visitors);
    free(requests);
}

/* ---- serving ---------------------------------------------------------------------------------*/

static enum error draw_answer(struct random *random)
{
    uint64_t draw = random_below(random, 10);
    return draw < 8 ? ERROR_OK : draw < 9 ? ERROR_REJECTED : ERROR_HANDLER_ERROR;
}

static void owe(struct visitor *visitor, uint32_t visit, struct owed owed)
{
    if (visitor->visit != visit)
        *visitor = (struct visitor){.visit = visit};
    for (size_t i = 0; i < OWED_MAX; i++) {
        if (visitor->owed[i].number != 0)
            continue;
        visitor->owed[i] = owed;
        return;
    }
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct requests *requests = state;
    struct random *random = &world->random[STREAM_PEOPLE];
    uint32_t number = check_outcomes_number(message->body);
    if (message->kind != KIND_REQUEST || number == 0)
        return;
    uint64_t draw = requests->people->is_quiet ? 0 : random_below(random, 100);
    if (draw < ANSWER_NOW_PERCENT)
        check_outcomes_answer(&requests->check, world, who, message->correlation, number,
                              draw_answer(random));
    else if (draw < ANSWER_NOW_PERCENT + ANSWER_LATE_PERCENT)
        owe(&requests->visitors[who], requests->people->persons[who].visit,
            (struct owed){message->correlation, number});
}

/* What is owed is answered now. */
static void alarm(void *state, struct world *world, uint32_t who)
{
    struct requests *requests = state;
    struct visitor *visitor = &requests->visitors[who];
    bool is_same = visitor->visit == requests->people->persons[who].visit;
    for (size_t i = 0; i < OWED_MAX; i++) {
        struct owed owed = visitor->owed[i];
        visitor->owed[i].number = 0;
        if (owed.number != 0 && is_same)
            check_outcomes_answer(&requests->check, world, who, owed.correlation, owed.number,
                                  draw_answer(&world->random[STREAM_PEOPLE]));
    }
}

static uint32_t draw_path(struct world *world)
{
    return (uint32_t)random_below(&world->random[STREAM_PEOPLE], PEOPLE_PATHS);
}

static void serve(void *state, struct world *world, uint32_t who)
{
    struct requests *requests = state;
    people_register(requests->people, world, who, KIND_REGISTER, draw_path(world));
}

static void stop_serving(void *state, struct world *world, uint32_t who)
{
    struct requests *requests = state;
    people_register(requests->people, world, who, KIND_UNREGISTER, draw_path(world));
}

static void burst(void *state, struct world *world, uint32_t who)
{
    struct requests *requests = state;
    if (requests->bursts_left == 0 || world->queue_messages > 0) /* no answer would have room */
        return;
    requests->bursts_left--;
    people_burst(requests->people, world, who, BURST_REGISTRATIONS);
}

/* ---- asking ----------------------------------------------------------------------------------*/

/* As most callers are: seconds; some are in a hurry, some wait until they are told of a loss. */
static uint32_t draw_timeout_ms(struct random *random)
{
    uint64_t draw = random_below(random, 10);
    if (draw < 2)
        return 50 + (uint32_t)random_below(random, 300);
    return draw < 8 ? 1000 + (uint32_t)random_below(random, 4000) : 60000;
}

static void ask_at(struct requests *requests, struct world *world, uint32_t who, uint32_t path)
{
    struct random *random = &world->random[STREAM_PEOPLE];
    uint32_t timeout_ms = draw_timeout_ms(random);
    bool is_idempotent = random_below(random, 4) == 0;
    bool is_large = random_below(random, 50) == 0;
    requests->visitors[who].asked =
        check_outcomes_ask(&requests->check, world, who, path, timeout_ms, is_idempotent,
                           8 + (uint32_t)random_below(random, is_large ? 40000 : 100));
}

static void ask(void *state, struct world *world, uint32_t who)
{
    ask_at(state, world, who, draw_path(world));
    /* Where queues are short no answers to so many would have room. */
    uint32_t asks = world->queue_messages > 0 ? 1 : world->asks_in_a_row;
    for (uint32_t more = 1; more < asks; more++)
        ask_at(state, world, who, draw_path(world));
}

/* One behind the other, to see them arrive so. */
static void ask_often(void *state, struct world *world, uint32_t who)
{
    uint32_t path = draw_path(world);
    for (int i = 0; i < OFTEN; i++)
        ask_at(state, world, who, path);
}

static void cancel(void *state, struct world *world, uint32_t who)
{
    struct requests *requests = state;
    people_say(requests->people, world, who, KIND_CANCEL,
               people_correlation(MATTER_REQUEST, requests->visitors[who].asked), NULL, NULL,
               (struct span){0});
}

/* ---- the concern -----------------------------------------------------------------------------*/

static void look(void *state, struct world *world)
{
    check_outcomes_look(&((struct requests *)state)->check, world);
}

static void probe(void *state, struct world *world)
{
    check_outcomes_probe(&((struct requests *)state)->check, world);
}

static void count(const void *state, struct tally *tally)
{
    static const enum tally_item items[] = {
        [ERROR_OK] = TALLY_OUTCOME_OK,
        [ERROR_REJECTED] = TALLY_OUTCOME_REJECTED,
        [ERROR_HANDLER_ERROR] = TALLY_OUTCOME_HANDLER_ERROR,
        [ERROR_NO_HANDLER] = TALLY_OUTCOME_NO_HANDLER,
        [ERROR_HANDLER_LOST] = TALLY_OUTCOME_HANDLER_LOST,
        [ERROR_TIMEOUT] = TALLY_OUTCOME_TIMEOUT,
        [ERROR_CANCELLED] = TALLY_OUTCOME_CANCELLED,
    };
    const struct check_outcomes *check = &((const struct requests *)state)->check;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        if (items[i] != 0)
            tally->items[items[i]] += check->outcomes[i];
    tally->items[TALLY_HANDED_FAR] += check->handed_far;
}

static const struct concern_act acts[] = {
    {"serves one more path", 2, 9, serve},
    {"serves one path less", 0, 7, stop_serving},
    {"asks a path", 2, 9, ask},
    {"asks a path several times", 0, 3, ask_often},
    {"cancels what it asked last", 0, 7, cancel},
    {"changes much at once", 1, 1, burst},
};

const struct concern workload_requests = {
    .acts = acts,
    .acts_count = sizeof acts / sizeof acts[0],
    .create = create,
    .destroy = destroy,
    .alarm = alarm,
    .look = look,
    .probe = probe,
    .count = count,
};
