/* test_by_id.c - a change of one session happens where the session is, once, and says what was
 * before; a mistake is refused before anybody hears of it. */
#include <criterion/criterion.h>

#include "tests/unit/mesh/town.h"

TestSuite(by_id, .init = town_begin, .fini = town_end);

static uint8_t bytes[8192];

/* Groups of properties; value NULL: to be removed. Ends with a NULL key. */
static struct span properties(const char *const pairs[])
{
    struct writer writer;
    writer_init(&writer, bytes, sizeof bytes);
    for (size_t i = 0; pairs[i] != NULL; i += 2) {
        struct property property = {.key = span_text(pairs[i])};
        property.is_absent = pairs[i + 1] == NULL;
        if (!property.is_absent)
            property.value = span_text(pairs[i + 1]);
        group_encode(&property_schema, &property, &writer);
    }
    cr_assert_not(writer.is_bad);
    return span_of(bytes, sizeof bytes - writer.left);
}

static struct span roles(uint8_t *room, size_t room_bytes, const char *name)
{
    struct writer writer;
    struct role role = {.name = span_text(name)};
    writer_init(&writer, room, room_bytes);
    group_encode(&role_schema, &role, &writer);
    return span_of(room, room_bytes - writer.left);
}

/* Says the command with that body; the result, which must have come. */
static struct result tell(uint32_t client, const struct command *command, uint64_t correlation,
                          struct span body)
{
    struct result result;
    town_say(client, KIND_COMMAND, correlation, &command_schema, command, body);
    const struct message *message = town_find(client, KIND_RESULT, correlation);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&result_schema, message->fields, &result), ERROR_OK);
    return result;
}

static struct result set(uint32_t client, struct session_id session, uint64_t correlation,
                         const char *const pairs[])
{
    struct command command = {.verb = COMMAND_SET_PROPERTIES, .session = session};
    return tell(client, &command, correlation, properties(pairs));
}

static bool has(uint32_t client, struct session_id session, uint64_t correlation, const char *key,
                const char *value)
{
    struct command command = {
        .verb = COMMAND_GET_PROPERTIES, .session = session, .keys = span_text(key)};
    struct session_row row;
    struct property property;
    enum error error;
    cr_assert_eq(tell(client, &command, correlation, (struct span){0}).code, ERROR_OK);
    struct span rest = town_find(client, KIND_RESULT, correlation)->body;
    cr_assert(group_next(&session_row_schema, &rest, &row, &error));
    bool is_there = group_next(&property_schema, &row.properties, &property, &error);
    return value == NULL ? !is_there : is_there && span_equal(property.value, span_text(value));
}

static const char *const to_gold[] = {"tier", "gold", "desk", "7", "$Country", "ch", NULL};

static void set_and_read_back(uint32_t owner_node)
{
    uint32_t owner = town_open(owner_node, "tier", "trial"), asker = town_open(0, NULL, NULL);
    struct session_id session = town_clients[owner].session;
    town_wait_ms(500);
    struct result result = set(asker, session, 2, to_gold);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.applied, 1);
    cr_assert(session_id_equal(result.session, session));
    struct span rest = town_find(asker, KIND_RESULT, 2)->body;
    struct property property;
    enum error error;
    size_t absent = 0, trial = 0;
    while (group_next(&property_schema, &rest, &property, &error)) {
        absent += property.is_absent;
        trial += span_equal(property.key, span_text("tier")) &&
                 span_equal(property.value, span_text("trial"));
    }
    cr_assert_eq(absent, 2);
    cr_assert_eq(trial, 1);
    cr_assert(has(asker, session, 3, "tier", "gold"));
    cr_assert(has(asker, session, 4, "$Country", "CH"));
    static const char *const to_nothing[] = {"tier", NULL, "$Principal", "root", NULL};
    cr_assert_eq(set(asker, session, 5, to_nothing).code, ERROR_OK);
    cr_assert(has(asker, session, 6, "tier", NULL));
    cr_assert(has(asker, session, 7, "$Principal", ""));
}

Test(by_id, properties_of_a_session_here_are_set_without_a_word_to_any_peer)
{
    town_pair();
    set_and_read_back(0);
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 0);
}

Test(by_id, properties_of_a_session_elsewhere_are_set_in_one_round_trip)
{
    town_pair();
    set_and_read_back(1);
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 6); /* two to set, four to read */
}

Test(by_id, what_is_set_to_what_it_was_is_no_change)
{
    town_pair();
    uint32_t client = town_open(0, "tier", "gold");
    static const char *const same[] = {"tier", "gold", "never", NULL, NULL};
    struct result result = set(client, town_clients[client].session, 2, same);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(town_find(client, KIND_RESULT, 2)->body.bytes, 0);
}

