/* test_direct.c - a request to a session: where it is looked for, and what it may be answered. */
#include <criterion/criterion.h>

#include "tests/unit/mesh/town.h"

TestSuite(direct, .init = town_begin, .fini = town_end);

static void listen_on(uint32_t client, const char *path, const char *keys)
{
    struct registration registration = {
        .kind = HANDLER_DIRECT, .path = span_text(path), .keys = span_text(keys)};
    town_say(client, KIND_REGISTER, 7001, &registration_schema, &registration, (struct span){0});
    cr_assert_not_null(town_find(client, KIND_DONE, 7001));
}

static void ask(uint32_t caller, uint64_t correlation, struct session_id to, const char *path)
{
    struct request request = {.path = span_text(path), .type = VALUE_STRING, .to = to};
    town_say(caller, KIND_REQUEST, correlation, &request_schema, &request, span_text("hello"));
}

static struct request asked(uint32_t client)
{
    struct request request;
    const struct message *message = town_find(client, KIND_REQUEST, 0);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&request_schema, message->fields, &request), ERROR_OK);
    return request;
}

static struct session_id id_of(uint32_t client)
{
    return town_clients[client].session;
}

Test(direct, a_session_here_is_asked_and_no_peer_hears_of_it)
{
    town_pair();
    uint32_t target = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    listen_on(target, "chat", "");
    town_wait_ms(300);
    uint64_t frames = town_count(0, COUNTER_forward_frames_out);
    ask(caller, 1, id_of(target), "/chat/");
    struct request request = asked(target);
    cr_assert(session_id_equal(request.to, id_of(target)));
    cr_assert(session_id_equal(request.sender, id_of(caller)));
    town_respond(target, town_find(target, KIND_REQUEST, 0)->correlation, "hi");
    cr_assert_eq(town_outcome(caller, 1), ERROR_OK);
    cr_assert_eq(town_count(0, COUNTER_forward_frames_out), frames);
}

Test(direct, a_session_elsewhere_is_asked_over_one_hop)
{
    town_pair();
    uint32_t target = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    listen_on(target, "chat", "");
    town_wait_ms(300);
    ask(caller, 1, id_of(target), "chat");
    cr_assert(span_equal(town_find(target, KIND_REQUEST, 0)->body, span_text("hello")));
    town_respond(target, town_find(target, KIND_REQUEST, 0)->correlation, "hi");
    cr_assert_eq(town_outcome(caller, 1), ERROR_OK);
    cr_assert_eq(town_count(0, COUNTER_requests_forwarded), 1);
    cr_assert_eq(town_count(0, COUNTER_requests_ok), 1);
}

Test(direct, paths_are_exact_and_handlers_of_the_mesh_are_no_listeners)
{
    town_pair();
    uint32_t target = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    listen_on(target, "chat", "");
    town_register(target, "work");
    ask(caller, 1, id_of(target), "chat/below");
    ask(caller, 2, id_of(target), "work");
    cr_assert_eq(town_outcome(caller, 1), ERROR_UNHANDLED);
    cr_assert_eq(town_outcome(caller, 2), ERROR_UNHANDLED);
    cr_assert_eq(town_letters(target, KIND_REQUEST), 0);
    town_request(caller, 3, "chat", "x");
    cr_assert_eq(town_outcome(caller, 3), ERROR_NO_HANDLER, "nor the other way round");
}

Test(direct, nobodys_id_is_told_after_the_whole_look_up)
{
    town_pair();
    uint32_t there = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    struct session_id nobody = {.instance = 0x1234, .serial = 5};
    ask(caller, 1, nobody, "chat");
    cr_assert_eq(town_outcome(caller, 1), ERROR_NO_SUCH_SESSION);
    struct session_id hinted = {.instance = id_of(there).instance, .serial = 77};
    ask(caller, 2, hinted, "chat");
    cr_assert_eq(town_outcome(caller, 2), ERROR_NO_SUCH_SESSION);
    cr_assert_eq(town_count(0, COUNTER_requests_forwarded), 1, "the node in the id was asked");
    struct session_id own = {.instance = id_of(caller).instance, .serial = 78};
    ask(caller, 3, own, "chat");
    cr_assert_eq(town_outcome(caller, 3), ERROR_NO_SUCH_SESSION);
    cr_assert_eq(town_count(0, COUNTER_requests_no_such_session), 3);
}

Test(direct, a_session_on_a_lost_node_cannot_be_reached)
{
    town_pair();
    uint32_t target = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    listen_on(target, "chat", "");
    town_wait_ms(300);
    ask(caller, 1, id_of(target), "chat");
    town_crash(1);
    cr_assert_eq(town_outcome(caller, 1), ERROR_HANDLER_LOST);
    town_wait_ms(30000);
    ask(caller, 2, id_of(target), "chat");
    cr_assert_eq(town_outcome(caller, 2), ERROR_CLUSTER_ROUTING);
}

