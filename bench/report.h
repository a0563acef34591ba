/* report.h - shows what a run measured: a table for people, one JSON object for programs. What is
 * common to all verbs is here; each verb adds its own.
 * Thread: one. */
#ifndef WEFT_BENCH_REPORT_H
#define WEFT_BENCH_REPORT_H

#include <cjson/cJSON.h>

#include "bench/bench.h"

/* The line that says on what, and "; N nodes", without an end of line. */
void report_print_machine(const struct bench_settings *settings);

/* The line of a latency's quantiles. */
void report_print_latency(const struct bench_settings *settings, const struct histogram *latency);

/* The object with what is known before the run: version, time, machine, placement, settings.
 * names: of the nodes, in the order of the servers. The caller's to end. */
cJSON *report_json_begin(const struct bench_settings *settings,
                         char names[BENCH_NODES_MAX][BENCH_NAME_BYTES]);

void report_json_latency(cJSON *to, const struct bench_settings *settings,
                         const struct histogram *latency);

/* Adds the verdict and frees the object. Before that, if asked for: writes it to
 * settings->json_file ("-": stdout), and compares it with settings->compare_file. false and a line
 * on stderr if that can't be done. */
bool report_json_end(cJSON *object, const struct bench_settings *settings, bool has_held);

/* Whether standard output is for people: not with `--json -`. */
bool report_table_is_wanted(const struct bench_settings *settings);

#endif
