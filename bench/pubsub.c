#include "bench/pubsub.h"

/* The publishers' process knows which updates were confirmed, the subscribers' which came: this
 * process starts all at one moment, and when the publishers are done waits until all that was
 * confirmed has come to every subscriber, or clearly does not. With --conflate updates may be
 * merged away: then the last one of each topic has to come. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/cost.h"
#include "bench/machine.h"
#include "bench/procs.h"
#include "bench/pubsub_worker.h"
#include "bench/report.h"
#include "bench/stop.h"

static const uint64_t HEAD_START_NS = 50000000; /* so that all processes begin together */
static const uint64_t SETTLE_NS = 15000000000;  /* for what was confirmed to come */

enum { TURN_MS = 50 };

struct pubsub {
    const struct bench_settings *settings;
    struct worker_job job;
    struct procs *procs;
    uint64_t measure_ns;
    bool is_on_terminal;
    uint64_t *sums; /* PUBSUB_MARKS for each topic, of all processes */
    char nodes[BENCH_NODES_MAX][BENCH_NAME_BYTES];
    struct tally tally;
    uint64_t received, resyncs;
    uint32_t closed[SUBSCRIBERS_REASONS]; /* subscribers whose session ended */
    double seconds;
    struct meter meter;
};

static const struct pubsub_report *report_of(const struct pubsub *pubsub, uint32_t number)
{
    return procs_head(pubsub->procs, number);
}

static const struct worker_report *common_of(const struct pubsub *pubsub, uint32_t number)
{
    return &report_of(pubsub, number)->common;
}

static bool have_reached(const struct pubsub *pubsub, enum worker_stage stage)
{
    for (uint32_t i = 0; i < pubsub->settings->procs; i++)
        if (common_of(pubsub, i)->stage < stage)
            return false;
    return true;
}

/* ---- what came of each topic -----------------------------------------------------------------*/

static uint64_t mark(const struct pubsub *pubsub, enum pubsub_marks which, uint32_t topic)
{
    return pubsub->sums[(size_t)which * pubsub->settings->topics + topic];
}

static void add_marks(struct pubsub *pubsub, const uint64_t *marks)
{
    size_t topics = pubsub->settings->topics;
    for (size_t i = 0; i < PUBSUB_LOWEST * topics; i++)
        pubsub->sums[i] += marks[i];
    for (size_t i = PUBSUB_LOWEST * topics; i < PUBSUB_MARKS * topics; i++)
        if (marks[i] < pubsub->sums[i])
            pubsub->sums[i] = marks[i];
}

static void sum_marks(struct pubsub *pubsub)
{
    size_t topics = pubsub->settings->topics;
    size_t cells = PUBSUB_MARKS * topics;
    memset(pubsub->sums, 0, cells * sizeof *pubsub->sums);
    for (size_t i = PUBSUB_LOWEST * topics; i < cells; i++)
        pubsub->sums[i] = UINT64_MAX;
    for (uint32_t i = 0; i < pubsub->settings->procs; i++) {
        size_t bytes;
        const uint64_t *marks = procs_tail(pubsub->procs, i, &bytes);
        if (bytes == cells * sizeof *marks)
            add_marks(pubsub, marks);
    }
}

/* Updates of the topic that should have come to somebody and did not; conflated: 1 if somebody did
 * not get the last one. */
static uint64_t missing(const struct pubsub *pubsub, uint32_t topic)
{
    uint64_t due = mark(pubsub, PUBSUB_CONFIRMED, topic) * pubsub->settings->clients;
    uint64_t came = mark(pubsub, PUBSUB_RECEIVED, topic);
    if (pubsub->settings->conflates)
        return mark(pubsub, PUBSUB_LOWEST, topic) < mark(pubsub, PUBSUB_HIGHEST, topic);
    return due > came ? due - came : 0;
}

static uint64_t missing_in_all(struct pubsub *pubsub)
{
    uint64_t all = 0;
    sum_marks(pubsub);
    for (uint32_t topic = 0; topic < pubsub->settings->topics; topic++)
        all += missing(pubsub, topic);
    return all;
}

/* ---- the run ---------------------------------------------------------------------------------*/

/* Listens to the processes until all have come so far; false: one has broken, or a signal came. */
static bool pump_until(struct pubsub *pubsub, enum worker_stage stage)
{
    while (!have_reached(pubsub, stage)) {
        if (!procs_pump(pubsub->procs, TURN_MS) || stop_is_wanted())
            return false;
        if (pubsub->is_on_terminal && stage == WORKER_DONE)
            fprintf(stderr, "\r%" PRIu64 " updates sent   ", common_of(pubsub, 0)->tally.sent);
    }
    if (pubsub->is_on_terminal)
        fprintf(stderr, "\r%40s\r", "");
    return true;
}

static bool start(struct pubsub *pubsub)
{
    const struct worker_start command = {machine_now_ns() + HEAD_START_NS};
    pubsub->measure_ns = command.start_ns + pubsub->settings->warmup_ns;
    return procs_command(pubsub->procs, &command, sizeof command);
}

