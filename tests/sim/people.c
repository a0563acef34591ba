#include "tests/sim/people.h"

/* What a person knows, it was told: its session by WELCOME, what it serves by DONE. An answer that
 * does not fit is the node's fault, and ends the run: the check is called "sessions". */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "proto/client.h"
#include "proto/request.h"

const char *const people_paths[PEOPLE_PATHS] = {"a",   "a/b",     "a/b/c", "a/b/d", "a/x",   "b",
                                                "b/c", "b/c/d/e", "c",     "d/e",   "d/e/f", "e"};
const char *const people_gaps[PEOPLE_GAPS] = {"gap", "gap/a", "gap/a/b"};

enum {
    FRAME_BYTES = 128 * 1024,
    GRANT_EVERY = 256,
    GRANT_MESSAGES = 1024,
    GRANT_BYTES = 1024 * 1024,
    BURST_FRAME_MESSAGES = 32,
};

static void on_frame(void *state, struct world *world, uint32_t who, struct span frame);
static void on_lost(void *state, struct world *world, uint32_t who);
static void on_due(void *state, struct world *world, uint32_t who);
static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation);
static void on_gone(void *state, struct world *world, uint32_t connection);

struct people *people_new(struct world *world, uint32_t visitors, uint32_t readers)
{
    struct people *people = calloc(1, sizeof *people);
    require(people != NULL);
    people->observers = world->nodes_count;
    people->readers = people->observers + visitors;
    people->count = people->readers + readers;
    people->grant_every = GRANT_EVERY;
    people->persons = calloc(people->count, sizeof *people->persons);
    require(people->persons != NULL);
    clients_new(world, people->count,
                (struct clients_owner){.state = people,
                                       .on_frame = on_frame,
                                       .on_lost = on_lost,
                                       .on_due = on_due,
                                       .on_delivered = on_delivered,
                                       .on_gone = on_gone});
    return people;
}

void people_destroy(struct people **people)
{
    for (uint32_t who = 0; *people != NULL && who < (*people)->count; who++)
        letters_clear(&(*people)->persons[who].letters);
    if (*people != NULL)
        free((*people)->persons);
    free(*people);
    *people = NULL;
}

void people_watch(struct people *people, struct people_watcher watcher)
{
    require(people->watchers_count < PEOPLE_WATCHERS_MAX);
    people->watchers[people->watchers_count++] = watcher;
}

bool people_is_present(const struct people *people, const struct world *world, uint32_t who)
{
    const struct person *person = &people->persons[who];
    const struct world_node *node = &world->nodes[person->node];
    return person->state == PERSON_OPEN && world_is_running(world, person->node) &&
           node->life == person->life && !node->is_apart;
}

uint32_t people_of_session(const struct people *people, struct session_id session)
{
    for (uint32_t who = 0; who < people->count; who++)
        if (people->persons[who].state == PERSON_OPEN &&
            session_id_equal(people->persons[who].session, session))
            return who;
    return UINT32_MAX;
}

/* ---- saying ----------------------------------------------------------------------------------*/

struct saying {
    enum kind kind;
    uint64_t correlation;
    const struct schema *schema;
    const void *fields;
    struct span body;
    uint64_t asked; /* on_delivered says so; 0: nothing */
};

static void message_write(struct writer *writer, struct person *person, const struct saying *saying)
{
    const uint8_t *start = writer->next;
    message_encode(saying->schema, saying->fields, (uint8_t)saying->kind, 0, saying->correlation,
                   saying->body.bytes, writer);
    writer_span(writer, saying->body);
    require(!writer->is_bad);
    if (person->reconnect_ms > 0 && kind_is_numbered(saying->kind))
        letters_keep(&person->letters, saying->asked,
                     span_of(start, (size_t)(writer->next - start)));
}

static void frame_begin(struct writer *writer, uint8_t *frame)
{
    struct envelope envelope = {.version = WIRE_VERSION_MAX, .channel = CHANNEL_CLIENT};
    writer_init(writer, frame, FRAME_BYTES);
    envelope_encode(&envelope, writer);
}

static void frame_send(struct people *people, struct world *world, uint32_t who,
                       const struct writer *writer, const uint8_t *frame, uint64_t number)
{
    require(!writer->is_bad);
    people->persons[who].said_ns = world->now_ns;
    clients_send(world, who, frame, FRAME_BYTES - writer->left, number);
}

