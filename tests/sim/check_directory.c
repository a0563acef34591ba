#include "tests/sim/check_directory.h"

/* The truth is what persons were told: WELCOME, and DONE to a registration; it is the owners' truth
 * because a node tells nobody of a session it does not have. In quiet nothing of it changes.
 *
 * Of each node these are asked: how much its directory holds, and its hash (STATUS); all its
 * handlers, compared one by one (HANDLERS); some sessions by id, living and ended
 * (GET_PROPERTIES); all sessions that it hosts: none of them at a second node (LIST_SESSIONS).
 * Where all directories have as many sessions as there are, and the same hash, and each node has
 * its own right, there is neither a ghost nor one missing. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "proto/command.h"
#include "tests/sim/check_members.h"

static const uint64_t MS = 1000000;

enum {
    ROUND_MS = 50,   /* answers take a few */
    AGAIN_MS = 200,  /* between two rounds */
    LOOKUPS = 2,     /* of each observer: so many living sessions and so many ended ones */
    RECENT = 64,     /* ended sessions are looked for among the last so many */
    ROWS_MAX = 1000, /* of a list of sessions */
    KINDS = 5,       /* correlations of one round, by what is asked */
};

enum question { ASK_STATUS, ASK_HANDLERS, ASK_SESSIONS, ASK_LIVING, ASK_ENDED };

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);
static void on_over(void *state, struct world *world, uint32_t who);

void check_directory_init(struct check_directory *check, struct world *world, struct people *people)
{
    *check = (struct check_directory){
        .people = people,
        .views = calloc(world->nodes_count, sizeof *check->views),
        .round = people_correlation(MATTER_QUESTION, 0),
    };
    require(check->views != NULL);
    people_watch(people,
                 (struct people_watcher){.state = check, .on_heard = on_heard, .on_over = on_over});
}

void check_directory_clear(struct check_directory *check)
{
    free(check->views);
    free(check->over);
}

static void on_over(void *state, struct world *world, uint32_t who)
{
    struct check_directory *check = state;
    const struct person *person = &check->people->persons[who];
    (void)world;
    bool is_over = person->state == PERSON_LEAVING || person->was_told_last ||
                   (person->state == PERSON_OPEN && person->reconnect_ms == 0);
    if (person->state == PERSON_CALLING || !is_over)
        return; /* it never was, or waits for a client who does not come */
    if (check->over_count == check->over_capacity) {
        check->over_capacity = check->over_capacity == 0 ? 256 : 2 * check->over_capacity;
        check->over = realloc(check->over, check->over_capacity * sizeof *check->over);
        require(check->over != NULL);
    }
    check->over[check->over_count++] = person->session;
}

__attribute__((format(printf, 2, 3))) static void differs(struct check_directory *check,
                                                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (check->difference[0] == '\0')
        vsnprintf(check->difference, sizeof check->difference, format, arguments);
    va_end(arguments);
}

/* ---- answers ---------------------------------------------------------------------------------*/

/* The node of a life that runs; UINT32_MAX: none. */
static uint32_t node_of(const struct world *world, uint64_t instance)
{
    for (uint32_t node = 0; node < world->nodes_count; node++)
        if (world_is_running(world, node) && world->nodes[node].instance == instance)
            return node;
    return UINT32_MAX;
}

static void take_status(struct check_directory *check, const struct world *world, struct span body)
{
    struct node_answer part;
    struct status_row row;
    enum error error = ERROR_OK;
    while (group_next(&node_answer_schema, &body, &part, &error)) {
        uint32_t node = node_of(world, part.instance);
        if (node == UINT32_MAX || world->nodes[node].is_apart)
            differs(check, "%.*s is asked, which is not there", (int)part.node.bytes,
                    (const char *)part.node.data);
        else if (part.code == ERROR_OK &&
                 group_next(&status_row_schema, &part.rows, &row, &error)) {
            check->views[node].was_told_counts = true;
            check->views[node].sessions = row.sessions;
            check->views[node].handlers = row.handlers;
            check->views[node].sessions_here = row.sessions_here;
            check->views[node].hash = row.directory_hash;
        }
    }
}

/* Whether a row of a node's list speaks of what a present person serves, where it lives. */
static bool is_true(const struct check_directory *check, const struct world *world,
                    const struct handler_row *row)
{
    uint32_t who = people_of_session(check->people, row->session);
    if (who == UINT32_MAX || !people_is_present(check->people, world, who))
        return false;
    const struct person *person = &check->people->persons[who];
    if (row->kind == HANDLER_AUTHENTICATION)
        return person->decides && span_equal(row->path, span_text(WORLD_GATE)) &&
               span_equal(row->node, span_text(world->nodes[person->node].name));
    bool is_notified = row->kind == HANDLER_MISSING_TOPIC;
    const char *const *paths = is_notified ? people_gaps : people_paths;
    uint32_t count = is_notified ? PEOPLE_GAPS : PEOPLE_PATHS;
    uint32_t held = is_notified ? person->creates : person->held;
    for (uint32_t path = 0; path < count; path++)
        if ((held >> path & 1) != 0 && span_equal(row->path, span_text(paths[path])) &&
            span_equal(row->node, span_text(world->nodes[person->node].name)))
            return true;
    return false;
}

