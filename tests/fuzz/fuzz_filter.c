/* fuzz_filter.c - any bytes as a filter: refused with a place inside of them, or taken. What is
 * taken is asked about a few sessions, printed, parsed again and asked again: print and answers
 * must be the same, and what it says it fixes must be true of those that match. */
#include "mesh/filter/filter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SUBJECTS = 3, SUBJECT_BYTES = 1024 };

static struct memory memory;
static struct filter_engine *engine;
static struct complaints complaints;
static _Alignas(8) uint8_t subjects[SUBJECTS][SUBJECT_BYTES];

static void need(bool holds)
{
    if (!holds)
        abort();
}

static struct property property(const char *key, const char *value)
{
    return (struct property){.key = span_text(key), .value = span_text(value)};
}

static void subject_put(size_t i, const struct property *properties, size_t count)
{
    size_t bytes = subject_measure(properties, count);
    need(bytes > 0 && bytes <= SUBJECT_BYTES);
    subject_write((struct subject *)(void *)subjects[i], properties, count);
}

static void start(void)
{
    const struct property properties[] = {
        property("$SessionId", "s1"),      property("$Principal", ""),
        property("$Roles", "\"b\",\"a\""), property("tier", "gold"),
        property("v", "aaaaaaaaaaaa"),
    };
    const struct property others[] = {property("$Principal", "alice"), property("tier", "")};
    memory = (struct memory){.limit = {[MEMORY_TABLES] = UINT64_C(256) << 20}};
    engine = filter_engine_new(&memory);
    need(engine != NULL);
    subject_put(0, properties, 5);
    subject_put(1, others, 2);
    subject_put(2, NULL, 0);
}

static bool matches(const struct filter *filter, const struct subject *subject)
{
    struct filter_budget budget;
    filter_budget_start(&budget, engine);
    bool is_match = filter_matches(filter, subject, &budget);
    need(!(is_match && budget.is_spent));
    return is_match;
}

static void need_pinned(const struct filter *filter, enum key key, const struct subject *subject)
{
    struct filter_pins pins;
    struct span value = {0};
    bool is_among = false;
    if (!filter_pins(filter, key, &pins))
        return;
    need(subject_get(subject, key_text(key), &value));
    for (uint32_t i = 0; i < pins.count; i++)
        is_among = is_among || span_equal(filter_pin(&pins, i), value);
    need(is_among);
}

static void need_same(const struct filter *filter)
{
    struct filter *again;
    struct span canonical = filter_print(filter);
    enum error error = filter_parse(engine, canonical, &again, &complaints);
    need(error == ERROR_OK && span_equal(filter_print(again), canonical));
    for (size_t i = 0; i < SUBJECTS; i++) {
        const struct subject *subject = (const struct subject *)(const void *)subjects[i];
        bool is_match = matches(filter, subject);
        need(is_match == matches(again, subject));
        if (is_match) {
            need_pinned(filter, KEY_SESSION_ID, subject);
            need_pinned(filter, KEY_PRINCIPAL, subject);
        }
    }
    filter_destroy(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct filter *filter;
    if (engine == NULL)
        start();
    enum error error = filter_parse(engine, span_of(data, size), &filter, &complaints);
    need(error == ERROR_OK || error == ERROR_INVALID_FILTER);
    need((error == ERROR_OK) == (complaints.count == 0) && (filter != NULL) == (error == ERROR_OK));
    for (uint32_t i = 0; i < complaints.count; i++)
        need(complaints.items[i].line + complaints.items[i].column <= size + 2 &&
             span_is_text(sentence_span(&complaints.items[i].message)));
    if (filter != NULL)
        need_same(filter);
    filter_destroy(&filter);
    return 0;
}
