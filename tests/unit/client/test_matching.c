/* test_matching.c - requests to sessions and to filters: what the caller is told, in which order;
 * and which handler of this session gets them. */
#include <criterion/criterion.h>

#include "client/weft_requests.h"
#include "proto/request.h"
#include "tests/unit/client/node.h"

static struct node node;
static struct weft_client *client;

static struct {
    int sent, parts, ends, direct, served;
    uint32_t how_many, answered, column;
    enum weft_error part_outcome, outcome;
    size_t properties;
} told;

static void set_up(void)
{
    memset(&told, 0, sizeof told);
    node_start(&node);
    struct weft_options options = {0};
    options.servers = node.address;
    client = weft_new(&options);
    cr_assert_not_null(client);
    node_until(&node, weft_context_of(client), weft_is_open(client));
}

static void tear_down(void)
{
    weft_destroy(&client);
    node_stop(&node);
}

TestSuite(matching, .init = set_up, .fini = tear_down);

static void on_sent(struct weft_client *self, const struct weft_sent *sent, void *user)
{
    (void)self;
    (void)user;
    cr_assert_eq(told.parts + told.ends, 0, "it comes first");
    told.sent++;
    told.how_many = sent->sent;
}

static void on_part(struct weft_client *self, const struct weft_part *part, void *user)
{
    (void)self;
    (void)user;
    told.parts++;
    told.part_outcome = part->outcome;
    if (part->outcome == WEFT_OK)
        cr_assert_arr_eq(part->value.data, "hi", 2);
}

static void on_end(struct weft_client *self, const struct weft_end *end, void *user)
{
    (void)self;
    (void)user;
    told.ends++;
    told.outcome = end->outcome;
    told.answered = end->answered;
    told.column = end->column;
}

static const struct weft_matching_calls calls = {.sent = on_sent, .part = on_part, .end = on_end};

static uint64_t ask(const char *filter)
{
    uint64_t number = 0;
    node.is_mute = true;
    int requests = node.requests;
    cr_assert_eq(weft_request_matching(client, filter, "chat", NULL, NULL, &calls, NULL, &number),
                 WEFT_OK);
    node_until(&node, weft_context_of(client), node.requests > requests);
    node.is_mute = false;
    return number;
}

static void turn(void)
{
    for (int i = 0; i < 50; i++)
        node_turn(&node, weft_context_of(client));
}

static void say_part(uint64_t number, enum error outcome)
{
    struct part part = {.session = {.instance = 1, .serial = 2},
                        .outcome = (uint16_t)outcome,
                        .type = VALUE_STRING};
    node_say(&node, 0, &part_schema, &part, KIND_PART, number,
             outcome == ERROR_OK ? span_text("hi") : (struct span){0});
}

Test(matching, tells_how_many_then_of_each_then_the_end)
{
    uint64_t number = ask("tier is 'gold'");
    struct spread spread = {.sent = 2, .nodes_asked = 3, .nodes_answered = 3};
    node_say(&node, 0, &spread_schema, &spread, KIND_SPREAD, number, (struct span){0});
    say_part(number, ERROR_OK);
    say_part(number, ERROR_UNHANDLED);
    node_until(&node, weft_context_of(client), told.parts == 2);
    cr_assert_eq(told.sent, 1);
    cr_assert_eq(told.how_many, 2);
    cr_assert_eq(told.part_outcome, WEFT_UNHANDLED);
    cr_assert_eq(told.ends, 0);
    struct response response = {.outcome = ERROR_OK, .sent = 2, .answered = 2};
    node_say(&node, 0, &response_schema, &response, KIND_RESPONSE, number, (struct span){0});
    node_until(&node, weft_context_of(client), told.ends == 1);
    cr_assert_eq(told.outcome, WEFT_OK);
    cr_assert_eq(told.answered, 2);
    say_part(number, ERROR_OK);
    node_say(&node, 0, &response_schema, &response, KIND_RESPONSE, number, (struct span){0});
    turn();
    cr_assert_eq(told.parts, 2, "behind the end there is nothing");
    cr_assert_eq(told.ends, 1);
}

