#include "tests/sim/check_outcomes.h"

/* A request's value is its number, so a handler's copy names the request, and the response's value
 * is made of it. Where bytes change between nodes nothing can be said about content: then only the
 * count of outcomes is judged, and their time. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "proto/client.h"
#include "proto/request.h"
#include "tests/sim/clocks.h"
#include "tests/sim/views.h"

static const uint64_t MS = 1000000;

enum {
    BODY_BYTES_MAX = 48 * 1024,
    LATE_MS = 300, /* a tick, and the way to the client */
    PROBE_MS = 2000,
    PROBES = 3,      /* of each observer */
    NEWS_MS = 10000, /* by then a session that is over has heard so */
};

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);
static void on_over(void *state, struct world *world, uint32_t who);
static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation);
static void on_notice(void *state, struct world *world, uint32_t node,
                      const struct mesh_notice *notice);
static void on_link_lost(void *state, struct world *world, uint32_t node, uint32_t peer);

void check_outcomes_init(struct check_outcomes *check, struct world *world,
                         const struct faults *faults, struct people *people)
{
    *check = (struct check_outcomes){.faults = faults, .people = people};
    world_watch(world, (struct world_watcher){
                           .state = check, .on_notice = on_notice, .on_link_lost = on_link_lost});
    people_watch(people, (struct people_watcher){.state = check,
                                                 .on_heard = on_heard,
                                                 .on_over = on_over,
                                                 .on_delivered = on_delivered});
}

void check_outcomes_clear(struct check_outcomes *check)
{
    free(check->asks);
    check->asks = NULL;
}

static struct ask *ask_new(struct check_outcomes *check)
{
    if (check->count == check->capacity) {
        check->capacity = check->capacity == 0 ? 256 : check->capacity * 2;
        check->asks = realloc(check->asks, check->capacity * sizeof *check->asks);
        require(check->asks != NULL);
    }
    return &check->asks[check->count++];
}

static struct ask *ask_at(const struct check_outcomes *check, uint64_t number)
{
    return number == 0 || number > check->count ? NULL : &check->asks[number - 1];
}

/* What a correlation asked for; NULL: nothing of ours. */
static struct ask *asked(const struct check_outcomes *check, uint64_t correlation)
{
    bool is_ours = people_matter(correlation) == MATTER_REQUEST;
    return is_ours ? ask_at(check, (uint32_t)correlation) : NULL;
}

/* Says no about the world, unless forged bytes may be why. */
#define FAIL_UNLESS_FORGED(check, world, ...)                                                      \
    do {                                                                                           \
        if (!faults_can_forge((check)->faults))                                                    \
            world_fail((world), "outcomes", __VA_ARGS__);                                          \
    } while (0)

/* ---- asking and answering --------------------------------------------------------------------*/

/* The number, then bytes that say nothing. The response's number is turned around. */
static struct span body_of(uint64_t number, uint32_t bytes)
{
    static uint8_t body[BODY_BYTES_MAX];
    require(bytes >= sizeof number && bytes <= sizeof body);
    memcpy(body, &number, sizeof number);
    return span_of(body, bytes);
}

static uint64_t number_of(struct span body)
{
    uint64_t number = 0;
    if (body.bytes >= sizeof number)
        memcpy(&number, body.data, sizeof number);
    return number;
}

