#include "tests/sim/check_logins.h"

/* A login's credentials are its number: so a handler shows which one it is asked about. Where a
 * handler was asked and nobody knows of it, because the question was lost with its line, nothing
 * can be said about an open chain. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "tests/sim/clocks.h"

static const uint64_t MS = 1000000;

enum {
    LATE_MS = 1000,
    PROBE_MS = 2 * CHECK_LOGINS_STEP_MS + LATE_MS,
    SLACK_MS = 20, /* on the way to the handler */
    PROPERTY_BYTES = 64,
};

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);
static void on_over(void *state, struct world *world, uint32_t who);
static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation);

void check_logins_init(struct check_logins *check, struct world *world, const struct faults *faults,
                       struct people *people, struct login_rules rules)
{
    (void)world;
    *check = (struct check_logins){.faults = faults, .people = people, .rules = rules};
    people_watch(people, (struct people_watcher){.state = check,
                                                 .on_heard = on_heard,
                                                 .on_over = on_over,
                                                 .on_delivered = on_delivered});
}

void check_logins_clear(struct check_logins *check)
{
    free(check->logins);
}

static struct sim_login *login_at(const struct check_logins *check, uint64_t number)
{
    return number == 0 || number > check->count ? NULL : &check->logins[number - 1];
}

/* The person's last one that is not over; NULL: none. */
static struct sim_login *under_way(const struct check_logins *check, uint32_t who)
{
    for (uint32_t i = check->count; i > check->settled; i--)
        if (check->logins[i - 1].who == who && !check->logins[i - 1].is_over)
            return &check->logins[i - 1];
    return NULL;
}

static void on_over(void *state, struct world *world, uint32_t who)
{
    struct check_logins *check = state;
    (void)world;
    for (uint32_t i = check->settled; i < check->count; i++)
        check->logins[i].is_over |= check->logins[i].who == who;
}

static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation)
{
    struct check_logins *check = state;
    (void)who;
    struct sim_login *login =
        people_matter(correlation) == MATTER_LOGIN ? login_at(check, (uint32_t)correlation) : NULL;
    if (login != NULL)
        login->delivered_ns = world->now_ns;
}

/* ---- saying ----------------------------------------------------------------------------------*/

struct span check_logins_claim(struct check_logins *check, uint32_t who, bool is_opening)
{
    static uint64_t credentials;
    if (check->count == check->capacity) {
        check->capacity = check->capacity == 0 ? 64 : 2 * check->capacity;
        check->logins = realloc(check->logins, check->capacity * sizeof *check->logins);
        require(check->logins != NULL);
    }
    check->logins[check->count++] = (struct sim_login){
        .who = who, .visit = check->people->persons[who].visit, .is_opening = is_opening};
    check->people->persons[who].is_named = true;
    credentials = check->count;
    return span_of(&credentials, sizeof credentials);
}

void check_logins_reauthenticate(struct check_logins *check, struct world *world, uint32_t who)
{
    if (under_way(check, who) != NULL)
        return; /* one at a time */
    struct reauthenticate reauthenticate = {.principal = span_text("another"),
                                            .credentials = check_logins_claim(check, who, false)};
    people_ask(check->people, world, who, KIND_REAUTHENTICATE,
               people_correlation(MATTER_LOGIN, check->count), &reauthenticate_schema,
               &reauthenticate, (struct span){0});
}

static struct login_asked *asked_under(const struct check_logins *check, uint32_t who,
                                       uint64_t correlation)
{
    uint32_t visit = check->people->persons[who].visit;
    for (uint32_t i = check->count; i > 0; i--) {
        struct sim_login *login = &check->logins[i - 1];
        for (uint32_t j = 0; j < login->asked_count; j++)
            if (login->asked[j].who == who && login->asked[j].visit == visit &&
                login->asked[j].correlation == correlation)
                return &login->asked[j];
    }
    return NULL;
}

void check_logins_decide(struct check_logins *check, struct world *world, uint32_t who,
                         uint64_t correlation, enum decision_code code)
{
    struct login_asked *asked = asked_under(check, who, correlation);
    const struct world_node *node = &world->nodes[check->people->persons[who].node];
    struct decision decision = {.code = (uint8_t)code};
    struct property roles = {.key = span_text("$Roles"), .value = span_text("\"" WORLD_ROLE "\"")};
    uint8_t body[PROPERTY_BYTES];
    struct writer writer;
    writer_init(&writer, body, sizeof body);
    if (code == DECISION_ALLOW)
        group_encode(&property_schema, &roles, &writer);
    if (asked != NULL && asked->answer == DECISION_LOST &&
        clocks_read_ns(&node->clock, world->now_ns) <= asked->ends_ns)
        asked->answer = code;
    people_say(check->people, world, who, KIND_DECISION, correlation, &decision_schema, &decision,
               span_of(body, sizeof body - writer.left));
}

/* ---- what is heard ---------------------------------------------------------------------------*/

