#include "bench/callers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/machine.h"
#include "bench/payload.h"

static const uint64_t SECOND_NS = 1000000000;

enum { DRAIN_MARGIN_MS = 1500, NOWHERE = BENCH_NODES_MAX /* no server's number */ };

struct caller {
    struct callers *callers;
    struct weft_client *client;
    uint32_t number, node;
    uint64_t sent; /* sequence of its last request */
};

struct pending { /* one request on its way; reused */
    struct pending *next_free;
    struct caller *caller;
    uint64_t from_ns; /* scheduled (open) or sent (closed) */
    uint64_t sequence;
    uint32_t node; /* whose handler was asked */
    bool is_measured;
};

static uint64_t roll(struct callers *callers)
{
    callers->dice ^= callers->dice << 13;
    callers->dice ^= callers->dice >> 7;
    callers->dice ^= callers->dice << 17;
    return callers->dice;
}

void callers_path(const struct bench_settings *settings, uint32_t server,
                  char path[CALLERS_PATH_BYTES])
{
    snprintf(path, CALLERS_PATH_BYTES, "weftbench/%016" PRIx64 "/%" PRIu32, settings->seed, server);
}

/* ---- one request -----------------------------------------------------------------------------*/

static void check_response(struct callers *callers, const struct pending *pending,
                           const struct weft_value *value)
{
    const struct caller *caller = pending->caller;
    struct payload payload;
    if (!payload_read(value->data, value->bytes, &payload) ||
        payload.run != callers->settings->seed || payload.sender != caller->number ||
        payload.sequence != pending->sequence)
        callers->tally->checks.corrupt++;
    else if (callers->answered != NULL)
        callers->answered[caller->number * callers->settings->servers_count + pending->node]++;
}

/* The request has its outcome; whatever it was, nothing more comes of it. */
static void settle(struct pending *pending, const struct weft_response *response, uint64_t now_ns)
{
    struct callers *callers = pending->caller->callers;
    bool is_wanted = response->outcome == bench_wanted(callers->settings);
    callers->in_flight--;
    if (pending->is_measured) {
        tally_outcome(callers->tally, (uint32_t)response->outcome);
        if (is_wanted) {
            callers->tally->answered[pending->node]++;
            histogram_add(&callers->tally->latency, now_ns - pending->from_ns);
        }
    }
    if (callers->settings->checks && is_wanted)
        check_response(callers, pending, &response->value);
    pending->next_free = callers->free_pending;
    callers->free_pending = pending;
}

static struct pending *take_pending(struct callers *callers)
{
    struct pending *pending = callers->free_pending;
    if (pending == NULL)
        return calloc(1, sizeof *pending);
    callers->free_pending = pending->next_free;
    return pending;
}

static uint32_t choose_node(struct callers *callers, const struct caller *caller)
{
    uint32_t nodes = callers->settings->servers_count;
    switch (callers->settings->route) {
    case ROUTE_LOCAL:
    case ROUTE_NOWHERE:
        return caller->node;
    case ROUTE_REMOTE:
        return (caller->node + 1 + (uint32_t)(roll(callers) % (nodes - 1))) % nodes;
    case ROUTE_MIXED:
        break;
    }
    return (uint32_t)(roll(callers) % nodes);
}

static void on_response(struct weft_client *client, const struct weft_response *response,
                        void *user);

/* from_ns: when it was due. */
static void send_request(struct caller *caller, uint64_t from_ns)
{
    struct callers *callers = caller->callers;
    const struct bench_settings *settings = callers->settings;
    struct pending *pending = take_pending(callers);
    if (pending == NULL)
        return;
    *pending = (struct pending){.caller = caller,
                                .from_ns = from_ns,
                                .sequence = ++caller->sent,
                                .node = choose_node(callers, caller),
                                .is_measured = from_ns >= callers->measure_ns};
    const struct payload payload = {settings->seed, caller->number, pending->sequence, from_ns};
    payload_write(&payload, callers->buffer, settings->size_bytes);
    const struct weft_value value = weft_binary(callers->buffer, settings->size_bytes);
    const struct weft_request_options options = {.timeout_ms = settings->timeout_ms};
    callers->tally->sent += pending->is_measured;
    callers->in_flight++;
    enum weft_error error = weft_request(caller->client, callers->paths[pending->node], &value,
                                         &options, on_response, pending, NULL);
    if (error != WEFT_OK) { /* the library's own limit: an outcome as well */
        const struct weft_response response = {.outcome = error};
        settle(pending, &response, from_ns);
    }
}