static void take_handlers(struct check_directory *check, const struct world *world, uint32_t node,
                          struct span rows)
{
    struct check_directory_view *view = &check->views[node];
    struct handler_row row;
    enum error error = ERROR_OK;
    view->was_told_handlers = true;
    while (group_next(&handler_row_schema, &rows, &row, &error)) {
        bool is_right = is_true(check, world, &row);
        view->rows_right += is_right;
        view->rows_wrong += !is_right;
        if (!is_right)
            differs(check, "%s lists a handler of %016" PRIx64 " for %.*s at %.*s, which is not",
                    world->nodes[node].name, row.session.serial, (int)row.path.bytes,
                    (const char *)row.path.data, (int)row.node.bytes, (const char *)row.node.data);
    }
}

/* A session that a person has is hosted by that person's node, and nowhere else. */
static void take_sessions(struct check_directory *check, const struct world *world,
                          struct span body)
{
    struct node_answer part;
    struct session_row row;
    enum error error = ERROR_OK;
    while (group_next(&node_answer_schema, &body, &part, &error)) {
        while (group_next(&session_row_schema, &part.rows, &row, &error)) {
            uint32_t who = people_of_session(check->people, row.id);
            if (who == UINT32_MAX)
                continue; /* counts tell */
            const struct world_node *home = &world->nodes[check->people->persons[who].node];
            if (part.instance != home->instance)
                differs(check, "%.*s hosts the session of client %u, which is at %s",
                        (int)part.node.bytes, (const char *)part.node.data, who, home->name);
        }
    }
}

static void take_lookup(struct check_directory *check, const struct world *world, uint32_t node,
                        bool is_living, const struct result *result)
{
    bool is_found = result->code == ERROR_OK;
    uint32_t who = is_found ? people_of_session(check->people, result->session) : UINT32_MAX;
    bool is_right = !is_living && result->code == ERROR_NO_SUCH_SESSION;
    if (is_living && who != UINT32_MAX)
        is_right = span_equal(result->node,
                              span_text(world->nodes[check->people->persons[who].node].name));
    check->lookups--;
    if (is_right)
        return;
    check->wrong++;
    differs(check, "%s answers %s about a session that %s", world->nodes[node].name,
            error_name(result->code), is_living ? "lives elsewhere or says so" : "is over");
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_directory *check = state;
    struct result result;
    uint64_t round = check->round;
    if (message->kind != KIND_RESULT || message->correlation < round ||
        message->correlation >= round + KINDS ||
        schema_decode(&result_schema, message->fields, &result) != ERROR_OK)
        return;
    uint32_t node = check->people->persons[who].node;
    switch ((enum question)(message->correlation - round)) {
    case ASK_STATUS:
        take_status(check, world, message->body);
        break;
    case ASK_HANDLERS:
        take_handlers(check, world, node, message->body);
        break;
    case ASK_SESSIONS:
        take_sessions(check, world, message->body);
        break;
    case ASK_LIVING:
    case ASK_ENDED:
        take_lookup(check, world, node, message->correlation - round == ASK_LIVING, &result);
        break;
    }
}

/* ---- questions -------------------------------------------------------------------------------*/

static void ask(struct check_directory *check, struct world *world, uint32_t who,
                enum question question, struct session_id session)
{
    static const uint8_t verbs[] = {[ASK_STATUS] = COMMAND_STATUS,
                                    [ASK_HANDLERS] = COMMAND_HANDLERS,
                                    [ASK_SESSIONS] = COMMAND_LIST_SESSIONS,
                                    [ASK_LIVING] = COMMAND_GET_PROPERTIES,
                                    [ASK_ENDED] = COMMAND_GET_PROPERTIES};
    /* Of the properties $StartTime would bring the wall clock into the trace. */
    struct command command = {.verb = verbs[question],
                              .session = session,
                              .filter = span_text(question == ASK_SESSIONS ? "all" : ""),
                              .keys = span_text(question >= ASK_SESSIONS ? "$ServerName" : ""),
                              .limit = question == ASK_SESSIONS ? ROWS_MAX : 0,
                              .timeout_ms = ROUND_MS};
    check->lookups += question >= ASK_LIVING;
    people_say(check->people, world, who, KIND_COMMAND, check->round + question, &command_schema,
               &command, (struct span){0});
}

