#include "bench/publishers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/machine.h"
#include "bench/payload.h"
#include "client/weft_topics.h"

enum { DRAIN_MARGIN_MS = 1500 };

struct publisher {
    struct publishers *publishers;
    struct weft_client *client;
    uint32_t number;
    uint32_t topic; /* of its next update */
};

struct pending_update { /* one on its way; reused */
    struct pending_update *next_free;
    struct publisher *publisher;
    uint64_t number;
    uint32_t topic;
    bool is_measured;
};

void publishers_path(const struct bench_settings *settings, uint32_t topic,
                     char path[PUBLISHERS_PATH_BYTES])
{
    int bytes = snprintf(path, PUBLISHERS_PATH_BYTES, "weftbench/%016" PRIx64 "/", settings->seed);
    if (topic == UINT32_MAX)
        snprintf(path + bytes, PUBLISHERS_PATH_BYTES - (size_t)bytes, "+");
    else
        snprintf(path + bytes, PUBLISHERS_PATH_BYTES - (size_t)bytes, "%" PRIu32, topic);
}

/* ---- one update ------------------------------------------------------------------------------*/

static void settle(struct pending_update *pending, enum weft_error error)
{
    struct publishers *publishers = pending->publisher->publishers;
    publishers->in_flight--;
    if (pending->is_measured)
        tally_outcome(publishers->tally, (uint32_t)error);
    if (error == WEFT_OK) {
        publishers->confirmed[pending->topic]++;
        if (pending->number > publishers->highest[pending->topic])
            publishers->highest[pending->topic] = pending->number;
    }
    pending->next_free = publishers->free_pending;
    publishers->free_pending = pending;
}

static void on_set(struct weft_client *client, const struct weft_topic_result *result, void *user);

static void publish(struct publisher *publisher, uint64_t from_ns)
{
    struct publishers *publishers = publisher->publishers;
    const struct bench_settings *settings = publishers->settings;
    struct pending_update *pending = publishers->free_pending;
    if (pending == NULL && (pending = calloc(1, sizeof *pending)) == NULL)
        return;
    publishers->free_pending = pending->next_free;
    *pending = (struct pending_update){.publisher = publisher,
                                       .number = ++publishers->numbers[publisher->topic],
                                       .topic = publisher->topic,
                                       .is_measured = from_ns >= publishers->measure_ns};
    publisher->topic += settings->publishers;
    if (publisher->topic >= settings->topics)
        publisher->topic = publisher->number;
    char path[PUBLISHERS_PATH_BYTES];
    const struct payload payload = {settings->seed, pending->topic, pending->number, from_ns};
    publishers_path(settings, pending->topic, path);
    payload_write(&payload, publishers->buffer, settings->size_bytes);
    const struct weft_value value = weft_binary(publishers->buffer, settings->size_bytes);
    const struct weft_set_options options = {
        .policy = settings->conflates ? WEFT_POLICY_ALWAYS : WEFT_POLICY_OFF,
        .remove_with_session = true,
        .timeout_ms = settings->timeout_ms,
    };
    publishers->tally->sent += pending->is_measured;
    publishers->in_flight++;
    enum weft_error error =
        weft_set_topic(publisher->client, path, &value, &options, on_set, pending);
    if (error != WEFT_OK) /* the library's own limit: an outcome as well */
        settle(pending, error);
}

static bool is_full(const struct publishers *publishers)
{
    uint64_t number = publishers->settings->number;
    return publishers->is_over || (number > 0 && publishers->tally->sent >= number);
}

static void on_set(struct weft_client *client, const struct weft_topic_result *result, void *user)
{
    struct pending_update *pending = user;
    struct publisher *publisher = pending->publisher;
    struct publishers *publishers = publisher->publishers;
    (void)client;
    settle(pending, result->error);
    uint64_t now_ns = machine_now_ns();
    if (publishers->settings->rate == 0 && now_ns < publishers->end_ns && !is_full(publishers))
        publish(publisher, now_ns);
}

/* ---- setting up ------------------------------------------------------------------------------*/

uint32_t publishers_server(const struct bench_settings *settings, uint32_t number)
{
    return settings->route == ROUTE_MIXED ? number % settings->servers_count : 0;
}

void publishers_name_nodes(const struct publishers *publishers,
                           char names[BENCH_NODES_MAX][BENCH_NAME_BYTES])
{
    for (uint32_t i = 0; publishers->all != NULL && i < publishers->settings->publishers; i++)
        snprintf(names[publishers_server(publishers->settings, i)], BENCH_NAME_BYTES, "%s",
                 weft_node(publishers->all[i].client));
}

