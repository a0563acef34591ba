#include "tests/sim/check_direct.h"

/* A request's value is its correlation, so that whoever is given it shows which one it is. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "proto/request.h"
#include "tests/sim/clocks.h"

static const uint64_t MS = 1000000;

enum {
    LATE_MS = 600, /* what members say at the deadline is waited for */
    PROBE_MS = 2000,
    CALLERS = 64,
};

struct direct_part {
    struct session_id session;
    uint32_t handed, told;
    unsigned answers; /* a bit for enum error: the first thing it said */
    enum error outcome;
};

static const char *const paths[CHECK_DIRECT_PATHS] = {"direct/x", "direct/y", "direct/z"};

/* Filters, and the teams that match. */
static const struct {
    const char *text;
    uint32_t teams;
} filters[CHECK_DIRECT_FILTERS] = {
    {"all", 15}, {"has team", 14}, {"team is 'red' or team is 'blue'", 6}, {"team is 'pink'", 0}};

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);
static void on_over(void *state, struct world *world, uint32_t who);
static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation);

void check_direct_init(struct check_direct *check, struct world *world, const struct faults *faults,
                       struct people *people)
{
    (void)world;
    *check = (struct check_direct){.faults = faults,
                                   .people = people,
                                   .persons = calloc(people->count, sizeof *check->persons)};
    require(check->persons != NULL);
    people_watch(people, (struct people_watcher){.state = check,
                                                 .on_heard = on_heard,
                                                 .on_over = on_over,
                                                 .on_delivered = on_delivered});
}

void check_direct_clear(struct check_direct *check)
{
    for (uint32_t i = 0; i < check->count; i++)
        free(check->asks[i].parts);
    free(check->asks);
    free(check->persons);
}

static void no(const struct check_direct *check, struct world *world, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says no about the world, unless forged bytes may be why. */
static void no(const struct check_direct *check, struct world *world, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (!faults_can_forge(check->faults))
        world_fail(world, "direct", "%s", line);
}

static struct direct_ask *ask_at(const struct check_direct *check, uint32_t number)
{
    return number == 0 || number > check->count ? NULL : &check->asks[number - 1];
}

static struct direct_part *part_of(struct direct_ask *ask, struct session_id session)
{
    for (uint32_t i = 0; i < ask->parts_count; i++)
        if (session_id_equal(ask->parts[i].session, session))
            return &ask->parts[i];
    if (ask->parts_count == ask->parts_capacity) {
        ask->parts_capacity = ask->parts_capacity == 0 ? 4 : 2 * ask->parts_capacity;
        ask->parts = realloc(ask->parts, ask->parts_capacity * sizeof *ask->parts);
        require(ask->parts != NULL);
    }
    struct direct_part *part = &ask->parts[ask->parts_count++];
    *part = (struct direct_part){.session = session, .outcome = ERROR_TIMEOUT};
    return part;
}

/* The person's record, of this visit. */
static struct direct_person *person_of(struct check_direct *check, uint32_t who)
{
    struct direct_person *person = &check->persons[who];
    uint32_t visit = check->people->persons[who].visit;
    if (person->visit != visit)
        *person = (struct direct_person){.visit = visit};
    return person;
}

static void on_over(void *state, struct world *world, uint32_t who)
{
    struct check_direct *check = state;
    (void)world;
    for (uint32_t i = check->settled; i < check->count; i++)
        check->asks[i].is_over |= check->asks[i].caller == who;
}

static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation)
{
    struct check_direct *check = state;
    bool is_ours = people_matter(correlation) == MATTER_DIRECT;
    struct direct_ask *ask = is_ours ? ask_at(check, (uint32_t)correlation) : NULL;
    const struct world_node *node = &world->nodes[check->people->persons[who].node];
    if (ask != NULL)
        ask->own_deadline_ns = clocks_read_ns(&node->clock, world->now_ns) + ask->timeout_ms * MS;
}

/* ---- saying ----------------------------------------------------------------------------------*/

/* Which path, and whether it begins, is in the registration's number. */
void check_direct_listen(struct check_direct *check, struct world *world, uint32_t who,
                         uint32_t path, bool begins)
{
    struct registration registration = {.kind = HANDLER_DIRECT, .path = span_text(paths[path])};
    struct direct_person *person = person_of(check, who);
    bool does = (person->wishes >> path & 1) != 0;
    if (does == begins)
        return;
    person->wishes ^= UINT32_C(1) << path;
    uint32_t number = (++check->registrations * CHECK_DIRECT_PATHS + path) * 2 + begins;
    people_say(check->people, world, who, begins ? KIND_REGISTER : KIND_UNREGISTER,
               people_correlation(MATTER_DIRECT_LISTEN, number), &registration_schema,
               &registration, (struct span){0});
}