uint32_t check_outcomes_number(struct span body)
{
    uint64_t number = number_of(body);
    return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* How many requests were routed again until now: what happened to which, no person knows. */
static uint64_t moves_until_now(const struct world *world)
{
    return world_counter(world, COUNTER_requests_rerouted) +
           world_counter(world, COUNTER_requests_retried);
}

/* Whether a path lies at or below another. */
static bool is_below(const char *path, const char *above)
{
    size_t bytes = strlen(above);
    return strncmp(path, above, bytes) == 0 && (path[bytes] == '\0' || path[bytes] == '/');
}

/* Whether the person serves the path, as far as it knows, and is not about to change that. */
static bool serves(const struct person *person, uint32_t path)
{
    bool is_served = false;
    for (uint32_t at = 0; at < PEOPLE_PATHS; at++)
        is_served |=
            (person->held >> at & 1) != 0 && is_below(people_paths[path], people_paths[at]);
    return is_served && person->state == PERSON_OPEN && person->asked == 0;
}

/* Somebody who serves what is asked at the caller's own node, whatever the network does. */
static void note_near(const struct check_outcomes *check, struct ask *ask)
{
    const struct person *persons = check->people->persons, *caller = &persons[ask->caller];
    ask->near = UINT32_MAX;
    for (uint32_t who = 0; who < check->people->count; who++) {
        const struct person *person = &persons[who];
        if (person->node != caller->node || person->life != caller->life ||
            !serves(person, ask->path))
            continue;
        ask->near = who;
        ask->near_visit = person->visit;
        ask->near_registrations = person->registrations;
    }
}

uint32_t check_outcomes_ask(struct check_outcomes *check, struct world *world, uint32_t who,
                            uint32_t path, uint32_t timeout_ms, bool is_idempotent,
                            uint32_t body_bytes)
{
    struct ask *ask = ask_new(check);
    uint32_t number = check->count;
    *ask = (struct ask){.caller = who,
                        .caller_visit = check->people->persons[who].visit,
                        .path = path,
                        .timeout_ms = timeout_ms,
                        .is_idempotent = is_idempotent,
                        .moves = moves_until_now(world)};
    note_near(check, ask);
    struct request request = {.path = span_text(people_paths[path]),
                              .type = VALUE_BINARY,
                              .timeout_ms = timeout_ms,
                              .is_idempotent = is_idempotent};
    people_ask(check->people, world, who, KIND_REQUEST, people_correlation(MATTER_REQUEST, number),
               &request_schema, &request, body_of(number, body_bytes));
    return number;
}

void check_outcomes_answer(struct check_outcomes *check, struct world *world, uint32_t who,
                           uint64_t correlation, uint32_t number, enum error answer)
{
    struct ask *ask = ask_at(check, number);
    struct response response = {.outcome = (uint16_t)answer, .type = VALUE_BINARY};
    struct span body = {0};
    if (ask == NULL)
        return;
    if (ask->answers == 0 || ask->is_idempotent)
        ask->answers |= 1U << answer;
    if (answer == ERROR_OK)
        body = body_of(~(uint64_t)number, sizeof(uint64_t));
    else
        response.message = span_text("a simulated handler says so");
    people_say(check->people, world, who, KIND_RESPONSE, correlation, &response_schema, &response,
               body);
}

static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation)
{
    struct check_outcomes *check = state;
    struct ask *ask = asked(check, correlation);
    const struct world_node *node = &world->nodes[check->people->persons[who].node];
    if (ask != NULL)
        ask->own_deadline_ns = clocks_read_ns(&node->clock, world->now_ns) + ask->timeout_ms * MS;
}

/* ---- what is heard ---------------------------------------------------------------------------*/

/* Whether the outcome says that no handler has seen the request. */
static bool says_no(enum error outcome)
{
    return outcome == ERROR_NO_HANDLER || outcome == ERROR_UNHANDLED ||
           outcome == ERROR_NO_SUCH_SESSION || outcome == ERROR_DENIED ||
           outcome == ERROR_OVERLOADED;
}

/* What one session asks of another arrives in the order in which it was asked, unless it was routed
 * again. */
static void judge_order(const struct check_outcomes *check, struct world *world, uint32_t number,
                        uint32_t who)
{
    const struct ask *ask = ask_at(check, number);
    if (ask->handed > 0 || ask->moves != moves_until_now(world))
        return;
    for (uint32_t i = number; i < check->count; i++) {
        const struct ask *later = &check->asks[i];
        if (later->caller == ask->caller && later->caller_visit == ask->caller_visit &&
            later->handed > 0 && later->handler == who &&
            later->handler_visit == check->people->persons[who].visit)
            FAIL_UNLESS_FORGED(check, world, "request %u comes behind %u, which was asked later",
                               number, i + 1);
    }
}

