#include "bench/subscribers.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/machine.h"
#include "bench/payload.h"
#include "bench/publishers.h"
#include "client/weft_control.h"
#include "client/weft_topics.h"

struct subscriber {
    struct subscribers *subscribers;
    struct weft_client *client;
    uint64_t *last; /* by topic */
};

/* A number is judged beside the last one of its topic. Behind a resync the same value may come
 * again. */
static void judge(struct subscriber *subscriber, const struct payload *payload,
                  const struct weft_topic_value *topic)
{
    struct subscribers *subscribers = subscriber->subscribers;
    struct bench_checks *checks = &subscribers->tally->checks;
    uint64_t *last = &subscriber->last[payload->sender];
    bool may_repeat = topic->is_snapshot || topic->is_resync;
    subscribers->resyncs += topic->is_resync;
    if (payload->sequence < *last) {
        checks->reordered++;
        return;
    }
    if (payload->sequence == *last) {
        checks->duplicate += !may_repeat;
        return;
    }
    *last = payload->sequence;
    subscribers->received[payload->sender]++;
    if (payload->from_ns < subscribers->measure_ns || payload->from_ns >= subscribers->end_ns)
        return;
    subscribers->measured++;
    histogram_add(&subscribers->tally->latency, machine_now_ns() - payload->from_ns);
}

static void on_value(struct weft_client *client, const struct weft_topic_value *topic, void *user)
{
    struct subscriber *subscriber = user;
    const struct bench_settings *settings = subscriber->subscribers->settings;
    struct payload payload;
    (void)client;
    if (!payload_read(topic->value.data, topic->value.bytes, &payload) ||
        payload.run != settings->seed || payload.sender >= settings->topics)
        subscriber->subscribers->tally->checks.corrupt++;
    else
        judge(subscriber, &payload, topic);
}

static void stands(struct subscriber *subscriber, enum weft_error error)
{
    if (error == WEFT_OK)
        subscriber->subscribers->standing++;
    else if (subscriber->subscribers->refused++ == 0)
        fprintf(stderr, "weftbench: a subscriber was refused: %s\n", weft_error_name(error));
}

static void on_conflated(struct weft_client *client, const struct weft_result *result, void *user)
{
    (void)client;
    stands(user, result->error);
}

static void on_subscribed(struct weft_client *client, struct weft_text selector,
                          enum weft_error error, struct weft_text text, void *user)
{
    struct subscriber *subscriber = user;
    (void)selector;
    (void)text;
    if (error == WEFT_OK && subscriber->subscribers->settings->conflates)
        error = weft_set_conflated(client, weft_session(client), true, 0, on_conflated, subscriber);
    else if (error == WEFT_OK)
        stands(subscriber, WEFT_OK);
    if (error != WEFT_OK)
        stands(subscriber, error);
}

/* One that the node gave up as it did not read as fast as updates came, say. */
static void on_closed(struct weft_client *client, const struct weft_closed *closed, void *user)
{
    struct subscriber *subscriber = user;
    uint32_t reason = (uint32_t)closed->reason;
    (void)client;
    subscriber->subscribers
        ->closed[reason < SUBSCRIBERS_REASONS ? reason : SUBSCRIBERS_REASONS - 1]++;
}

/* With --route local that of the publishers, with remote any other. */
static uint32_t server_of(const struct bench_settings *settings, uint32_t number)
{
    uint32_t servers = settings->servers_count;
    switch (settings->route) {
    case ROUTE_LOCAL:
        return 0;
    case ROUTE_REMOTE:
        return 1 + number % (servers - 1);
    case ROUTE_MIXED:
    case ROUTE_NOWHERE: /* not with topics */
        break;
    }
    return number % servers;
}

static bool begin(struct subscribers *subscribers, uint32_t index)
{
    const struct bench_settings *settings = subscribers->settings;
    struct subscriber *subscriber = &subscribers->all[index];
    uint32_t number = subscribers->first + index * subscribers->step;
    char selector[PUBLISHERS_PATH_BYTES];
    *subscriber = (struct subscriber){
        .subscribers = subscribers,
        .last = &subscribers->last[(size_t)index * settings->topics],
    };
    const struct weft_options options = {
        .context = subscribers->context,
        .servers = settings->servers[server_of(settings, number)],
        .key_file = settings->key_file,
        .server_keys = settings->server_keys,
        .connect_timeout_ms = 20000,
        .no_reconnect = !settings->reconnects,
        .closed = on_closed,
        .user = subscriber,
    };
    const struct weft_watcher watcher = {.value = on_value, .user = subscriber};
    subscriber->client = weft_new(&options);
    if (subscriber->client == NULL)
        return false;
    publishers_path(settings, UINT32_MAX, selector);
    weft_watch(subscriber->client, &watcher);
    return weft_subscribe(subscriber->client, selector, on_subscribed, subscriber) == WEFT_OK;
}

bool subscribers_open(struct subscribers *subscribers)
{
    const struct bench_settings *settings = subscribers->settings;
    uint32_t clients = settings->clients;
    subscribers->count = clients <= subscribers->first
                             ? 0
                             : (clients - subscribers->first - 1) / subscribers->step + 1;
    subscribers->all = calloc(subscribers->count + 1, sizeof *subscribers->all);
    subscribers->last =
        calloc((size_t)subscribers->count * settings->topics + 1, sizeof *subscribers->last);
    if (subscribers->all == NULL || subscribers->last == NULL)
        return false;
    for (uint32_t i = 0; i < subscribers->count; i++)
        if (!begin(subscribers, i))
            return false;
    return true;
}

bool subscribers_are_subscribed(const struct subscribers *subscribers,
                                const struct weft_client **problem)
{
    *problem = NULL;
    if (subscribers->standing == subscribers->count)
        return true;
    for (uint32_t i = 0; i < subscribers->count && *problem == NULL; i++)
        if (!weft_is_open(subscribers->all[i].client))
            *problem = subscribers->all[i].client;
    return false;
}

void subscribers_name_nodes(const struct subscribers *subscribers,
                            char names[BENCH_NODES_MAX][BENCH_NAME_BYTES])
{
    for (uint32_t i = 0; i < subscribers->count; i++) {
        uint32_t server =
            server_of(subscribers->settings, subscribers->first + i * subscribers->step);
        snprintf(names[server], BENCH_NAME_BYTES, "%s", weft_node(subscribers->all[i].client));
    }
}

void subscribers_look(struct subscribers *subscribers)
{
    uint32_t topics = subscribers->settings->topics;
    for (uint32_t topic = 0; topic < topics; topic++)
        subscribers->lowest[topic] = UINT64_MAX;
    for (uint32_t i = 0; i < subscribers->count; i++)
        for (uint32_t topic = 0; topic < topics; topic++)
            if (subscribers->all[i].last[topic] < subscribers->lowest[topic])
                subscribers->lowest[topic] = subscribers->all[i].last[topic];
}

void subscribers_clear(struct subscribers *subscribers)
{
    for (uint32_t i = 0; subscribers->all != NULL && i < subscribers->count; i++)
        if (subscribers->all[i].client != NULL)
            weft_destroy(&subscribers->all[i].client);
    free(subscribers->all);
    free(subscribers->last);
}
