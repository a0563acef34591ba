/* test_decide.c - who may enter, as a handler decides it: each question once. And who misses a
 * topic. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "client/weft_auth.h"
#include "proto/missing.h"
#include "tests/unit/client/node.h"

struct heard {
    int logins, notices;
    uint64_t responder; /* of one that is to be answered later */
    bool is_later;
    const struct weft_allowance *allowance;
    char principal[64], credentials[64], property[64], selector[64];
    uint32_t coalesced;
};

static struct node node;
static struct weft_context *context;
static struct weft_client *client;
static struct heard heard;

static void on_login(struct weft_client *of, const struct weft_login *login, void *user)
{
    struct weft_rows rows = login->properties;
    struct weft_property_row property;
    cr_assert_eq(user, &heard);
    heard.logins++;
    heard.responder = login->responder;
    snprintf(heard.principal, sizeof heard.principal, "%.*s", (int)login->principal.bytes,
             login->principal.data);
    snprintf(heard.credentials, sizeof heard.credentials, "%.*s", (int)login->credentials_bytes,
             (const char *)login->credentials);
    while (weft_next_property(&rows, &property))
        snprintf(heard.property, sizeof heard.property, "%.*s=%.*s", (int)property.key.bytes,
                 property.key.data, (int)property.value.bytes, property.value.data);
    if (!heard.is_later)
        cr_assert_eq(weft_allow(of, login->responder, heard.allowance), WEFT_OK);
}

static void on_missing(struct weft_client *of, const struct weft_missing *missing, void *user)
{
    (void)of;
    cr_assert_eq(user, &heard);
    heard.notices++;
    heard.coalesced = missing->coalesced;
    snprintf(heard.selector, sizeof heard.selector, "%.*s", (int)missing->selector.bytes,
             missing->selector.data);
}

static void begin(void)
{
    heard = (struct heard){.logins = 0};
    memset(&node, 0, sizeof node);
    node_start(&node);
    context = weft_context_new(4);
    struct weft_options options = {.context = context, .servers = node.address};
    client = weft_new(&options);
    cr_assert_not_null(client);
    cr_assert_eq(weft_authenticate_handler(client, "corporate", on_login, NULL, &heard), WEFT_OK);
    cr_assert_eq(weft_missing_handler(client, "prices", on_missing, NULL, &heard), WEFT_OK);
    node_until(&node, context, node.registrations == 2);
}

static void end(void)
{
    weft_context_destroy(&context);
    node_stop(&node);
}

TestSuite(decide, .init = begin, .fini = end);

static void ask(const char *name, uint64_t number)
{
    const struct property property = {.key = span_text("tier"), .value = span_text("gold")};
    uint8_t group[64];
    struct writer writer;
    writer_init(&writer, group, sizeof group);
    group_encode(&property_schema, &property, &writer);
    const struct authenticate fields = {
        .name = span_text(name),
        .principal = span_text("ada"),
        .credentials = span_text("secret"),
        .timeout_ms = 200,
    };
    node_say(&node, 0, &authenticate_schema, &fields, KIND_AUTHENTICATE, number,
             span_of(group, sizeof group - writer.left));
}

static bool decided_with(const char *key, const char *value)
{
    struct span rest = span_of(node.decision_body, node.decision_bytes);
    struct property property;
    enum error error;
    while (group_next(&property_schema, &rest, &property, &error)) {
        if (span_equal(property.key, span_text(key)))
            return span_equal(property.value, span_text(value));
    }
    return false;
}

Test(decide, a_question_is_answered_with_what_the_session_is_to_have)
{
    const struct weft_property properties[] = {{"$Country", "CH"}, {"desk", "7"}};
    const struct weft_allowance allowance = {.principal = "ada@corp",
                                             .roles = "desk,eu",
                                             .properties = properties,
                                             .properties_count = 2};
    heard.allowance = &allowance;
    ask("corporate", 71);
    node_until(&node, context, node.decisions == 1);
    cr_assert_str_eq(heard.principal, "ada");
    cr_assert_str_eq(heard.credentials, "secret");
    cr_assert_str_eq(heard.property, "tier=gold");
    cr_assert_eq(node.decision, DECISION_ALLOW);
    cr_assert_eq(node.decision_number, 71);
    cr_assert(decided_with("$Principal", "ada@corp"));
    cr_assert(decided_with("$Roles", "\"desk\",\"eu\""));
    cr_assert(decided_with("$Country", "CH"));
    cr_assert(decided_with("desk", "7"));
    cr_assert_eq(weft_deny(client, heard.responder), WEFT_CANCELLED, "once");
}

