/* events.c - see events.h. A node that is lost is followed by another one, whose picture comes
 * first: joined for every member that is there, opened for every session, once more. */
#include "client/ctl/events.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/values.h"
#include "client/weft_events.h"

static const struct output_column columns[] = {
    {"kind", "KIND", NULL, OUTPUT_TEXT, false},
    {"event", "EVENT", NULL, OUTPUT_TEXT, false},
    {"session", "SESSION", NULL, OUTPUT_TEXT, false},
    {"node", "NODE", NULL, OUTPUT_TEXT, false},
    {"zone", "ZONE", NULL, OUTPUT_TEXT, false},
    {"reason", "REASON", NULL, OUTPUT_TEXT, false},
};

enum { COLUMNS = sizeof columns / sizeof columns[0], KEYS_SHOWN = 32 };

struct stream {
    struct ctl *ctl;
    bool has_sessions, has_members; /* what was asked for */
    unsigned wanted, standing;      /* how many listenings; and answered, in this session */
    struct output_column columns[COLUMNS + KEYS_SHOWN];
    struct output_view view;
    char *keys;     /* cut at its commas; the columns point into it */
    uint64_t lines; /* written */
    bool is_ready, is_closed;
    enum weft_error error; /* why it ended */
    uint32_t line, column; /* in the filter */
    char why[256];
};

static bool is_full(const struct stream *stream)
{
    return stream->ctl->count > 0 && stream->lines >= stream->ctl->count;
}

/* A line with what all have; NULL texts are null. */
static cJSON *line_new(const char *kind, const char *event, const char *session,
                       struct weft_text node, struct weft_text zone, const char *reason)
{
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "kind", kind);
    cJSON_AddStringToObject(line, "event", event);
    if (session == NULL)
        cJSON_AddNullToObject(line, "session");
    else
        cJSON_AddStringToObject(line, "session", session);
    values_add_text(line, "node", node);
    values_add_text(line, "zone", zone);
    if (reason == NULL)
        cJSON_AddNullToObject(line, "reason");
    else
        cJSON_AddStringToObject(line, "reason", reason);
    return line;
}

static void line_end(struct stream *stream, cJSON *line)
{
    (void)output_stream(&stream->ctl->output, line, &stream->view);
    cJSON_Delete(line);
    stream->lines++;
}

static void on_member(struct weft_client *client, const struct weft_member_event *event, void *user)
{
    struct stream *stream = user;
    (void)client;
    if (is_full(stream))
        return; /* of one frame with more than were asked for */
    cJSON *line = line_new("member", weft_member_happening_name(event->event), NULL, event->node,
                           event->zone, NULL);
    cJSON_AddObjectToObject(line, "properties");
    line_end(stream, line);
}

static void on_session(struct weft_client *client, const struct weft_session_event *event,
                       void *user)
{
    struct stream *stream = user;
    char id[WEFT_SESSION_ID_BYTES];
    struct weft_rows rows = event->properties;
    struct weft_property_row property;
    (void)client;
    if (is_full(stream))
        return;
    const char *reason =
        event->event == WEFT_SESSION_ENDED ? weft_close_reason_name(event->reason) : NULL;
    cJSON *line =
        line_new("session", weft_session_happening_name(event->event),
                 weft_session_id_format(event->session, id), event->node, event->zone, reason);
    cJSON *properties = cJSON_AddObjectToObject(line, "properties");
    while (weft_next_property(&rows, &property)) {
        char key[129];
        (void)snprintf(key, sizeof key, "%.*s", (int)property.key.bytes, property.key.data);
        values_add_text(properties, key, property.value);
    }
    if (event->is_resync)
        cJSON_AddTrueToObject(line, "resync");
    line_end(stream, line);
}

