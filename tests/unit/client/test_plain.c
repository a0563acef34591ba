/* test_plain.c - names and ids. */
#include <criterion/criterion.h>

#include "client/weft.h"

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

Test(error, has_the_name_of_the_wire)
{
    cr_assert_str_eq(weft_error_name(WEFT_NO_HANDLER), "NO_HANDLER");
    cr_assert_str_eq(weft_error_name((enum weft_error)12345), "UNKNOWN_ERROR");
    cr_assert_str_eq(weft_close_reason_name(WEFT_CLOSED_BY_CONTROLLER), "closed_by_controller");
}
