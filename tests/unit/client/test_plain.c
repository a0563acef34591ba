/* test_plain.c - names and ids. */
#include <criterion/criterion.h>

#include "client/weft_topics.h"

Test(session_id, is_read_as_it_is_written)
{
    char text[WEFT_SESSION_ID_BYTES];
    const struct weft_session_id id = {0x0123456789abcdefU, 0xfedcba9876543210U};
    struct weft_session_id parsed = {0};
    cr_assert_str_eq(weft_session_id_format(id, text), "0123456789abcdef-fedcba9876543210");
    cr_assert(weft_session_id_parse(text, &parsed));
    cr_assert_eq(parsed.instance, id.instance);
    cr_assert_eq(parsed.serial, id.serial);
}

Test(session_id, anything_but_its_exact_form_is_refused)
{
    static const char *const bad[] = {
        "",
        "x",
        "0123456789abcdef-fedcba987654321",
        "0123456789abcdef-fedcba98765432100",
        "0123456789abcdef_fedcba9876543210",
        "0123456789ABCDEF-fedcba9876543210",
        "0123456789abcdeg-fedcba9876543210",
        " 123456789abcdef-fedcba9876543210",
    };
    struct weft_session_id id = {1, 2};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(weft_session_id_parse(bad[i], &id), "%s", bad[i]);
    cr_assert_eq(id.instance, 1);
    cr_assert_eq(id.serial, 2);
}

Test(version, is_read_as_it_is_written)
{
    char text[WEFT_VERSION_BYTES];
    const struct weft_version versions[] = {
        {0, 0, 0}, {3, 0x6731a0c19e02b7d4U, 17}, {UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    cr_assert_str_eq(weft_version_format(versions[1], text), "3-6731a0c19e02b7d4-17");
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct weft_version parsed = {9, 9, 9};
        cr_assert(weft_version_parse(weft_version_format(versions[i], text), &parsed), "%s", text);
        cr_assert_eq(weft_version_order(parsed, versions[i]), 0, "%s", text);
    }
}

Test(version, anything_but_its_exact_form_is_refused)
{
    static const char *const bad[] = {
        "",
        "3",
        "3-",
        "3-6731a0c19e02b7d4",
        "3-6731a0c19e02b7d4-",
        "3-6731a0c19e02b7d4-17 ",
        "3-6731A0c19e02b7d4-17",
        "3-6731a0c19e02b7d-17",
        "03-6731a0c19e02b7d4-17",
        "-3-6731a0c19e02b7d4-17",
        "3-6731a0c19e02b7d4-18446744073709551616",
        "3-6731a0c19e02b7d4_17",
    };
    struct weft_version version = {1, 2, 3};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(weft_version_parse(bad[i], &version), "%s", bad[i]);
    cr_assert_eq(version.term, 1);
    cr_assert_eq(version.instance, 2);
    cr_assert_eq(version.n, 3);
}

Test(version, is_ordered_by_term_then_instance_then_n)
{
    const struct weft_version ascending[] = {{1, 1, 1}, {1, 1, 2}, {1, 2, 1}, {2, 1, 1}};
    for (size_t i = 0; i + 1 < sizeof ascending / sizeof *ascending; i++) {
        cr_assert_lt(weft_version_order(ascending[i], ascending[i + 1]), 0);
        cr_assert_gt(weft_version_order(ascending[i + 1], ascending[i]), 0);
    }
}

Test(error, has_the_name_of_the_wire)
{
    cr_assert_str_eq(weft_error_name(WEFT_NO_HANDLER), "NO_HANDLER");
    cr_assert_str_eq(weft_error_name((enum weft_error)12345), "UNKNOWN_ERROR");
    cr_assert_str_eq(weft_close_reason_name(WEFT_CLOSED_BY_CONTROLLER), "closed_by_controller");
}
