/* people.c - see people.h. */
#include "tests/unit/mesh/filter/people.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct person people[PEOPLE_MAX];
size_t people_count;
struct memory people_memory;
struct filter_engine *people_engine;
struct complaints people_complaints;

void people_start(void)
{
    people_memory = (struct memory){.limit = {[MEMORY_TABLES] = UINT64_C(64) << 20}};
    people_engine = filter_engine_new(&people_memory);
    cr_assert_not_null(people_engine);
}

void people_end(void)
{
    filter_engine_destroy(&people_engine);
    cr_assert_eq(people_memory.used[MEMORY_TABLES], 0);
    for (size_t i = 0; i < people_count; i++)
        free(people[i].subject);
    people_count = 0;
}

char *people_file(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/tests/unit/mesh/filter/%s", WEFT_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    static const size_t most = 1 << 20;
    char *text = malloc(most);
    size_t bytes = fread(text, 1, most - 1, file);
    (void)fclose(file);
    text[bytes] = '\0';
    return text;
}

struct subject *people_subject(const struct property *properties, size_t count)
{
    size_t bytes = subject_measure(properties, count);
    cr_assert_neq(bytes, 0);
    struct subject *subject = malloc(bytes);
    subject_write(subject, properties, count);
    cr_assert_eq(subject->bytes, bytes);
    return subject;
}

static struct span kept_text(const char *text)
{
    return span_text(strdup(text)); /* the test's process ends soon */
}

void people_load(void)
{
    char *text = people_file("sessions.jsonl"), *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        cJSON *object = cJSON_Parse(line);
        if (object == NULL)
            continue;
        struct person *person = &people[people_count++];
        const cJSON *property;
        person->count = 0;
        cJSON_ArrayForEach(property, object)
        {
            person->properties[person->count++] = (struct property){
                .key = kept_text(property->string), .value = kept_text(property->valuestring)};
        }
        const char *id = cJSON_GetObjectItemCaseSensitive(object, "$SessionId")->valuestring;
        (void)snprintf(person->id, sizeof person->id, "%s", id);
        person->subject = people_subject(person->properties, person->count);
        cJSON_Delete(object);
    }
    free(text);
    cr_assert_eq(people_count, 8);
}

struct filter *people_filter(const char *text)
{
    struct filter *filter;
    enum error error = filter_parse(people_engine, span_text(text), &filter, &people_complaints);
    cr_assert_eq(error, ERROR_OK, "%s: %.*s", text, (int)people_complaints.items[0].message.bytes,
                 people_complaints.items[0].message.text);
    return filter;
}

bool people_match(const struct filter *filter, const struct subject *subject)
{
    struct filter_budget budget;
    filter_budget_start(&budget, people_engine);
    bool matches = filter_matches(filter, subject, &budget);
    cr_assert_not(budget.is_spent);
    return matches;
}
