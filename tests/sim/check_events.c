#include "tests/sim/check_events.h"

/* Of each session that a listener hears of it keeps where it is:
 *
 *     opened, entered -> THERE <-> unreachable: LOST -> gone: GONE -> reachable, opened, entered
 *     THERE, LOST, GONE -> left: OUT -> entered, opened ; closed: OVER, for ever
 *
 * and whether its client is away, and a hash of the properties last told. One that a comparison
 * found (is_resync) may stand for several; then only what can't be at all is judged. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mesh/base/require.h"

static const uint64_t MS = 1000000;

enum {
    CAPACITY_FIRST = 32,
    LIST_MS = 100,
    CATCH_UP_MS = 8000, /* a stream that began anew again and again */
    AGAIN_MS = 300,
    ROWS_MAX = 1000,
    LIST_FIRST = 1 << 30, /* numbers of listings are above those of LISTENs */
};

enum place { PLACE_NONE, PLACE_THERE, PLACE_LOST, PLACE_GONE, PLACE_OUT, PLACE_OVER };

struct seen {
    struct session_id id;
    enum place place;
    bool is_away;
    bool is_listed; /* in the listing that is compared */
    uint64_t properties;
};

static const char *const filters[CHECK_EVENTS_FILTERS] = {
    "all",
    "team is 'red' or team is 'blue'",
    "has chain",
    "chain matches '.*[02468]'",
    "not has team and not chain matches '.*[13579]'",
};

/* What only nodes say, and $StartTime, which the wall clock gives, is not asked for. */
static const char *const keys = "*U,$ServerName,$Roles";

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);
static void on_over(void *state, struct world *world, uint32_t who);

void check_events_init(struct check_events *check, struct world *world, const struct faults *faults,
                       struct people *people)
{
    (void)world;
    *check = (struct check_events){.faults = faults,
                                   .people = people,
                                   .listeners = calloc(people->count, sizeof *check->listeners)};
    require(check->listeners != NULL);
    people_watch(people,
                 (struct people_watcher){.state = check, .on_heard = on_heard, .on_over = on_over});
}

static void forget(struct listener *listener)
{
    free(listener->seen);
    *listener = (struct listener){0};
}

void check_events_clear(struct check_events *check)
{
    for (uint32_t who = 0; who < check->people->count; who++)
        forget(&check->listeners[who]);
    free(check->listeners);
}

static void on_over(void *state, struct world *world, uint32_t who)
{
    struct check_events *check = state;
    (void)world;
    forget(&check->listeners[who]);
}

/* ---- listening -------------------------------------------------------------------------------*/

void check_events_listen(struct check_events *check, struct world *world, uint32_t who,
                         uint32_t filter)
{
    struct listener *listener = &check->listeners[who];
    if (listener->number != 0 && !listener->is_standing)
        return; /* one at a time */
    forget(listener);
    *listener = (struct listener){
        .visit = check->people->persons[who].visit, .number = ++check->numbers, .filter = filter};
    struct listen listen = {
        .what = LISTEN_SESSION, .filter = span_text(filters[filter]), .keys = span_text(keys)};
    people_say(check->people, world, who, KIND_LISTEN,
               people_correlation(MATTER_LISTEN, listener->number), &listen_schema, &listen,
               (struct span){0});
}

void check_events_unlisten(struct check_events *check, struct world *world, uint32_t who)
{
    struct listener *listener = &check->listeners[who];
    struct listen listen = {.what = LISTEN_SESSION};
    if (listener->number == 0 || !listener->is_standing)
        return;
    forget(listener);
    people_say(check->people, world, who, KIND_UNLISTEN,
               people_correlation(MATTER_LISTEN, ++check->numbers), &listen_schema, &listen,
               (struct span){0});
}

/* ---- what is told ----------------------------------------------------------------------------*/

static struct seen *seen_of(struct listener *listener, struct session_id id)
{
    for (uint32_t i = 0; i < listener->count; i++)
        if (session_id_equal(listener->seen[i].id, id))
            return &listener->seen[i];
    if (listener->count == listener->capacity) {
        listener->capacity = listener->capacity == 0 ? CAPACITY_FIRST : 2 * listener->capacity;
        listener->seen = realloc(listener->seen, listener->capacity * sizeof *listener->seen);
        require(listener->seen != NULL);
    }
    struct seen *seen = &listener->seen[listener->count++];
    *seen = (struct seen){.id = id};
    return seen;
}

