/* test_values.c - what people type is read exactly or not at all; what the mesh says is shown so
 * that it can be read back. */
#include <criterion/criterion.h>

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/ctl/values.h"

static char *printed(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    return text;
}

#define ASSERT_PRINTED(object, expected)                                                           \
    do {                                                                                           \
        char *text_ = printed(object);                                                             \
        cr_assert_str_eq(text_, expected);                                                         \
        free(text_);                                                                               \
    } while (0)

static cJSON *added(struct weft_value value)
{
    cJSON *object = cJSON_CreateObject();
    values_add(object, &value);
    return object;
}

Test(values, durations_have_a_unit)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"250ms", 250}, {"2s", 2000}, {"1.5m", 90000}, {"1h", 3600000},
                {"0s", 0},      {"0.2ms", 1}, {".5s", 500}};
    static const char *const bad[] = {"",     "5",    "s",      "-1s", "1 s",         "1d", "1e3s",
                                      "nans", "0x5s", "1.2.3s", "1ss", "9999999999h", "s5", "+1s"};
    uint64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert(values_parse_duration(good[i].text, &ms), "%s", good[i].text);
        cr_assert_eq(ms, good[i].ms, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ms = 77;
        cr_assert_not(values_parse_duration(bad[i], &ms), "%s", bad[i]);
        cr_assert_eq(ms, 77);
    }
}

Test(values, counts_are_digits_within_their_limits)
{
    uint64_t count = 77;
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "1x", "0", "11", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(values_parse_count(bad[i], 1, 10, &count), "%s", bad[i]);
    cr_assert_eq(count, 77);
    cr_assert(values_parse_count("10", 1, 10, &count));
    cr_assert_eq(count, 10);
}

Test(values, base64_is_that_of_rfc_4648)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *plain = pairs[i][0], *coded = pairs[i][1];
        struct weft_value value;
        char *memory = NULL, *text = values_base64(plain, strlen(plain));
        cr_assert_str_eq(text, coded);
        free(text);
        cr_assert_null(values_from_text(WEFT_BINARY, coded, strlen(coded), &value, &memory));
        cr_assert_eq(value.bytes, strlen(plain));
        cr_assert_eq(memcmp(value.data, plain, value.bytes), 0);
        free(memory);
    }
}