static void take_names(struct pubsub *pubsub)
{
    for (uint32_t i = 0; i < pubsub->settings->procs; i++)
        for (uint32_t j = 0; j < pubsub->settings->servers_count; j++)
            if (common_of(pubsub, i)->nodes[j][0] != '\0')
                memcpy(pubsub->nodes[j], common_of(pubsub, i)->nodes[j], BENCH_NAME_BYTES);
}

/* To whoever is gone nothing comes any more. */
static bool is_any_closed(const struct pubsub *pubsub)
{
    for (uint32_t i = 0; i < pubsub->settings->procs; i++)
        for (uint32_t j = 0; j < SUBSCRIBERS_REASONS; j++)
            if (report_of(pubsub, i)->closed[j] > 0)
                return true;
    return false;
}

static bool settle(struct pubsub *pubsub)
{
    uint64_t deadline_ns = machine_now_ns() + SETTLE_NS;
    while (missing_in_all(pubsub) > 0 && !is_any_closed(pubsub) && machine_now_ns() < deadline_ns)
        if (!procs_pump(pubsub->procs, TURN_MS) || stop_is_wanted())
            return false;
    return true;
}

/* Listens until measuring begins, and reads the meters then. */
static bool pump_to_measuring(struct pubsub *pubsub, const pid_t *clients)
{
    for (;;) {
        uint64_t now_ns = machine_now_ns();
        if (now_ns >= pubsub->measure_ns)
            break;
        uint64_t left_ms = (pubsub->measure_ns - now_ns) / 1000000 + 1;
        if (!procs_pump(pubsub->procs, left_ms < TURN_MS ? (int)left_ms : TURN_MS) ||
            stop_is_wanted())
            return false;
    }
    meter_read(&pubsub->meter, clients, pubsub->settings->procs);
    return true;
}

/* false: it is not known what happened. */
static bool measure(struct pubsub *pubsub, const struct spawn *spawn)
{
    pid_t clients[BENCH_PROCS_MAX], nodes[BENCH_NODES_MAX] = {0};
    for (uint32_t i = 0; i < spawn->count; i++)
        nodes[i] = spawn->nodes[i].pid;
    for (uint32_t i = 0; i < pubsub->settings->procs; i++)
        clients[i] = procs_pid(pubsub->procs, i);
    if (!pump_until(pubsub, WORKER_READY))
        return false;
    take_names(pubsub);
    meter_begin(&pubsub->meter, pubsub->settings, nodes, pubsub->nodes);
    bool is_whole =
        start(pubsub) && pump_to_measuring(pubsub, clients) && pump_until(pubsub, WORKER_DONE);
    if (is_whole)
        meter_read(&pubsub->meter, clients, pubsub->settings->procs);
    meter_end(&pubsub->meter);
    return is_whole && settle(pubsub);
}

static void add_up(struct pubsub *pubsub)
{
    const struct bench_settings *settings = pubsub->settings;
    for (uint32_t i = 0; i < settings->procs; i++) {
        const struct pubsub_report *report = report_of(pubsub, i);
        tally_add(&pubsub->tally, &report->common.tally);
        pubsub->received += report->received;
        pubsub->resyncs += report->resyncs;
        if (report->common.stopped_ns > pubsub->measure_ns)
            pubsub->seconds = (double)(report->common.stopped_ns - pubsub->measure_ns) / 1e9;
        for (uint32_t j = 0; j < SUBSCRIBERS_REASONS; j++)
            pubsub->closed[j] += report->closed[j];
    }
    pubsub->tally.checks.lost = missing_in_all(pubsub);
}

/* ---- the report ------------------------------------------------------------------------------*/

static double per_second(const struct pubsub *pubsub, uint64_t count)
{
    return pubsub->seconds > 0 ? (double)count / pubsub->seconds : 0;
}

static bool has_held(const struct pubsub *pubsub)
{
    return tally_has_held(&pubsub->tally) && pubsub->received > 0;
}

/* A node gives up who reads more slowly than updates come, where none may be merged. */
static void print_closed(const struct pubsub *pubsub)
{
    for (uint32_t i = 0; i < SUBSCRIBERS_REASONS; i++)
        if (pubsub->closed[i] > 0)
            printf("           %" PRIu32 " subscribers' sessions ended: %s\n", pubsub->closed[i],
                   weft_close_reason_name((enum weft_close_reason)i));
}

