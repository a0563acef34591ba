/* report.h - shows what a run measured: a table for people, one JSON object for programs.
 * Thread: one. */
#ifndef WEFT_BENCH_REPORT_H
#define WEFT_BENCH_REPORT_H

#include "bench/bench.h"

/* Prints the table to stdout. */
void report_print(const struct bench_settings *settings, const struct bench_report *report);

/* Writes the JSON object to settings->json_file ("-": stdout); false and a line on stderr if it
 * can't. */
bool report_write_json(const char *verb, const struct bench_settings *settings,
                       const struct bench_report *report);

#endif
