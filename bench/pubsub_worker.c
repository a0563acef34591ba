#include "bench/pubsub_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/machine.h"
#include "bench/procs.h"
#include "bench/publishers.h"
#include "bench/subscribers.h"
#include "bench/turn.h"

static const uint64_t REPORT_NS = TURN_REPORT_MS * UINT64_C(1000000);
static const uint64_t OPENING_NS = 60000000000; /* thousands of sessions subscribe */

enum { DESCRIPTORS = 3, DESCRIPTORS_SPARE = 64, WORD_BYTES = 48 };

struct worker {
    const struct bench_settings *settings;
    struct weft_context *context;
    int commands, reports;
    bool is_ending; /* commands were closed */
    bool publishes;
    uint64_t told_ns;
    struct publishers publishers;
    struct subscribers subscribers;
    uint64_t *marks; /* PUBSUB_MARKS for each topic */
    struct pubsub_report report;
};

/* ---- telling ---------------------------------------------------------------------------------*/

static uint64_t *marks_of(struct worker *worker, enum pubsub_marks which)
{
    return worker->marks + (size_t)which * worker->settings->topics;
}

static bool tell(struct worker *worker, bool is_last)
{
    size_t bytes = (size_t)PUBSUB_MARKS * worker->settings->topics * sizeof *worker->marks;
    worker->told_ns = machine_now_ns();
    worker->report.received = worker->subscribers.measured;
    worker->report.resyncs = worker->subscribers.resyncs;
    subscribers_look(&worker->subscribers);
    return procs_tell(worker->reports, &worker->report, sizeof worker->report, worker->marks, bytes,
                      is_last);
}

static bool tell_now_and_then(struct worker *worker)
{
    return machine_now_ns() - worker->told_ns < REPORT_NS || tell(worker, false);
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
    uint32_t hearing = settings->procs == 1 ? 1 : settings->procs - 1;
    worker->publishes = number == 0;
    worker->publishers = (struct publishers){
        .settings = settings,
        .context = worker->context,
        .tally = &worker->report.tally,
        .confirmed = marks_of(worker, PUBSUB_CONFIRMED),
        .highest = marks_of(worker, PUBSUB_HIGHEST),
    };
    worker->subscribers = (struct subscribers){
        .settings = settings,
        .context = worker->context,
        .tally = &worker->report.tally,
        .received = marks_of(worker, PUBSUB_RECEIVED),
        .lowest = marks_of(worker, PUBSUB_LOWEST),
        .first = settings->procs == 1 ? 0 : number - 1,
        .step = hearing,
        .measure_ns = UINT64_MAX,
    };
    bool hears = settings->procs == 1 || number > 0;
    if ((hears && !subscribers_open(&worker->subscribers)) ||
        (worker->publishes && !publishers_open(&worker->publishers))) {
        perror("weftbench: can't make a session");
        return false;
    }
    return true;
}

static bool prepare(struct worker *worker, uint32_t number)
{
    const struct bench_settings *settings = worker->settings;
    uint32_t sessions = settings->clients + settings->publishers;
    char what[WORD_BYTES];
    snprintf(what, sizeof what, "%u publishers and subscribers", sessions);
    uint64_t own = settings->procs == 1 ? sessions : sessions / (settings->procs - 1) + 1;
    if (!procs_reserve_descriptors(own * DESCRIPTORS + DESCRIPTORS_SPARE, what))
        return false;
    worker->marks = calloc((size_t)PUBSUB_MARKS * settings->topics, sizeof *worker->marks);
    worker->context = weft_context_new(sessions);
    if (worker->context == NULL || worker->marks == NULL) {
        perror("weftbench");
        return false;
    }
    return assign(worker, number);
}

/* Waits until every session stands and every subscriber is subscribed. */
static bool open_all(struct worker *worker)
{
    uint64_t deadline_ns = machine_now_ns() + OPENING_NS;
    const struct weft_client *closed = NULL, *silent = NULL;
    bool is_open = false;
    while (!is_open && machine_now_ns() < deadline_ns && worker->subscribers.refused == 0) {
        if (turn(worker, deadline_ns))
            return false;
        bool are_open = publishers_are_open(&worker->publishers, &closed);
        bool are_subscribed = subscribers_are_subscribed(&worker->subscribers, &silent);
        is_open = are_open && are_subscribed;
    }
    if (!is_open && (closed != NULL || silent != NULL))
        fprintf(stderr, "weftbench: a session could not be opened: %s\n",
                weft_last_failure(closed != NULL ? closed : silent));
    return is_open;
}

/* Waits for the start. 0: it will not come. */
static uint64_t await_start(struct worker *worker)
{
    struct pubsub_start start;
    while (!turn(worker, UINT64_MAX))
        if (!tell_now_and_then(worker))
            return 0;
    return read(worker->commands, &start, sizeof start) == (ssize_t)sizeof start ? start.start_ns
                                                                                 : 0;
}

/* ---- measuring -------------------------------------------------------------------------------*/

static void begin(struct worker *worker, uint64_t start_ns)
{
    const struct bench_settings *settings = worker->settings;
    worker->subscribers.measure_ns = start_ns + settings->warmup_ns;
    worker->subscribers.end_ns =
        settings->number > 0 ? UINT64_MAX : worker->subscribers.measure_ns + settings->duration_ns;
    if (worker->publishes)
        publishers_begin(&worker->publishers, start_ns);
}

/* Publishes until it is done, or told to end; false: nobody listens. */
static bool publish(struct worker *worker)
{
    while (worker->publishes && !publishers_are_done(&worker->publishers) && !worker->is_ending) {
        uint64_t next_ns = publishers_send(&worker->publishers);
        worker->is_ending = turn(worker, next_ns);
        if (!tell_now_and_then(worker))
            return false;
    }
    if (worker->publishes) {
        publishers_stop(&worker->publishers);
        worker->report.stopped_ns = worker->publishers.stopped_ns;
    }
    worker->report.stage = PUBSUB_DONE;
    return tell(worker, false);
}

static bool hear(struct worker *worker)
{
    while (!worker->is_ending) {
        worker->is_ending = turn(worker, UINT64_MAX);
        if (!tell_now_and_then(worker))
            return false;
    }
    return tell(worker, true);
}

static bool work(struct worker *worker)
{
    if (!open_all(worker))
        return false;
    publishers_name_nodes(&worker->publishers, worker->report.nodes);
    subscribers_name_nodes(&worker->subscribers, worker->report.nodes);
    worker->report.stage = PUBSUB_READY;
    uint64_t start_ns = tell(worker, false) ? await_start(worker) : 0;
    if (start_ns == 0)
        return false;
    while (machine_now_ns() < start_ns && !worker->is_ending)
        worker->is_ending = turn(worker, start_ns);
    begin(worker, start_ns);
    return publish(worker) && hear(worker);
}

int pubsub_worker_run(const void *job, uint32_t number, int commands, int reports)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return BENCH_NOT_RUN;
    worker->settings = ((const struct pubsub_job *)job)->settings;
    worker->commands = commands;
    worker->reports = reports;
    bool has_run = prepare(worker, number) && work(worker);
    publishers_clear(&worker->publishers);
    subscribers_clear(&worker->subscribers);
    if (worker->context != NULL)
        weft_context_destroy(&worker->context);
    free(worker->marks);
    free(worker);
    return has_run ? BENCH_HELD : BENCH_NOT_RUN;
}
