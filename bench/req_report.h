/* req_report.h - shows what the verb `req` measured: what became of the requests, how long they
 * took, what they cost.
 * Thread: one. */
#ifndef WEFT_BENCH_REQ_REPORT_H
#define WEFT_BENCH_REQ_REPORT_H

#include "bench/meter.h"
#include "bench/tally.h"

struct req_report {
    char nodes[BENCH_NODES_MAX][BENCH_NAME_BYTES]; /* names, by server */
    double seconds;                                /* measured */
    struct tally tally;
    struct meter meter; /* read twice, or of an interrupted run not: took_ns is 0 */
};

void req_report_print(const struct bench_settings *settings, const struct req_report *report);

/* false: the result could not be written, or not be compared. */
bool req_report_write(const struct bench_settings *settings, struct req_report *report);

#endif
