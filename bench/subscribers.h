/* subscribers.h - the subscribers of one client process: each is subscribed to all topics of the
 * run, and judges every update that it receives.
 * Memory: its own until subscribers_clear. Thread: that of the context. */
#ifndef WEFT_BENCH_SUBSCRIBERS_H
#define WEFT_BENCH_SUBSCRIBERS_H

#include "bench/tally.h"

enum { SUBSCRIBERS_REASONS = 16 }; /* enum weft_close_reason and room for new ones */

struct subscribers {
    const struct bench_settings *settings;
    struct weft_context *context;
    struct tally *tally;  /* latency, from publish to receipt; checks but for lost */
    uint64_t *received;   /* by topic: updates that came to these subscribers in all */
    uint64_t *lowest;     /* by topic: the number that the last of them has come to */
    uint32_t first, step; /* subscribers first, first + step, .. of all are these */
    uint32_t count, standing, refused;
    struct subscriber *all;
    uint64_t *last; /* by subscriber and topic: the number of the last update */
    uint64_t measure_ns, end_ns;
    uint64_t resyncs, measured;           /* updates so marked; updates in the latency */
    uint32_t closed[SUBSCRIBERS_REASONS]; /* whose session ended, by reason */
};

/* Sets the rest of `subscribers` from what is set: settings to step. Begins to open the sessions
 * and to subscribe. false: no memory, or a session could not be made. */
bool subscribers_open(struct subscribers *subscribers);

/* All are subscribed; *problem: a session that is not open, if not. */
bool subscribers_are_subscribed(const struct subscribers *subscribers,
                                const struct weft_client **problem);

/* Notes the names of the nodes that they are on, by server. */
void subscribers_name_nodes(const struct subscribers *subscribers,
                            char names[BENCH_NODES_MAX][BENCH_NAME_BYTES]);

/* Fills in `lowest`. */
void subscribers_look(struct subscribers *subscribers);

void subscribers_clear(struct subscribers *subscribers);

#endif