void check_direct_ask(struct check_direct *check, struct world *world, uint32_t who, uint32_t path,
                      struct session_id to, uint32_t filter, uint32_t timeout_ms)
{
    if (check->count == check->capacity) {
        check->capacity = check->capacity == 0 ? 256 : 2 * check->capacity;
        check->asks = realloc(check->asks, check->capacity * sizeof *check->asks);
        require(check->asks != NULL);
    }
    bool is_to = filter == CHECK_DIRECT_FILTERS;
    check->asks[check->count++] = (struct direct_ask){.caller = who,
                                                      .visit = check->people->persons[who].visit,
                                                      .path = path,
                                                      .timeout_ms = timeout_ms,
                                                      .filter = filter,
                                                      .to = is_to ? to : (struct session_id){0},
                                                      .outcome = ERROR_TIMEOUT};
    uint64_t correlation = people_correlation(MATTER_DIRECT, check->count);
    struct request request = {.path = span_text(paths[path]),
                              .type = VALUE_BINARY,
                              .timeout_ms = timeout_ms,
                              .to = is_to ? to : (struct session_id){0},
                              .filter = span_text(is_to ? "" : filters[filter].text)};
    people_ask(check->people, world, who, KIND_REQUEST, correlation, &request_schema, &request,
               span_of(&correlation, sizeof correlation));
}

static uint64_t value_of(struct span body)
{
    uint64_t value = 0;
    if (body.bytes >= sizeof value)
        memcpy(&value, body.data, sizeof value);
    return value;
}

uint32_t check_direct_number(struct span body)
{
    uint64_t value = value_of(body);
    return people_matter(value) == MATTER_DIRECT ? (uint32_t)value : 0;
}

void check_direct_answer(struct check_direct *check, struct world *world, uint32_t who,
                         uint64_t correlation, uint32_t number, enum error answer)
{
    struct direct_ask *ask = ask_at(check, number);
    struct response response = {.outcome = (uint16_t)answer, .type = VALUE_BINARY};
    uint64_t value = ~people_correlation(MATTER_DIRECT, number);
    if (ask == NULL)
        return;
    struct direct_part *part = part_of(ask, check->people->persons[who].session);
    if (part->answers == 0)
        part->answers = 1U << answer;
    if (answer != ERROR_OK)
        response.message = span_text("a simulated session says so");
    people_say(check->people, world, who, KIND_RESPONSE, correlation, &response_schema, &response,
               answer == ERROR_OK ? span_of(&value, sizeof value) : (struct span){0});
}

/* ---- what is heard ---------------------------------------------------------------------------*/

/* Requests from one to one come in the order in which they were made. */
static void judge_order(struct check_direct *check, struct world *world, uint32_t who,
                        uint32_t number, uint32_t caller_visit, uint32_t caller)
{
    struct direct_person *person = person_of(check, who);
    uint32_t at = caller % CALLERS;
    uint32_t name = caller_visit * CALLERS + at + 1;
    if (person->last_caller[at] == name && person->last[at] > number)
        no(check, world, "client %u is given request %u behind %u of the same client", who, number,
           person->last[at]);
    person->last_caller[at] = name;
    person->last[at] = number;
}

static void handed(struct check_direct *check, struct world *world, uint32_t who,
                   const struct message *message)
{
    uint32_t number = check_direct_number(message->body);
    struct direct_ask *ask = ask_at(check, number);
    struct request request;
    if (ask == NULL || schema_decode(&request_schema, message->fields, &request) != ERROR_OK ||
        !span_equal(request.path, span_text(paths[ask->path]))) {
        no(check, world, "client %u is given a request that nobody made", who);
        return;
    }
    const struct person *person = &check->people->persons[who];
    struct direct_part *part = part_of(ask, person->session);
    bool is_to = ask->filter == CHECK_DIRECT_FILTERS;
    bool is_meant = is_to ? session_id_equal(ask->to, person->session)
                          : (filters[ask->filter].teams >> person->team & 1) != 0;
    uint32_t heard = person_of(check, who)->wishes | person_of(check, who)->listens;
    if (!is_meant)
        no(check, world, "client %u is given request %u, which is not for it", who, number);
    if ((heard >> ask->path & 1) == 0 && person->state != PERSON_APART)
        no(check, world, "client %u is given request %u, and does not listen", who, number);
    if (++part->handed > 1)
        no(check, world, "client %u is given request %u a second time", who, number);
    bool was_told = is_to ? ask->is_over : part->told > 0;
    enum error outcome = is_to ? ask->outcome : part->outcome;
    if (was_told && (outcome == ERROR_UNHANDLED || outcome == ERROR_NO_SUCH_SESSION ||
                     outcome == ERROR_DENIED || outcome == ERROR_OVERLOADED))
        no(check, world, "client %u is given request %u after %s", who, number,
           error_name(outcome));
    if (is_to)
        judge_order(check, world, who, number, ask->visit, ask->caller);
}

