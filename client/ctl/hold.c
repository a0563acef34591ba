/* hold.c - see hold.h. All sessions share one context. A session that is lost with its node is
 * followed by another one at the next node, under a new id: then there is a new line for it. */
#include "client/ctl/hold.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "client/ctl/values.h"

enum { HOLD_MAX = 10000 }; /* as many as a context has */

static const struct output_column columns[] = {
    {"id", "ID", NULL, OUTPUT_TEXT, false},
    {"node", "NODE", NULL, OUTPUT_TEXT, false},
    {"closed", "CLOSED", NULL, OUTPUT_TEXT, false},
};
static const struct output_view view = {.columns = columns,
                                        .columns_count = sizeof columns / sizeof columns[0]};

struct hold {
    struct ctl *ctl;
    struct weft_client **clients;
    uint32_t wanted, opened, ended;
    uint64_t lines;        /* written */
    bool is_ready;         /* all stood at one time, and that was said */
    enum weft_error error; /* why a session could not be opened at all */
    char why[256];
};

static bool do_all_stand(const struct hold *hold)
{
    bool do_stand = hold->opened >= hold->wanted;
    for (uint32_t i = 0; do_stand && i < hold->wanted; i++)
        do_stand = weft_is_open(hold->clients[i]);
    return do_stand;
}

static void on_opened(struct weft_client *client, const struct weft_opened *opened, void *user)
{
    struct hold *hold = user;
    char id[WEFT_SESSION_ID_BYTES];
    (void)client;
    if (opened->is_resumed)
        return;
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "id", weft_session_id_format(opened->session, id));
    values_add_text(line, "node", opened->node);
    (void)output_stream(&hold->ctl->output, line, &view);
    cJSON_Delete(line);
    hold->lines++;
    hold->opened++;
    if (!hold->is_ready && do_all_stand(hold)) {
        hold->is_ready = true;
        fprintf(stderr, "weftctl: ready %s\n",
                weft_session_id_format(weft_session(hold->clients[0]), id));
    }
}

static void on_lost(struct weft_client *client, struct weft_text why, void *user)
{
    struct hold *hold = user;
    (void)client;
    if (hold->is_ready)
        problems_note("CLUSTER_ROUTING", "%.*s; looking for another node", (int)why.bytes,
                      why.data);
}

static void on_closed(struct weft_client *client, const struct weft_closed *closed, void *user)
{
    struct hold *hold = user;
    struct weft_session_id session = weft_session(client);
    char id[WEFT_SESSION_ID_BYTES];
    hold->ended++;
    if (session.instance == 0 && session.serial == 0) {
        hold->error = closed->error;
        (void)snprintf(hold->why, sizeof hold->why, "%.*s", (int)closed->text.bytes,
                       closed->text.data);
        return;
    }
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "id", weft_session_id_format(session, id));
    cJSON_AddStringToObject(line, "closed", weft_close_reason_name(closed->reason));
    (void)output_stream(&hold->ctl->output, line, &view);
    cJSON_Delete(line);
    hold->lines++;
    if (closed->reason != WEFT_CLOSED_BY_CLIENT)
        problems_note("SESSION_CLOSED", "%s %s%s%.*s", id, weft_close_reason_name(closed->reason),
                      closed->text.bytes > 0 ? ": " : "", (int)closed->text.bytes,
                      closed->text.data);
}

static int open_all(struct hold *hold, struct weft_context *context)
{
    struct weft_options options;
    ctl_options(hold->ctl, &options);
    options.context = context;
    options.opened = on_opened;
    options.lost = on_lost;
    options.closed = on_closed;
    options.user = hold;
    for (uint32_t i = 0; i < hold->wanted; i++) {
        hold->clients[i] = weft_new(&options);
        if (hold->clients[i] == NULL)
            return ctl_no_client(hold->ctl);
    }
    return EXIT_COMPLETE;
}

/* Runs until the sessions have ended, or the stream must. */
static int keep(struct hold *hold, struct weft_context *context)
{
    const struct ctl *ctl = hold->ctl;
    uint64_t end_ms = ctl_end_ms(ctl), ready_ms = ctl_now_ms() + ctl->timeout_ms;
    while (hold->ended < hold->wanted && !ctl_is_stopped()) {
        uint64_t now_ms = ctl_now_ms();
        if (now_ms >= end_ms || (ctl->count > 0 && hold->lines >= ctl->count))
            return EXIT_COMPLETE;
        if (!hold->is_ready && now_ms >= ready_ms)
            return ctl_no_session(ctl, hold->clients[hold->wanted - 1]);
        (void)weft_context_run(context, 100);
    }
    if (hold->error != WEFT_OK)
        return problems_of_error(hold->error, values_text(hold->why), 0, 0);
    if (hold->ended == 0)
        return EXIT_COMPLETE;
    return problems_report("SESSION_CLOSED", "%" PRIu32 " of %" PRIu32 " closed from outside",
                           hold->ended, hold->wanted);
}

/* Each session takes descriptors: as many as may be had. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Ends what still stands, and lets each be told of. */
static void end_all(const struct hold *hold, struct weft_context *context)
{
    for (uint32_t i = 0; i < hold->wanted; i++)
        if (hold->clients[i] != NULL && weft_is_open(hold->clients[i]))
            weft_close(hold->clients[i]);
    (void)weft_context_progress(context);
}

int hold_open(struct ctl *ctl)
{
    uint64_t wanted = 1;
    if (!ctl_count(ctl, FLAG_NUMBER, "--number", 1, HOLD_MAX, 1, &wanted))
        return EXIT_USAGE;
    raise_descriptors();
    struct hold hold = {.ctl = ctl, .wanted = (uint32_t)wanted};
    hold.clients = calloc(wanted, sizeof(struct weft_client *));
    struct weft_context *context = weft_context_new(hold.wanted);
    if (context == NULL || hold.clients == NULL) {
        weft_context_destroy(&context);
        free(hold.clients);
        return problems_report("INTERNAL", "no memory or descriptors for %" PRIu32 " sessions",
                               hold.wanted);
    }
    ctl_catch_signals();
    int code = open_all(&hold, context);
    if (code == EXIT_COMPLETE)
        code = keep(&hold, context);
    end_all(&hold, context);
    weft_context_destroy(&context);
    free(hold.clients);
    return code;
}
