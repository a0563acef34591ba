/* crowd.h - many sessions in processes of their own (holder.h), as one: opens them, adds up what
 * becomes of them, ends them.
 * Memory: the crowd's until crowd_end. Thread: one. */
#ifndef WEFT_BENCH_CROWD_H
#define WEFT_BENCH_CROWD_H

#include "bench/holder.h"

struct crowd;

/* Starts the client processes, which begin to open sessions at once. To be called before this
 * process has a context of its own. NULL: a line on stderr says why not. */
struct crowd *crowd_begin(const struct bench_settings *settings);

/* Reads what the processes tell, waiting at most so long for it. false: one has ended that should
 * not have; it has said why. */
bool crowd_pump(struct crowd *crowd, int timeout_ms);

/* Pumps, showing progress, until every process has opened what it could. Also false when a signal
 * came (is_over is asked every 100 ms). */
bool crowd_wait(struct crowd *crowd, bool (*is_over)(void));

/* All processes' reports as one. Lives until the next call for this crowd. */
const struct holder_report *crowd_report(struct crowd *crowd);

/* Seconds from the start to the last session that opened. */
double crowd_seconds(struct crowd *crowd);

/* Session ids that occur more than once among those that stood when holding began. */
uint64_t crowd_duplicates(struct crowd *crowd);

/* Ends all sessions and waits for the processes; the last report then holds. */
void crowd_end(struct crowd *crowd);

void crowd_destroy(struct crowd **crowd);

#endif
