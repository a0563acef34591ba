/* test_filter_table.c - filters.tsv: what each filter means over the sessions of sessions.jsonl,
 * and where each text that is none goes wrong. */
#include "tests/unit/mesh/filter/people.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>

static void set_up(void)
{
    people_start();
    people_load();
}

TestSuite(filter_table, .init = set_up, .fini = people_end);

static void expect_ids(const char *text, const struct filter *filter, const cJSON *ids)
{
    for (size_t i = 0; i < people_count; i++) {
        const cJSON *id;
        bool is_wanted = false;
        cJSON_ArrayForEach(id, ids)
        {
            is_wanted = is_wanted || strcmp(id->valuestring, people[i].id) == 0;
        }
        cr_expect_eq(people_match(filter, people[i].subject), is_wanted, "%s: session %s", text,
                     people[i].id);
    }
}

static void expect_row(const cJSON *text, const cJSON *expected)
{
    struct filter *filter, *again;
    struct span words = span_text(text->valuestring);
    enum error error = filter_parse(people_engine, words, &filter, &people_complaints);
    if (cJSON_IsObject(expected)) {
        const struct complaint *complaint = &people_complaints.items[0];
        cr_expect_eq(error, ERROR_INVALID_FILTER, "%s is taken", text->valuestring);
        cr_expect(complaint->line == (uint32_t)cJSON_GetObjectItem(expected, "line")->valueint &&
                      complaint->column ==
                          (uint32_t)cJSON_GetObjectItem(expected, "column")->valueint,
                  "%s: %u:%u: %.*s", text->valuestring, complaint->line, complaint->column,
                  (int)complaint->message.bytes, complaint->message.text);
        return;
    }
    cr_assert_eq(error, ERROR_OK, "%s: %u:%u: %.*s", text->valuestring,
                 people_complaints.items[0].line, people_complaints.items[0].column,
                 (int)people_complaints.items[0].message.bytes,
                 people_complaints.items[0].message.text);
    expect_ids(text->valuestring, filter, expected);
    struct span canonical = filter_print(filter);
    error = filter_parse(people_engine, canonical, &again, &people_complaints);
    cr_assert_eq(error, ERROR_OK);
    cr_expect(span_equal(filter_print(again), canonical));
    expect_ids(text->valuestring, again, expected);
    filter_destroy(&again);
    filter_destroy(&filter);
}

Test(filter_table, holds_in_every_row)
{
    char *file = people_file("filters.tsv"), *rest = file;
    size_t rows = 0;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        char *tab = strchr(line, '\t');
        if (line[0] == '#' || tab == NULL)
            continue;
        *tab = '\0';
        cJSON *text = cJSON_Parse(line), *expected = cJSON_Parse(tab + 1);
        cr_assert(cJSON_IsString(text) && expected != NULL, "%s", line);
        expect_row(text, expected);
        cJSON_Delete(text);
        cJSON_Delete(expected);
        rows++;
    }
    cr_assert_eq(rows, 372, "%zu rows", rows);
    free(file);
}
