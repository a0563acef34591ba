/* test_identity.c - who may open a session, by the steps that need nobody else. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/sessions/identity.h"
#include "tests/unit/mesh/town.h"

TestSuite(session_identity, .init = town_begin, .fini = town_end);

static enum identity_verdict verdict_from(const char *steps, const char *principal, uint32_t *at)
{
    struct identity_chain chain;
    struct sentence why;
    cr_assert(identity_parse(&chain, span_text(steps), &why), "%s", steps);
    return identity_judge(&chain, span_text(principal), (struct span){0}, at);
}

static enum identity_verdict verdict(const char *steps, const char *principal)
{
    uint32_t at = 0;
    return verdict_from(steps, principal, &at);
}

Test(session_identity, is_decided_by_the_first_step_that_does_not_abstain)
{
    cr_assert_eq(verdict("anonymous", ""), IDENTITY_ALLOWED);
    cr_assert_eq(verdict("anonymous", "ada"), IDENTITY_DENIED, "all abstaining is no");
    cr_assert_eq(verdict("anonymous,allow", "ada"), IDENTITY_ALLOWED);
    cr_assert_eq(verdict("anonymous,deny,allow", "ada"), IDENTITY_DENIED);
    cr_assert_eq(verdict("anonymous,deny", ""), IDENTITY_ALLOWED);
    cr_assert_eq(verdict("allow", ""), IDENTITY_ALLOWED);
    cr_assert_eq(verdict("allow,deny", "ada"), IDENTITY_ALLOWED);
    cr_assert_eq(verdict("deny,allow", ""), IDENTITY_DENIED);
    cr_assert_eq(verdict("", ""), IDENTITY_DENIED, "no steps, nobody");
}

Test(session_identity, a_key_is_proof_of_its_own_name_and_of_no_other)
{
    struct identity_chain chain;
    struct sentence why;
    struct span ana = span_text("ana"), bob = span_text("bob"), nobody = {0};
    uint32_t at = 0;
    cr_assert(identity_parse(&chain, span_text("curve,anonymous"), &why));
    cr_assert_eq(identity_judge(&chain, nobody, ana, &at), IDENTITY_ALLOWED);
    cr_assert_eq(identity_judge(&chain, ana, ana, &at), IDENTITY_ALLOWED);
    cr_assert_eq(at, 0);
    cr_assert_eq(identity_judge(&chain, bob, ana, &at), IDENTITY_DENIED);
    at = 0;
    cr_assert_eq(identity_judge(&chain, nobody, nobody, &at), IDENTITY_ALLOWED);
    cr_assert_eq(at, 1, "as anybody, not by a key");
}

Test(session_identity, a_key_is_looked_at_before_anybody_is_asked)
{
    struct identity_chain chain;
    struct sentence why;
    cr_assert(identity_parse(&chain, span_text("curve,users,handler:a"), &why));
    cr_assert_not(identity_parse(&chain, span_text("users,curve"), &why));
    cr_assert_not(identity_parse(&chain, span_text("handler:a,curve"), &why));
}

Test(session_identity, says_whom_it_has_to_ask_and_goes_on_from_there)
{
    uint32_t at = 0;
    const char *chain = "anonymous,users,handler:corporate,allow";
    cr_assert_eq(verdict_from(chain, "ada", &at), IDENTITY_ASKS);
    cr_assert_eq(at, 1);
    at++;
    cr_assert_eq(verdict_from(chain, "ada", &at), IDENTITY_ASKS);
    cr_assert_eq(at, 2);
    at++;
    cr_assert_eq(verdict_from(chain, "ada", &at), IDENTITY_ALLOWED);
    at = 0;
    cr_assert_eq(verdict_from("users,deny", "", &at), IDENTITY_DENIED, "nobody's name is empty");
    cr_assert_eq(at, 1);
}

Test(session_identity, knows_the_names_of_handlers_that_it_asks)
{
    struct identity_chain chain;
    struct sentence why;
    cr_assert(identity_parse(&chain, span_text("handler:a,users,handler:b:c"), &why));
    cr_assert(identity_names(&chain, span_text("a")));
    cr_assert(identity_names(&chain, span_text("b:c")));
    cr_assert_not(identity_names(&chain, span_text("b")));
    cr_assert_not(identity_names(&chain, span_text("users")));
    cr_assert(identity_has(&chain, IDENTITY_USERS));
    cr_assert_not(identity_has(&chain, IDENTITY_ALLOW));
}

Test(session_identity, steps_that_are_not_there_are_refused_by_name)
{
    static const char *const bad[] = {"ldap",     "anonymous,,deny", "Anonymous", "anonymous, deny",
                                      "handler:", "handler:a/b",     "handler",   "handler:a b",
                                      "users:x"};
    struct identity_chain chain;
    struct sentence why;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(identity_parse(&chain, span_text(bad[i]), &why), "%s", bad[i]);
    identity_parse(&chain, span_text("anonymous,ldap"), &why);
    cr_assert_eq(memcmp(why.text, "step ldap: ", 11), 0);
    char many[(IDENTITY_STEPS_MAX + 1) * 5 + 1] = "";
    for (size_t i = 0; i < IDENTITY_STEPS_MAX + 1; i++)
        snprintf(many + i * 5, 6, "deny,");
    cr_assert_not(identity_parse(&chain, span_text(many), &why));
    many[IDENTITY_STEPS_MAX * 5] = '\0';
    cr_assert(identity_parse(&chain, span_text(many), &why));
}

/* Says HELLO under that name; the code of REFUSED, or OK. */
static enum error says_hello(const char *principal, const char *key, uint32_t *client)
{
    struct client_hello hello = {.version_min = 1,
                                 .version_max = 1,
                                 .client_type = span_text("c"),
                                 .principal = span_text(principal)};
    struct property property = {.key = span_text(key), .value = span_text("v")};
    struct client_refused refused;
    uint8_t group[64];
    struct writer writer;
    writer_init(&writer, group, sizeof group);
    group_encode(&property_schema, &property, &writer);
    *client = town_connect(0);
    town_say(*client, KIND_HELLO, 1, &client_hello_schema, &hello,
             span_of(group, sizeof group - writer.left));
    const struct message *message = town_find(*client, KIND_REFUSED, 1);
    if (message == NULL)
        return town_find(*client, KIND_WELCOME, 1) != NULL ? ERROR_OK : ERROR_INTERNAL;
    cr_assert_eq(schema_decode(&client_refused_schema, message->fields, &refused), ERROR_OK);
    return (enum error)refused.code;
}

