#include "tests/sim/workload.h"

/* Each person has one alarm. A visitor acts when it rings; an observer looks whether its node has
 * come back. Handlers that answer late do so at their next alarm. */

#include <stdlib.h>

#include "mesh/base/require.h"

static const uint64_t MS = 1000000;

enum {
    VISITORS_MAX = 10,
    EMPTY_PERCENT = 20, /* of the seeds have no visitors */
    BURST_PERCENT = 8,  /* of the seeds have bursts: they make logs outgrow their rings */
    BURST_REGISTRATIONS = 620,
    BURSTS_MAX = 2,  /* of a run: they cost as much as all else */
    CALL_MS = 4000,  /* a HELLO that is not answered is given up */
    IDLE_MS = 20000, /* who says nothing for so long pings */
    OBSERVER_MS = 400,
    OWED_MAX = 8,
    TEAMS = 4,
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
    uint32_t asked; /* the number of its last request */
};

struct workload {
    struct people *people;
    struct check_outcomes outcomes;
    struct check_commands commands;
    struct visitor *visitors; /* one for each person */
    uint32_t weights[ACTS], weights_sum;
    uint32_t pause_ms; /* between two acts, on average */
    uint32_t bursts_left;
    bool is_quiet;
};

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);
static void on_due(void *state, struct world *world, uint32_t who);

static void draw_ways(struct workload *workload, struct random *random)
{
    for (int act = 0; act < ACTS; act++)
        workload->weights[act] = (uint32_t)random_below(random, 8);
    workload->weights[ACT_REGISTER] += 2;
    workload->weights[ACT_ASK] += 2;
    workload->weights[ACT_BURST] = 0;
    if (random_below(random, 100) < BURST_PERCENT) {
        workload->weights[ACT_BURST] = 1;
        workload->bursts_left = BURSTS_MAX;
    }
    for (int act = 0; act < ACTS; act++)
        workload->weights_sum += workload->weights[act];
    workload->pause_ms = 100u << random_below(random, 5);
}

struct workload *workload_new(struct world *world, const struct faults *faults)
{
    struct random *random = &world->random[STREAM_PEOPLE];
    struct workload *workload = calloc(1, sizeof *workload);
    require(workload != NULL);
    bool is_empty = random_below(random, 100) < EMPTY_PERCENT;
    uint32_t visitors = 1 + (uint32_t)random_below(random, VISITORS_MAX);
    draw_ways(workload, random);
    workload->people = people_new(world, is_empty ? 0 : visitors);
    workload->visitors = calloc(workload->people->count, sizeof *workload->visitors);
    require(workload->visitors != NULL);
    check_outcomes_init(&workload->outcomes, world, faults, workload->people);
    check_commands_init(&workload->commands, world, faults, workload->people);
    people_watch(workload->people, (struct people_watcher){
                                       .state = workload, .on_heard = on_heard, .on_due = on_due});
    for (uint32_t who = 0; who < workload->people->count; who++)
        clients_wake_in(world, who, 1 + random_below(random, OBSERVER_MS));
    return workload;
}

void workload_destroy(struct workload **workload)
{
    if (*workload != NULL) {
        check_outcomes_clear(&(*workload)->outcomes);
        check_commands_clear(&(*workload)->commands);
        people_destroy(&(*workload)->people);
        free((*workload)->visitors);
    }
    free(*workload);
    *workload = NULL;
}

struct people *workload_people(struct workload *workload)
{
    return workload->people;
}

struct check_outcomes *workload_outcomes(struct workload *workload)
{
    return &workload->outcomes;
}

struct check_commands *workload_commands(struct workload *workload)
{
    return &workload->commands;
}

void workload_set_quiet(struct workload *workload, struct world *world, bool is_quiet)
{
    struct random *random = &world->random[STREAM_PEOPLE];
    workload->is_quiet = is_quiet;
    for (uint32_t who = 0; who < workload->people->count; who++)
        clients_wake_in(world, who, 1 + random_below(random, OBSERVER_MS));
}

