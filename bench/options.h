/* options.h - decides what the command line asks for. Thread: one. */
#ifndef WEFT_BENCH_OPTIONS_H
#define WEFT_BENCH_OPTIONS_H

#include "bench/bench.h"

/* Reads the command line. What is wrong with it is said on stderr, and the program ends with
 * BENCH_USAGE; so it does after --help and --version, with 0. Texts live as long as the program. */
void options_parse(int count, char **words, struct bench_settings *settings);

#endif
