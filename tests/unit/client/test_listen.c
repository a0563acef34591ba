/* test_listen.c - what a client that listens is told, and until when. */
#include <criterion/criterion.h>

#include <string.h>

#include "client/weft_events.h"
#include "tests/unit/client/node.h"

TestSuite(listen, .init = node_straw_up, .fini = node_straw_down);

enum { HEARD_MAX = 8 };

/* What came, of both kinds. */
static struct heard {
    int members, sessions, answers;
    struct weft_session_event events[HEARD_MAX];
    char value[16]; /* of the first property that came */
    enum weft_error error;
    char text[64];
    uint32_t line, column;
} heard;

static void on_member(struct weft_client *client, const struct weft_member_event *event, void *user)
{
    (void)client;
    cr_assert_eq(user, &heard);
    cr_assert_eq(event->event, WEFT_MEMBER_JOINED);
    cr_assert_eq(event->instance, 7);
    cr_assert_eq(strncmp(event->node.data, "straw", event->node.bytes), 0);
    heard.members++;
}

static void on_session(struct weft_client *client, const struct weft_session_event *event,
                       void *user)
{
    struct weft_rows rows = event->properties;
    struct weft_property_row property;
    (void)client;
    cr_assert_eq(user, &heard);
    cr_assert_lt(heard.sessions, HEARD_MAX);
    heard.events[heard.sessions++] = *event;
    if (weft_next_property(&rows, &property))
        memcpy(heard.value, property.value.data, property.value.bytes);
}

static void on_listening(struct weft_client *client, const struct weft_listening *listening,
                         void *user)
{
    (void)client;
    cr_assert_eq(user, &heard);
    heard.answers++;
    heard.error = listening->error;
    heard.line = listening->line;
    heard.column = listening->column;
    memset(heard.text, 0, sizeof heard.text);
    if (listening->text.bytes > 0)
        memcpy(heard.text, listening->text.data, listening->text.bytes);
}

static struct weft_client *begin(void)
{
    memset(&heard, 0, sizeof heard);
    return node_straw_session();
}

/* Runs until the condition holds; the node has a thread of its own. */
#define until(client, condition)                                                                   \
    do {                                                                                           \
        for (int turn = 0; turn < 500 && !(condition); turn++)                                     \
            (void)weft_run(client, 10);                                                            \
        cr_assert(condition);                                                                      \
    } while (0)

Test(listen, to_sessions_brings_events_with_their_properties)
{
    struct weft_client *client = begin();
    char filter[] = "tier is 'gold'";
    cr_assert_eq(weft_listen_sessions(client, filter, "tier", on_session, on_listening, &heard),
                 WEFT_OK);
    filter[0] = '?'; /* it was copied */
    until(client, heard.sessions == 2);
    cr_assert_eq(heard.answers, 1);
    cr_assert_eq(heard.error, WEFT_OK);
    cr_assert_str_eq(straw.filter, "tier is 'gold'");
    cr_assert_str_eq(straw.keys, "tier");
    cr_assert_eq(heard.events[0].event, WEFT_SESSION_OPENED);
    cr_assert_eq(heard.events[0].session.instance, 9);
    cr_assert_eq(heard.events[0].sequence, 1);
    cr_assert_eq(heard.events[0].state, WEFT_SESSION_ACTIVE);
    cr_assert_str_eq(heard.value, "gold");
    cr_assert_eq(heard.events[1].event, WEFT_SESSION_ENDED);
    cr_assert_eq(heard.events[1].reason, WEFT_CLOSED_EXPIRED);
    cr_assert_eq(heard.events[1].properties.bytes, 0);
    weft_destroy(&client);
}

Test(listen, to_both_at_once_tells_them_apart)
{
    struct weft_client *client = begin();
    cr_assert_eq(weft_listen_members(client, on_member, NULL, &heard), WEFT_OK);
    cr_assert_eq(weft_listen_sessions(client, "all", NULL, on_session, on_listening, &heard),
                 WEFT_OK);
    until(client, heard.sessions == 2 && heard.members == 1);
    cr_assert_str_eq(straw.keys, "");
    cr_assert_eq(weft_unlisten_members(client), WEFT_OK);
    cr_assert_eq(weft_unlisten_members(client), WEFT_INVALID_ARGUMENT);
    node_join(&straw); /* from here on it is stepped by this thread's calls */
    node_session_event(&straw, 0, WEFT_SESSION_LEFT, 3);
    node_run(&straw);
    until(client, heard.sessions == 3);
    cr_assert(heard.events[2].is_resync);
    weft_destroy(&client);
}