Test(values, what_is_not_of_its_type_is_refused)
{
    static const struct {
        enum weft_value_type type;
        const char *text;
    } bad[] = {
        {WEFT_JSON, ""},        {WEFT_JSON, "{"},          {WEFT_JSON, "1 2"},
        {WEFT_JSON, "nul"},     {WEFT_INT64, ""},          {WEFT_INT64, "1.5"},
        {WEFT_INT64, " 1"},     {WEFT_INT64, "0x10"},      {WEFT_INT64, "9223372036854775808"},
        {WEFT_DOUBLE, ""},      {WEFT_DOUBLE, "1,5"},      {WEFT_DOUBLE, "nan"},
        {WEFT_DOUBLE, "1e999"}, {WEFT_BINARY, "Zg="},      {WEFT_BINARY, "Zg"},
        {WEFT_BINARY, "Z==="},  {WEFT_BINARY, "Zg==Zg=="}, {WEFT_BINARY, "Zm9\n"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct weft_value value = weft_int64(77);
        char *memory = NULL;
        cr_assert_not_null(
            values_from_text(bad[i].type, bad[i].text, strlen(bad[i].text), &value, &memory), "%s",
            bad[i].text);
        cr_assert_eq(value.int64, 77, "%s", bad[i].text);
        free(memory);
    }
}

Test(values, what_is_of_its_type_is_taken)
{
    struct weft_value value;
    char *memory = NULL;
    cr_assert_null(values_from_text(WEFT_INT64, "-9223372036854775808", 20, &value, &memory));
    cr_assert_eq(value.int64, INT64_MIN);
    cr_assert_null(values_from_text(WEFT_DOUBLE, "-0.25", 5, &value, &memory));
    cr_assert_float_eq(value.number, -0.25, 0);
    cr_assert_null(values_from_text(WEFT_JSON, " [1] \n", 6, &value, &memory));
    cr_assert_eq(value.bytes, 6);
    cr_assert_null(values_from_text(WEFT_STRING, "", 0, &value, &memory));
    cr_assert_eq(value.type, WEFT_STRING);
    cr_assert_null(memory);
}

Test(values, types_are_known_by_name)
{
    enum weft_value_type type;
    for (int i = WEFT_JSON; i <= WEFT_DOUBLE; i++) {
        cr_assert(values_parse_type(values_type_name((enum weft_value_type)i), &type));
        cr_assert_eq((int)type, i);
    }
    cr_assert_not(values_parse_type("JSON", &type));
    cr_assert_str_eq(values_type_name((enum weft_value_type)99), "unknown");
}

Test(values, doubles_read_back_as_the_same)
{
    static const double numbers[] = {0.1, 1.0 / 3, 1e300, DBL_MIN, 100, -2.5, 9007199254740991.0};
    char text[VALUES_DOUBLE_BYTES];
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        cr_assert_float_eq(strtod(values_format_double(numbers[i], text), NULL), numbers[i], 0);
    cr_assert_str_eq(values_format_double(0.1, text), "0.1");
    cr_assert_str_eq(values_format_double(100, text), "100");
}

Test(values, json_has_each_type_as_the_manual_says)
{
    ASSERT_PRINTED(added(weft_json("{\"a\": [1, 2.50]}\n")),
                   "{\"type\":\"json\",\"value\":{\"a\":[1,2.50]}}");
    ASSERT_PRINTED(added(weft_json("{broken")),
                   "{\"type\":\"json\",\"value\":\"e2Jyb2tlbg==\",\"encoding\":\"base64\"}");
    ASSERT_PRINTED(added(weft_string("h\"i")), "{\"type\":\"string\",\"value\":\"h\\\"i\"}");
    ASSERT_PRINTED(added(weft_int64(INT64_MAX)),
                   "{\"type\":\"int64\",\"value\":\"9223372036854775807\"}");
    ASSERT_PRINTED(added(weft_double(0.5)), "{\"type\":\"double\",\"value\":0.5}");
    ASSERT_PRINTED(added(weft_double(strtod("inf", NULL))),
                   "{\"type\":\"double\",\"value\":\"inf\"}");
    ASSERT_PRINTED(added(weft_binary("f", 1)),
                   "{\"type\":\"binary\",\"value\":\"Zg==\",\"encoding\":\"base64\"}");
}

Test(values, strings_that_are_no_text_are_shown_as_bytes)
{
    const struct weft_value broken = {.type = WEFT_STRING, .data = "a\xff", .bytes = 2};
    const struct weft_value with_nul = {.type = WEFT_STRING, .data = "a\0b", .bytes = 3};
    ASSERT_PRINTED(added(broken),
                   "{\"type\":\"string\",\"value\":\"Yf8=\",\"encoding\":\"base64\"}");
    ASSERT_PRINTED(added(with_nul),
                   "{\"type\":\"string\",\"value\":\"YQBi\",\"encoding\":\"base64\"}");
}

Test(values, other_peoples_bytes_become_text)
{
    cJSON *object = cJSON_CreateObject();
    values_add_text(object, "x", (struct weft_text){"gr\xC3\xBC\xC3\xDF\0!", 8});
    ASSERT_PRINTED(object, "{\"x\":\"gr\xC3\xBC\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD!\"}");
}

Test(values, a_stream_is_read_to_its_end)
{
    size_t bytes = 0;
    const char *why = NULL;
    FILE *file = tmpfile();
    for (int i = 0; i < 10000; i++)
        (void)fputc(i % 256, file);
    rewind(file);
    char *data = values_read(file, &bytes, &why);
    cr_assert_eq(bytes, 10000);
    cr_assert_eq(data[300], 300 % 256);
    cr_assert_eq(data[bytes], '\0');
    free(data);
    (void)fclose(file);
}
