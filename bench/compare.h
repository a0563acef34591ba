/* compare.h - sets a result beside an older one: what was asked differently, and the ratio of each
 * figure, new to old.
 * Memory: the objects are the caller's. Thread: one. */
#ifndef WEFT_BENCH_COMPARE_H
#define WEFT_BENCH_COMPARE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* Reads a result that an earlier run wrote. NULL: it can't be read, or is no result; a line on
 * stderr says so. The caller's to delete. */
cJSON *compare_load(const char *file);

enum compare_verdict { COMPARE_DONE, COMPARE_OTHER_VERB };

/* Prints the comparison. COMPARE_OTHER_VERB: they measured different things; nothing is printed. */
enum compare_verdict compare_print(FILE *out, const cJSON *older, const cJSON *newer);

/* new : old of the number at a path of keys such as "latency_us.p50". false: one of the two has
 * no such number, or the old one is 0. */
bool compare_ratio(const cJSON *older, const cJSON *newer, const char *path, double *ratio);

#endif