bool publishers_open(struct publishers *publishers)
{
    const struct bench_settings *settings = publishers->settings;
    publishers->all = calloc(settings->publishers, sizeof *publishers->all);
    publishers->numbers = calloc(settings->topics, sizeof *publishers->numbers);
    publishers->buffer = malloc(settings->size_bytes);
    if (publishers->all == NULL || publishers->numbers == NULL || publishers->buffer == NULL)
        return false;
    for (uint32_t i = 0; i < settings->publishers; i++) {
        struct publisher *publisher = &publishers->all[i];
        *publisher = (struct publisher){.publishers = publishers, .number = i, .topic = i};
        const struct weft_options options = {
            .context = publishers->context,
            .servers = settings->servers[publishers_server(settings, i)],
            .key_file = settings->key_file,
            .server_keys = settings->server_keys,
            .no_reconnect = !settings->reconnects,
        };
        publisher->client = weft_new(&options);
        if (publisher->client == NULL)
            return false;
    }
    return true;
}

bool publishers_are_open(const struct publishers *publishers, const struct weft_client **problem)
{
    for (uint32_t i = 0; publishers->all != NULL && i < publishers->settings->publishers; i++) {
        *problem = publishers->all[i].client;
        if (!weft_is_open(publishers->all[i].client))
            return false;
    }
    *problem = NULL;
    return true;
}

/* ---- the run ---------------------------------------------------------------------------------*/

void publishers_begin(struct publishers *publishers, uint64_t start_ns)
{
    const struct bench_settings *settings = publishers->settings;
    publishers->started_ns = start_ns;
    publishers->measure_ns = start_ns + settings->warmup_ns;
    publishers->end_ns =
        settings->number == 0 ? publishers->measure_ns + settings->duration_ns : UINT64_MAX;
    for (uint32_t i = 0; settings->rate == 0 && i < settings->publishers; i++)
        for (uint32_t j = 0; j < settings->pipeline; j++)
            publish(&publishers->all[i], machine_now_ns());
}

/* When the next one is due in an open loop. */
static uint64_t next_due_ns(const struct publishers *publishers)
{
    double after_ns = (double)publishers->scheduled * 1e9 / publishers->settings->rate;
    return publishers->started_ns + (uint64_t)after_ns;
}

uint64_t publishers_send(struct publishers *publishers)
{
    const struct bench_settings *settings = publishers->settings;
    if (settings->rate == 0 || publishers->is_over)
        return publishers->end_ns;
    uint64_t now_ns = machine_now_ns();
    while (!is_full(publishers)) {
        uint64_t due_ns = next_due_ns(publishers);
        if (due_ns > now_ns || due_ns >= publishers->end_ns)
            return due_ns < publishers->end_ns ? due_ns : publishers->end_ns;
        publish(&publishers->all[publishers->scheduled % settings->publishers], due_ns);
        publishers->scheduled++;
    }
    return now_ns;
}

bool publishers_are_done(const struct publishers *publishers)
{
    /* A process that slept over the end still owes what was due before it. */
    bool owes = publishers->settings->rate > 0 && next_due_ns(publishers) < publishers->end_ns;
    return is_full(publishers) || (machine_now_ns() >= publishers->end_ns && !owes);
}

void publishers_stop(struct publishers *publishers)
{
    if (publishers->stopped_ns != 0)
        return;
    publishers->is_over = true;
    publishers->stopped_ns = machine_now_ns();
    uint64_t wait_ms = publishers->settings->timeout_ms + DRAIN_MARGIN_MS;
    uint64_t deadline_ns = publishers->stopped_ns + wait_ms * 1000000;
    while (publishers->in_flight > 0 && machine_now_ns() < deadline_ns)
        weft_context_run(publishers->context, 50);
    publishers->tally->checks.no_outcome = publishers->in_flight;
}

void publishers_clear(struct publishers *publishers)
{
    for (uint32_t i = 0; publishers->all != NULL && i < publishers->settings->publishers; i++)
        if (publishers->all[i].client != NULL)
            weft_destroy(&publishers->all[i].client);
    while (publishers->free_pending != NULL) {
        struct pending_update *pending = publishers->free_pending;
        publishers->free_pending = pending->next_free;
        free(pending);
    }
    free(publishers->all);
    free(publishers->numbers);
    free(publishers->buffer);
}