static void handed(struct check_outcomes *check, struct world *world, uint32_t who,
                   const struct message *message)
{
    struct request request;
    uint32_t number = check_outcomes_number(message->body);
    struct ask *ask = ask_at(check, number);
    const struct person *person = &check->people->persons[who];
    if (ask == NULL || schema_decode(&request_schema, message->fields, &request) != ERROR_OK ||
        !span_equal(request.path, span_text(people_paths[ask->path]))) {
        FAIL_UNLESS_FORGED(check, world, "client %u is given a request that nobody made", who);
        return;
    }
    judge_order(check, world, number, who);
    ask->handed++;
    if (ask->handed > 1 && !ask->is_idempotent)
        FAIL_UNLESS_FORGED(check, world, "request %u is handed over a second time", number);
    if (ask->is_over && says_no(ask->outcome))
        FAIL_UNLESS_FORGED(check, world, "request %u is handed over after %s", number,
                           error_name(ask->outcome));
    check->handed_far += check->people->persons[ask->caller].node != person->node;
    ask->handler = who;
    ask->handler_visit = person->visit;
    ask->handler_node = person->node;
}

/* Whether a handler's own word came through as it was said. */
static bool fits(const struct ask *ask, uint64_t number, const struct response *response,
                 struct span body)
{
    bool is_handlers = response->outcome == ERROR_OK || response->outcome == ERROR_REJECTED ||
                       response->outcome == ERROR_HANDLER_ERROR;
    if (is_handlers && (ask->answers >> response->outcome & 1) == 0)
        return false;
    return response->outcome != ERROR_OK || number_of(body) == ~number;
}

/* Told that nobody serves it: was there somebody all the time? His session may be over without his
 * knowledge, so it is judged later. */
static void suspect(struct check_outcomes *check, const struct world *world, uint32_t number)
{
    const struct ask *ask = ask_at(check, number);
    if (ask->outcome != ERROR_NO_HANDLER || ask->near == UINT32_MAX ||
        check->suspects_count == CHECK_OUTCOMES_SUSPECTS)
        return;
    const struct person *near = &check->people->persons[ask->near];
    if (near->visit == ask->near_visit && near->registrations == ask->near_registrations &&
        serves(near, ask->path))
        check->suspects[check->suspects_count++] = (struct suspect){number, world->now_ns};
}

static void told(struct check_outcomes *check, struct world *world, uint32_t who,
                 const struct message *message)
{
    struct response response;
    uint64_t number = (uint32_t)message->correlation;
    struct ask *ask = asked(check, message->correlation);
    if (ask == NULL || ask->caller != who ||
        ask->caller_visit != check->people->persons[who].visit ||
        schema_decode(&response_schema, message->fields, &response) != ERROR_OK) {
        world_fail(world, "outcomes", "client %u is told an outcome of something it never asked",
                   who);
        return;
    }
    if (ask->is_over)
        world_fail(world, "outcomes", "request %" PRIu64 " has a second outcome, %s after %s",
                   number, error_name(response.outcome), error_name(ask->outcome));
    ask->is_over = true;
    ask->outcome = (enum error)response.outcome;
    suspect(check, world, (uint32_t)number);
    bool is_counted = response.outcome < CHECK_OUTCOMES_KINDS - 1;
    check->outcomes[is_counted ? response.outcome : CHECK_OUTCOMES_KINDS - 1]++;
    if (!fits(ask, number, &response, message->body))
        FAIL_UNLESS_FORGED(check, world, "request %" PRIu64 " is told %s, which no handler said",
                           number, error_name(response.outcome));
    if (says_no(ask->outcome) && ask->handed > 0)
        FAIL_UNLESS_FORGED(check, world, "request %" PRIu64 " ends with %s, but a handler has it",
                           number, error_name(ask->outcome));
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    if (message->kind == KIND_REQUEST && people_matter(number_of(message->body)) == 0)
        handed(state, world, who, message);
    else if (message->kind == KIND_RESPONSE &&
             people_matter(message->correlation) <= MATTER_QUESTION)
        told(state, world, who, message);
}

