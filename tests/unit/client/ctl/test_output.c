/* test_output.c - one document, five forms. */
#include <criterion/criterion.h>

#include "client/ctl/output.h"
#include "tests/unit/client/ctl/play.h"

static const struct output_column columns[] = {
    {"name", "NAME", NULL, OUTPUT_TEXT, false},     {"self", " ", NULL, OUTPUT_MARK, false},
    {"count", "COUNT", NULL, OUTPUT_NUMBER, false}, {"rtt_us", "RTT", NULL, OUTPUT_US, false},
    {"lag_ms", "LAG", NULL, OUTPUT_MS, false},      {"ready", "READY", NULL, OUTPUT_YES, false},
    {"k", "K", "inside", OUTPUT_TEXT, true},
};

static const char text[] =
    "{\"rows\":[{\"name\":\"a\",\"self\":true,\"count\":7,\"rtt_us\":210,\"lag_ms\":0.5,"
    "\"ready\":true,\"inside\":{\"k\":\"v,\\\"w\\\"\"}},"
    "{\"name\":\"long\",\"self\":false,\"count\":1234567,\"rtt_us\":null,\"lag_ms\":12.4,"
    "\"ready\":false,\"inside\":{}}],\"total\":2}";

static int write_document(void *user)
{
    struct output output = {.format = *(enum output_format *)user};
    const struct output_view view = {.list = "rows",
                                     .columns = columns,
                                     .columns_count = sizeof columns / sizeof columns[0],
                                     .footer = "2 of 2"};
    cJSON *document = cJSON_Parse(text);
    bool is_written = output_write(&output, document, &view);
    cJSON_Delete(document);
    return is_written;
}

static const char *written(struct play *play, enum output_format format)
{
    play_call(play, write_document, &format);
    cr_assert_eq(play->code, 1);
    return play->out;
}

Test(output, tables_line_up)
{
    struct play play;
    cr_assert_str_eq(written(&play, OUTPUT_TABLE), "NAME       COUNT    RTT    LAG  READY\n"
                                                   "a     *        7  210us  500us  yes\n"
                                                   "long     1234567      -   12ms  no\n"
                                                   "2 of 2\n");
}

Test(output, wide_tables_have_more_columns)
{
    struct play play;
    cr_assert_not_null(strstr(written(&play, OUTPUT_WIDE), "READY  K\n"));
    cr_assert_not_null(strstr(play.out, "yes    v,\"w\"\n"));
}

Test(output, csv_is_quoted_and_unadorned)
{
    struct play play;
    cr_assert_str_eq(written(&play, OUTPUT_CSV), "name,self,count,rtt_us,lag_ms,ready,k\n"
                                                 "a,true,7,210,0.5,true,\"v,\"\"w\"\"\"\n"
                                                 "long,false,1234567,,12.4,false,\n");
}

Test(output, json_is_the_document)
{
    struct play play;
    cJSON *read = cJSON_Parse(written(&play, OUTPUT_JSON));
    cJSON *meant = cJSON_Parse(text);
    cr_assert(cJSON_Compare(read, meant, true));
    cJSON_Delete(read);
    cJSON_Delete(meant);
}

Test(output, json_lines_are_the_rows)
{
    struct play play;
    const char *second = strchr(written(&play, OUTPUT_JSONL), '\n') + 1;
    cr_assert_eq(strncmp(second, "{\"name\":\"long\",", 15), 0);
    cr_assert_null(strstr(play.out, "total"));
}

static int write_none(void *user)
{
    const struct output output = {.format = OUTPUT_TABLE};
    const struct output_view view = {.list = "rows", .columns = columns, .columns_count = 1};
    (void)user;
    cJSON *document = cJSON_Parse("{\"rows\":[]}");
    bool is_written = output_write(&output, document, &view);
    cJSON_Delete(document);
    return is_written;
}

Test(output, an_empty_table_still_has_its_heading)
{
    struct play play;
    play_call(&play, write_none, NULL);
    cr_assert_str_eq(play.out, "NAME\n");
}

static int write_stream(void *user)
{
    struct output output = {.format = *(enum output_format *)user};
    const struct output_view view = {.columns = columns, .columns_count = 1};
    cJSON *object = cJSON_Parse("{\"name\":\"x\\u001b[2J\\ny\"}");
    bool is_written =
        output_stream(&output, object, &view) && output_stream(&output, object, &view);
    cJSON_Delete(object);
    return is_written;
}

Test(output, a_stream_is_a_line_each_and_steers_no_terminal)
{
    struct play play;
    enum output_format format = OUTPUT_TABLE;
    play_call(&play, write_stream, &format);
    cr_assert_str_eq(play.out, "x?[2J?y\nx?[2J?y\n");
    format = OUTPUT_JSON;
    play_call(&play, write_stream, &format);
    cr_assert_str_eq(play.out, "{\"name\":\"x\\u001b[2J\\ny\"}\n{\"name\":\"x\\u001b[2J\\ny\"}\n");
    format = OUTPUT_CSV;
    play_call(&play, write_stream, &format);
    cr_assert_str_eq(play.out, "name\n\"x\x1b[2J\ny\"\n\"x\x1b[2J\ny\"\n");
}

Test(output, formats_are_known_by_name)
{
    enum output_format format = OUTPUT_TABLE;
    cr_assert(output_parse_format("jsonl", &format));
    cr_assert_eq(format, OUTPUT_JSONL);
    cr_assert_not(output_parse_format("yaml", &format));
    cr_assert_not(output_parse_format("", &format));
}
