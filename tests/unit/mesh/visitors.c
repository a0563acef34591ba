/* visitors.c - see visitors.h. */
#include "tests/unit/mesh/visitors.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { GROUPS_BYTES = 1024 };

void visitors_city(uint32_t nodes, const char *chain)
{
    for (uint32_t i = 0; i < nodes; i++) {
        town_nodes[i].config.auth_chain = chain;
        town_start(i);
    }
    town_wait_ms(8000);
}

uint32_t visitors_hello_with(uint32_t node, const char *principal, const char *credentials,
                             struct span offered)
{
    struct client_hello hello = {
        .version_min = 1,
        .version_max = 1,
        .client_type = span_text("c"),
        .principal = span_text(principal),
        .credentials = span_text(credentials),
    };
    uint32_t client = town_connect(node);
    town_say(client, KIND_HELLO, 1, &client_hello_schema, &hello, offered);
    return client;
}

uint32_t visitors_hello(uint32_t node, const char *principal, const char *credentials)
{
    return visitors_hello_with(node, principal, credentials, (struct span){0});
}

enum error visitors_answer(uint32_t client)
{
    const struct message *welcome = town_find(client, KIND_WELCOME, 1);
    const struct message *refused = town_find(client, KIND_REFUSED, 1);
    struct client_welcome said;
    struct client_refused why;
    cr_assert(welcome == NULL || refused == NULL, "one answer");
    if (welcome != NULL) {
        cr_assert_eq(schema_decode(&client_welcome_schema, welcome->fields, &said), ERROR_OK);
        town_clients[client].session = said.session;
        return ERROR_OK;
    }
    if (refused == NULL)
        return ERROR_NOT_READY;
    cr_assert_eq(schema_decode(&client_refused_schema, refused->fields, &why), ERROR_OK);
    return (enum error)why.code;
}

const char *visitors_property(uint32_t client, const char *key)
{
    static char text[PROPERTY_VALUE_BYTES_MAX + 1];
    struct command command = {
        .verb = COMMAND_GET_PROPERTIES,
        .session = town_clients[client].session,
        .keys = span_text(key),
    };
    struct property property;
    struct session_row row;
    enum error error;
    town_forget(client);
    cr_assert_eq(town_command(client, &command, 2).code, ERROR_OK);
    struct span rows = town_find(client, KIND_RESULT, 2)->body;
    cr_assert(group_next(&session_row_schema, &rows, &row, &error));
    if (!group_next(&property_schema, &row.properties, &property, &error))
        return NULL;
    snprintf(text, sizeof text, "%.*s", (int)property.value.bytes,
             (const char *)property.value.data);
    return text;
}

/* "key=value\nkey=value" as groups. */
static struct span groups_of(const char *text)
{
    static uint8_t groups[GROUPS_BYTES];
    struct writer writer;
    writer_init(&writer, groups, sizeof groups);
    while (*text != '\0') {
        size_t key = strcspn(text, "="), value = strcspn(text + key, "\n");
        struct property property = {.key = span_of(text, key),
                                    .value = span_of(text + key + 1, value - 1)};
        group_encode(&property_schema, &property, &writer);
        text += key + value;
        text += *text == '\n';
    }
    cr_assert(!writer.is_bad);
    return span_of(groups, sizeof groups - writer.left);
}

struct span visitors_group(const char *key, const char *value)
{
    char text[GROUPS_BYTES];
    snprintf(text, sizeof text, "%s=%s", key, value);
    return groups_of(text);
}

enum error visitors_register(uint32_t client, const char *name)
{
    struct registration registration = {.kind = HANDLER_AUTHENTICATION, .path = span_text(name)};
    town_forget(client);
    town_say(client, KIND_REGISTER, 7000, &registration_schema, &registration, (struct span){0});
    if (town_find(client, KIND_DONE, 7000) != NULL)
        return ERROR_OK;
    return visitors_error(client, 7000);
}

uint32_t visitors_handler(uint32_t node, const char *name)
{
    uint32_t client = town_open(node, NULL, NULL);
    cr_assert_eq(visitors_register(client, name), ERROR_OK);
    town_wait_ms(500);
    town_forget(client);
    return client;
}

struct authenticate visitors_asked(uint32_t handler)
{
    const struct message *message = town_find(handler, KIND_AUTHENTICATE, 0);
    struct authenticate asked;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&authenticate_schema, message->fields, &asked), ERROR_OK);
    cr_assert(session_id_is_none(asked.handler));
    return asked;
}

bool visitors_was_shown(uint32_t handler, const char *key, const char *value)
{
    struct span rest = town_find(handler, KIND_AUTHENTICATE, 0)->body;
    struct property property;
    enum error error;
    while (group_next(&property_schema, &rest, &property, &error)) {
        if (span_equal(property.key, span_text(key)))
            return span_equal(property.value, span_text(value));
    }
    return false;
}

uint32_t visitors_whoever_was_asked(const uint32_t *handlers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (town_find(handlers[i], KIND_AUTHENTICATE, 0) != NULL)
            return handlers[i];
    }
    cr_assert_fail("nobody was asked");
    return 0;
}

void visitors_say_decision(uint32_t handler, uint64_t number, enum decision_code code,
                           struct span body)
{
    struct decision decision = {.code = (uint8_t)code};
    town_say(handler, KIND_DECISION, number, &decision_schema, &decision, body);
}

void visitors_decide_with(uint32_t handler, enum decision_code code, const char *properties)
{
    const struct message *message = town_find(handler, KIND_AUTHENTICATE, 0);
    cr_assert_not_null(message);
    visitors_say_decision(handler, message->correlation, code, groups_of(properties));
}

void visitors_decide(uint32_t handler, enum decision_code code)
{
    visitors_decide_with(handler, code, "");
}

void visitors_reauthenticate(uint32_t client, uint64_t correlation, const char *principal,
                             const char *credentials)
{
    struct reauthenticate said = {.principal = span_text(principal),
                                  .credentials = span_text(credentials)};
    town_say(client, KIND_REAUTHENTICATE, correlation, &reauthenticate_schema, &said,
             (struct span){0});
}

enum error visitors_error(uint32_t client, uint64_t correlation)
{
    const struct message *message = town_find(client, KIND_ERROR, correlation);
    struct client_error said;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_error_schema, message->fields, &said), ERROR_OK);
    return (enum error)said.code;
}
