/* test_listeners.c - which sessions hear what happens to members, and why a member is held what it
 * is held. */
#include <criterion/criterion.h>

#include "proto/event.h"
#include "proto/gossip.h"
#include "tests/unit/mesh/town.h"

TestSuite(listeners, .init = town_begin, .fini = town_end);

static void say(uint32_t client, enum kind kind, uint64_t correlation, uint8_t what)
{
    struct listen listen = {.what = what};
    town_say(client, kind, correlation, &listen_schema, &listen, (struct span){0});
}

/* The n-th event a client was sent. */
static struct event event_at(uint32_t client, size_t n, uint64_t correlation)
{
    struct event event = {0};
    for (size_t i = 0; i < town_clients[client].letters_count; i++) {
        const struct message *message = &town_clients[client].letters[i].message;
        if (message->kind != KIND_EVENT || n-- > 0)
            continue;
        cr_assert_eq(message->correlation, correlation);
        cr_assert_eq(schema_decode(&event_schema, message->fields, &event), ERROR_OK);
        cr_assert_eq(event.what, LISTEN_MEMBER);
        return event;
    }
    cr_assert(false, "there is no such event");
    return event;
}

Test(listeners, get_the_picture_first_and_then_what_happens)
{
    town_pair();
    uint32_t listener = town_open(0, NULL, NULL);
    say(listener, KIND_LISTEN, 7, LISTEN_MEMBER);
    cr_assert_not_null(town_find(listener, KIND_DONE, 7));
    cr_assert_eq(town_letters(listener, KIND_EVENT), 2);
    for (size_t i = 0; i < 2; i++) {
        struct event event = event_at(listener, i, 7);
        cr_assert_eq(event.event, MEMBER_NEWS_JOINED);
        cr_assert_eq(event.sequence, i + 1);
        cr_assert(span_equal(event.node, span_text(i == 0 ? "a" : "b")));
    }
    town_crash(1);
    town_wait_ms(60000);
    struct event last = event_at(listener, town_letters(listener, KIND_EVENT) - 1, 7);
    cr_assert_eq(last.event, MEMBER_NEWS_FAILED);
    cr_assert(span_equal(last.node, span_text("b")));
    cr_assert_eq(last.sequence, town_letters(listener, KIND_EVENT));
}

Test(listeners, hear_nothing_behind_unlisten)
{
    town_pair();
    uint32_t listener = town_open(0, NULL, NULL);
    say(listener, KIND_LISTEN, 7, LISTEN_MEMBER);
    say(listener, KIND_UNLISTEN, 8, LISTEN_MEMBER);
    cr_assert_not_null(town_find(listener, KIND_DONE, 8));
    say(listener, KIND_UNLISTEN, 9, LISTEN_MEMBER);
    cr_assert_not_null(town_find(listener, KIND_DONE, 9), "also without a LISTEN");
    town_crash(1);
    town_wait_ms(60000);
    cr_assert_eq(town_letters(listener, KIND_EVENT), 2);
}

Test(listeners, listen_once_the_second_listen_begins_anew)
{
    town_pair();
    uint32_t listener = town_open(0, NULL, NULL);
    say(listener, KIND_LISTEN, 7, LISTEN_MEMBER);
    town_forget(listener);
    say(listener, KIND_LISTEN, 8, LISTEN_MEMBER);
    cr_assert_eq(town_letters(listener, KIND_EVENT), 2);
    cr_assert_eq(event_at(listener, 0, 8).sequence, 1);
}

Test(listeners, are_forgotten_with_their_session)
{
    town_pair();
    uint32_t first = town_open(0, NULL, NULL);
    uint32_t second = town_open(0, NULL, NULL);
    uint32_t third = town_open(0, NULL, NULL);
    say(first, KIND_LISTEN, 7, LISTEN_MEMBER);
    say(second, KIND_LISTEN, 7, LISTEN_MEMBER);
    say(third, KIND_LISTEN, 7, LISTEN_MEMBER);
    town_disconnect(second);
    town_wait_ms(100);
    uint32_t other = town_open(0, NULL, NULL); /* in the slot of the one that went */
    town_crash(1);
    town_wait_ms(60000);
    cr_assert_gt(town_letters(first, KIND_EVENT), 2);
    cr_assert_gt(town_letters(third, KIND_EVENT), 2);
    cr_assert_eq(town_letters(other, KIND_EVENT), 0);
}

Test(listeners, of_what_this_version_does_not_tell_are_refused)
{
    static const uint8_t whats[] = {0, LISTEN_SESSION | LISTEN_MEMBER, 4};
    town_pair();
    uint32_t listener = town_open(0, NULL, NULL);
    for (size_t i = 0; i < sizeof whats; i++) {
        struct client_error said;
        say(listener, KIND_LISTEN, 7 + i, whats[i]);
        const struct message *message = town_find(listener, KIND_ERROR, 7 + i);
        cr_assert_not_null(message);
        cr_assert_eq(schema_decode(&client_error_schema, message->fields, &said), ERROR_OK);
        cr_assert_eq(said.code, ERROR_INVALID_ARGUMENT);
    }
    cr_assert_eq(town_letters(listener, KIND_EVENT), 0);
}

Test(verdicts, say_why_a_member_is_dead, .init = town_begin, .fini = town_end)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    town_crash(1);
    town_wait_ms(60000);
    struct command command = {.verb = COMMAND_VERDICTS, .node = span_text("b")};
    struct result result = town_command(asker, &command, 2);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.state, MEMBER_DEAD);
    struct span rows = town_find(asker, KIND_RESULT, 2)->body;
    struct verdict_row row;
    enum error error;
    uint32_t count = 0;
    bool has_died = false;
    while (group_next(&verdict_row_schema, &rows, &row, &error)) {
        has_died = has_died || span_equal(row.event, span_text("dead"));
        cr_assert_gt(row.by.bytes, 0);
        count++;
    }
    cr_assert_eq(error, ERROR_OK);
    cr_assert_eq(count, result.total);
    cr_assert(has_died);
}

Test(verdicts, of_an_unknown_name_are_refused, .init = town_begin, .fini = town_end)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {.verb = COMMAND_VERDICTS, .node = span_text("nobody")};
    cr_assert_eq(town_command(asker, &command, 2).code, ERROR_INVALID_ARGUMENT);
    command.node = (struct span){0};
    cr_assert_eq(town_command(asker, &command, 3).code, ERROR_INVALID_ARGUMENT);
}