Test(matching, tells_where_a_filter_is_wrong)
{
    uint64_t number = ask("tier is gold");
    struct client_error error = {.code = ERROR_INVALID_FILTER, .line = 1, .column = 9};
    node_say(&node, 0, &client_error_schema, &error, KIND_ERROR, number, (struct span){0});
    node_until(&node, weft_context_of(client), told.ends == 1);
    cr_assert_eq(told.outcome, WEFT_INVALID_FILTER);
    cr_assert_eq(told.column, 9);
}

Test(matching, ends_once_with_its_session)
{
    (void)ask("all");
    weft_close(client);
    turn();
    cr_assert_eq(told.ends, 1);
    cr_assert_eq(told.outcome, WEFT_CANCELLED);
}

Test(matching, can_be_cancelled_as_other_requests)
{
    uint64_t number = ask("all");
    int cancels = node.cancels;
    node.is_mute = false;
    cr_assert_eq(weft_cancel(client, number), WEFT_OK);
    node_until(&node, weft_context_of(client), node.cancels > cancels);
    cr_assert_eq(weft_cancel(client, number + 1), WEFT_INVALID_ARGUMENT);
}

Test(matching, refuses_what_it_cannot_ask)
{
    static const struct weft_matching_calls endless = {.part = on_part};
    struct weft_session_id nobody = {0};
    cr_assert_eq(weft_request_matching(client, "", "a", NULL, NULL, &calls, NULL, NULL),
                 WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_request_matching(client, "all", "a", NULL, NULL, &endless, NULL, NULL),
                 WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_request_matching(client, "all", "a//b", NULL, NULL, &calls, NULL, NULL),
                 WEFT_INVALID_PATH);
    cr_assert_eq(weft_request_to(client, nobody, "a", NULL, NULL, NULL, NULL, NULL),
                 WEFT_INVALID_ARGUMENT);
}

static void on_incoming(struct weft_client *self, const struct weft_incoming *incoming, void *user)
{
    struct weft_rows properties = incoming->properties;
    struct weft_property_row row;
    (void)self;
    cr_assert_eq(incoming->is_direct, user != NULL);
    told.direct += incoming->is_direct;
    told.served++;
    while (weft_next_property(&properties, &row))
        told.properties++;
}

static void say_request(uint64_t correlation, const char *path, struct session_id to)
{
    struct property property = {.key = span_text("tier"), .value = span_text("gold")};
    uint8_t group[64];
    struct writer writer;
    writer_init(&writer, group, sizeof group);
    group_encode(&property_schema, &property, &writer);
    struct request request = {
        .path = span_text(path),
        .type = VALUE_STRING,
        .timeout_ms = 1000,
        .to = to,
        .properties = span_of(group, sizeof group - writer.left),
    };
    node_say(&node, 0, &request_schema, &request, KIND_REQUEST, correlation, (struct span){0});
}

Test(matching, requests_to_the_session_find_their_own_handler)
{
    const struct weft_handler_options direct = {.is_direct = true, .keys = "tier"};
    cr_assert_eq(weft_handle(client, "a", on_incoming, NULL, NULL), WEFT_OK);
    cr_assert_eq(weft_handle_with(client, "a/b", &direct, on_incoming, NULL, &told), WEFT_OK);
    cr_assert_eq(weft_handle_with(client, "a/b", &direct, on_incoming, NULL, NULL),
                 WEFT_HANDLER_CONFLICT);
    struct session_id self = node.sessions[0].id;
    say_request(1, "a/b", (struct session_id){0});
    say_request(2, "a/b", self);
    say_request(3, "a/b/c", self); /* direct paths are exact: refused by the library */
    node_until(&node, weft_context_of(client), told.served == 2);
    turn();
    cr_assert_eq(told.served, 2);
    cr_assert_eq(told.direct, 1);
    cr_assert_eq(told.properties, 2);
    cr_assert_eq(weft_unhandle_direct(client, "a/b"), WEFT_OK);
    cr_assert_eq(weft_unhandle_direct(client, "a/b"), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_unhandle(client, "a"), WEFT_OK);
}