static void say(struct people *people, struct world *world, uint32_t who,
                const struct saying *saying)
{
    static uint8_t frame[FRAME_BYTES];
    struct person *person = &people->persons[who];
    bool is_numbered = kind_is_numbered(saying->kind);
    struct writer writer;
    if (person->state == PERSON_AWAY || (person->state == PERSON_APART && !is_numbered))
        return;
    frame_begin(&writer, frame);
    message_write(&writer, person, saying);
    if (person->state == PERSON_APART || (person->state == PERSON_RESUMING && is_numbered))
        return; /* said when it is back */
    frame_send(people, world, who, &writer, frame, saying->asked);
    for (uint32_t i = 0; i < people->watchers_count && person->state == PERSON_OPEN; i++)
        if (is_numbered && people->watchers[i].on_said != NULL)
            people->watchers[i].on_said(people->watchers[i].state, world, who);
}

void people_say(struct people *people, struct world *world, uint32_t who, enum kind kind,
                uint64_t correlation, const struct schema *schema, const void *fields,
                struct span body)
{
    say(people, world, who, &(struct saying){kind, correlation, schema, fields, body, 0});
}

void people_ask(struct people *people, struct world *world, uint32_t who, enum kind kind,
                uint64_t correlation, const struct schema *schema, const void *fields,
                struct span body)
{
    say(people, world, who, &(struct saying){kind, correlation, schema, fields, body, correlation});
}

static void hello_say(struct people *people, struct world *world, uint32_t who,
                      const struct client_hello *hello, struct span properties)
{
    people_say(people, world, who, KIND_HELLO, people_correlation(MATTER_GREETING, 1),
               &client_hello_schema, hello, properties);
}

static const struct client_hello plain_hello = {.version_min = WIRE_VERSION_MIN,
                                                .version_max = WIRE_VERSION_MAX};

void people_call(struct people *people, struct world *world, uint32_t who, uint32_t node,
                 uint32_t team, uint32_t reconnect_ms)
{
    static const char *const teams[] = {"", "red", "blue", "green"};
    struct person *person = &people->persons[who];
    require(person->state == PERSON_AWAY);
    letters_clear(&person->letters);
    *person = (struct person){.state = PERSON_CALLING,
                              .node = node,
                              .life = world->nodes[node].life,
                              .visit = person->visit + 1,
                              .line = person->line + 1,
                              .team = team,
                              .reconnect_ms = reconnect_ms,
                              .since_ns = world->now_ns,
                              .registrations = person->registrations,
                              .credit = GRANT_MESSAGES};
    clients_connect(world, who, node);
    struct client_hello hello = plain_hello;
    hello.client_type = span_text("c");
    hello.environment = span_text("simulated");
    hello.reconnect_ms = reconnect_ms;
    for (uint32_t i = 0; i < people->watchers_count; i++)
        if (people->watchers[i].on_hello != NULL)
            people->watchers[i].on_hello(people->watchers[i].state, world, who, &hello);
    struct property property = {.key = span_text("team"), .value = span_text(teams[person->team])};
    uint8_t body[64];
    struct writer writer;
    writer_init(&writer, body, sizeof body);
    if (person->team != 0)
        group_encode(&property_schema, &property, &writer);
    for (uint32_t i = 0; i < people->watchers_count; i++)
        if (people->watchers[i].on_called != NULL)
            people->watchers[i].on_called(people->watchers[i].state, world, who);
    hello_say(people, world, who, &hello, span_of(body, sizeof body - writer.left));
}

void people_resume(struct people *people, struct world *world, uint32_t who, uint32_t node)
{
    struct person *person = &people->persons[who];
    require(person->state == PERSON_APART);
    person->state = PERSON_RESUMING;
    person->was_told_last = false;
    person->since_ns = world->now_ns;
    person->dialled = node;
    person->line++;
    clients_connect(world, who, node);
    struct client_hello hello = plain_hello;
    hello.session = person->session;
    hello.token = span_of(person->token, sizeof person->token);
    hello.reconnect_ms = person->reconnect_ms;
    hello.received_seq = person->received;
    hello_say(people, world, who, &hello, (struct span){0});
}

static void over(struct people *people, struct world *world, uint32_t who)
{
    for (uint32_t i = 0; i < people->watchers_count; i++)
        if (people->watchers[i].on_over != NULL)
            people->watchers[i].on_over(people->watchers[i].state, world, who);
    people->persons[who].state = PERSON_AWAY;
    people->persons[who].held = people->persons[who].creates = 0;
    people->persons[who].decides = people->persons[who].asks_to_decide = false;
    people->persons[who].since_ns = world->now_ns;
}

