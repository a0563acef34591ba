/* test_registrations.c - who serves what. */
#include <criterion/criterion.h>

#include "tests/unit/mesh/town.h"

TestSuite(registrations, .init = town_begin, .fini = town_end);

static enum error answer_to(uint32_t client, enum kind kind, uint8_t handler, const char *path,
                            uint64_t correlation)
{
    struct registration registration = {.kind = handler, .path = span_text(path)};
    town_say(client, kind, correlation, &registration_schema, &registration, (struct span){0});
    if (town_find(client, KIND_DONE, correlation) != NULL)
        return ERROR_OK;
    const struct message *message = town_find(client, KIND_ERROR, correlation);
    struct client_error error;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_error_schema, message->fields, &error), ERROR_OK);
    cr_assert_gt(error.text.bytes, 0);
    return (enum error)error.code;
}

Test(registrations, are_one_for_each_session_and_path)
{
    town_pair();
    uint32_t one = town_open(0, NULL, NULL), other = town_open(0, NULL, NULL);
    cr_assert_eq(answer_to(one, KIND_REGISTER, HANDLER_REQUEST, "a/b", 1), ERROR_OK);
    cr_assert_eq(answer_to(one, KIND_REGISTER, HANDLER_REQUEST, "/a/b/", 2),
                 ERROR_HANDLER_CONFLICT);
    cr_assert_eq(answer_to(other, KIND_REGISTER, HANDLER_REQUEST, "a/b", 3), ERROR_OK);
}

Test(registrations, end_when_taken_back)
{
    town_pair();
    uint32_t handler = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "a");
    cr_assert_eq(answer_to(handler, KIND_UNREGISTER, HANDLER_REQUEST, "a", 2), ERROR_OK);
    cr_assert_neq(answer_to(handler, KIND_UNREGISTER, HANDLER_REQUEST, "a", 3), ERROR_OK);
    town_request(caller, 4, "a", "x"); /* the news may still be on its way */
    cr_assert_eq(town_outcome(caller, 4), ERROR_NO_HANDLER);
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 0);
}

Test(registrations, with_a_bad_path_or_kind_are_refused)
{
    town_pair();
    uint32_t client = town_open(0, NULL, NULL);
    static const char *const bad[] = {"a//b", "a/**", "a/+/b", "**", "*"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(answer_to(client, KIND_REGISTER, HANDLER_REQUEST, bad[i], 10 + i),
                     ERROR_INVALID_PATH);
    cr_assert_eq(answer_to(client, KIND_REGISTER, HANDLER_MISSING_TOPIC, "a/**", 3),
                 ERROR_INVALID_PATH);
    cr_assert_eq(answer_to(client, KIND_REGISTER, HANDLER_REQUEST, "c++/a+b", 4), ERROR_OK);
    cr_assert_eq(answer_to(client, KIND_REGISTER, HANDLER_AUTHENTICATION, "x", 2),
                 ERROR_INVALID_ARGUMENT);
}