static void on_over(void *state, struct world *world, uint32_t who)
{
    struct check_outcomes *check = state;
    (void)world;
    for (uint32_t i = check->settled; i < check->count; i++)
        if (check->asks[i].caller == who)
            check->asks[i].is_over = true; /* nobody is left to be told */
}

/* ---- what is not heard -----------------------------------------------------------------------*/

static bool is_late(const struct check_outcomes *check, const struct world *world,
                    const struct ask *ask)
{
    const struct world_node *node = &world->nodes[check->people->persons[ask->caller].node];
    uint64_t woken_ns =
        node->paused_until_ns > node->busy_until_ns ? node->paused_until_ns : node->busy_until_ns;
    uint64_t since_ns = check->people->persons[ask->caller].since_ns; /* it may have been apart */
    woken_ns = since_ns > woken_ns ? since_ns : woken_ns;
    return ask->own_deadline_ns != 0 && world->now_ns > woken_ns + LATE_MS * MS &&
           clocks_read_ns(&node->clock, world->now_ns) > ask->own_deadline_ns + LATE_MS * MS;
}

/* Judges those who were told that there is no handler, though there was one by all he knew: he has
 * had time to hear that his session was over, or has gone. */
static void look_for_near(struct check_outcomes *check, struct world *world)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < check->suspects_count; i++) {
        const struct suspect *suspect = &check->suspects[i];
        const struct ask *ask = ask_at(check, suspect->number);
        const struct person *near = &check->people->persons[ask->near];
        uint64_t since_ns = near->since_ns > suspect->told_ns ? near->since_ns : suspect->told_ns;
        if (near->visit != ask->near_visit || near->state == PERSON_AWAY)
            continue;
        if (world->now_ns < since_ns + NEWS_MS * MS || near->state != PERSON_OPEN)
            check->suspects[kept++] = *suspect;
        else
            FAIL_UNLESS_FORGED(check, world,
                               "request %u is told NO_HANDLER, but client %u served it there",
                               suspect->number, ask->near);
    }
    check->suspects_count = kept;
}

void check_outcomes_look(struct check_outcomes *check, struct world *world)
{
    look_for_near(check, world);
    for (uint32_t i = check->settled; i < check->count; i++) {
        const struct ask *ask = &check->asks[i];
        if (ask->is_over) {
            check->settled += i == check->settled;
        } else if (people_is_present(check->people, world, ask->caller) &&
                   is_late(check, world, ask)) {
            world_fail(world, "outcomes", "request %u of client %u at %s has no outcome", i + 1,
                       ask->caller, world->nodes[check->people->persons[ask->caller].node].name);
            return;
        }
    }
}

/* What handlers at a node were given by callers at another one: what becomes of it may not get
 * through any more. Then the deadline decides. */
static void give_up(struct check_outcomes *check, uint32_t node, uint32_t of)
{
    const struct person *persons = check->people->persons;
    for (uint32_t i = check->settled; i < check->count; i++) {
        struct ask *ask = &check->asks[i];
        if (ask->handed > 0 && ask->handler_node == node && persons[ask->caller].node == of)
            ask->is_given_up = true;
    }
}

/* The answer, or the word of a loss, was under way on it; the caller's node has another link, which
 * may hold. */
static void on_link_lost(void *state, struct world *world, uint32_t node, uint32_t peer)
{
    (void)world;
    give_up(state, node, peer);
}

/* Who holds a caller's node dead gives up what came from it and says so; that word may be lost too,
 * because the caller's node was alive but could not be reached. */
static void on_notice(void *state, struct world *world, uint32_t node,
                      const struct mesh_notice *notice)
{
    if (notice->code == NOTICE_MEMBER && views_state(notice->texts[1]) == VIEW_DEAD)
        give_up(state, node, world_node_named(world, notice->texts[0]));
}