Test(direct, one_that_closes_before_it_was_asked_does_not_exist)
{
    town_pair();
    uint32_t target = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    uint32_t near = town_open(0, NULL, NULL);
    listen_on(target, "chat", "");
    listen_on(near, "chat", "");
    town_wait_ms(300);
    town_tell(target, MESH_CONNECTION_FULL);
    town_tell(near, MESH_CONNECTION_FULL);
    ask(caller, 1, id_of(target), "chat");
    ask(caller, 2, id_of(near), "chat");
    town_disconnect(target);
    town_disconnect(near);
    cr_assert_eq(town_outcome(caller, 1), ERROR_NO_SUCH_SESSION);
    cr_assert_eq(town_outcome(caller, 2), ERROR_NO_SUCH_SESSION);
}

Test(direct, one_that_closes_with_the_request_in_hand_is_lost)
{
    town_pair();
    uint32_t target = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    listen_on(target, "chat", "");
    town_wait_ms(300);
    ask(caller, 1, id_of(target), "chat");
    town_disconnect(target);
    cr_assert_eq(town_outcome(caller, 1), ERROR_HANDLER_LOST);
}

Test(direct, cancelled_and_late_ones_are_told_to_the_session)
{
    town_pair();
    uint32_t target = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    listen_on(target, "chat", "");
    town_wait_ms(300);
    ask(caller, 1, id_of(target), "chat");
    town_say(caller, KIND_CANCEL, 1, NULL, NULL, (struct span){0});
    cr_assert_eq(town_outcome(caller, 1), ERROR_CANCELLED);
    cr_assert_eq(town_letters(target, KIND_CANCEL), 1);
}

Test(direct, two_targets_at_once_are_no_target)
{
    town_pair();
    uint32_t caller = town_open(0, NULL, NULL);
    struct request request = {.path = span_text("a"),
                              .type = VALUE_STRING,
                              .to = id_of(caller),
                              .filter = span_text("all")};
    town_say(caller, KIND_REQUEST, 1, &request_schema, &request, span_text("x"));
    cr_assert_eq(town_outcome(caller, 1), ERROR_INVALID_ARGUMENT);
}

static size_t properties_count(struct span properties)
{
    struct property property;
    enum error error;
    size_t found = 0;
    while (group_next(&property_schema, &properties, &property, &error))
        found++;
    cr_assert_eq(error, ERROR_OK);
    return found;
}

Test(direct, the_handler_gets_the_properties_it_asked_for_and_no_others)
{
    town_pair();
    for (uint32_t node = 0; node < 2; node++) {
        uint32_t target = town_open(node, NULL, NULL);
        uint32_t caller = town_open(0, "tier", "gold");
        listen_on(target, "chat", "tier,absent");
        town_wait_ms(300);
        ask(caller, 1, id_of(target), "chat");
        struct request request = asked(target);
        cr_assert_eq(properties_count(request.properties), 1);
        struct property property;
        enum error error;
        cr_assert(group_next(&property_schema, &request.properties, &property, &error));
        cr_assert(span_equal(property.key, span_text("tier")));
        cr_assert(span_equal(property.value, span_text("gold")));
    }
}

Test(direct, a_handler_of_the_mesh_gets_them_too_wherever_it_is)
{
    town_pair();
    for (uint32_t node = 0; node < 2; node++) {
        uint32_t handler = town_open(node, NULL, NULL);
        uint32_t caller = town_open(0, "tier", "gold");
        char path[8] = {'w', (char)('0' + node), '\0'};
        struct registration registration = {
            .kind = HANDLER_REQUEST, .path = span_text(path), .keys = span_text("$Principal,*U")};
        town_say(handler, KIND_REGISTER, 7001, &registration_schema, &registration,
                 (struct span){0});
        cr_assert_not_null(town_find(handler, KIND_DONE, 7001));
        town_wait_ms(500);
        town_request(caller, 1, path, "x");
        cr_assert_eq(properties_count(asked(handler).properties), 2, "$Principal and tier");
    }
}

Test(direct, registrations_may_conflict_and_be_taken_back)
{
    town_pair();
    uint32_t target = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    struct registration registration = {.kind = HANDLER_DIRECT, .path = span_text("chat")};
    listen_on(target, "chat", "");
    town_say(target, KIND_REGISTER, 2, &registration_schema, &registration, (struct span){0});
    cr_assert_not_null(town_find(target, KIND_ERROR, 2));
    town_say(target, KIND_UNREGISTER, 3, &registration_schema, &registration, (struct span){0});
    cr_assert_not_null(town_find(target, KIND_DONE, 3));
    ask(caller, 1, id_of(target), "chat");
    cr_assert_eq(town_outcome(caller, 1), ERROR_UNHANDLED);
    town_say(target, KIND_UNREGISTER, 4, &registration_schema, &registration, (struct span){0});
    cr_assert_not_null(town_find(target, KIND_ERROR, 4));
}