static uint64_t hash_of(struct span properties)
{
    uint64_t hash = 1;
    for (size_t i = 0; i < properties.bytes; i++)
        hash = (hash ^ properties.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Whether such an event can come next; what it makes of the session is noted. */
static bool take(struct seen *seen, const struct event *event, struct span properties)
{
    struct seen before = *seen;
    bool is_there = before.place == PLACE_THERE, may_skip = event->is_resync;
    uint64_t hash = hash_of(properties);
    switch ((enum session_news)event->event) {
    case SESSION_NEWS_OPENED:
    case SESSION_NEWS_ENTERED:
        seen->place = PLACE_THERE;
        seen->is_away = event->state == SESSION_DISCONNECTED;
        seen->properties = hash;
        return before.place == PLACE_NONE || before.place == PLACE_GONE ||
               before.place == PLACE_OUT;
    case SESSION_NEWS_UPDATED:
        seen->properties = hash;
        return is_there && before.properties != hash;
    case SESSION_NEWS_DISCONNECTED:
    case SESSION_NEWS_RECONNECTED:
        seen->is_away = event->event == SESSION_NEWS_DISCONNECTED;
        return is_there && before.is_away != seen->is_away;
    case SESSION_NEWS_CLOSED:
        seen->place = PLACE_OVER;
        return before.place != PLACE_NONE && before.place != PLACE_OUT &&
               (may_skip || event->reason != 0);
    case SESSION_NEWS_LEFT:
        seen->place = PLACE_OUT;
        return before.place != PLACE_NONE && before.place != PLACE_OUT;
    case SESSION_NEWS_UNREACHABLE:
        seen->place = PLACE_LOST;
        return is_there;
    case SESSION_NEWS_REACHABLE:
        seen->place = PLACE_THERE;
        return before.place == PLACE_LOST || before.place == PLACE_GONE;
    case SESSION_NEWS_GONE:
        seen->place = PLACE_GONE;
        return before.place == PLACE_LOST;
    case SESSION_NEWS_FAILED_OVER:
        break;
    }
    return false;
}

static void told(struct check_events *check, struct world *world, uint32_t who,
                 const struct message *message)
{
    static const char *const places[] = {"unknown", "there", "lost", "gone", "left", "closed"};
    struct listener *listener = &check->listeners[who];
    struct event event;
    if ((uint32_t)message->correlation != listener->number)
        return; /* of a LISTEN before this one */
    if (schema_decode(&event_schema, message->fields, &event) != ERROR_OK ||
        event.sequence != listener->sequence + 1) {
        world_fail(world, "events", "client %u hears event %" PRIu64 " after %" PRIu64, who,
                   event.sequence, listener->sequence);
        return;
    }
    listener->sequence = event.sequence;
    check->told[event.event & 15]++;
    check->resynced += event.is_resync;
    struct seen *seen = seen_of(listener, event.session);
    enum place before = seen->place;
    bool can_be = take(seen, &event, message->body) && before != PLACE_OVER;
    if (!can_be && !faults_can_forge(check->faults))
        world_fail(world, "events", "client %u hears %s of %016" PRIx64 ", which was %s", who,
                   event_session_news_name(event.event), event.session.serial, places[before]);
}

static void answered(struct check_events *check, struct world *world, uint32_t who,
                     const struct message *message)
{
    struct listener *listener = &check->listeners[who];
    bool is_present = (uint32_t)message->correlation == listener->number;
    if (message->kind == KIND_DONE && is_present)
        listener->is_standing = true;
    else if (message->kind == KIND_ERROR && !faults_can_forge(check->faults))
        world_fail(world, "events", "client %u may not listen", who);
}

/* In a session that goes on messages may be lost, events among them: what is known is worth nothing
 * then, until its client listens anew. */
static void welcomed(struct check_events *check, uint32_t who, const struct message *message)
{
    struct client_welcome welcome;
    if (check->people->persons[who].state != PERSON_CALLING &&
        schema_decode(&client_welcome_schema, message->fields, &welcome) == ERROR_OK &&
        !welcome.recovered)
        forget(&check->listeners[who]);
}

static void compare(struct check_events *check, uint32_t who, struct span body);

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_events *check = state;
    if (message->kind == KIND_WELCOME)
        welcomed(check, who, message);
    if (people_matter(message->correlation) != MATTER_LISTEN)
        return;
    if (message->kind == KIND_EVENT)
        told(check, world, who, message);
    else if (message->kind == KIND_DONE || message->kind == KIND_ERROR)
        answered(check, world, who, message);
    else if (message->kind == KIND_RESULT && (uint32_t)message->correlation == check->round)
        compare(check, who, message->body);
}

/* ---- in quiet --------------------------------------------------------------------------------*/

__attribute__((format(printf, 2, 3))) static void differs(struct check_events *check,
                                                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (check->difference[0] == '\0')
        vsnprintf(check->difference, sizeof check->difference, format, arguments);
    va_end(arguments);
}

static void compare_row(struct check_events *check, struct listener *listener, uint32_t who,
                        const struct session_row *row)
{
    struct seen *seen = seen_of(listener, row->id);
    seen->is_listed = true;
    if (seen->place != PLACE_THERE)
        differs(check, "client %u was not told of %016" PRIx64 " at %.*s", who, row->id.serial,
                (int)row->node.bytes, (const char *)row->node.data);
    else if (seen->is_away != (row->state == SESSION_DISCONNECTED))
        differs(check, "client %u was told another state of %016" PRIx64, who, row->id.serial);
    else if (seen->properties != hash_of(row->properties))
        differs(check, "client %u was told other properties of %016" PRIx64, who, row->id.serial);
}

static void compare(struct check_events *check, uint32_t who, struct span body)
{
    struct listener *listener = &check->listeners[who];
    struct node_answer part;
    struct session_row row;
    enum error error = ERROR_OK;
    check->was_listed = true;
    for (uint32_t i = 0; i < listener->count; i++)
        listener->seen[i].is_listed = false;
    while (group_next(&node_answer_schema, &body, &part, &error)) {
        if (part.code != ERROR_OK)
            differs(check, "%.*s does not list its sessions", (int)part.node.bytes,
                    (const char *)part.node.data);
        while (group_next(&session_row_schema, &part.rows, &row, &error))
            compare_row(check, listener, who, &row);
    }
    for (uint32_t i = 0; i < listener->count; i++)
        if (listener->seen[i].place == PLACE_THERE && !listener->seen[i].is_listed)
            differs(check, "client %u believes that %016" PRIx64 " is there", who,
                    listener->seen[i].id.serial);
}

/* Whether a listener's picture is right. */
static bool is_right(struct check_events *check, struct world *world, uint32_t who)
{
    const struct listener *listener = &check->listeners[who];
    struct command list = {.verb = COMMAND_LIST_SESSIONS,
                           .filter = span_text(filters[listener->filter]),
                           .keys = span_text(keys),
                           .limit = ROWS_MAX,
                           .timeout_ms = LIST_MS};
    check->difference[0] = '\0';
    check->was_listed = false;
    check->round = (check->round + 1) | LIST_FIRST;
    people_say(check->people, world, who, KIND_COMMAND,
               people_correlation(MATTER_LISTEN, check->round), &command_schema, &list,
               (struct span){0});
    world_run_ms(world, LIST_MS);
    if (!check->was_listed)
        differs(check, "client %u can't list the sessions", who);
    return check->difference[0] == '\0';
}

void check_events_probe(struct check_events *check, struct world *world)
{
    for (uint32_t who = 0; who < check->people->count; who++) {
        const struct listener *listener = &check->listeners[who];
        uint64_t end_ns = world->now_ns + CATCH_UP_MS * MS;
        while (listener->is_standing && people_is_present(check->people, world, who) &&
               !world_has_failed(world) && !is_right(check, world, who)) {
            if (world->now_ns > end_ns) {
                world_fail(world, "events", "in quiet, %s", check->difference);
                return;
            }
            world_run_ms(world, AGAIN_MS);
        }
    }
}