Test(by_id, roles_are_added_and_removed_and_shown)
{
    town_pair();
    uint32_t owner = town_open(1, NULL, NULL), asker = town_open(0, NULL, NULL);
    uint8_t add[128], remove[128];
    struct command command = {
        .verb = COMMAND_CHANGE_ROLES,
        .session = town_clients[owner].session,
        .add_roles = roles(add, sizeof add, "trader"),
        .remove_roles = roles(remove, sizeof remove, "never-held"),
    };
    cr_assert_eq(tell(asker, &command, 2, (struct span){0}).code, ERROR_OK);
    cr_assert(has(asker, command.session, 3, "$Roles", "\"trader\""));
    cr_assert_eq(tell(asker, &command, 4, (struct span){0}).code, ERROR_OK); /* held already */
    command.remove_roles = command.add_roles;
    command.add_roles = (struct span){0};
    cr_assert_eq(tell(asker, &command, 5, (struct span){0}).code, ERROR_OK);
    cr_assert(has(asker, command.session, 6, "$Roles", "") ||
              has(asker, command.session, 7, "$Roles", NULL));
}

Test(by_id, the_conflation_switch_is_turned_and_shown)
{
    town_pair();
    uint32_t owner = town_open(1, NULL, NULL), asker = town_open(0, NULL, NULL);
    struct command command = {.verb = COMMAND_SET_CONFLATED,
                              .session = town_clients[owner].session,
                              .is_conflated = true};
    struct result result = tell(asker, &command, 2, (struct span){0});
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.removed, 0);
    struct session_row row;
    enum error error;
    cr_assert(has(asker, command.session, 3, "tier", NULL));
    struct span rest = town_find(asker, KIND_RESULT, 3)->body;
    cr_assert(group_next(&session_row_schema, &rest, &row, &error));
    cr_assert(row.is_conflated);
}

static void refused(uint32_t asker, const struct command *command, uint64_t correlation,
                    struct span body, const char *words)
{
    struct result result = tell(asker, command, correlation, body);
    cr_assert_eq(result.code, ERROR_INVALID_ARGUMENT, "%s", words);
    char text[TEXT_BYTES_MAX + 1] = "";
    memcpy(text, result.text.data, result.text.bytes);
    cr_assert(strstr(text, words) != NULL, "%s", text);
}

Test(by_id, mistakes_are_refused_before_any_peer_hears_of_them)
{
    town_pair();
    uint32_t owner = town_open(1, NULL, NULL), asker = town_open(0, NULL, NULL);
    uint8_t add[128];
    struct command command = {.verb = COMMAND_SET_PROPERTIES};
    struct span none = {0};
    refused(asker, &command, 2, none, "names no session");
    command.session = town_clients[owner].session;
    refused(asker, &command, 3, none, "no property");
    static const char *const bad[] = {"a b", "x", NULL}, *const twice[] = {"a", "1", "a", "2",
                                                                           NULL};
    refused(asker, &command, 4, properties(bad), "'a b'");
    refused(asker, &command, 5, properties(twice), "twice");
    command.verb = COMMAND_CHANGE_ROLES;
    refused(asker, &command, 6, none, "no role");
    command.add_roles = command.remove_roles = roles(add, sizeof add, "a");
    refused(asker, &command, 7, none, "both");
    command.add_roles = roles(add, sizeof add, "two words");
    refused(asker, &command, 8, none, "'two words'");
    command.verb = COMMAND_CLOSE;
    command.dry_run = true;
    refused(asker, &command, 9, none, "dry_run");
    command.dry_run = false;
    command.expect_max = 3;
    refused(asker, &command, 10, none, "expect_max");
    command.expect_max = 0;
    command.filter = span_text("all");
    refused(asker, &command, 11, none, "a session and a filter");
    command.verb = COMMAND_GET_PROPERTIES;
    refused(asker, &command, 12, none, "a session and a filter");
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 0);
    cr_assert_not(town_clients[owner].is_cut);
}

Test(by_id, groups_that_cannot_be_read_are_no_message)
{
    town_pair();
    uint32_t client = town_open(0, NULL, NULL);
    struct command command = {.verb = COMMAND_SET_PROPERTIES,
                              .session = town_clients[client].session};
    town_say(client, KIND_COMMAND, 2, &command_schema, &command, span_text("\xff\xff\xff\xff"));
    cr_assert_null(town_find(client, KIND_RESULT, 2));
    cr_assert_not_null(town_find(client, KIND_ERROR, 2));
}

Test(by_id, a_limit_is_said_and_nothing_changes)
{
    town_pair();
    uint32_t client = town_open(0, NULL, NULL);
    static char keys[PROPERTIES_MAX][8];
    static const char *pairs[2 * PROPERTIES_MAX + 1];
    for (size_t i = 0; i < PROPERTIES_MAX; i++) {
        keys[i][0] = 'k';
        keys[i][1] = (char)('a' + i / 16);
        keys[i][2] = (char)('a' + i % 16);
        pairs[2 * i] = keys[i];
        pairs[2 * i + 1] = "";
    }
    struct session_id session = town_clients[client].session;
    cr_assert_eq(set(client, session, 2, pairs).code, ERROR_OK);
    static const char *const more[] = {"one-more", "x", "kaa", "changed", NULL};
    struct result result = set(client, session, 3, more);
    cr_assert_eq(result.code, ERROR_LIMIT_REACHED);
    cr_assert_eq(result.applied, 0);
    cr_assert(has(client, session, 4, "kaa", ""));
}