/* Nothing more is to be sent, whatever the time. */
static bool is_full(const struct callers *callers)
{
    return callers->is_over || (callers->number > 0 && callers->tally->sent >= callers->number);
}

static void send_next(struct caller *caller, uint64_t now_ns)
{
    if (now_ns < caller->callers->end_ns && !is_full(caller->callers))
        send_request(caller, now_ns);
}

static void on_response(struct weft_client *client, const struct weft_response *response,
                        void *user)
{
    struct pending *pending = user;
    struct caller *caller = pending->caller;
    uint64_t now_ns = machine_now_ns();
    (void)client;
    settle(pending, response, now_ns);
    if (caller->callers->settings->rate == 0)
        send_next(caller, now_ns);
}

/* ---- setting up ------------------------------------------------------------------------------*/

static uint32_t share(const struct callers *callers, uint64_t count)
{
    return count <= callers->first ? 0
                                   : (uint32_t)((count - callers->first - 1) / callers->step + 1);
}

static bool callers_prepare(struct callers *callers)
{
    const struct bench_settings *settings = callers->settings;
    callers->count = share(callers, settings->clients);
    callers->number = settings->number == 0 ? 0 : share(callers, settings->number);
    callers->dice = (settings->seed + callers->first) | 1;
    callers->is_over = callers->count == 0 || (settings->number > 0 && callers->number == 0);
    callers->all = calloc(callers->count + 1, sizeof *callers->all);
    callers->buffer = malloc(settings->size_bytes);
    callers->paths = calloc(settings->servers_count, sizeof *callers->paths);
    if (callers->all == NULL || callers->buffer == NULL || callers->paths == NULL)
        return false;
    for (uint32_t i = 0; i < settings->servers_count; i++)
        callers_path(settings, settings->route == ROUTE_NOWHERE ? NOWHERE : i, callers->paths[i]);
    return true;
}

bool callers_open(struct callers *callers)
{
    const struct bench_settings *settings = callers->settings;
    if (!callers_prepare(callers))
        return false;
    for (uint32_t i = 0; i < callers->count; i++) {
        struct caller *caller = &callers->all[i];
        uint32_t number = callers->first + i * callers->step;
        *caller = (struct caller){
            .callers = callers, .number = number, .node = number % settings->servers_count};
        const struct weft_options options = {.context = callers->context,
                                             .servers = settings->servers[caller->node],
                                             .key_file = settings->key_file,
                                             .server_keys = settings->server_keys,
                                             .request_timeout_ms = settings->timeout_ms,
                                             .no_reconnect = !settings->reconnects};
        caller->client = weft_new(&options);
        if (caller->client == NULL)
            return false;
    }
    return true;
}

