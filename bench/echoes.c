#include "bench/echoes.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/callers.h"
#include "bench/payload.h"

struct echo {
    struct echoes *echoes;
    struct weft_client *client;
    struct tally_window *callers; /* one for each; NULL without checks */
    uint32_t server;
};

uint32_t echoes_wanted(const struct bench_settings *settings)
{
    return settings->handlers * settings->servers_count;
}

static void judge(struct echo *echo, const struct weft_value *value)
{
    struct echoes *echoes = echo->echoes;
    const struct bench_settings *settings = echoes->settings;
    struct bench_checks *checks = &echoes->tally->checks;
    struct payload payload;
    bool is_whole = payload_read(value->data, value->bytes, &payload);
    if (is_whole && payload.run == settings->seed + 1)
        return; /* only asks whether somebody is here */
    if (!is_whole || payload.run != settings->seed || payload.sender >= settings->clients) {
        checks->corrupt++;
        return;
    }
    switch (tally_window_admit(&echo->callers[payload.sender], payload.sequence)) {
    case TALLY_DUPLICATE:
        checks->duplicate++;
        return;
    case TALLY_REORDERED: /* several handlers share a caller's requests: no order between them */
        checks->reordered += settings->handlers == 1;
        break;
    case TALLY_FRESH:
        break;
    }
    echoes->seen[payload.sender * settings->servers_count + echo->server]++;
}

static void on_request(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    struct echo *echo = user;
    if (echo->callers != NULL)
        judge(echo, &incoming->value);
    weft_respond(client, incoming->responder, &incoming->value);
}

static void on_registered(struct weft_client *client, enum weft_error error, struct weft_text text,
                          void *user)
{
    struct echo *echo = user;
    (void)client;
    if (error == WEFT_OK) {
        echo->echoes->registered++;
        return;
    }
    echo->echoes->refused++;
    fprintf(stderr, "weftbench: %s: %.*s\n", weft_error_name(error), (int)text.bytes, text.data);
}

static bool open_one(struct echoes *echoes, struct echo *echo, uint32_t number)
{
    const struct bench_settings *settings = echoes->settings;
    char path[CALLERS_PATH_BYTES];
    *echo = (struct echo){.echoes = echoes, .server = number % settings->servers_count};
    const struct weft_options options = {.context = echoes->context,
                                         .servers = settings->servers[echo->server],
                                         .key_file = settings->key_file,
                                         .server_keys = settings->server_keys,
                                         .no_reconnect = !settings->reconnects};
    if (echoes->seen != NULL) {
        echo->callers = calloc(settings->clients, sizeof *echo->callers);
        if (echo->callers == NULL)
            return false;
    }
    echo->client = weft_new(&options);
    callers_path(settings, echo->server, path);
    return echo->client != NULL &&
           weft_handle(echo->client, path, on_request, on_registered, echo) == WEFT_OK;
}

bool echoes_open(struct echoes *echoes)
{
    uint32_t all = echoes_wanted(echoes->settings);
    uint32_t wanted = all <= echoes->first ? 0 : (all - echoes->first - 1) / echoes->step + 1;
    echoes->all = calloc(wanted + 1, sizeof *echoes->all);
    for (uint32_t i = 0; echoes->all != NULL && i < wanted; i++) {
        echoes->count = i + 1;
        if (!open_one(echoes, &echoes->all[i], echoes->first + i * echoes->step))
            return false;
    }
    return echoes->all != NULL;
}

bool echoes_are_registered(const struct echoes *echoes, const struct weft_client **problem)
{
    *problem = NULL;
    for (uint32_t i = 0; i < echoes->count && *problem == NULL; i++)
        if (!weft_is_open(echoes->all[i].client))
            *problem = echoes->all[i].client;
    return echoes->registered >= echoes->count;
}

void echoes_name_nodes(const struct echoes *echoes, char names[BENCH_NODES_MAX][BENCH_NAME_BYTES])
{
    for (uint32_t i = 0; i < echoes->count; i++)
        snprintf(names[echoes->all[i].server], BENCH_NAME_BYTES, "%s",
                 weft_node(echoes->all[i].client));
}

void echoes_clear(struct echoes *echoes)
{
    for (uint32_t i = 0; i < echoes->count; i++) {
        if (echoes->all[i].client != NULL)
            weft_destroy(&echoes->all[i].client);
        free(echoes->all[i].callers);
    }
    free(echoes->all);
}
