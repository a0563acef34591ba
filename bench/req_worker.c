#include "bench/req_worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/callers.h"
#include "bench/echoes.h"

static const uint64_t OPENING_NS = 20000000000;

struct req_worker {
    struct worker worker;
    struct callers callers;
    struct echoes echoes;
    struct worker_report report;
};

uint32_t req_worker_calling(uint32_t procs)
{
    return (procs + 1) / 2;
}

/* ---- setting up ------------------------------------------------------------------------------*/

static bool assign(struct req_worker *self, uint32_t number)
{
    const struct worker *worker = &self->worker;
    const struct bench_settings *settings = worker->settings;
    uint32_t calling = req_worker_calling(settings->procs);
    uint32_t answering = settings->procs == 1 ? 1 : settings->procs - calling;
    uint64_t *seen = worker->marks == NULL ? NULL : worker->marks + worker->marks_count / 2;
    self->callers = (struct callers){.settings = settings,
                                     .context = worker->context,
                                     .tally = &self->report.tally,
                                     .answered = worker->marks,
                                     .first = number,
                                     .step = calling,
                                     .is_over = true};
    self->echoes = (struct echoes){.settings = settings,
                                   .context = worker->context,
                                   .tally = &self->report.tally,
                                   .seen = seen,
                                   .first = settings->procs == 1 ? 0 : number - calling,
                                   .step = answering};
    bool calls = number < calling;
    bool answers = settings->procs == 1 || number >= calling;
    if ((answers && !echoes_open(&self->echoes)) || (calls && !callers_open(&self->callers))) {
        perror("weftbench: can't make a session");
        return false;
    }
    return true;
}

static bool prepare(struct req_worker *self, uint32_t number)
{
    struct worker *worker = &self->worker;
    const struct bench_settings *settings = worker->settings;
    uint32_t sessions = settings->clients + echoes_wanted(settings);
    if (settings->checks)
        worker->marks_count = 2 * (size_t)settings->clients * settings->servers_count;
    return worker_prepare(worker, sessions, sessions / settings->procs, "callers and handlers") &&
           assign(self, number);
}

/* Every session stands and every handler is registered. */
static enum worker_opening look(const struct worker *worker, const struct weft_client **culprit)
{
    const struct req_worker *self = (const void *)worker;
    const struct weft_client *closed = NULL, *silent = NULL;
    bool are_open = callers_are_open(&self->callers, &closed);
    bool are_registered = echoes_are_registered(&self->echoes, &silent);
    *culprit = closed != NULL ? closed : silent;
    if (self->echoes.refused > 0) {
        fprintf(stderr, "weftbench: a handler could not be registered\n");
        *culprit = NULL;
        return WORKER_REFUSED;
    }
    return are_open && are_registered ? WORKER_OPEN : WORKER_NOT_YET;
}

/* ---- the run ---------------------------------------------------------------------------------*/

/* Callers call until they are done; handlers answer until the end. false: nobody listens. */
static bool measure(struct req_worker *self)
{
    struct worker *worker = &self->worker;
    struct callers *callers = &self->callers;
    while (!worker->is_ending && !callers_are_done(callers)) {
        worker->is_ending = worker_turn(worker, callers_send(callers));
        if (!worker_tell_now_and_then(worker))
            return false;
    }
    callers_stop(callers);
    self->report.stopped_ns = callers->stopped_ns;
    self->report.stage = WORKER_DONE;
    return worker_tell(worker, false) && worker_finish(worker);
}

static bool work(struct req_worker *self)
{
    if (!worker_open(&self->worker, OPENING_NS, look) || !callers_find_handlers(&self->callers))
        return false;
    echoes_name_nodes(&self->echoes, self->report.nodes);
    uint64_t start_ns = worker_start_await(&self->worker);
    if (start_ns == 0)
        return false;
    if (self->callers.count > 0)
        callers_begin(&self->callers, start_ns);
    return measure(self);
}

int req_worker_run(const void *job, uint32_t number, int commands, int reports)
{
    struct req_worker *self = calloc(1, sizeof *self);
    if (self == NULL)
        return BENCH_NOT_RUN;
    self->worker = (struct worker){.settings = ((const struct worker_job *)job)->settings,
                                   .commands = commands,
                                   .reports = reports,
                                   .report = &self->report,
                                   .report_bytes = sizeof self->report};
    bool has_run = prepare(self, number) && work(self);
    callers_clear(&self->callers);
    echoes_clear(&self->echoes);
    worker_clear(&self->worker);
    free(self);
    return has_run ? BENCH_HELD : BENCH_NOT_RUN;
}