Test(listen, hears_nothing_behind_unlisten)
{
    struct weft_client *client = begin();
    cr_assert_eq(weft_listen_sessions(client, "all", NULL, on_session, on_listening, &heard),
                 WEFT_OK);
    until(client, heard.sessions == 2);
    cr_assert_eq(weft_unlisten_sessions(client), WEFT_OK);
    node_join(&straw);
    node_session_event(&straw, 0, WEFT_SESSION_GONE, 3);
    node_run(&straw);
    for (int i = 0; i < 10; i++)
        (void)weft_run(client, 10);
    cr_assert_eq(heard.sessions, 2);
    cr_assert_eq(weft_listen_sessions(client, "all", NULL, on_session, NULL, &heard), WEFT_OK,
                 "and may listen again");
    until(client, heard.sessions == 4);
    weft_destroy(&client);
}

Test(listen, says_where_a_filter_is_wrong_and_that_listening_ended)
{
    struct weft_client *client = begin();
    cr_assert_eq(
        weft_listen_sessions(client, "tier is Gold", NULL, on_session, on_listening, &heard),
        WEFT_OK);
    until(client, heard.answers == 1);
    cr_assert_eq(heard.error, WEFT_INVALID_FILTER);
    cr_assert_eq(heard.line, 1);
    cr_assert_eq(heard.column, 9);
    cr_assert_str_eq(heard.text, "expected a quoted string, found Gold");
    cr_assert_eq(weft_unlisten_sessions(client), WEFT_OK);
    cr_assert_eq(weft_listen_sessions(client, "all", NULL, on_session, on_listening, &heard),
                 WEFT_OK);
    until(client, heard.sessions == 2);
    node_join(&straw);
    node_end_listening(&straw, 0);
    node_session_event(&straw, 0, WEFT_SESSION_GONE, 3); /* nobody honest says that now */
    node_run(&straw);
    until(client, heard.error == WEFT_LIMIT_REACHED);
    for (int i = 0; i < 10; i++)
        (void)weft_run(client, 10);
    cr_assert_eq(heard.sessions, 2, "no event comes after it");
    weft_destroy(&client);
}

Test(listen, begins_again_in_the_next_session)
{
    struct weft_client *client = begin();
    cr_assert_eq(weft_listen_sessions(client, "all", "tier", on_session, on_listening, &heard),
                 WEFT_OK);
    until(client, heard.sessions == 2);
    node_join(&straw);
    char address[sizeof straw.address];
    memcpy(address, straw.address, sizeof address);
    node_stop(&straw);
    node_start_at(&straw, address);
    node_run(&straw);
    until(client, heard.sessions == 4);
    cr_assert_eq(heard.answers, 2);
    cr_assert_eq(heard.events[2].sequence, 1);
    cr_assert_str_eq(straw.filter, "all");
    weft_destroy(&client);
}

Test(listen, is_refused_for_what_can_not_be_asked)
{
    struct weft_client *client = begin();
    static char long_filter[16385 + 1];
    memset(long_filter, 'a', sizeof long_filter - 1);
    cr_assert_eq(weft_listen_members(client, NULL, NULL, NULL), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_listen_sessions(client, "all", NULL, NULL, NULL, NULL),
                 WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_listen_sessions(client, NULL, NULL, on_session, NULL, NULL),
                 WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_listen_sessions(client, long_filter, NULL, on_session, NULL, NULL),
                 WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_unlisten_sessions(client), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_listen_sessions(client, "all", NULL, on_session, NULL, &heard), WEFT_OK);
    cr_assert_eq(weft_listen_sessions(client, "all", NULL, on_session, NULL, &heard),
                 WEFT_HANDLER_CONFLICT);
    weft_close(client);
    until(client, weft_is_closed(client));
    cr_assert_eq(weft_listen_members(client, on_member, NULL, &heard), WEFT_SESSION_CLOSED);
    weft_destroy(&client);
}

Test(listen, names_are_those_people_see)
{
    cr_assert_str_eq(weft_member_happening_name(WEFT_MEMBER_GONE), "left");
    cr_assert_str_eq(weft_session_happening_name(WEFT_SESSION_WENT_AWAY), "disconnected");
    cr_assert_str_eq(weft_session_happening_name(WEFT_SESSION_ENDED), "closed");
    cr_assert_str_eq(weft_session_happening_name((enum weft_session_happening)99), "unknown");
}