/* Whether a session's own word came through, and no other. */
static void judge_word(const struct check_direct *check, struct world *world, uint32_t number,
                       const struct direct_part *part, enum error outcome, struct span body)
{
    bool is_word =
        outcome == ERROR_OK || outcome == ERROR_REJECTED || outcome == ERROR_HANDLER_ERROR;
    bool says_no = outcome == ERROR_UNHANDLED || outcome == ERROR_NO_SUCH_SESSION ||
                   outcome == ERROR_DENIED || outcome == ERROR_OVERLOADED;
    bool fits =
        !is_word ||
        ((part->answers >> outcome & 1) != 0 &&
         (outcome != ERROR_OK || value_of(body) == ~people_correlation(MATTER_DIRECT, number)));
    if (!fits)
        no(check, world, "request %u is told %s, which the session did not say", number,
           error_name(outcome));
    if (says_no && part->handed > 0)
        no(check, world, "request %u is told %s, but the session has it", number,
           error_name(outcome));
}

/* What this person asked under that correlation and waits for; NULL: it fails the world. */
static struct direct_ask *waiting(struct check_direct *check, struct world *world, uint32_t who,
                                  const struct message *message)
{
    struct direct_ask *ask = ask_at(check, (uint32_t)message->correlation);
    if (ask != NULL && ask->caller == who && ask->visit == check->people->persons[who].visit &&
        !ask->is_over)
        return ask;
    world_fail(world, "direct", "client %u is told %s of what it did not ask, or of what is over",
               who, kind_name(message->kind));
    return NULL;
}

static void take_part(struct check_direct *check, struct world *world, struct direct_ask *ask,
                      const struct message *message)
{
    struct part told;
    uint32_t number = (uint32_t)message->correlation;
    if (schema_decode(&part_schema, message->fields, &told) != ERROR_OK || !ask->was_spread) {
        world_fail(world, "direct", "request %u has a part too early, or that can't be read",
                   number);
        return;
    }
    struct direct_part *part = part_of(ask, told.session);
    if (++part->told > 1)
        no(check, world, "request %u tells of one session twice", number);
    part->outcome = (enum error)told.outcome;
    ask->told++;
    check->parts++;
    check->unhandled += told.outcome == ERROR_UNHANDLED;
    judge_word(check, world, number, part, part->outcome, message->body);
}

static void take_end(struct check_direct *check, struct world *world, struct direct_ask *ask,
                     const struct message *message)
{
    struct response response;
    uint32_t number = (uint32_t)message->correlation;
    if (schema_decode(&response_schema, message->fields, &response) != ERROR_OK)
        return;
    ask->is_over = true;
    ask->outcome = (enum error)response.outcome;
    if (ask->filter == CHECK_DIRECT_FILTERS) {
        check->unhandled += response.outcome == ERROR_UNHANDLED;
        judge_word(check, world, number, part_of(ask, ask->to), ask->outcome, message->body);
        return;
    }
    check->incomplete += response.outcome != ERROR_OK;
    if (response.answered != ask->told)
        no(check, world, "request %u ends with %u answers, %u were told", number, response.answered,
           ask->told);
    if (ask->was_spread && response.sent != ask->sent)
        no(check, world, "request %u went to %u sessions, in the end to %u", number, ask->sent,
           response.sent);
    if (response.outcome == ERROR_OK &&
        (response.answered != response.sent || response.nodes_answered != response.nodes_asked))
        no(check, world, "request %u is OK with %u of %u answers, not of all nodes", number,
           response.answered, response.sent);
}

static void take_spread(struct check_direct *check, struct world *world, struct direct_ask *ask,
                        const struct message *message)
{
    struct spread spread;
    if (schema_decode(&spread_schema, message->fields, &spread) != ERROR_OK || ask->was_spread)
        world_fail(world, "direct", "request %u is spread twice, or unreadably",
                   (uint32_t)message->correlation);
    ask->was_spread = true;
    ask->sent = spread.sent;
    check->spread++;
}