bool callers_are_open(const struct callers *callers, const struct weft_client **problem)
{
    for (uint32_t i = 0; i < callers->count; i++) {
        *problem = callers->all[i].client;
        if (!weft_is_open(callers->all[i].client))
            return false;
    }
    *problem = NULL;
    return true;
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

static enum weft_error probe_once(struct callers *callers, struct caller *caller, uint32_t server)
{
    const struct bench_settings *settings = callers->settings;
    const struct payload payload = {.run = settings->seed + 1}; /* counted nowhere */
    struct probe probe = {.is_back = false};
    payload_write(&payload, callers->buffer, settings->size_bytes);
    const struct weft_value value = weft_binary(callers->buffer, settings->size_bytes);
    enum weft_error error =
        weft_request(caller->client, callers->paths[server], &value, NULL, on_probe, &probe, NULL);
    if (error != WEFT_OK)
        return error;
    while (!probe.is_back)
        weft_context_run(callers->context, 20);
    return probe.outcome;
}

bool callers_find_handlers(struct callers *callers)
{
    const struct bench_settings *settings = callers->settings;
    uint64_t deadline_ns = machine_now_ns() + 15 * SECOND_NS;
    uint32_t servers = settings->servers_count;
    uint32_t from = callers->count < servers ? callers->count : servers;
    if (settings->route == ROUTE_NOWHERE)
        return true;
    for (uint32_t i = 0; i < from * servers; i++) {
        enum weft_error outcome = WEFT_NO_HANDLER;
        while (outcome == WEFT_NO_HANDLER && machine_now_ns() < deadline_ns)
            outcome = probe_once(callers, &callers->all[i / servers], i % servers);
        if (outcome == WEFT_OK)
            continue;
        fprintf(stderr, "weftbench: node %s does not reach the handler on %s: %s\n",
                settings->servers[callers->all[i / servers].node], settings->servers[i % servers],
                weft_error_name(outcome));
        return false;
    }
    return true;
}

/* ---- the run ---------------------------------------------------------------------------------*/

void callers_begin(struct callers *callers, uint64_t start_ns)
{
    const struct bench_settings *settings = callers->settings;
    callers->started_ns = start_ns;
    callers->measure_ns = start_ns + settings->warmup_ns;
    callers->end_ns =
        settings->number == 0 ? callers->measure_ns + settings->duration_ns : UINT64_MAX;
    for (uint32_t i = 0; settings->rate == 0 && i < callers->count; i++)
        for (uint32_t j = 0; j < settings->pipeline; j++)
            send_next(&callers->all[i], machine_now_ns());
}

/* When the next one is due in an open loop. */
static uint64_t next_due_ns(const struct callers *callers)
{
    uint64_t number = callers->first + callers->scheduled * callers->step;
    return callers->started_ns + (uint64_t)((double)number * 1e9 / callers->settings->rate);
}

uint64_t callers_send(struct callers *callers)
{
    const struct bench_settings *settings = callers->settings;
    if (settings->rate == 0 || callers->is_over)
        return callers->end_ns;
    uint64_t now_ns = machine_now_ns();
    while (!is_full(callers)) {
        uint64_t due_ns = next_due_ns(callers);
        if (due_ns > now_ns || due_ns >= callers->end_ns)
            return due_ns < callers->end_ns ? due_ns : callers->end_ns;
        send_request(&callers->all[callers->scheduled % callers->count], due_ns);
        callers->scheduled++;
    }
    return now_ns;
}

bool callers_are_done(const struct callers *callers)
{
    /* A process that slept over the end still owes what was due before it. */
    bool owes = callers->settings->rate > 0 && next_due_ns(callers) < callers->end_ns;
    return is_full(callers) || (machine_now_ns() >= callers->end_ns && !owes);
}

void callers_stop(struct callers *callers)
{
    const uint64_t limit_ms = callers->settings->timeout_ms + DRAIN_MARGIN_MS;
    if (callers->stopped_ns != 0)
        return;
    callers->is_over = true;
    callers->stopped_ns = machine_now_ns();
    uint64_t deadline_ns = callers->stopped_ns + limit_ms * (SECOND_NS / 1000);
    while (callers->in_flight > 0 && machine_now_ns() < deadline_ns)
        weft_context_run(callers->context, 50);
    callers->tally->checks.no_outcome = callers->in_flight;
}

void callers_clear(struct callers *callers)
{
    for (uint32_t i = 0; callers->all != NULL && i < callers->count; i++)
        if (callers->all[i].client != NULL)
            weft_destroy(&callers->all[i].client);
    while (callers->free_pending != NULL) {
        struct pending *pending = callers->free_pending;
        callers->free_pending = pending->next_free;
        free(pending);
    }
    free(callers->all);
    free(callers->buffer);
    free(callers->paths);
}
