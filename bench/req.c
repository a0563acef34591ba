#include "bench/req.h"

/* Callers and echo handlers are sessions of one context. A path names one node's handlers, so that
 * the route is what was asked for: a caller on node i asks node i's path (local), another node's
 * (remote), or any of them as the dice fall (mixed).
 *
 * Open loop: request k is due at start + k / rate whatever became of those before it, and its
 * latency counts from there: a stall shows in every request that it delayed. Closed loop: each
 * caller keeps `pipeline` requests outstanding; its latencies understate stalls, and the report
 * says so. */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/machine.h"
#include "bench/payload.h"
#include "bench/report.h"
#include "bench/stop.h"

static const uint64_t SECOND_NS = 1000000000;

enum { PATH_BYTES = 64, DRAIN_MARGIN_MS = 1500 };

struct caller {
    struct run *run;
    struct weft_client *client;
    uint32_t number, node;
    uint64_t sent;  /* sequence of its last request */
    uint64_t *seen; /* handler side, for each node: highest sequence that came in */
    uint32_t outstanding;
};

struct pending { /* one request on its way; reused */
    struct pending *next_free;
    struct caller *caller;
    uint64_t from_ns; /* scheduled (open) or sent (closed) */
    uint64_t sequence;
    uint32_t node; /* whose handler was asked */
    bool is_measured;
};

struct run {
    const struct bench_settings *settings;
    struct bench_report *report;
    struct weft_context *context;
    struct caller *callers;
    struct weft_client **handlers;
    uint32_t handlers_count, registered, failed;
    struct pending *free_pending;
    uint8_t *buffer;
    uint64_t started_ns, measure_ns, end_ns, scheduled, in_flight, measured;
    uint64_t dice;
    bool is_over;
};

static uint64_t roll(struct run *run)
{
    run->dice ^= run->dice << 13;
    run->dice ^= run->dice >> 7;
    run->dice ^= run->dice << 17;
    return run->dice;
}

static void path_of(const struct run *run, uint32_t node, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "weftbench/%016" PRIx64 "/%" PRIu32, run->settings->seed, node);
}

/* ---- the handlers ----------------------------------------------------------------------------*/

static void check_incoming(struct run *run, const struct weft_value *value, uint32_t node)
{
    struct payload payload;
    if (!payload_read(value->data, value->bytes, &payload) || payload.run != run->settings->seed ||
        payload.sender >= run->settings->clients) {
        run->report->checks.corrupt++;
        return;
    }
    uint64_t *seen = &run->callers[payload.sender].seen[node];
    if (payload.sequence == *seen)
        run->report->checks.duplicate++;
    else if (payload.sequence < *seen)
        run->report->checks.reordered++;
    else
        *seen = payload.sequence;
}

static void on_request(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    struct run *run = user;
    /* With several handlers a node one caller's requests are spread: no order between them. */
    if (run->settings->checks && run->settings->handlers == 1) {
        const char *slash = memrchr(incoming->path.data, '/', incoming->path.bytes);
        uint32_t node = slash == NULL ? 0 : (uint32_t)strtoul(slash + 1, NULL, 10);
        check_incoming(run, &incoming->value, node < run->settings->servers_count ? node : 0);
    }
    weft_respond(client, incoming->responder, &incoming->value);
}

static void on_registered(struct weft_client *client, enum weft_error error, struct weft_text text,
                          void *user)
{
    struct run *run = user;
    (void)client;
    if (error == WEFT_OK) {
        run->registered++;
        return;
    }
    run->failed++;
    fprintf(stderr, "weftbench: %s: %.*s\n", weft_error_name(error), (int)text.bytes, text.data);
}

/* ---- the callers -----------------------------------------------------------------------------*/

static void check_response(struct run *run, const struct pending *pending,
                           const struct weft_value *value)
{
    struct payload payload;
    if (!payload_read(value->data, value->bytes, &payload) || payload.run != run->settings->seed ||
        payload.sender != pending->caller->number || payload.sequence != pending->sequence)
        run->report->checks.corrupt++;
    else if (run->settings->handlers == 1 &&
             pending->caller->seen[pending->node] < pending->sequence)
        run->report->checks.lost++; /* answered, but its handler never saw it */
}