static void listening(struct check_direct *check, struct world *world, uint32_t who,
                      const struct message *message)
{
    uint32_t number = (uint32_t)message->correlation;
    uint32_t bit = UINT32_C(1) << number / 2 % CHECK_DIRECT_PATHS;
    struct direct_person *person = person_of(check, who);
    if (message->kind != KIND_DONE)
        world_fail(world, "direct", "client %u may not listen", who);
    person->listens = number % 2 != 0 ? person->listens | bit : person->listens & ~bit;
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_direct *check = state;
    struct direct_ask *ask;
    if (message->kind == KIND_REQUEST && check_direct_number(message->body) != 0)
        handed(check, world, who, message);
    if (people_matter(message->correlation) == MATTER_DIRECT_LISTEN &&
        (message->kind == KIND_DONE || message->kind == KIND_ERROR))
        listening(check, world, who, message);
    bool is_answer = message->kind == KIND_SPREAD || message->kind == KIND_PART ||
                     message->kind == KIND_RESPONSE || message->kind == KIND_ERROR;
    if (!is_answer || people_matter(message->correlation) != MATTER_DIRECT ||
        (ask = waiting(check, world, who, message)) == NULL)
        return;
    if (message->kind == KIND_SPREAD)
        take_spread(check, world, ask, message);
    else if (message->kind == KIND_PART)
        take_part(check, world, ask, message);
    else if (message->kind == KIND_RESPONSE)
        take_end(check, world, ask, message);
    else
        world_fail(world, "direct", "a request is answered by %s", kind_name(message->kind));
}

/* ---- what is not heard -----------------------------------------------------------------------*/

static bool is_late(const struct check_direct *check, const struct world *world,
                    const struct direct_ask *ask)
{
    const struct person *caller = &check->people->persons[ask->caller];
    const struct world_node *node = &world->nodes[caller->node];
    uint64_t woken_ns =
        node->paused_until_ns > node->busy_until_ns ? node->paused_until_ns : node->busy_until_ns;
    woken_ns = caller->since_ns > woken_ns ? caller->since_ns : woken_ns;
    return ask->own_deadline_ns != 0 && world->now_ns > woken_ns + LATE_MS * MS &&
           clocks_read_ns(&node->clock, world->now_ns) > ask->own_deadline_ns + LATE_MS * MS;
}

void check_direct_look(struct check_direct *check, struct world *world)
{
    for (uint32_t i = check->settled; i < check->count; i++) {
        const struct direct_ask *ask = &check->asks[i];
        if (ask->is_over) {
            check->settled += i == check->settled;
        } else if (people_is_present(check->people, world, ask->caller) &&
                   is_late(check, world, ask)) {
            world_fail(world, "direct", "request %u of client %u has no end", i + 1, ask->caller);
            return;
        }
    }
}

/* How many of those that are present match. */
static uint32_t matching(const struct check_direct *check, const struct world *world,
                         uint32_t filter)
{
    uint32_t count = 0;
    for (uint32_t who = 0; who < check->people->count; who++)
        count += people_is_present(check->people, world, who) &&
                 (filters[filter].teams >> check->people->persons[who].team & 1) != 0;
    return count;
}

static void judge_probe(struct check_direct *check, struct world *world,
                        const struct direct_ask *ask, uint32_t number)
{
    uint32_t target = people_of_session(check->people, ask->to);
    if (!ask->is_over) {
        no(check, world, "in quiet, request %u has no end", number);
    } else if (ask->filter < CHECK_DIRECT_FILTERS) {
        uint32_t count = matching(check, world, ask->filter);
        if (ask->outcome != ERROR_OK || ask->told != count)
            no(check, world, "in quiet, %u match %s; request %u is told of %u: %s", count,
               filters[ask->filter].text, number, ask->told, error_name(ask->outcome));
    } else if (target != UINT32_MAX && people_is_present(check->people, world, target)) {
        bool listens = (person_of(check, target)->listens >> ask->path & 1) != 0;
        bool is_word = ask->outcome == ERROR_OK || ask->outcome == ERROR_REJECTED ||
                       ask->outcome == ERROR_HANDLER_ERROR;
        if (listens ? !is_word : ask->outcome != ERROR_UNHANDLED)
            no(check, world, "in quiet, client %u %s; request %u ends with %s", target,
               listens ? "listens" : "does not listen", number, error_name(ask->outcome));
    }
}

void check_direct_probe(struct check_direct *check, struct world *world)
{
    struct random *random = &world->random[STREAM_CHECKERS];
    struct people *people = check->people;
    uint32_t first = check->count;
    for (uint32_t who = 0; who < people->observers; who++) {
        uint32_t other = (uint32_t)random_below(random, people->count);
        uint32_t path = (uint32_t)random_below(random, CHECK_DIRECT_PATHS);
        if (!people_is_present(people, world, who))
            continue;
        if (people_is_present(people, world, other))
            check_direct_ask(check, world, who, path, people->persons[other].session,
                             CHECK_DIRECT_FILTERS, PROBE_MS);
        check_direct_ask(check, world, who, path, (struct session_id){0},
                         (uint32_t)random_below(random, CHECK_DIRECT_FILTERS), PROBE_MS);
    }
    world_run_ms(world, PROBE_MS + LATE_MS);
    for (uint32_t i = first; i < check->count && !world_has_failed(world); i++)
        if (people_is_present(people, world, check->asks[i].caller))
            judge_probe(check, world, &check->asks[i], i + 1);
}
