/* procs.h - client processes: starts them, reads what each tells of itself, ends them.
 *
 * A process tells one thing again and again: a head of fixed size (its report so far) and, when it
 * has one, a tail (a list that belongs to the head).
 * Memory: the table owns heads and tails. Thread: one. To be started before this process has a
 * context of its own: a fork must not find one. */
#ifndef WEFT_BENCH_PROCS_H
#define WEFT_BENCH_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct procs;

/* What a process does: its exit code. number: from 0. commands: what procs_command sends; closed at
 * its other end when the process is to come to an end. reports: for procs_tell. */
typedef int procs_work(const void *job, uint32_t number, int commands, int reports);

/* Forks `count` processes, each of which does `work` and is gone; they ignore INT and TERM, which
 * the terminal sends to all: this process decides. `job` is theirs as it was at the fork. NULL: a
 * line on stderr says why not, and none is left. */
struct procs *procs_begin(uint32_t count, size_t head_bytes, procs_work *work, const void *job);

/* Reads what the processes tell, waiting at most so long for it. false: one has ended that did not
 * say that it was over; it has said why. */
bool procs_pump(struct procs *procs, int timeout_ms);

uint32_t procs_count(const struct procs *procs);
pid_t procs_pid(const struct procs *procs, uint32_t number);

/* What process `number` told last; all zero before it said anything. The tail is the last one that
 * was told, also when heads without one came later; NULL, 0: none. Both live until the next
 * procs_pump. */
const void *procs_head(const struct procs *procs, uint32_t number);
const void *procs_tail(const struct procs *procs, uint32_t number, size_t *bytes);

/* Sends every process the same bytes; false: one does not listen any more. */
bool procs_command(struct procs *procs, const void *data, size_t bytes);

/* Closes the commands and waits until every process has told its last and has ended; the same for
 * the first `count`, while the others go on. */
void procs_end(struct procs *procs);
void procs_end_first(struct procs *procs, uint32_t count);

void procs_destroy(struct procs **procs);

/* ---- inside a process ------------------------------------------------------------------------*/

/* One head and its tail (NULL, 0: none). is_last: the process is about to end, as it should.
 * false: nobody listens. */
bool procs_tell(int reports, const void *head, size_t head_bytes, const void *tail,
                size_t tail_bytes, bool is_last);

/* Raises the number of descriptors to what is allowed; false and a line on stderr: `needed` are
 * not. what: that they are for, such as "4000 sessions". */
bool procs_reserve_descriptors(uint64_t needed, const char *what);

#endif
