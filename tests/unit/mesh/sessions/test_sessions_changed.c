/* test_sessions_changed.c - what is told of a session that changed: once, before its end, and only
 * of one that others know. */
#include <criterion/criterion.h>

#include "mesh/sessions/opening.h"
#include "proto/kinds.h"

static struct mesh_config config;
static struct context context;
static struct sessions *sessions;

static void begin(void)
{
    mesh_config_defaults(&config);
    config.name = "a";
    config.cluster = "weft";
    config.zone = config.version = "";
    config.client_address = config.gossip_address = config.forward_address = "h:1";
    config.sessions_max = 8;
    cr_assert(context_init(&context, &config));
    sessions = sessions_new(&context);
    cr_assert_not_null(sessions);
    sessions_set_ready(sessions, true);
}

static void end(void)
{
    sessions_destroy(&sessions);
    context_clear(&context);
}

TestSuite(sessions_changed, .init = begin, .fini = end);

/* A session that said HELLO and was not yet welcomed. */
static struct session *opening(uint32_t connection)
{
    const struct client_hello hello = {.version_min = 1, .version_max = 1};
    uint8_t fields[64];
    size_t bytes = schema_measure(&client_hello_schema, &hello);
    struct writer writer;
    cr_assert_leq(bytes, sizeof fields);
    writer_init(&writer, fields, bytes);
    schema_encode(&client_hello_schema, &hello, &writer);
    struct message message = {.kind = KIND_HELLO, .fields = span_of(fields, bytes)};
    struct opening opening = {.owner = {0}};
    cr_assert(opening_hello(sessions, connection, span_text("127.0.0.1"), &message, &opening));
    opening_admit(sessions, opening.session);
    return opening.session;
}

static struct session *opened(uint32_t connection)
{
    struct session_event event;
    struct session *session = opening(connection);
    cr_assert(sessions_next_event(sessions, &event));
    cr_assert_eq(event.kind, SESSION_EVENT_OPENING);
    sessions_welcome(sessions, session);
    return session;
}

Test(sessions_changed, is_told_once_with_all_that_changed)
{
    struct session *session = opened(1);
    struct session_event event;
    sessions_changed(sessions, session, SESSION_CHANGED_PROPERTIES);
    sessions_changed(sessions, session, SESSION_CHANGED_ROLES);
    sessions_changed(sessions, session, SESSION_CHANGED_PROPERTIES);
    cr_assert(sessions_next_event(sessions, &event));
    cr_assert_eq(event.kind, SESSION_EVENT_CHANGED);
    cr_assert_eq(event.session, session);
    cr_assert_eq(event.changes, SESSION_CHANGED_PROPERTIES | SESSION_CHANGED_ROLES);
    cr_assert_not(sessions_next_event(sessions, &event));
    sessions_changed(sessions, session, SESSION_CHANGED_STATE);
    cr_assert(sessions_next_event(sessions, &event));
    cr_assert_eq(event.changes, SESSION_CHANGED_STATE);
    sessions_check(sessions);
}

Test(sessions_changed, comes_before_the_end_and_in_the_order_of_the_sessions)
{
    struct session *first = opened(1);
    struct session *second = opened(2);
    struct session_event event;
    sessions_changed(sessions, first, SESSION_CHANGED_PROPERTIES);
    sessions_changed(sessions, second, SESSION_CHANGED_ROLES);
    sessions_close(sessions, first, CLOSE_REASON_EXPIRED, (struct span){0});
    cr_assert(sessions_next_event(sessions, &event));
    cr_assert(event.kind == SESSION_EVENT_CHANGED && event.session == first);
    cr_assert(sessions_next_event(sessions, &event));
    cr_assert(event.kind == SESSION_EVENT_ENDED && event.session == first);
    sessions_bury(sessions, first);
    cr_assert(sessions_next_event(sessions, &event));
    cr_assert(event.kind == SESSION_EVENT_CHANGED && event.session == second);
    cr_assert_not(sessions_next_event(sessions, &event));
    sessions_check(sessions);
}

Test(sessions_changed, says_nothing_of_sessions_that_nobody_knows_or_that_are_over)
{
    struct session_event event;
    struct session *session = opening(1);
    sessions_changed(sessions, session, SESSION_CHANGED_PROPERTIES);
    cr_assert(sessions_next_event(sessions, &event));
    cr_assert_eq(event.kind, SESSION_EVENT_OPENING);
    sessions_welcome(sessions, session);
    cr_assert_eq(sessions_state(session), SESSION_ACTIVE);
    sessions_close(sessions, session, CLOSE_REASON_EXPIRED, (struct span){0});
    sessions_changed(sessions, session, SESSION_CHANGED_PROPERTIES);
    cr_assert_eq(sessions_state(session), SESSION_CLOSED);
    cr_assert(sessions_next_event(sessions, &event));
    cr_assert_eq(event.kind, SESSION_EVENT_ENDED);
    sessions_bury(sessions, session);
    cr_assert_not(sessions_next_event(sessions, &event));
    sessions_check(sessions);
}