static void account(struct run *run, const struct pending *pending,
                    const struct weft_response *response, uint64_t now_ns)
{
    uint32_t outcome = (uint32_t)response->outcome;
    run->report->outcomes[outcome < BENCH_OUTCOMES ? outcome : BENCH_OUTCOMES - 1]++;
    run->measured++;
    if (response->outcome == WEFT_OK)
        histogram_add(&run->report->latency, now_ns - pending->from_ns);
}

/* The request has its outcome; whatever it was, nothing more comes of it. */
static void settle(struct pending *pending, const struct weft_response *response)
{
    struct caller *caller = pending->caller;
    struct run *run = caller->run;
    uint64_t now_ns = machine_now_ns();
    run->in_flight--;
    caller->outstanding--;
    if (pending->is_measured)
        account(run, pending, response, now_ns);
    if (run->settings->checks && response->outcome == WEFT_OK)
        check_response(run, pending, &response->value);
    pending->next_free = run->free_pending;
    run->free_pending = pending;
}

static struct pending *take_pending(struct run *run)
{
    struct pending *pending = run->free_pending;
    if (pending == NULL)
        return calloc(1, sizeof *pending);
    run->free_pending = pending->next_free;
    return pending;
}

static uint32_t choose_node(struct run *run, const struct caller *caller)
{
    uint32_t nodes = run->settings->servers_count;
    switch (run->settings->route) {
    case ROUTE_LOCAL:
        return caller->node;
    case ROUTE_REMOTE:
        return (caller->node + 1 + (uint32_t)(roll(run) % (nodes - 1))) % nodes;
    case ROUTE_MIXED:
        break;
    }
    return (uint32_t)(roll(run) % nodes);
}

static void on_response(struct weft_client *client, const struct weft_response *response,
                        void *user);

/* from_ns: when it was due; 0: now (closed loop). */
static void send_request(struct caller *caller, uint64_t from_ns)
{
    struct run *run = caller->run;
    const struct bench_settings *settings = run->settings;
    char path[PATH_BYTES];
    uint64_t now_ns = machine_now_ns();
    if (settings->number == 0 ? now_ns >= run->end_ns : run->report->sent >= settings->number)
        return;
    struct pending *pending = take_pending(run);
    if (pending == NULL)
        return;
    *pending = (struct pending){.caller = caller,
                                .from_ns = from_ns == 0 ? now_ns : from_ns,
                                .sequence = ++caller->sent,
                                .node = choose_node(run, caller)};
    pending->is_measured = pending->from_ns >= run->measure_ns;
    struct payload payload = {settings->seed, caller->number, pending->sequence};
    payload_write(&payload, run->buffer, settings->size_bytes);
    path_of(run, pending->node, path);
    struct weft_value value = weft_binary(run->buffer, settings->size_bytes);
    struct weft_request_options options = {.timeout_ms = settings->timeout_ms};
    if (pending->is_measured)
        run->report->sent++;
    run->in_flight++;
    caller->outstanding++;
    enum weft_error error =
        weft_request(caller->client, path, &value, &options, on_response, pending, NULL);
    if (error != WEFT_OK) { /* the library's own limit: an outcome as well */
        struct weft_response response = {.outcome = error};
        settle(pending, &response);
    }
}

static void on_response(struct weft_client *client, const struct weft_response *response,
                        void *user)
{
    struct pending *pending = user;
    struct caller *caller = pending->caller;
    (void)client;
    settle(pending, response);
    if (caller->run->settings->rate == 0 && !caller->run->is_over)
        send_request(caller, 0);
}

/* ---- setting up ------------------------------------------------------------------------------*/

static bool open_client(struct run *run, uint32_t node, struct weft_client **client)
{
    struct weft_options options = {.context = run->context,
                                   .servers = run->settings->servers[node],
                                   .request_timeout_ms = run->settings->timeout_ms,
                                   .no_reconnect = !run->settings->reconnects};
    *client = weft_new(&options);
    if (*client != NULL)
        return true;
    perror("weftbench: can't make a session");
    return false;
}

static bool wait_until(struct run *run, bool (*holds)(const struct run *), const char *what)
{
    uint64_t deadline = machine_now_ns() + 15 * SECOND_NS;
    while (!holds(run) && run->failed == 0 && machine_now_ns() < deadline)
        weft_context_run(run->context, 50);
    if (holds(run))
        return true;
    fprintf(stderr, "weftbench: waited for %s; ", what);
    for (uint32_t i = 0; i < run->settings->clients; i++)
        if (!weft_is_open(run->callers[i].client)) {
            fprintf(stderr, "%s: %s\n", run->settings->servers[run->callers[i].node],
                    weft_last_failure(run->callers[i].client));
            return false;
        }
    fprintf(stderr, "a node did not answer\n");
    return false;
}