/* The line is gone; whether the session is, the person's state says. */
static void line_ended(struct people *people, struct world *world, uint32_t who)
{
    struct person *person = &people->persons[who];
    bool waits = person->state == PERSON_RESUMING ||
                 (person->state == PERSON_OPEN && person->reconnect_ms > 0);
    if (!waits) {
        over(people, world, who);
        return;
    }
    if (person->state == PERSON_OPEN)
        person->apart_ns = world->now_ns;
    person->state = PERSON_APART;
    person->was_told_last = false; /* not of its session */
    person->since_ns = world->now_ns;
}

void people_break(struct people *people, struct world *world, uint32_t who, enum line_break how)
{
    clients_break(world, who, how);
    line_ended(people, world, who);
}

void people_leave(struct people *people, struct world *world, uint32_t who)
{
    struct client_goodbye goodbye = {.reason = CLOSE_REASON_CLOSED_BY_CLIENT};
    people_say(people, world, who, KIND_GOODBYE, 0, &client_goodbye_schema, &goodbye,
               (struct span){0});
    people->persons[who].state = PERSON_LEAVING;
    people->persons[who].since_ns = world->now_ns;
}

void people_vanish(struct people *people, struct world *world, uint32_t who)
{
    if (people->persons[who].state == PERSON_AWAY)
        return;
    clients_hang_up(world, who);
    over(people, world, who);
}

void people_register(struct people *people, struct world *world, uint32_t who, enum kind kind,
                     uint32_t path)
{
    struct person *person = &people->persons[who];
    struct registration registration = {.kind = HANDLER_REQUEST,
                                        .path = span_text(people_paths[path])};
    if (person->asked != 0 || person->state != PERSON_OPEN)
        return;
    world_note(world, "client %u asks %s of %s", who, kind_name(kind), people_paths[path]);
    person->asked = kind;
    person->asked_path = path;
    person->asked_number = people_correlation(MATTER_REGISTRATION, ++person->registrations);
    people_say(people, world, who, kind, person->asked_number, &registration_schema, &registration,
               (struct span){0});
}

static void burst_write(struct writer *writer, struct person *person, uint32_t number)
{
    char path[PATH_BYTES_MAX];
    int at = snprintf(path, sizeof path, "burst/%" PRIu32, number);
    while (at + 202 < (int)sizeof path)
        at += snprintf(path + at, sizeof path - (size_t)at, "/%0200d", 0);
    struct registration registration = {.kind = HANDLER_REQUEST, .path = span_text(path)};
    struct saying saying = {.schema = &registration_schema, .fields = &registration};
    for (int i = 0; i < 2; i++) {
        saying.kind = i == 0 ? KIND_REGISTER : KIND_UNREGISTER;
        saying.correlation = people_correlation(MATTER_REGISTRATION, ++person->registrations);
        message_write(writer, person, &saying);
    }
    person->unanswered += 2;
}

void people_burst(struct people *people, struct world *world, uint32_t who, uint32_t registrations)
{
    static uint8_t frame[FRAME_BYTES];
    struct person *person = &people->persons[who];
    struct writer writer;
    for (uint32_t i = 0; i < registrations && person->state == PERSON_OPEN;) {
        frame_begin(&writer, frame);
        for (uint32_t j = 0; j < BURST_FRAME_MESSAGES && i < registrations; j++, i++)
            burst_write(&writer, person, i);
        frame_send(people, world, who, &writer, frame, 0);
    }
}

/* ---- hearing ---------------------------------------------------------------------------------*/

static void grant_say(struct people *people, struct world *world, uint32_t who)
{
    struct person *person = &people->persons[who];
    person->granted = person->received;
    person->received_bytes = 0;
    struct client_grant grant = {.received_seq = person->received,
                                 .messages_limit = person->credit,
                                 .bytes_limit = person->credit == 0 ? 0 : GRANT_BYTES};
    people_say(people, world, who, KIND_GRANT, 0, &client_grant_schema, &grant, (struct span){0});
}

/* What is received beyond the credit that the node was given must be granted anew. */
static void credit_give(struct people *people, struct world *world, uint32_t who,
                        const struct message *message)
{
    struct person *person = &people->persons[who];
    person->received_bytes += message->fields.bytes + message->body.bytes;
    bool is_due = ++person->received - person->granted >= people->grant_every ||
                  person->received_bytes >= GRANT_BYTES / 2;
    if (is_due && person->credit >= people->grant_every)
        grant_say(people, world, who);
}