/* In quiet a handler that was given a request is there, or its loss has been told; one that may be
 * asked again may be under way to the next handler. */
static void look_for_lost(const struct check_outcomes *check, struct world *world)
{
    const struct people *people = check->people;
    for (uint32_t i = check->settled; i < check->count; i++) {
        const struct ask *ask = &check->asks[i];
        if (ask->is_over || ask->handed == 0 || ask->is_given_up || ask->is_idempotent ||
            !people_is_present(people, world, ask->caller))
            continue;
        if (people->persons[ask->handler].visit != ask->handler_visit ||
            !people_is_present(people, world, ask->handler))
            FAIL_UNLESS_FORGED(check, world,
                               "request %u still waits for client %u, which is long gone", i + 1,
                               ask->handler);
    }
}

/* ---- quiet -----------------------------------------------------------------------------------*/

/* The paths, a bit each, of the most specific registrations that serve one; 0: none. */
static uint32_t served_by(const struct check_outcomes *check, const struct world *world,
                          uint32_t path)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t who = 0; who < check->people->count; who++) {
        for (uint32_t at = 0; at < PEOPLE_PATHS; at++) {
            bool serves = people_is_present(check->people, world, who) &&
                          (check->people->persons[who].held >> at & 1) != 0 &&
                          is_below(people_paths[path], people_paths[at]);
            if (serves &&
                (best == UINT32_MAX || strlen(people_paths[at]) > strlen(people_paths[best])))
                best = at;
        }
    }
    return best == UINT32_MAX ? 0 : UINT32_C(1) << best;
}

static void judge_probe(const struct check_outcomes *check, struct world *world, uint32_t number,
                        uint32_t serving)
{
    const struct ask *ask = ask_at(check, number);
    const struct people *people = check->people;
    const char *where = world->nodes[people->persons[ask->caller].node].name;
    const char *path = people_paths[ask->path];
    bool is_answer = ask->outcome == ERROR_OK || ask->outcome == ERROR_REJECTED ||
                     ask->outcome == ERROR_HANDLER_ERROR;
    if (!ask->is_over)
        world_fail(world, "outcomes", "in quiet, %s at %s has no outcome", path, where);
    else if (serving == 0 && ask->outcome != ERROR_NO_HANDLER)
        world_fail(world, "outcomes", "nobody serves %s, but %s says %s", path, where,
                   error_name(ask->outcome));
    else if (serving != 0 && !is_answer)
        world_fail(world, "outcomes", "%s is served, but %s says %s", path, where,
                   error_name(ask->outcome));
    else if (serving != 0 && people_is_present(people, world, ask->handler) &&
             people->persons[ask->handler].visit == ask->handler_visit &&
             (people->persons[ask->handler].held & serving) == 0)
        world_fail(world, "outcomes", "%s of %s went to client %u, which does not serve it best",
                   path, where, ask->handler);
}

void check_outcomes_probe(struct check_outcomes *check, struct world *world)
{
    struct random *random = &world->random[STREAM_CHECKERS];
    uint32_t first = check->count, observers = check->people->observers;
    uint32_t served[PEOPLE_PATHS];
    look_for_lost(check, world);
    for (uint32_t path = 0; path < PEOPLE_PATHS; path++)
        served[path] = served_by(check, world, path);
    for (uint32_t who = 0; who < observers; who++)
        for (int i = 0; i < PROBES && people_is_present(check->people, world, who); i++)
            check_outcomes_ask(check, world, who, (uint32_t)random_below(random, PEOPLE_PATHS),
                               PROBE_MS, false, sizeof(uint64_t));
    world_run_ms(world, PROBE_MS + LATE_MS);
    for (uint32_t i = first; i < check->count && !world_has_failed(world); i++) {
        /* A command that is carried out late may close a handler between probe and judgement. */
        uint32_t path = check->asks[i].path, serving = served_by(check, world, path);
        if (people_is_present(check->people, world, check->asks[i].caller) &&
            serving == served[path])
            judge_probe(check, world, i + 1, serving);
    }
}