/* An ended session whose node lives on, so that its end is beyond doubt; false: none found. */
static bool draw_ended(const struct check_directory *check, struct world *world,
                       struct session_id *session)
{
    uint32_t recent = check->over_count < RECENT ? check->over_count : RECENT;
    if (recent == 0)
        return false;
    uint64_t at = random_below(&world->random[STREAM_CHECKERS], recent);
    *session = check->over[check->over_count - 1 - at];
    uint32_t node = node_of(world, session->instance);
    return node != UINT32_MAX && !world->nodes[node].is_apart;
}

static void ask_lookups(struct check_directory *check, struct world *world, uint32_t observer)
{
    struct random *random = &world->random[STREAM_CHECKERS];
    struct session_id session;
    for (int i = 0; i < LOOKUPS; i++) {
        uint32_t who = (uint32_t)random_below(random, check->people->count);
        if (people_is_present(check->people, world, who))
            ask(check, world, observer, ASK_LIVING, check->people->persons[who].session);
        if (draw_ended(check, world, &session))
            ask(check, world, observer, ASK_ENDED, session);
    }
}

static void ask_all(struct check_directory *check, struct world *world)
{
    bool has_asked = false;
    check->round += KINDS;
    check->wrong = 0;
    check->lookups = 0;
    check->difference[0] = '\0';
    memset(check->views, 0, world->nodes_count * sizeof *check->views);
    for (uint32_t who = 0; who < check->people->observers; who++) {
        if (!people_is_present(check->people, world, who))
            continue;
        if (!has_asked) {
            ask(check, world, who, ASK_STATUS, (struct session_id){0});
            ask(check, world, who, ASK_SESSIONS, (struct session_id){0});
        }
        has_asked = true;
        ask(check, world, who, ASK_HANDLERS, (struct session_id){0});
        ask_lookups(check, world, who);
    }
    world_run_ms(world, ROUND_MS);
}

/* ---- the verdict -----------------------------------------------------------------------------*/

static uint32_t bits_of(uint32_t set)
{
    uint32_t bits = 0;
    for (; set != 0; set &= set - 1)
        bits++;
    return bits;
}

static void judge_node(struct check_directory *check, const struct world *world, uint32_t node,
                       uint32_t sessions, uint32_t handlers)
{
    const struct check_directory_view *view = &check->views[node];
    const char *name = world->nodes[node].name;
    uint32_t here = 0;
    for (uint32_t who = 0; who < check->people->count; who++)
        here += people_is_present(check->people, world, who) &&
                check->people->persons[who].node == node;
    if (!people_is_present(check->people, world, node) || !view->was_told_counts ||
        !view->was_told_handlers)
        differs(check, "%s serves nobody, or does not answer", name);
    else if (view->sessions_here != here)
        differs(check, "%s hosts %u sessions, not %u", name, view->sessions_here, here);
    else if (view->sessions != sessions || view->handlers != handlers)
        differs(check, "%s knows of %u sessions and %u handlers, there are %u and %u", name,
                view->sessions, view->handlers, sessions, handlers);
    else if (view->rows_right != handlers || view->rows_wrong != 0)
        differs(check, "%s lists %u of %u handlers, and %u that are none", name, view->rows_right,
                handlers, view->rows_wrong);
}

static bool is_right(struct check_directory *check, const struct world *world)
{
    uint32_t sessions = 0, handlers = 0, first = UINT32_MAX;
    for (uint32_t who = 0; who < check->people->count; who++) {
        bool is_present = people_is_present(check->people, world, who);
        sessions += is_present;
        handlers += is_present ? bits_of(check->people->persons[who].held) : 0;
        handlers += is_present && check->people->persons[who].decides;
        handlers += is_present ? bits_of(check->people->persons[who].creates) : 0;
    }
    for (uint32_t node = 0; node < world->nodes_count; node++) {
        if (!world_is_running(world, node) || world->nodes[node].is_apart)
            continue;
        judge_node(check, world, node, sessions, handlers);
        first = first == UINT32_MAX ? node : first;
        if (check->views[node].hash != check->views[first].hash)
            differs(check, "%s and %s have directories with different hashes",
                    world->nodes[first].name, world->nodes[node].name);
    }
    if (check->lookups > 0)
        differs(check, "%" PRIu64 " sessions were asked for and nobody answers", check->lookups);
    return check->difference[0] == '\0';
}

void check_directory_converge(struct check_directory *check, struct world *world)
{
    uint64_t bound_ms = check_members_bound_ms(world);
    uint64_t end_ns = world->now_ns + bound_ms * MS;
    while (!world_has_failed(world)) {
        ask_all(check, world);
        if (is_right(check, world))
            return;
        if (world->now_ns >= end_ns)
            world_fail(world, "directory", "%.1f s after members agreed, %s",
                       (double)bound_ms / 1000, check->difference);
        world_run_ms(world, AGAIN_MS);
    }
}
