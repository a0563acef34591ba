/* stream.c - see stream.h. */
#include "client/ctl/stream.h"

#include <stdio.h>

#include "client/ctl/values.h"

bool stream_is_full(const struct stream *stream)
{
    return stream->ctl->count > 0 && stream->lines >= stream->ctl->count;
}

void stream_answered(struct stream *stream, struct weft_client *client, enum weft_error error,
                     struct weft_text text, uint32_t line, uint32_t column)
{
    char id[WEFT_SESSION_ID_BYTES];
    if (error != WEFT_OK) {
        stream->error = error;
        stream->line = line;
        stream->column = column;
        (void)snprintf(stream->why, sizeof stream->why, "%.*s", (int)text.bytes, text.data);
        return;
    }
    if (++stream->standing != stream->wanted)
        return;
    stream->is_ready = true;
    fprintf(stderr, "weftctl: ready %s\n", weft_session_id_format(weft_session(client), id));
}

static void on_lost(struct weft_client *client, struct weft_text why, void *user)
{
    struct stream *stream = user;
    (void)client;
    stream->standing = 0;
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

void stream_options(struct stream *stream, struct weft_options *options)
{
    ctl_options(stream->ctl, options);
    options->lost = on_lost;
    options->closed = on_closed;
    options->user = stream;
}

int stream_follow(struct stream *stream, struct weft_client *client)
{
    const struct ctl *ctl = stream->ctl;
    uint64_t end_ms = ctl_end_ms(ctl), ready_ms = ctl_now_ms() + ctl->timeout_ms;
    while (!ctl_is_stopped() && ctl_now_ms() < end_ms) {
        if (stream->is_closed || stream->error != WEFT_OK)
            return problems_of_error(stream->error, values_text(stream->why), stream->line,
                                     stream->column);
        if (stream_is_full(stream))
            break;
        if (!stream->is_ready && ctl_now_ms() >= ready_ms)
            return ctl_no_session(ctl, client);
        (void)weft_run(client, 100);
    }
    return EXIT_COMPLETE;
}
