/* problems.h - says what went wrong, in the one form scripts and people can rely on, and what the
 * program's exit code is. Memory: nothing is kept. Thread: one. */
#ifndef WEFT_CTL_PROBLEMS_H
#define WEFT_CTL_PROBLEMS_H

#include <stdbool.h>

#include "client/weft.h"

enum problems_exit {
    EXIT_COMPLETE = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_NOTHING = 3, /* nothing matched */
    EXIT_PARTIAL = 4, /* a node did not answer */
};

/* From now on what ends the program is also written on stdout, as one line {"error":..}. */
void problems_use_json(bool is_json);

/* Writes "weftctl: CODE: sentence" on stderr, one line whatever bytes are in it. */
void problems_note(const char *code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, and as JSON where that was asked for: the program's result is this error. Returns
 * EXIT_ERROR. */
int problems_report(const char *code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As problems_report with the code USAGE. Returns EXIT_USAGE. */
int problems_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reports an error that a node or the library gave; text: its own words, the general sentence when
 * they are empty. line, column: where in a filter, from 1; 0: nowhere. Returns the exit code. */
int problems_of_error(enum weft_error error, struct weft_text text, uint32_t line, uint32_t column);

/* Something that is wrong with a text, and where, from 1; line 0: nowhere. */
struct problems_place {
    struct weft_text text;
    uint32_t line, column;
};

/* Reports everything that is wrong with one text, a line each; at least one. Returns EXIT_ERROR. */
int problems_of_places(const char *code, const struct problems_place *places, size_t count);

/* Reports a result's error. Returns the exit code. */
int problems_of_result(const struct weft_result *result);

#endif
