#include "bench/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/callers.h"
#include "bench/echoes.h"
#include "bench/machine.h"
#include "bench/procs.h"
#include "bench/turn.h"

static const uint64_t REPORT_NS = TURN_REPORT_MS * UINT64_C(1000000);
static const uint64_t OPENING_NS = 20000000000;

enum { DESCRIPTORS = 3, DESCRIPTORS_SPARE = 64, WORD_BYTES = 48 };

struct worker {
    const struct bench_settings *settings;
    struct weft_context *context;
    int commands, reports;
    bool is_ending; /* commands were closed */
    uint64_t told_ns;
    struct callers callers;
    struct echoes echoes;
    uint64_t *marks; /* answered, then seen; NULL without checks */
    size_t cells;
    struct worker_report report;
};

uint32_t worker_calling(uint32_t procs)
{
    return (procs + 1) / 2;
}

/* ---- telling and hearing ---------------------------------------------------------------------*/

static bool tell(struct worker *worker)
{
    worker->told_ns = machine_now_ns();
    return procs_tell(worker->reports, &worker->report, sizeof worker->report, NULL, 0, false);
}

static bool tell_last(struct worker *worker)
{
    return procs_tell(worker->reports, &worker->report, sizeof worker->report, worker->marks,
                      worker->marks == NULL ? 0 : 2 * worker->cells * sizeof *worker->marks, true);
}

static bool tell_now_and_then(struct worker *worker)
{
    return machine_now_ns() - worker->told_ns < REPORT_NS || tell(worker);
}

static bool turn(struct worker *worker, uint64_t until_ns)
{
    if (worker->settings->rate > 0) /* what was due leaves now; in a closed loop it has left */
        (void)weft_context_progress(worker->context);
    return turn_take(worker->context, worker->commands, until_ns);
}

/* ---- setting up ------------------------------------------------------------------------------*/

static bool assign(struct worker *worker, uint32_t number)
{
    const struct bench_settings *settings = worker->settings;
    uint32_t calling = worker_calling(settings->procs);
    uint32_t answering = settings->procs == 1 ? 1 : settings->procs - calling;
    uint64_t *answered = worker->marks;
    uint64_t *seen = worker->marks == NULL ? NULL : worker->marks + worker->cells;
    worker->callers = (struct callers){.settings = settings,
                                       .context = worker->context,
                                       .tally = &worker->report.tally,
                                       .answered = answered,
                                       .first = number,
                                       .step = calling,
                                       .is_over = true};
    worker->echoes = (struct echoes){.settings = settings,
                                     .context = worker->context,
                                     .tally = &worker->report.tally,
                                     .seen = seen,
                                     .first = settings->procs == 1 ? 0 : number - calling,
                                     .step = answering};
    bool calls = number < calling;
    bool answers = settings->procs == 1 || number >= calling;
    if ((answers && !echoes_open(&worker->echoes)) || (calls && !callers_open(&worker->callers))) {
        perror("weftbench: can't make a session");
        return false;
    }
    return true;
}

static bool prepare(struct worker *worker, uint32_t number)
{
    const struct bench_settings *settings = worker->settings;
    uint32_t sessions = settings->clients + echoes_wanted(settings);
    char what[WORD_BYTES];
    snprintf(what, sizeof what, "%u callers and handlers", sessions);
    if (!procs_reserve_descriptors(
            (uint64_t)sessions / settings->procs * DESCRIPTORS + DESCRIPTORS_SPARE, what))
        return false;
    worker->cells = (size_t)settings->clients * settings->servers_count;
    if (settings->checks)
        worker->marks = calloc(2 * worker->cells, sizeof *worker->marks);
    worker->context = weft_context_new(sessions);
    if (worker->context == NULL || (settings->checks && worker->marks == NULL)) {
        perror("weftbench");
        return false;
    }
    return assign(worker, number);
}

/* Waits until every session stands and every handler is registered. */
static bool open_all(struct worker *worker)
{
    uint64_t deadline_ns = machine_now_ns() + OPENING_NS;
    const struct weft_client *closed = NULL, *silent = NULL;
    bool is_open = false;
    while (!is_open && machine_now_ns() < deadline_ns && worker->echoes.refused == 0) {
        if (turn(worker, deadline_ns))
            return false;
        bool are_open = callers_are_open(&worker->callers, &closed);
        bool are_registered = echoes_are_registered(&worker->echoes, &silent);
        is_open = are_open && are_registered;
    }
    if (is_open)
        return true;
    if (closed != NULL || silent != NULL)
        fprintf(stderr, "weftbench: a session could not be opened: %s\n",
                weft_last_failure(closed != NULL ? closed : silent));
    else
        fprintf(stderr, "weftbench: a handler could not be registered\n");
    return false;
}

/* Waits for the start. 0: it will not come. */
static uint64_t await_start(struct worker *worker)
{
    struct worker_start start;
    while (!turn(worker, UINT64_MAX))
        continue;
    return read(worker->commands, &start, sizeof start) == sizeof start ? start.start_ns : 0;
}

/* ---- the run ---------------------------------------------------------------------------------*/

/* Callers call until they are done; handlers answer until the end. false: nobody listens. */
static bool measure(struct worker *worker)
{
    struct callers *callers = &worker->callers;
    while (!worker->is_ending && !callers_are_done(callers)) {
        worker->is_ending = turn(worker, callers_send(callers));
        if (!tell_now_and_then(worker))
            return false;
    }
    callers_stop(callers);
    worker->report.stopped_ns = callers->stopped_ns;
    worker->report.stage = WORKER_DONE;
    bool is_heard = tell(worker);
    while (is_heard && !worker->is_ending) {
        worker->is_ending = turn(worker, UINT64_MAX);
        is_heard = tell_now_and_then(worker);
    }
    return is_heard;
}

static bool work(struct worker *worker)
{
    if (!open_all(worker) || !callers_find_handlers(&worker->callers))
        return false;
    echoes_name_nodes(&worker->echoes, worker->report.nodes);
    worker->report.stage = WORKER_READY;
    uint64_t start_ns = tell(worker) ? await_start(worker) : 0;
    if (start_ns == 0)
        return false;
    while (machine_now_ns() < start_ns)
        worker->is_ending = turn(worker, start_ns) || worker->is_ending;
    if (worker->callers.count > 0)
        callers_begin(&worker->callers, start_ns);
    return measure(worker) && tell_last(worker);
}

int worker_run(const void *job, uint32_t number, int commands, int reports)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return BENCH_NOT_RUN;
    worker->settings = ((const struct worker_job *)job)->settings;
    worker->commands = commands;
    worker->reports = reports;
    bool has_run = prepare(worker, number) && work(worker);
    callers_clear(&worker->callers);
    echoes_clear(&worker->echoes);
    if (worker->context != NULL)
        weft_context_destroy(&worker->context);
    free(worker->marks);
    free(worker);
    return has_run ? BENCH_HELD : BENCH_NOT_RUN;
}
