/* people.h - sessions for the tests of the filters: those of sessions.jsonl, as subjects and as
 * they stand in the file. Memory: static, made by people_load. */
#ifndef WEFT_TESTS_FILTER_PEOPLE_H
#define WEFT_TESTS_FILTER_PEOPLE_H

#include "mesh/filter/filter.h"

enum { PEOPLE_MAX = 16, PEOPLE_PROPERTIES_MAX = 16 };

struct person {
    char id[16];
    struct subject *subject;
    struct property properties[PEOPLE_PROPERTIES_MAX];
    size_t count;
};

extern struct person people[PEOPLE_MAX];
extern size_t people_count;
extern struct memory people_memory;
extern struct filter_engine *people_engine;
extern struct complaints people_complaints;

/* An engine in fresh memory; people_end tells that nothing of it was lost. */
void people_start(void);
void people_end(void);

/* Reads sessions.jsonl into people. */
void people_load(void);

/* A subject of so many properties, freed with free(). */
struct subject *people_subject(const struct property *properties, size_t count);

/* Parses what must be a filter. */
struct filter *people_filter(const char *text);

/* Whether the subject matches, with a budget of its own. */
bool people_match(const struct filter *filter, const struct subject *subject);

/* The whole file of tests/unit/mesh/filter/, with a NUL; freed with free(). */
char *people_file(const char *name);

#endif
