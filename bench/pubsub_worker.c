#include "bench/pubsub_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/publishers.h"

static const uint64_t OPENING_NS = 60000000000; /* thousands of sessions subscribe */

struct pubsub_worker {
    struct worker worker;
    bool publishes;
    struct publishers publishers;
    struct subscribers subscribers;
    struct pubsub_report report;
};

static struct pubsub_worker *self_of(struct worker *worker)
{
    void *self = worker; /* its first member */
    return self;
}

static void refresh(struct worker *worker)
{
    struct pubsub_worker *self = self_of(worker);
    self->report.received = self->subscribers.measured;
    self->report.resyncs = self->subscribers.resyncs;
    memcpy(self->report.closed, self->subscribers.closed, sizeof self->report.closed);
    subscribers_look(&self->subscribers);
}

/* ---- setting up ------------------------------------------------------------------------------*/

static uint64_t *marks_of(const struct worker *worker, enum pubsub_marks which)
{
    return worker->marks + (size_t)which * worker->settings->topics;
}

static bool assign(struct pubsub_worker *self, uint32_t number)
{
    const struct worker *worker = &self->worker;
    const struct bench_settings *settings = worker->settings;
    struct tally *tally = &self->report.common.tally;
    self->publishes = number == 0;
    self->publishers = (struct publishers){
        .settings = settings,
        .context = worker->context,
        .tally = tally,
        .confirmed = marks_of(worker, PUBSUB_CONFIRMED),
        .highest = marks_of(worker, PUBSUB_HIGHEST),
    };
    self->subscribers = (struct subscribers){
        .settings = settings,
        .context = worker->context,
        .tally = tally,
        .received = marks_of(worker, PUBSUB_RECEIVED),
        .lowest = marks_of(worker, PUBSUB_LOWEST),
        .first = settings->procs == 1 ? 0 : number - 1,
        .step = settings->procs == 1 ? 1 : settings->procs - 1,
        .measure_ns = UINT64_MAX,
    };
    bool hears = settings->procs == 1 || number > 0;
    if ((hears && !subscribers_open(&self->subscribers)) ||
        (self->publishes && !publishers_open(&self->publishers))) {
        perror("weftbench: can't make a session");
        return false;
    }
    return true;
}

static bool prepare(struct pubsub_worker *self, uint32_t number)
{
    struct worker *worker = &self->worker;
    const struct bench_settings *settings = worker->settings;
    uint32_t sessions = settings->clients + settings->publishers;
    uint64_t own = settings->procs == 1 ? sessions : sessions / (settings->procs - 1) + 1;
    worker->marks_count = (size_t)PUBSUB_MARKS * settings->topics;
    return worker_prepare(worker, sessions, own, "publishers and subscribers") &&
           assign(self, number);
}

/* Every session stands and every subscriber is subscribed. */
static enum worker_opening look(const struct worker *worker, const struct weft_client **culprit)
{
    const struct pubsub_worker *self = (const void *)worker;
    const struct weft_client *closed = NULL, *silent = NULL;
    bool are_open = publishers_are_open(&self->publishers, &closed);
    bool are_subscribed = subscribers_are_subscribed(&self->subscribers, &silent);
    *culprit = closed != NULL ? closed : silent;
    if (self->subscribers.refused > 0)
        return WORKER_REFUSED;
    return are_open && are_subscribed ? WORKER_OPEN : WORKER_NOT_YET;
}

/* ---- the run ---------------------------------------------------------------------------------*/

static void begin(struct pubsub_worker *self, uint64_t start_ns)
{
    const struct bench_settings *settings = self->worker.settings;
    self->subscribers.measure_ns = start_ns + settings->warmup_ns;
    self->subscribers.end_ns =
        settings->number > 0 ? UINT64_MAX : self->subscribers.measure_ns + settings->duration_ns;
    if (self->publishes)
        publishers_begin(&self->publishers, start_ns);
}

/* Publishes until it is done, or told to end, and hears until the end; false: nobody listens. */
static bool measure(struct pubsub_worker *self)
{
    struct worker *worker = &self->worker;
    while (self->publishes && !publishers_are_done(&self->publishers) && !worker->is_ending) {
        worker->is_ending = worker_turn(worker, publishers_send(&self->publishers));
        if (!worker_tell_now_and_then(worker))
            return false;
    }
    if (self->publishes) {
        publishers_stop(&self->publishers);
        self->report.common.stopped_ns = self->publishers.stopped_ns;
    }
    self->report.common.stage = WORKER_DONE;
    return worker_tell(worker, false) && worker_finish(worker);
}

static bool work(struct pubsub_worker *self)
{
    if (!worker_open(&self->worker, OPENING_NS, look))
        return false;
    publishers_name_nodes(&self->publishers, self->report.common.nodes);
    subscribers_name_nodes(&self->subscribers, self->report.common.nodes);
    uint64_t start_ns = worker_start_await(&self->worker);
    if (start_ns == 0)
        return false;
    begin(self, start_ns);
    return measure(self);
}

int pubsub_worker_run(const void *job, uint32_t number, int commands, int reports)
{
    struct pubsub_worker *self = calloc(1, sizeof *self);
    if (self == NULL)
        return BENCH_NOT_RUN;
    self->worker = (struct worker){.settings = ((const struct worker_job *)job)->settings,
                                   .commands = commands,
                                   .reports = reports,
                                   .report = &self->report.common,
                                   .report_bytes = sizeof self->report,
                                   .tells_marks = true,
                                   .refresh = refresh};
    bool has_run = prepare(self, number) && work(self);
    publishers_clear(&self->publishers);
    subscribers_clear(&self->subscribers);
    worker_clear(&self->worker);
    free(self);
    return has_run ? BENCH_HELD : BENCH_NOT_RUN;
}
