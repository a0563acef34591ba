#include "bench/req.h"

/* Callers and echo handlers are sessions of client processes (req_worker.h). A path names one
 * node's handlers, so that the route is what was asked for: a caller on node i asks node i's path
 * (local), another node's (remote), or any of them as the dice fall (mixed). This process starts
 * all at one moment, shows how far they are, reads meters when measuring begins and ends, and adds
 * up. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/machine.h"
#include "bench/procs.h"
#include "bench/report.h"
#include "bench/req_report.h"
#include "bench/req_worker.h"
#include "bench/stop.h"

static const uint64_t HEAD_START_NS = 50000000; /* so that all processes begin together */
static const uint64_t SHOWN_NS = 500000000;

enum { TURN_MS = 100 };

struct req {
    const struct bench_settings *settings;
    struct worker_job job;
    struct procs *procs;
    uint64_t measure_ns, end_ns, shown_ns;
    bool is_on_terminal;
    struct tally shown; /* of the progress line */
    struct req_report report;
};

static const struct worker_report *report_of(const struct req *req, uint32_t number)
{
    return procs_head(req->procs, number);
}

/* Whether the first `count` processes have come so far. */
static bool have_reached(const struct req *req, uint32_t count, enum worker_stage stage)
{
    for (uint32_t i = 0; i < count; i++)
        if (report_of(req, i)->stage < stage)
            return false;
    return true;
}

/* ---- before ----------------------------------------------------------------------------------*/

static bool wait_ready(struct req *req)
{
    while (!have_reached(req, req->settings->procs, WORKER_READY)) {
        if (!procs_pump(req->procs, TURN_MS) || stop_is_wanted())
            return false;
    }
    return true;
}

static void take_names(struct req *req)
{
    for (uint32_t i = 0; i < req->settings->procs; i++)
        for (uint32_t j = 0; j < req->settings->servers_count; j++)
            if (report_of(req, i)->nodes[j][0] != '\0')
                memcpy(req->report.nodes[j], report_of(req, i)->nodes[j], BENCH_NAME_BYTES);
}

static bool start(struct req *req)
{
    const struct bench_settings *settings = req->settings;
    const struct worker_start command = {machine_now_ns() + HEAD_START_NS};
    req->measure_ns = command.start_ns + settings->warmup_ns;
    req->end_ns = settings->number > 0 ? UINT64_MAX : req->measure_ns + settings->duration_ns;
    return procs_command(req->procs, &command, sizeof command);
}

/* ---- meanwhile -------------------------------------------------------------------------------*/

static void show_progress(struct req *req)
{
    uint64_t now_ns = machine_now_ns();
    if (!req->is_on_terminal || now_ns - req->shown_ns < SHOWN_NS)
        return;
    struct tally tally = {.sent = 0};
    for (uint32_t i = 0; i < req->settings->procs; i++)
        tally_add(&tally, &report_of(req, i)->tally);
    double seconds = (double)(now_ns - req->shown_ns) / 1e9;
    double rate = (double)(tally.latency.count - req->shown.latency.count) / seconds;
    if (now_ns < req->measure_ns)
        fprintf(stderr, "\rwarming up   ");
    else
        fprintf(stderr, "\r%6.1f s  %" PRIu64 " answered, %.0f/s, p99 %.0f us   ",
                (double)(now_ns - req->measure_ns) / 1e9, tally.latency.count,
                req->shown_ns == 0 ? 0 : rate,
                (double)histogram_quantile(&tally.latency, 0.99) / 1e3);
    req->shown = tally;
    req->shown_ns = now_ns;
}

static bool are_done(const struct req *req)
{
    return have_reached(req, req_worker_calling(req->settings->procs), WORKER_DONE);
}

/* Listens to the processes until then, or until all callers are done. false: one has broken, or a
 * signal came. */
static bool pump_until(struct req *req, uint64_t until_ns)
{
    for (;;) {
        uint64_t now_ns = machine_now_ns();
        if (now_ns >= until_ns || are_done(req))
            return true;
        uint64_t left_ms = (until_ns - now_ns) / 1000000 + 1;
        if (!procs_pump(req->procs, left_ms < TURN_MS ? (int)left_ms : TURN_MS) || stop_is_wanted())
            return false;
        meter_attend(&req->report.meter);
        show_progress(req);
    }
}