static bool all_open(const struct run *run)
{
    for (uint32_t i = 0; i < run->settings->clients; i++)
        if (!weft_is_open(run->callers[i].client))
            return false;
    return true;
}

static bool all_registered(const struct run *run)
{
    return run->registered == run->handlers_count;
}

static bool open_callers(struct run *run)
{
    const struct bench_settings *settings = run->settings;
    run->callers = calloc(settings->clients, sizeof *run->callers);
    for (uint32_t i = 0; run->callers != NULL && i < settings->clients; i++) {
        struct caller *caller = &run->callers[i];
        *caller = (struct caller){.run = run, .number = i, .node = i % settings->servers_count};
        caller->seen = calloc(settings->servers_count, sizeof *caller->seen);
        if (caller->seen == NULL || !open_client(run, caller->node, &caller->client))
            return false;
    }
    return run->callers != NULL && wait_until(run, all_open, "the callers' sessions");
}

static bool open_handlers(struct run *run)
{
    const struct bench_settings *settings = run->settings;
    uint32_t wanted = settings->handlers * settings->servers_count;
    run->handlers = calloc(wanted, sizeof(struct weft_client *));
    for (uint32_t i = 0; run->handlers != NULL && i < wanted; i++) {
        char path[PATH_BYTES];
        uint32_t node = i % settings->servers_count;
        if (!open_client(run, node, &run->handlers[i]))
            return false;
        run->handlers_count++;
        path_of(run, node, path);
        weft_handle(run->handlers[i], path, on_request, on_registered, run);
    }
    return run->handlers != NULL && wait_until(run, all_registered, "the handlers");
}

struct probe {
    bool is_back;
    enum weft_error outcome;
};

static void on_probe(struct weft_client *client, const struct weft_response *response, void *user)
{
    struct probe *probe = user;
    (void)client;
    *probe = (struct probe){true, response->outcome};
}

/* News of a handler takes a moment to reach every node: asks until each answers. */
static bool handlers_are_known(struct run *run)
{
    uint64_t deadline = machine_now_ns() + 10 * SECOND_NS;
    const struct bench_settings *settings = run->settings;
    uint32_t from =
        settings->clients < settings->servers_count ? settings->clients : settings->servers_count;
    for (uint32_t i = 0; i < from * settings->servers_count; i++) {
        char path[PATH_BYTES];
        struct probe probe = {false, WEFT_NO_HANDLER};
        path_of(run, i % settings->servers_count, path);
        while (probe.outcome == WEFT_NO_HANDLER && machine_now_ns() < deadline) {
            struct payload payload = {settings->seed + 1, 0, 0}; /* counted nowhere */
            payload_write(&payload, run->buffer, settings->size_bytes);
            struct weft_value value = weft_binary(run->buffer, settings->size_bytes);
            probe.is_back = false;
            weft_request(run->callers[i / settings->servers_count].client, path, &value, NULL,
                         on_probe, &probe, NULL);
            while (!probe.is_back)
                weft_context_run(run->context, 20);
        }
        if (probe.outcome != WEFT_OK) {
            fprintf(stderr, "weftbench: node %s does not reach the handler on %s: %s\n",
                    settings->servers[i / settings->servers_count],
                    settings->servers[i % settings->servers_count], weft_error_name(probe.outcome));
            return false;
        }
    }
    memset(&run->report->checks, 0, sizeof run->report->checks);
    return true;
}

/* ---- the run ---------------------------------------------------------------------------------*/

static void show_progress(struct run *run, uint64_t now_ns, uint64_t *shown_ns)
{
    if (!isatty(STDERR_FILENO) || now_ns - *shown_ns < SECOND_NS / 2)
        return;
    *shown_ns = now_ns;
    double seconds = (double)(now_ns - run->started_ns) / 1e9;
    fprintf(stderr, "\r%6.1f s  %" PRIu64 " answered, p99 %.0f us   ", seconds, run->measured,
            (double)histogram_quantile(&run->report->latency, 0.99) / 1e3);
}

static void wait_for_work(struct run *run, uint64_t until_ns)
{
    struct pollfd descriptor = {.fd = weft_context_fd(run->context), .events = POLLIN};
    uint64_t now_ns = machine_now_ns();
    uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    if (wait_ns > SECOND_NS / 10)
        wait_ns = SECOND_NS / 10;
    struct timespec timeout = {.tv_sec = 0, .tv_nsec = (long)wait_ns};
    ppoll(&descriptor, 1, &timeout, NULL);
}

