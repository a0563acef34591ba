#include "tests/sim/concern.h"

/* Authentication by handlers: in some seeds visitors may have a name, and visitors decide who has.
 * They allow, deny, abstain, say two things, say it too late, or nothing. Who has no name needs
 * nobody: so the rest of the workload goes on. */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "proto/request.h"
#include "tests/sim/check_logins.h"

enum {
    ON_PERCENT = 50,    /* of the seeds */
    NAMED_PERCENT = 70, /* of the calls */
    OWED_MAX = 4,
};

struct owing {
    uint32_t visit, count;
    uint64_t correlations[OWED_MAX];
};

struct logins {
    struct people *people;
    struct check_logins check;
    struct owing *persons;
    bool is_on;
    uint32_t registrations;
};

static void on_hello(void *state, struct world *world, uint32_t who, struct client_hello *hello);
static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    struct random *random = &world->random[STREAM_LOGINS];
    struct logins *logins = calloc(1, sizeof *logins);
    require(logins != NULL);
    logins->people = people;
    logins->persons = calloc(people->count, sizeof *logins->persons);
    require(logins->persons != NULL);
    logins->is_on = random_below(random, 100) < ON_PERCENT;
    struct login_rules rules = {.ends_open = random_below(random, 2) == 0,
                                .silence_abstains = random_below(random, 3) == 0};
    if (logins->is_on) {
        world->auth_chain = rules.ends_open ? "anonymous,handler:" WORLD_GATE ",allow"
                                            : "anonymous,handler:" WORLD_GATE;
        world->auth_silence_abstains = rules.silence_abstains;
        world->auth_step_ms = CHECK_LOGINS_STEP_MS;
    }
    check_logins_init(&logins->check, world, faults, people, rules);
    people_watch(people, (struct people_watcher){
                             .state = logins, .on_hello = on_hello, .on_heard = on_heard});
    return logins;
}

static void destroy(void *state)
{
    struct logins *logins = state;
    check_logins_clear(&logins->check);
    free(logins->persons);
    free(logins);
}

/* Who has a name has no properties: they would have to be passed on by who decides. */
static void on_hello(void *state, struct world *world, uint32_t who, struct client_hello *hello)
{
    struct logins *logins = state;
    if (!logins->is_on || who < logins->people->observers || who >= logins->people->readers ||
        random_below(&world->random[STREAM_LOGINS], 100) >= NAMED_PERCENT)
        return;
    logins->people->persons[who].team = 0;
    hello->principal = span_text("somebody");
    hello->credentials = check_logins_claim(&logins->check, who, true);
}

/* ---- deciding --------------------------------------------------------------------------------*/

static enum decision_code draw_decision(struct random *random)
{
    uint64_t draw = random_below(random, 10);
    return draw < 6 ? DECISION_ALLOW : draw < 8 ? DECISION_DENY : DECISION_ABSTAIN;
}

static void owe(struct logins *logins, uint32_t who, uint64_t correlation)
{
    struct owing *owing = &logins->persons[who];
    uint32_t visit = logins->people->persons[who].visit;
    if (owing->visit != visit)
        *owing = (struct owing){.visit = visit};
    if (owing->count < OWED_MAX)
        owing->correlations[owing->count++] = correlation;
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct logins *logins = state;
    struct random *random = &world->random[STREAM_LOGINS];
    bool is_quiet = logins->people->is_quiet;
    if (message->kind == KIND_DONE && people_matter(message->correlation) == MATTER_GATE)
        logins->people->persons[who].decides = true;
    if (message->kind != KIND_AUTHENTICATE)
        return;
    uint64_t draw = random_below(random, 10);
    enum decision_code code = is_quiet ? DECISION_ALLOW : draw_decision(random);
    if (is_quiet || draw < 7)
        check_logins_decide(&logins->check, world, who, message->correlation, code);
    else if (draw < 9)
        owe(logins, who, message->correlation);
    if (!is_quiet && draw == 0) /* the second is nobody's */
        check_logins_decide(&logins->check, world, who, message->correlation,
                            code == DECISION_ALLOW ? DECISION_DENY : DECISION_ALLOW);
}

static void alarm(void *state, struct world *world, uint32_t who)
{
    struct logins *logins = state;
    struct owing *owing = &logins->persons[who];
    uint32_t count = owing->count;
    owing->count = 0;
    for (uint32_t i = 0; i < count && owing->visit == logins->people->persons[who].visit; i++)
        check_logins_decide(&logins->check, world, who, owing->correlations[i],
                            draw_decision(&world->random[STREAM_LOGINS]));
}

/* ---- acting ----------------------------------------------------------------------------------*/

static void decide_from_now(void *state, struct world *world, uint32_t who)
{
    struct logins *logins = state;
    struct registration registration = {.kind = HANDLER_AUTHENTICATION,
                                        .path = span_text(WORLD_GATE)};
    if (!logins->is_on || logins->people->persons[who].asks_to_decide)
        return;
    logins->people->persons[who].asks_to_decide = true;
    people_say(logins->people, world, who, KIND_REGISTER,
               people_correlation(MATTER_GATE, ++logins->registrations), &registration_schema,
               &registration, (struct span){0});
}

static void reauthenticate(void *state, struct world *world, uint32_t who)
{
    struct logins *logins = state;
    if (logins->is_on)
        check_logins_reauthenticate(&logins->check, world, who);
}

static void look(void *state, struct world *world)
{
    check_logins_look(&((struct logins *)state)->check, world);
}

static void probe(void *state, struct world *world)
{
    struct logins *logins = state;
    if (logins->is_on)
        check_logins_probe(&logins->check, world);
}

static void count(const void *state, struct tally *tally)
{
    const struct check_logins *check = &((const struct logins *)state)->check;
    tally->items[TALLY_LOGIN_ALLOWED] += check->allowed;
    tally->items[TALLY_LOGIN_DENIED] += check->denied;
    tally->items[TALLY_LOGIN_SILENT] += check->silent;
    tally->items[TALLY_LOGIN_TWICE] += check->twice;
}

static const struct concern_act acts[] = {
    {"decides who may enter", 3, 9, decide_from_now},
    {"says anew who it is", 0, 3, reauthenticate},
};

const struct concern workload_logins = {
    .acts = acts,
    .acts_count = sizeof acts / sizeof acts[0],
    .create = create,
    .destroy = destroy,
    .alarm = alarm,
    .look = look,
    .probe = probe,
    .count = count,
};