void people_take(struct people *people, struct world *world, uint32_t who, uint32_t messages)
{
    people->persons[who].credit = messages < GRANT_MESSAGES ? messages : GRANT_MESSAGES;
    if (people->persons[who].state == PERSON_OPEN)
        grant_say(people, world, who);
}

/* The node has so many of what was said. */
static void acknowledged(struct person *person, struct world *world, const struct message *message)
{
    struct client_grant grant;
    if (schema_decode(&client_grant_schema, message->fields, &grant) != ERROR_OK ||
        !letters_acknowledge(&person->letters, grant.received_seq))
        world_fail(world, "sessions", "a GRANT that can't be");
}

/* What the node does not have is said again, in the old order and before anything new; then how
 * much may come, as a GRANT that was under way is lost. */
static void said_again(struct people *people, struct world *world, uint32_t who)
{
    static uint8_t frame[FRAME_BYTES];
    const struct letters *letters = &people->persons[who].letters;
    for (uint32_t i = 0; i < letters->count; i++) {
        struct writer writer;
        frame_begin(&writer, frame);
        writer_span(&writer, span_of(letters->kept[i].bytes, letters->kept[i].size));
        frame_send(people, world, who, &writer, frame, letters->kept[i].asked);
    }
    grant_say(people, world, who);
}

static void welcomed_back(struct people *people, struct world *world, uint32_t who,
                          const struct client_welcome *welcome)
{
    struct person *person = &people->persons[who];
    if (person->dialled != person->node || world->nodes[person->node].life != person->life)
        letters_clear(&person->letters); /* a node that never heard any of it */
    person->node = person->dialled;
    person->life = world->nodes[person->dialled].life;
    person->received = welcome->resumed_seq;
    if (welcome->token.bytes == sizeof person->token) /* another node goes on with it */
        memcpy(person->token, welcome->token.data, sizeof person->token);
    if (!letters_acknowledge(&person->letters, welcome->received_seq))
        world_fail(world, "sessions",
                   "client %u is told that its node has %" PRIu64 " of its messages, of %" PRIu64
                   " to %" PRIu64,
                   who, welcome->received_seq, person->letters.acknowledged,
                   person->letters.acknowledged + person->letters.count);
    person->state = PERSON_OPEN;
    people->said_again += person->letters.count;
    said_again(people, world, who);
}

static void welcomed(struct people *people, struct world *world, uint32_t who,
                     const struct message *message)
{
    struct person *person = &people->persons[who];
    struct client_welcome welcome;
    bool is_back = person->state == PERSON_RESUMING;
    if ((person->state != PERSON_CALLING && !is_back) ||
        schema_decode(&client_welcome_schema, message->fields, &welcome) != ERROR_OK ||
        (is_back ? !session_id_equal(welcome.session, person->session)
                 : welcome.token.bytes != sizeof person->token)) {
        world_fail(world, "sessions", "a WELCOME that nobody waits for, or that can't be read");
        return;
    }
    person->since_ns = world->now_ns;
    if (is_back) {
        welcomed_back(people, world, who, &welcome);
        return;
    }
    person->state = PERSON_OPEN;
    person->session = welcome.session;
    person->reconnect_ms = welcome.reconnect_ms;
    memcpy(person->token, welcome.token.data, sizeof person->token);
}

/* A refusal to resume says that the session is over, or leaves it as it was; another node's word
 * says nothing about it. */
static void refused(struct people *people, struct world *world, uint32_t who,
                    const struct message *message)
{
    struct person *person = &people->persons[who];
    struct client_refused refused = {.code = ERROR_INTERNAL};
    if (schema_decode(&client_refused_schema, message->fields, &refused) != ERROR_OK)
        world_fail(world, "sessions", "a REFUSED that can't be read");
    bool is_over = person->state == PERSON_RESUMING && person->dialled == person->node &&
                   refused.code == ERROR_NO_SUCH_SESSION;
    clients_hang_up(world, who);
    if (is_over)
        over(people, world, who);
    else
        line_ended(people, world, who);
}

/* The answer to a registration must fit what the person serves already. */
static void registered(struct person *person, struct world *world, enum error code)
{
    uint32_t bit = UINT32_C(1) << person->asked_path;
    bool is_new = person->asked == KIND_REGISTER;
    enum error expected = is_new ? ERROR_HANDLER_CONFLICT : ERROR_NO_HANDLER;
    if (is_new != ((person->held & bit) != 0))
        expected = ERROR_OK;
    if (code != expected)
        world_fail(world, "sessions", "%s of %s, which it %s, is answered with %s",
                   kind_name(person->asked), people_paths[person->asked_path],
                   (person->held & bit) != 0 ? "serves" : "does not serve", error_name(code));
    person->held = is_new ? person->held | bit : person->held & ~bit;
    person->asked = 0;
}