/* Sends what is due; returns when the next one is. */
static uint64_t send_due(struct run *run)
{
    const struct bench_settings *settings = run->settings;
    if (settings->rate == 0)
        return run->end_ns;
    uint64_t now_ns = machine_now_ns();
    for (;;) {
        uint64_t due_ns =
            run->started_ns + (uint64_t)((double)run->scheduled * 1e9 / settings->rate);
        if (due_ns > now_ns || due_ns >= run->end_ns)
            return due_ns;
        send_request(&run->callers[run->scheduled % settings->clients], due_ns);
        run->scheduled++;
    }
}

static bool is_done(const struct run *run)
{
    const struct bench_settings *settings = run->settings;
    if (stop_is_wanted())
        return true;
    return settings->number == 0 ? machine_now_ns() >= run->end_ns
                                 : run->report->sent >= settings->number;
}

static void drive(struct run *run)
{
    const struct bench_settings *settings = run->settings;
    uint64_t shown_ns = 0;
    run->started_ns = machine_now_ns();
    run->measure_ns = run->started_ns + settings->warmup_ns;
    run->end_ns = settings->number == 0 ? run->measure_ns + settings->duration_ns : UINT64_MAX;
    for (uint32_t i = 0; settings->rate == 0 && i < settings->clients; i++)
        for (uint32_t j = 0; j < settings->pipeline; j++)
            send_request(&run->callers[i], 0);
    while (!is_done(run)) {
        uint64_t next_ns = send_due(run);
        weft_context_progress(run->context);
        wait_for_work(run, next_ns < run->end_ns ? next_ns : run->end_ns);
        weft_context_progress(run->context);
        show_progress(run, machine_now_ns(), &shown_ns);
    }
    uint64_t stopped_ns = machine_now_ns();
    run->is_over = true;
    uint64_t deadline = stopped_ns + (settings->timeout_ms + DRAIN_MARGIN_MS) * (SECOND_NS / 1000);
    while (run->in_flight > 0 && machine_now_ns() < deadline)
        weft_context_run(run->context, 50);
    if (shown_ns != 0)
        fprintf(stderr, "\r%60s\r", "");
    run->report->seconds = (double)(stopped_ns - run->measure_ns) / 1e9;
    run->report->checks.no_outcome = run->in_flight;
}

static void tear_down(struct run *run)
{
    for (uint32_t i = 0; run->callers != NULL && i < run->settings->clients; i++) {
        if (run->callers[i].client != NULL)
            weft_destroy(&run->callers[i].client);
        free(run->callers[i].seen);
    }
    for (uint32_t i = 0; i < run->handlers_count; i++)
        weft_destroy(&run->handlers[i]);
    weft_context_destroy(&run->context);
    while (run->free_pending != NULL) {
        struct pending *pending = run->free_pending;
        run->free_pending = pending->next_free;
        free(pending);
    }
    free(run->callers);
    free(run->handlers);
    free(run->buffer);
}

static bool measure(const struct bench_settings *settings, struct bench_report *report)
{
    struct run run = {.settings = settings, .report = report, .dice = settings->seed | 1};
    bool has_run = false;
    uint32_t sessions = settings->clients + settings->handlers * settings->servers_count;
    run.context = weft_context_new(sessions);
    run.buffer = malloc(settings->size_bytes);
    if (run.context == NULL || run.buffer == NULL)
        perror("weftbench");
    else if (open_callers(&run) && open_handlers(&run) && handlers_are_known(&run)) {
        for (uint32_t i = 0; i < settings->servers_count; i++)
            snprintf(report->nodes[i], sizeof report->nodes[i], "%s", weft_node(run.handlers[i]));
        drive(&run);
        has_run = true;
    }
    tear_down(&run);
    return has_run;
}

enum bench_exit req_run(const struct bench_settings *settings)
{
    static struct bench_report report;
    if (!measure(settings, &report))
        return BENCH_NOT_RUN;
    if (settings->json_file == NULL || strcmp(settings->json_file, "-") != 0)
        report_print(settings, &report);
    if (settings->json_file != NULL && !report_write_json(settings, &report))
        return BENCH_NOT_RUN;
    return bench_has_held(settings, &report) ? BENCH_HELD : BENCH_BROKEN;
}