Test(decide, it_may_take_its_time_but_not_more)
{
    heard.is_later = true;
    ask("corporate", 1);
    node_until(&node, context, heard.logins == 1);
    cr_assert_eq(weft_abstain(client, heard.responder), WEFT_OK);
    node_until(&node, context, node.decisions == 1);
    cr_assert_eq(node.decision, DECISION_ABSTAIN);
    ask("corporate", 2);
    node_until(&node, context, heard.logins == 2);
    enum weft_error error = WEFT_OK;
    for (int i = 0; i < 2000 && error != WEFT_CANCELLED; i++) {
        error = weft_allow(client, heard.responder ^ 1, NULL); /* nobody's */
        (void)weft_context_run(context, 5);
        if (i > 100)
            error = weft_deny(client, heard.responder);
    }
    cr_assert_eq(error, WEFT_CANCELLED, "its time is over");
    cr_assert_eq(node.decisions, 1);
}

Test(decide, what_is_against_the_rules_is_not_said)
{
    const struct weft_property fixed = {"$SessionId", "x"}, bad = {"a b", "x"};
    const struct weft_allowance wrong[] = {
        {.roles = "a,,b"},
        {.roles = "(a)"},
        {.roles = "*"},
        {.properties = &fixed, .properties_count = 1},
        {.properties = &bad, .properties_count = 1},
        {.principal = "\xff"},
    };
    heard.is_later = true;
    ask("corporate", 1);
    node_until(&node, context, heard.logins == 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(weft_allow(client, heard.responder, &wrong[i]), WEFT_INVALID_ARGUMENT, "%zu",
                     i);
    cr_assert_eq(weft_allow(client, heard.responder, NULL), WEFT_OK);
    node_until(&node, context, node.decisions == 1);
    cr_assert_eq(node.decision_bytes, 0);
}

Test(decide, who_asks_for_a_handler_that_has_gone_is_kept_out)
{
    cr_assert_eq(weft_authenticate_unhandle(client, "corporate"), WEFT_OK);
    ask("corporate", 9);
    node_until(&node, context, node.decisions == 1);
    cr_assert_eq(node.decision, DECISION_DENY);
    cr_assert_eq(heard.logins, 0);
}

Test(decide, handlers_of_different_kinds_share_a_path)
{
    cr_assert_eq(weft_missing_handler(client, "corporate", on_missing, NULL, &heard), WEFT_OK);
    cr_assert_eq(weft_missing_handler(client, "/corporate/", on_missing, NULL, &heard),
                 WEFT_HANDLER_CONFLICT);
    cr_assert_eq(weft_authenticate_handler(client, "corporate", on_login, NULL, &heard),
                 WEFT_HANDLER_CONFLICT);
    cr_assert_eq(weft_authenticate_handler(client, "a/b", on_login, NULL, &heard),
                 WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_unhandle(client, "corporate"), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_missing_unhandle(client, "corporate"), WEFT_OK);
}

static void miss(const char *selector)
{
    const struct missing_topic fields = {
        .selector = span_text(selector),
        .session = {1, 2},
        .nodes = span_text("a,b"),
        .coalesced = 4,
    };
    node_say(&node, 0, &missing_topic_schema, &fields, KIND_MISSING_TOPIC, 0, (struct span){0});
}

Test(decide, a_missing_topic_is_told_to_the_nearest_handler_above_it)
{
    miss("prices/eu/+/x");
    node_until(&node, context, heard.notices == 1);
    cr_assert_str_eq(heard.selector, "prices/eu/+/x");
    cr_assert_eq(heard.coalesced, 4);
    miss("prices/**");
    node_until(&node, context, heard.notices == 2);
    miss("pri/**");
    miss("**");
    ask("corporate", 1); /* behind them */
    node_until(&node, context, heard.logins == 1);
    cr_assert_eq(heard.notices, 2);
}

static void on_result(struct weft_client *of, const struct weft_result *result, void *user)
{
    (void)of;
    *(int *)user = (int)result->error;
}

Test(decide, a_session_says_anew_who_it_is)
{
    int said = -1;
    cr_assert_eq(weft_reauthenticate(client, "ada", "ada", 3, 0, on_result, &said), WEFT_OK);
    node_until(&node, context, said >= 0);
    cr_assert_eq(said, WEFT_OK);
    said = -1;
    cr_assert_eq(weft_reauthenticate(client, "ada", "eve", 3, 0, on_result, &said), WEFT_OK);
    node_until(&node, context, said >= 0);
    cr_assert_eq(said, WEFT_ACCESS_DENIED);
    cr_assert_eq(weft_reauthenticate(client, "ada", "x", 5000, 0, on_result, &said),
                 WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_reauthenticate(client, "ada", "x", 1, 0, NULL, NULL), WEFT_INVALID_ARGUMENT);
}
