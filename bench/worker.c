#include "bench/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/machine.h"
#include "bench/procs.h"
#include "bench/turn.h"

static const uint64_t REPORT_NS = TURN_REPORT_MS * UINT64_C(1000000);

enum { DESCRIPTORS = 3, DESCRIPTORS_SPARE = 64, WORD_BYTES = 48 };

bool worker_prepare(struct worker *worker, uint32_t sessions, uint64_t own, const char *what)
{
    char words[WORD_BYTES];
    snprintf(words, sizeof words, "%u %s", sessions, what);
    if (!procs_reserve_descriptors(own * DESCRIPTORS + DESCRIPTORS_SPARE, words))
        return false;
    if (worker->marks_count > 0)
        worker->marks = calloc(worker->marks_count, sizeof *worker->marks);
    worker->context = weft_context_new(sessions);
    if (worker->context != NULL && (worker->marks_count == 0 || worker->marks != NULL))
        return true;
    perror("weftbench");
    return false;
}

bool worker_turn(struct worker *worker, uint64_t until_ns)
{
    if (worker->settings->rate > 0) /* what was due leaves now; in a closed loop it has left */
        (void)weft_context_progress(worker->context);
    return turn_take(worker->context, worker->commands, until_ns);
}

bool worker_tell(struct worker *worker, bool is_last)
{
    bool has_tail = worker->marks != NULL && (is_last || worker->tells_marks);
    worker->told_ns = machine_now_ns();
    if (worker->refresh != NULL)
        worker->refresh(worker);
    return procs_tell(worker->reports, worker->report, worker->report_bytes,
                      has_tail ? worker->marks : NULL,
                      has_tail ? worker->marks_count * sizeof *worker->marks : 0, is_last);
}

bool worker_tell_now_and_then(struct worker *worker)
{
    return machine_now_ns() - worker->told_ns < REPORT_NS || worker_tell(worker, false);
}

bool worker_open(struct worker *worker, uint64_t limit_ns,
                 enum worker_opening (*look)(const struct worker *worker,
                                             const struct weft_client **culprit))
{
    uint64_t deadline_ns = machine_now_ns() + limit_ns;
    const struct weft_client *culprit = NULL;
    enum worker_opening opening = WORKER_NOT_YET;
    while (opening == WORKER_NOT_YET && machine_now_ns() < deadline_ns) {
        if (worker_turn(worker, deadline_ns))
            return false;
        opening = look(worker, &culprit);
    }
    if (opening != WORKER_OPEN && culprit != NULL)
        fprintf(stderr, "weftbench: a session could not be opened: %s\n",
                weft_last_failure(culprit));
    return opening == WORKER_OPEN;
}

uint64_t worker_start_await(struct worker *worker)
{
    struct worker_start start;
    worker->report->stage = WORKER_READY;
    if (!worker_tell(worker, false))
        return 0;
    while (!worker_turn(worker, UINT64_MAX))
        if (!worker_tell_now_and_then(worker))
            return 0;
    if (read(worker->commands, &start, sizeof start) != (ssize_t)sizeof start)
        return 0;
    while (machine_now_ns() < start.start_ns && !worker->is_ending)
        worker->is_ending = worker_turn(worker, start.start_ns);
    return start.start_ns;
}

bool worker_finish(struct worker *worker)
{
    while (!worker->is_ending) {
        worker->is_ending = worker_turn(worker, UINT64_MAX);
        if (!worker_tell_now_and_then(worker))
            return false;
    }
    return worker_tell(worker, true);
}

void worker_clear(struct worker *worker)
{
    if (worker->context != NULL)
        weft_context_destroy(&worker->context);
    free(worker->marks);
}
