/* events.c - see events.h. A node that is lost is followed by another one, whose picture comes
 * first: joined for every member that is there, once more. */
#include "client/ctl/events.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "client/ctl/values.h"

static const struct output_column columns[] = {
    {"kind", "KIND", NULL, OUTPUT_TEXT, false},
    {"event", "EVENT", NULL, OUTPUT_TEXT, false},
    {"node", "NODE", NULL, OUTPUT_TEXT, false},
    {"zone", "ZONE", NULL, OUTPUT_TEXT, false},
};
static const struct output_view view = {.columns = columns,
                                        .columns_count = sizeof columns / sizeof columns[0]};

struct stream {
    struct ctl *ctl;
    uint64_t lines; /* written */
    bool is_ready, is_closed;
    enum weft_error error; /* why it ended */
    char why[256];
};

static void on_event(struct weft_client *client, const struct weft_member_event *event, void *user)
{
    struct stream *stream = user;
    (void)client;
    if (stream->ctl->count > 0 && stream->lines >= stream->ctl->count)
        return; /* of one frame with more than were asked for */
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "kind", "member");
    cJSON_AddStringToObject(line, "event", weft_member_happening_name(event->event));
    cJSON_AddNullToObject(line, "session");
    values_add_text(line, "node", event->node);
    values_add_text(line, "zone", event->zone);
    cJSON_AddNullToObject(line, "reason");
    cJSON_AddObjectToObject(line, "properties");
    (void)output_stream(&stream->ctl->output, line, &view);
    cJSON_Delete(line);
    stream->lines++;
}

static void on_registered(struct weft_client *client, enum weft_error error, struct weft_text text,
                          void *user)
{
    struct stream *stream = user;
    char id[WEFT_SESSION_ID_BYTES];
    if (error != WEFT_OK) {
        stream->error = error;
        (void)snprintf(stream->why, sizeof stream->why, "%.*s", (int)text.bytes, text.data);
        return;
    }
    stream->is_ready = true;
    fprintf(stderr, "weftctl: ready %s\n", weft_session_id_format(weft_session(client), id));
}

static void on_lost(struct weft_client *client, struct weft_text why, void *user)
{
    const struct stream *stream = user;
    (void)client;
    if (stream->is_ready)
        problems_note("CLUSTER_ROUTING", "%.*s; looking for another node", (int)why.bytes,
                      why.data);
}

static void on_closed(struct weft_client *client, const struct weft_closed *closed, void *user)
{
    struct stream *stream = user;
    bool had_session = weft_session(client).instance != 0;
    stream->is_closed = true;
    stream->error = closed->error;
    (void)snprintf(stream->why, sizeof stream->why, "%s%s%.*s",
                   had_session ? weft_close_reason_name(closed->reason) : "",
                   had_session && closed->text.bytes > 0 ? ": " : "", (int)closed->text.bytes,
                   closed->text.data);
}

static int follow(struct stream *stream, struct weft_client *client)
{
    const struct ctl *ctl = stream->ctl;
    uint64_t end_ms = ctl_end_ms(ctl), ready_ms = ctl_now_ms() + ctl->timeout_ms;
    while (!ctl_is_stopped() && ctl_now_ms() < end_ms) {
        if (stream->is_closed || stream->error != WEFT_OK)
            return problems_of_error(stream->error, values_text(stream->why), 0, 0);
        if (ctl->count > 0 && stream->lines >= ctl->count)
            break;
        if (!stream->is_ready && ctl_now_ms() >= ready_ms)
            return ctl_no_session(ctl, client);
        (void)weft_run(client, 100);
    }
    return EXIT_COMPLETE;
}

int events_run(struct ctl *ctl)
{
    const char *kind = ctl_flag(ctl, FLAG_KIND);
    if (kind != NULL && strcmp(kind, "member") != 0)
        return problems_usage("--kind takes member in this version, not '%s'", kind);
    struct stream stream = {.ctl = ctl};
    struct weft_options options;
    ctl_options(ctl, &options);
    options.lost = on_lost;
    options.closed = on_closed;
    options.user = &stream;
    ctl_catch_signals();
    struct weft_client *client = weft_new(&options);
    if (client == NULL)
        return ctl_no_client(ctl);
    enum weft_error error = weft_listen_members(client, on_event, on_registered, &stream);
    int code = error == WEFT_OK ? follow(&stream, client)
                                : problems_of_error(error, values_text(""), 0, 0);
    weft_destroy(&client);
    return code;
}