/* ---- handlers --------------------------------------------------------------------------------*/

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
    struct workload *workload = state;
    struct random *random = &world->random[STREAM_PEOPLE];
    if (message->kind != KIND_REQUEST)
        return;
    uint32_t number = check_outcomes_number(message->body);
    uint64_t draw = workload->is_quiet ? 0 : random_below(random, 100);
    if (draw < ANSWER_NOW_PERCENT)
        check_outcomes_answer(&workload->outcomes, world, who, message->correlation, number,
                              draw_answer(random));
    else if (draw < ANSWER_NOW_PERCENT + ANSWER_LATE_PERCENT)
        owe(&workload->visitors[who], workload->people->persons[who].visit,
            (struct owed){message->correlation, number});
}

static void pay(struct workload *workload, struct world *world, uint32_t who)
{
    struct visitor *visitor = &workload->visitors[who];
    bool is_same = visitor->visit == workload->people->persons[who].visit;
    for (size_t i = 0; i < OWED_MAX; i++) {
        struct owed owed = visitor->owed[i];
        visitor->owed[i].number = 0;
        if (owed.number != 0 && is_same)
            check_outcomes_answer(&workload->outcomes, world, who, owed.correlation, owed.number,
                                  draw_answer(&world->random[STREAM_PEOPLE]));
    }
}

/* ---- acting ----------------------------------------------------------------------------------*/

/* As most callers are: seconds; some are in a hurry, some wait until they are told of a loss. */
static uint32_t draw_timeout_ms(struct random *random)
{
    uint64_t draw = random_below(random, 10);
    if (draw < 2)
        return 50 + (uint32_t)random_below(random, 300);
    return draw < 8 ? 1000 + (uint32_t)random_below(random, 4000) : 60000;
}

static void ask(struct workload *workload, struct world *world, uint32_t who)
{
    struct random *random = &world->random[STREAM_PEOPLE];
    uint32_t path = (uint32_t)random_below(random, PEOPLE_PATHS);
    uint32_t timeout_ms = draw_timeout_ms(random);
    bool is_idempotent = random_below(random, 4) == 0;
    bool is_large = random_below(random, 50) == 0;
    workload->visitors[who].asked =
        check_outcomes_ask(&workload->outcomes, world, who, path, timeout_ms, is_idempotent,
                           8 + (uint32_t)random_below(random, is_large ? 40000 : 100));
}

/* To one session as often as to many; closing is rare, and never of observers. */
static void command(struct workload *workload, struct world *world, uint32_t who)
{
    static const enum command_verb verbs[] = {COMMAND_SET_PROPERTIES, COMMAND_SET_PROPERTIES,
                                              COMMAND_SET_PROPERTIES, COMMAND_SET_CONFLATED,
                                              COMMAND_LIST_SESSIONS,  COMMAND_CLOSE};
    struct random *random = &world->random[STREAM_PEOPLE];
    const struct people *people = workload->people;
    struct order order = {.verb = verbs[random_below(random, sizeof verbs / sizeof verbs[0])],
                          .filter = (uint32_t)random_below(random, CHECK_COMMANDS_FILTERS),
                          .timeout_ms = 300 + (uint32_t)random_below(random, 5000)};
    uint32_t other = (uint32_t)random_below(random, people->count);
    uint64_t draw = random_below(random, 10);
    if (draw < 4) {
        order.filter = CHECK_COMMANDS_FILTERS;
        order.target = people->persons[other].session;
        if (order.verb == COMMAND_LIST_SESSIONS)
            order.verb = COMMAND_GET_PROPERTIES;
    } else if (draw == 5) {
        order.is_dry = order.verb != COMMAND_LIST_SESSIONS;
    } else if (draw == 6 && order.verb != COMMAND_LIST_SESSIONS) {
        order.expect_max = 1 + (uint32_t)random_below(random, 4);
    }
    if (random_below(random, 4) == 0)
        order.timeout_ms = 60000;
    bool hits_observers = draw < 4 ? other < people->observers : order.filter >= 4;
    if (order.verb == COMMAND_CLOSE && (hits_observers || random_below(random, 3) != 0))
        order.verb = COMMAND_SET_PROPERTIES;
    if (draw < 4 && session_id_is_none(order.target))
        return;
    check_commands_give(&workload->commands, world, who, &order);
}