static void print(const struct pubsub *pubsub)
{
    const struct bench_settings *settings = pubsub->settings;
    const struct tally *tally = &pubsub->tally;
    uint64_t ok = tally->outcomes[WEFT_OK];
    report_print_machine(settings);
    printf(", %" PRIu32 " client process%s, %" PRIu32 " bytes\n", settings->procs,
           settings->procs == 1 ? "" : "es", settings->size_bytes);
    printf("updates    %" PRIu64 " sent, %" PRIu64 " OK, %.0f/s; %" PRIu32 " publishers, %" PRIu32
           " topics%s\n",
           tally->sent, ok, per_second(pubsub, ok), settings->publishers, settings->topics,
           settings->conflates ? ", conflated" : "");
    for (uint32_t i = 1; i < BENCH_OUTCOMES; i++)
        if (tally->outcomes[i] != 0)
            printf("           %" PRIu64 " %s\n", tally->outcomes[i],
                   weft_error_name((enum weft_error)i));
    printf("receipts   %" PRIu64 " at %" PRIu32 " subscribers, %.0f/s; %" PRIu64 " marked resync\n",
           pubsub->received, settings->clients, per_second(pubsub, pubsub->received),
           pubsub->resyncs);
    print_closed(pubsub);
    report_print_latency(settings, &tally->latency);
    cost_print(&pubsub->meter, pubsub->received, "receipt");
    printf("checks     %" PRIu64 " %s, %" PRIu64 " duplicate, %" PRIu64 " reordered, %" PRIu64
           " corrupt, %" PRIu64 " without outcome\n",
           tally->checks.lost, settings->conflates ? "topics without their last value" : "lost",
           tally->checks.duplicate, tally->checks.reordered, tally->checks.corrupt,
           tally->checks.no_outcome);
    puts(has_held(pubsub) ? "PASS" : "FAIL");
}

static bool write_json(struct pubsub *pubsub)
{
    const struct bench_settings *settings = pubsub->settings;
    const struct tally *tally = &pubsub->tally;
    cJSON *object = report_json_begin(settings, pubsub->nodes);
    cJSON_AddNumberToObject(object, "sent", (double)tally->sent);
    cJSON *outcomes = cJSON_AddObjectToObject(object, "outcomes");
    for (uint32_t i = 0; i < BENCH_OUTCOMES; i++)
        if (tally->outcomes[i] != 0)
            cJSON_AddNumberToObject(outcomes, weft_error_name((enum weft_error)i),
                                    (double)tally->outcomes[i]);
    cJSON_AddNumberToObject(object, "rate_offered", settings->rate);
    cJSON_AddNumberToObject(object, "rate_done", per_second(pubsub, tally->outcomes[WEFT_OK]));
    cJSON *receipts = cJSON_AddObjectToObject(object, "receipts");
    cJSON_AddNumberToObject(receipts, "publishers", settings->publishers);
    cJSON_AddNumberToObject(receipts, "topics", settings->topics);
    cJSON_AddBoolToObject(receipts, "conflate", settings->conflates);
    cJSON_AddNumberToObject(receipts, "received", (double)pubsub->received);
    cJSON_AddNumberToObject(receipts, "per_s", per_second(pubsub, pubsub->received));
    cJSON_AddNumberToObject(receipts, "resyncs", (double)pubsub->resyncs);
    cJSON *closed = cJSON_AddObjectToObject(receipts, "closed");
    for (uint32_t i = 0; i < SUBSCRIBERS_REASONS; i++)
        if (pubsub->closed[i] > 0)
            cJSON_AddNumberToObject(closed, weft_close_reason_name((enum weft_close_reason)i),
                                    pubsub->closed[i]);
    report_json_latency(object, settings, &tally->latency);
    cost_json(object, &pubsub->meter, pubsub->received, "receipt");
    cJSON *checks = cJSON_AddObjectToObject(object, "checks");
    cJSON_AddNumberToObject(checks, "lost", (double)tally->checks.lost);
    cJSON_AddNumberToObject(checks, "duplicate", (double)tally->checks.duplicate);
    cJSON_AddNumberToObject(checks, "reordered", (double)tally->checks.reordered);
    cJSON_AddNumberToObject(checks, "corrupt", (double)tally->checks.corrupt);
    cJSON_AddNumberToObject(checks, "no_outcome", (double)tally->checks.no_outcome);
    return report_json_end(object, settings, has_held(pubsub));
}

static enum bench_exit report(struct pubsub *pubsub)
{
    if (report_table_is_wanted(pubsub->settings))
        print(pubsub);
    if (!write_json(pubsub))
        return BENCH_NOT_RUN;
    return has_held(pubsub) ? BENCH_HELD : BENCH_BROKEN;
}

enum bench_exit pubsub_run(const struct bench_settings *settings, struct spawn *spawn)
{
    static struct pubsub pubsub;
    pubsub = (struct pubsub){
        .settings = settings, .job = {settings}, .is_on_terminal = isatty(STDERR_FILENO) != 0};
    pubsub.sums = calloc((size_t)PUBSUB_MARKS * settings->topics, sizeof *pubsub.sums);
    if (pubsub.sums != NULL)
        pubsub.procs = procs_begin(settings->procs, sizeof(struct pubsub_report), pubsub_worker_run,
                                   &pubsub.job);
    if (pubsub.procs == NULL) {
        free(pubsub.sums);
        return BENCH_NOT_RUN;
    }
    bool has_run = measure(&pubsub, spawn);
    procs_end(pubsub.procs);
    enum bench_exit code = BENCH_NOT_RUN;
    if (has_run) {
        add_up(&pubsub);
        code = report(&pubsub);
    }
    procs_destroy(&pubsub.procs);
    free(pubsub.sums);
    return code;
}
