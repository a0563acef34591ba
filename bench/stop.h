/* stop.h - whether a signal asked this program to come to its end (TERM, INT). Thread: any. */
#ifndef WEFT_BENCH_STOP_H
#define WEFT_BENCH_STOP_H

#include <stdbool.h>

void stop_watch(void);
bool stop_is_wanted(void);

#endif