static void handler_asked(struct check_logins *check, struct world *world, uint32_t who,
                          const struct message *message)
{
    struct authenticate authenticate;
    const struct world_node *node = &world->nodes[check->people->persons[who].node];
    uint64_t number = 0;
    if (schema_decode(&authenticate_schema, message->fields, &authenticate) == ERROR_OK &&
        authenticate.credentials.bytes == sizeof number)
        memcpy(&number, authenticate.credentials.data, sizeof number);
    struct sim_login *login = login_at(check, number);
    if (login == NULL) {
        if (!faults_can_forge(check->faults))
            world_fail(world, "logins", "client %u is asked about somebody who never came", who);
        return;
    }
    if (login->asked_count == CHECK_LOGINS_ASKED_MAX)
        return;
    login->asked[login->asked_count++] =
        (struct login_asked){.who = who,
                             .visit = check->people->persons[who].visit,
                             .correlation = message->correlation,
                             .ends_ns = clocks_read_ns(&node->clock, world->now_ns) +
                                        ((uint64_t)authenticate.timeout_ms + SLACK_MS) * MS,
                             .answer = DECISION_LOST};
    check->twice += login->asked_count == 2;
    if (login->asked_count > 2 && !faults_can_forge(check->faults) &&
        !faults_is_on(check->faults, FAULT_REPEAT))
        world_fail(world, "logins", "a third handler is asked about client %u", login->who);
}

/* Somebody has let it in: was there anybody who might? */
static void judge_allowed(struct check_logins *check, struct world *world,
                          const struct sim_login *login)
{
    /* A "no" that is late is a silence. */
    bool is_explained =
        check->rules.ends_open && (login->asked_count == 0 || check->rules.silence_abstains);
    for (uint32_t i = 0; i < login->asked_count; i++) {
        enum decision_code answer = login->asked[i].answer;
        is_explained |=
            answer == DECISION_ALLOW || (answer == DECISION_ABSTAIN && check->rules.ends_open);
    }
    check->allowed++;
    if (!is_explained && !faults_can_forge(check->faults))
        world_fail(world, "logins", "client %u is let in; %u handlers were asked, and none allowed",
                   login->who, login->asked_count);
}

static void over(struct check_logins *check, struct world *world, struct sim_login *login,
                 bool is_allowed)
{
    login->is_over = true;
    if (is_allowed)
        judge_allowed(check, world, login);
    check->denied += !is_allowed;
    for (uint32_t i = 0; i < login->asked_count; i++)
        check->silent += login->asked[i].answer == DECISION_LOST;
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_logins *check = state;
    struct sim_login *login = under_way(check, who);
    bool is_opening = login != NULL && login->is_opening;
    if (message->kind == KIND_AUTHENTICATE)
        handler_asked(check, world, who, message);
    else if (is_opening && (message->kind == KIND_WELCOME || message->kind == KIND_REFUSED))
        over(check, world, login, message->kind == KIND_WELCOME);
    if (people_matter(message->correlation) != MATTER_LOGIN ||
        (message->kind != KIND_DONE && message->kind != KIND_ERROR))
        return;
    login = login_at(check, (uint32_t)message->correlation);
    if (login == NULL || login->who != who || login->is_over)
        world_fail(world, "logins", "client %u is told %s of a login that is over", who,
                   kind_name(message->kind));
    else
        over(check, world, login, message->kind == KIND_DONE);
}

/* ---- what is not heard -----------------------------------------------------------------------*/

void check_logins_look(struct check_logins *check, struct world *world)
{
    for (uint32_t i = check->settled; i < check->count; i++) {
        const struct sim_login *login = &check->logins[i];
        const struct person *person = &check->people->persons[login->who];
        const struct world_node *node = &world->nodes[person->node];
        uint64_t since_ns = login->delivered_ns;
        since_ns = person->since_ns > since_ns ? person->since_ns : since_ns;
        since_ns = node->paused_until_ns > since_ns ? node->paused_until_ns : since_ns;
        since_ns = node->busy_until_ns > since_ns ? node->busy_until_ns : since_ns;
        if (login->is_over)
            check->settled += i == check->settled;
        else if (login->delivered_ns != 0 && people_is_present(check->people, world, login->who) &&
                 world->now_ns > since_ns + (4 * CHECK_LOGINS_STEP_MS + LATE_MS) * MS)
            world_fail(world, "logins", "client %u does not hear who it is", login->who);
    }
}

void check_logins_probe(struct check_logins *check, struct world *world)
{
    struct people *people = check->people;
    uint32_t first = check->count, deciders = 0;
    uint64_t allowed = check->allowed;
    for (uint32_t who = 0; who < people->count; who++)
        deciders += people->persons[who].decides && people_is_present(people, world, who);
    for (uint32_t who = 0; who < people->observers; who++)
        if (people_is_present(people, world, who))
            check_logins_reauthenticate(check, world, who);
    uint32_t asked = check->count - first;
    world_run_ms(world, PROBE_MS);
    uint64_t expected = deciders > 0 || check->rules.ends_open ? asked : 0;
    if (check->allowed - allowed != expected && !faults_can_forge(check->faults))
        world_fail(world, "logins",
                   "in quiet, with %u deciders, %" PRIu64 " of %u are who they claim", deciders,
                   check->allowed - allowed, asked);
}