static void answered(struct person *person, struct world *world, const struct message *message)
{
    struct client_error error = {.code = ERROR_OK};
    if (message->kind == KIND_ERROR &&
        schema_decode(&client_error_schema, message->fields, &error) != ERROR_OK)
        error.code = ERROR_INVALID_MESSAGE;
    if (person->asked != 0 && message->correlation == person->asked_number) {
        registered(person, world, (enum error)error.code);
    } else if (person->unanswered > 0 && error.code == ERROR_OK) {
        person->unanswered--;
    } else {
        world_fail(world, "sessions", "%s %s to something that was not asked",
                   kind_name(message->kind), error_name(error.code));
    }
}

static void take(struct people *people, struct world *world, uint32_t who,
                 const struct message *message)
{
    struct person *person = &people->persons[who];
    person->was_told_last = message->kind == KIND_GOODBYE || message->kind == KIND_REFUSED;
    if (kind_is_numbered(message->kind))
        credit_give(people, world, who, message);
    for (uint32_t i = 0; i < people->watchers_count; i++)
        if (people->watchers[i].on_heard != NULL)
            people->watchers[i].on_heard(people->watchers[i].state, world, who, message);
    if (message->kind == KIND_WELCOME)
        welcomed(people, world, who, message);
    else if (message->kind == KIND_REFUSED)
        refused(people, world, who, message);
    else if (message->kind == KIND_GOODBYE)
        people_vanish(people, world, who);
    else if (message->kind == KIND_GRANT)
        acknowledged(person, world, message);
    else if ((message->kind == KIND_DONE || message->kind == KIND_ERROR) &&
             people_matter(message->correlation) <= MATTER_QUESTION)
        answered(person, world, message);
    else if (message->kind == KIND_PING)
        people_say(people, world, who, KIND_PONG, message->correlation, NULL, NULL,
                   (struct span){0});
}

static void coming(struct people *people, struct world *world, uint32_t who)
{
    for (uint32_t i = 0; i < people->watchers_count; i++)
        if (people->watchers[i].on_coming != NULL && people->persons[who].state == PERSON_OPEN)
            people->watchers[i].on_coming(people->watchers[i].state, world, who);
}

static void on_frame(void *state, struct world *world, uint32_t who, struct span frame)
{
    struct people *people = state;
    const struct person *person = &people->persons[who];
    uint32_t line = person->line;
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error = ERROR_OK;
    reader_init(&reader, frame);
    if (envelope_decode(&reader, CHANNEL_CLIENT, &envelope) != ERROR_OK)
        error = ERROR_INVALID_MESSAGE;
    while (error == ERROR_OK && person->line == line && message_next(&reader, &message, &error)) {
        if (person->was_told_last) {
            world_fail(world, "sessions", "%s behind the last word", kind_name(message.kind));
            return;
        }
        coming(people, world, who);
        if (person->state == PERSON_AWAY || person->state == PERSON_APART)
            return; /* the line broke under way */
        world_note(world, "client %u hears %s %" PRIu64, who, kind_name(message.kind),
                   message.correlation);
        take(people, world, who, &message);
    }
    if (error != ERROR_OK)
        world_fail(world, "sessions", "client %u was sent a frame that can't be read", who);
}

static void on_lost(void *state, struct world *world, uint32_t who)
{
    line_ended(state, world, who);
}

static void on_due(void *state, struct world *world, uint32_t who)
{
    struct people *people = state;
    for (uint32_t i = 0; i < people->watchers_count; i++)
        if (people->watchers[i].on_due != NULL)
            people->watchers[i].on_due(people->watchers[i].state, world, who);
}

static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation)
{
    struct people *people = state;
    for (uint32_t i = 0; i < people->watchers_count; i++)
        if (people->watchers[i].on_delivered != NULL)
            people->watchers[i].on_delivered(people->watchers[i].state, world, who, correlation);
}

static void on_gone(void *state, struct world *world, uint32_t connection)
{
    struct people *people = state;
    for (uint32_t i = 0; i < people->watchers_count; i++)
        if (people->watchers[i].on_gone != NULL)
            people->watchers[i].on_gone(people->watchers[i].state, world, connection);
}