static void on_listening(struct weft_client *client, const struct weft_listening *listening,
                         void *user)
{
    struct stream *stream = user;
    char id[WEFT_SESSION_ID_BYTES];
    if (listening->error != WEFT_OK) {
        stream->error = listening->error;
        stream->line = listening->line;
        stream->column = listening->column;
        (void)snprintf(stream->why, sizeof stream->why, "%.*s", (int)listening->text.bytes,
                       listening->text.data);
        return;
    }
    if (++stream->standing < stream->wanted)
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

static int follow(struct stream *stream, struct weft_client *client)
{
    const struct ctl *ctl = stream->ctl;
    uint64_t end_ms = ctl_end_ms(ctl), ready_ms = ctl_now_ms() + ctl->timeout_ms;
    while (!ctl_is_stopped() && ctl_now_ms() < end_ms) {
        if (stream->is_closed || stream->error != WEFT_OK)
            return problems_of_error(stream->error, values_text(stream->why), stream->line,
                                     stream->column);
        if (is_full(stream))
            break;
        if (!stream->is_ready && ctl_now_ms() >= ready_ms)
            return ctl_no_session(ctl, client);
        (void)weft_run(client, 100);
    }
    return EXIT_COMPLETE;
}

/* Reads --kind; false, reported: it names something else. */
static bool kinds_read(struct stream *stream)
{
    const char *kinds = ctl_flag(stream->ctl, FLAG_KIND);
    stream->has_sessions = stream->has_members = kinds == NULL;
    while (kinds != NULL) {
        size_t bytes = strcspn(kinds, ",");
        bool is_session = bytes == 7 && strncmp(kinds, "session", bytes) == 0;
        bool is_member = bytes == 6 && strncmp(kinds, "member", bytes) == 0;
        if (!is_session && !is_member) {
            (void)problems_usage("--kind takes session, member or both joined by a comma, not "
                                 "'%.*s'",
                                 (int)bytes, kinds);
            return false;
        }
        stream->has_sessions = stream->has_sessions || is_session;
        stream->has_members = stream->has_members || is_member;
        kinds = kinds[bytes] == ',' ? kinds + bytes + 1 : NULL;
    }
    if (stream->has_sessions ||
        (ctl_flag(stream->ctl, FLAG_FILTER) == NULL && ctl_flag(stream->ctl, FLAG_KEYS) == NULL))
        return true;
    (void)problems_usage("--filter and --keys are for sessions; --kind member leaves them out");
    return false;
}

/* The table's columns: those of all lines, and one for each key that was named. */
static bool columns_fill(struct stream *stream, const char *keys)
{
    char *rest = NULL;
    stream->keys = strdup(keys);
    if (stream->keys == NULL)
        return false;
    memcpy(stream->columns, columns, sizeof columns);
    stream->view = (struct output_view){.columns = stream->columns, .columns_count = COLUMNS};
    for (char *key = strtok_r(stream->keys, ",", &rest);
         key != NULL && stream->has_sessions && stream->view.columns_count < COLUMNS + KEYS_SHOWN;
         key = strtok_r(NULL, ",", &rest)) {
        if (key[0] != '*')
            stream->columns[stream->view.columns_count++] =
                (struct output_column){key, key, "properties", OUTPUT_TEXT, false};
    }
    return true;
}

static enum weft_error listen_all(struct stream *stream, struct weft_client *client,
                                  const char *keys)
{
    const char *filter = ctl_flag(stream->ctl, FLAG_FILTER);
    enum weft_error error = WEFT_OK;
    stream->wanted = (unsigned)stream->has_sessions + (unsigned)stream->has_members;
    if (stream->has_members)
        error = weft_listen_members(client, on_member, on_listening, stream);
    if (error == WEFT_OK && stream->has_sessions)
        error = weft_listen_sessions(client, filter == NULL ? "all" : filter, keys, on_session,
                                     on_listening, stream);
    return error;
}

int events_run(struct ctl *ctl)
{
    struct stream stream = {.ctl = ctl};
    struct weft_options options;
    const char *keys = ctl_flag(ctl, FLAG_KEYS);
    if (keys == NULL)
        keys = CTL_KEYS_OTHERWISE;
    if (!kinds_read(&stream))
        return EXIT_USAGE;
    if (!columns_fill(&stream, keys))
        return problems_report("INTERNAL", "out of memory");
    ctl_options(ctl, &options);
    options.lost = on_lost;
    options.closed = on_closed;
    options.user = &stream;
    ctl_catch_signals();
    struct weft_client *client = weft_new(&options);
    int code = EXIT_ERROR;
    if (client == NULL) {
        code = ctl_no_client(ctl);
    } else {
        enum weft_error error = listen_all(&stream, client, keys);
        code = error == WEFT_OK ? follow(&stream, client)
                                : problems_of_error(error, values_text(""), 0, 0);
    }
    weft_destroy(&client);
    free(stream.keys);
    return code;
}