static struct property property_of(uint32_t asker, struct session_id session, const char *key)
{
    struct command command = {
        .verb = COMMAND_GET_PROPERTIES, .session = session, .keys = span_text(key)};
    struct property property;
    struct session_row row;
    enum error error;
    town_forget(asker);
    cr_assert_eq(town_command(asker, &command, 2).code, ERROR_OK);
    struct span rows = town_find(asker, KIND_RESULT, 2)->body;
    cr_assert(group_next(&session_row_schema, &rows, &row, &error));
    if (!group_next(&property_schema, &row.properties, &property, &error))
        property = (struct property){.is_absent = true};
    return property;
}

Test(session_identity, a_name_taken_unproven_brings_neither_roles_nor_properties)
{
    struct mesh_config *config = &town_nodes[0].config;
    config->auth_chain = "allow";
    config->anonymous_roles = "guest";
    town_start(0);
    town_wait_ms(5000);
    uint32_t named, anonymous;
    cr_assert_eq(says_hello("ada", "tier", &named), ERROR_OK);
    cr_assert_eq(says_hello("", "tier", &anonymous), ERROR_OK);
    struct client_welcome welcome;
    cr_assert_eq(
        schema_decode(&client_welcome_schema, town_find(named, KIND_WELCOME, 1)->fields, &welcome),
        ERROR_OK);
    struct session_id ada = welcome.session;
    cr_assert_eq(schema_decode(&client_welcome_schema,
                               town_find(anonymous, KIND_WELCOME, 1)->fields, &welcome),
                 ERROR_OK);
    cr_assert(span_equal(property_of(named, ada, "$Principal").value, span_text("ada")));
    cr_assert_eq(property_of(named, ada, "$Roles").value.bytes, 0);
    cr_assert(property_of(named, ada, "tier").is_absent);
    cr_assert(
        span_equal(property_of(named, welcome.session, "$Roles").value, span_text("\"guest\"")));
    cr_assert_not(property_of(named, welcome.session, "tier").is_absent);
}

Test(session_identity, a_new_chain_holds_for_those_who_come_next)
{
    town_start(0);
    town_wait_ms(5000);
    uint32_t first, client;
    cr_assert_eq(says_hello("", "a", &first), ERROR_OK);
    cr_assert_eq(says_hello("ada", "a", &client), ERROR_ACCESS_DENIED);
    town_nodes[0].config.auth_chain = "deny";
    town_tell(first, MESH_RECONFIGURED);
    cr_assert_eq(says_hello("", "a", &client), ERROR_ACCESS_DENIED);
    cr_assert(town_clients[client].is_cut);
    cr_assert_not(town_clients[first].is_cut, "who is in stays");
}