static void act(struct workload *workload, struct world *world, uint32_t who)
{
    struct random *random = &world->random[STREAM_PEOPLE];
    struct people *people = workload->people;
    uint64_t draw = random_below(random, workload->weights_sum);
    uint32_t path = (uint32_t)random_below(random, PEOPLE_PATHS);
    int act = 0;
    for (; draw >= workload->weights[act]; act++)
        draw -= workload->weights[act];
    switch ((enum act)act) {
    case ACT_LEAVE:
        people_leave(people, world, who);
        break;
    case ACT_VANISH:
        people_vanish(people, world, who);
        break;
    case ACT_REGISTER:
        people_register(people, world, who, KIND_REGISTER, path);
        break;
    case ACT_UNREGISTER:
        people_register(people, world, who, KIND_UNREGISTER, path);
        break;
    case ACT_ASK:
        ask(workload, world, who);
        break;
    case ACT_CANCEL:
        people_say(people, world, who, KIND_CANCEL, workload->visitors[who].asked, NULL, NULL,
                   (struct span){0}, 0);
        break;
    case ACT_COMMAND:
        command(workload, world, who);
        break;
    case ACT_BURST:
        if (workload->bursts_left > 0) {
            workload->bursts_left--;
            people_burst(people, world, who, BURST_REGISTRATIONS);
        }
        break;
    case ACTS:
        break;
    }
}

/* Whom a person calls; UINT32_MAX: nobody for now. */
static uint32_t draw_node(const struct workload *workload, struct world *world, uint32_t who)
{
    uint32_t node = who;
    if (who >= workload->people->observers)
        node = (uint32_t)random_below(&world->random[STREAM_PEOPLE], world->nodes_count);
    return world_is_running(world, node) ? node : UINT32_MAX;
}

static uint32_t draw_team(struct world *world)
{
    return (uint32_t)random_below(&world->random[STREAM_PEOPLE], TEAMS);
}

static void live(struct workload *workload, struct world *world, uint32_t who)
{
    struct person *person = &workload->people->persons[who];
    bool is_observer = who < workload->people->observers;
    uint64_t lasts_ms = (world->now_ns - person->since_ns) / MS;
    switch (person->state) {
    case PERSON_AWAY:;
        uint32_t node = draw_node(workload, world, who);
        if (node != UINT32_MAX && (is_observer || !workload->is_quiet))
            people_call(workload->people, world, who, node, is_observer ? 0 : draw_team(world));
        break;
    case PERSON_CALLING:
    case PERSON_LEAVING:
        if (lasts_ms > CALL_MS)
            people_vanish(workload->people, world, who);
        break;
    case PERSON_OPEN:
        if (world->now_ns - person->said_ns > IDLE_MS * MS)
            people_say(workload->people, world, who, KIND_PING, 0, NULL, NULL, (struct span){0}, 0);
        if (!is_observer && !workload->is_quiet)
            act(workload, world, who);
        break;
    }
}

static void on_due(void *state, struct world *world, uint32_t who)
{
    struct workload *workload = state;
    struct random *random = &world->random[STREAM_PEOPLE];
    pay(workload, world, who);
    live(workload, world, who);
    uint64_t pause_ms = OBSERVER_MS;
    if (who >= workload->people->observers && !workload->is_quiet)
        pause_ms = 1 + random_below(random, 2 * workload->pause_ms);
    clients_wake_in(world, who, pause_ms);
}