static void read_meters(struct req *req, const pid_t *clients)
{
    meter_read(&req->report.meter, clients, req->settings->procs);
}

/* false: a process has broken. */
static bool measure(struct req *req, const pid_t *clients)
{
    if (pump_until(req, req->measure_ns)) {
        read_meters(req, clients);
        if (pump_until(req, req->end_ns))
            read_meters(req, clients);
    }
    while (!are_done(req) && !stop_is_wanted() && procs_pump(req->procs, TURN_MS))
        show_progress(req);
    bool is_whole = stop_is_wanted() || are_done(req);
    if (req->shown_ns != 0)
        fprintf(stderr, "\r%60s\r", "");
    return is_whole;
}

/* ---- after -----------------------------------------------------------------------------------*/

/* Adds up what the processes say was answered, and what the handlers saw. */
static void find_lost(struct req *req)
{
    const struct bench_settings *settings = req->settings;
    size_t cells = (size_t)settings->clients * settings->servers_count;
    uint64_t *sums = calloc(2 * cells, sizeof *sums);
    for (uint32_t i = 0; sums != NULL && i < settings->procs; i++) {
        size_t bytes;
        const uint64_t *marks = procs_tail(req->procs, i, &bytes);
        for (size_t j = 0; bytes == 2 * cells * sizeof *sums && j < 2 * cells; j++)
            sums[j] += marks[j];
    }
    if (sums != NULL) {
        const struct tally_marks all = {sums, sums + cells};
        req->report.tally.checks.lost += tally_lost(&all, cells);
    }
    free(sums);
}

static void add_up(struct req *req)
{
    for (uint32_t i = 0; i < req->settings->procs; i++) {
        const struct worker_report *report = report_of(req, i);
        tally_add(&req->report.tally, &report->tally);
        double seconds = report->stopped_ns > req->measure_ns
                             ? (double)(report->stopped_ns - req->measure_ns) / 1e9
                             : 0;
        if (i < req_worker_calling(req->settings->procs) && seconds > req->report.seconds)
            req->report.seconds = seconds;
    }
    if (req->settings->checks)
        find_lost(req);
}

static bool run(struct req *req, const struct spawn *spawn)
{
    pid_t clients[BENCH_PROCS_MAX], nodes[BENCH_NODES_MAX] = {0};
    for (uint32_t i = 0; i < spawn->count; i++)
        nodes[i] = spawn->nodes[i].pid;
    for (uint32_t i = 0; i < req->settings->procs; i++)
        clients[i] = procs_pid(req->procs, i);
    if (!wait_ready(req))
        return false;
    take_names(req);
    meter_begin(&req->report.meter, req->settings, nodes, req->report.nodes);
    bool is_whole = start(req) && measure(req, clients);
    meter_end(&req->report.meter);
    return is_whole;
}

enum bench_exit req_run(const struct bench_settings *settings, struct spawn *spawn)
{
    static struct req req;
    req = (struct req){
        .settings = settings, .job = {settings}, .is_on_terminal = isatty(STDERR_FILENO) != 0};
    req.procs =
        procs_begin(settings->procs, sizeof(struct worker_report), req_worker_run, &req.job);
    if (req.procs == NULL)
        return BENCH_NOT_RUN;
    bool has_run = run(&req, spawn);
    procs_end_first(req.procs, req_worker_calling(settings->procs)); /* who asks needs an answer */
    procs_end(req.procs);
    if (has_run)
        add_up(&req);
    procs_destroy(&req.procs);
    if (!has_run)
        return BENCH_NOT_RUN;
    if (report_table_is_wanted(settings))
        req_report_print(settings, &req.report);
    if (!req_report_write(settings, &req.report))
        return BENCH_NOT_RUN;
    return tally_has_held(&req.report.tally) ? BENCH_HELD : BENCH_BROKEN;
}
