/* events.c - see events.h. The picture of a node that follows a lost one comes first: joined for
 * every member that is there, opened for every session, once more. */
#include "client/ctl/events.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/stream.h"
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

struct listing {
    struct stream stream;           /* first */
    bool has_sessions, has_members; /* what was asked for */
    struct output_column columns[COLUMNS + KEYS_SHOWN];
    struct output_view view;
    char *keys; /* cut at its commas; the columns point into it */
};

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

static void line_end(struct listing *listing, cJSON *line)
{
    (void)output_stream(&listing->stream.ctl->output, line, &listing->view);
    cJSON_Delete(line);
    listing->stream.lines++;
}

static void on_member(struct weft_client *client, const struct weft_member_event *event, void *user)
{
    struct listing *listing = user;
    (void)client;
    if (stream_is_full(&listing->stream))
        return; /* of one frame with more than were asked for */
    cJSON *line = line_new("member", weft_member_happening_name(event->event), NULL, event->node,
                           event->zone, NULL);
    cJSON_AddObjectToObject(line, "properties");
    line_end(listing, line);
}

static void on_session(struct weft_client *client, const struct weft_session_event *event,
                       void *user)
{
    struct listing *listing = user;
    char id[WEFT_SESSION_ID_BYTES];
    struct weft_rows rows = event->properties;
    struct weft_property_row property;
    (void)client;
    if (stream_is_full(&listing->stream))
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
    line_end(listing, line);
}

static void on_listening(struct weft_client *client, const struct weft_listening *listening,
                         void *user)
{
    stream_answered(user, client, listening->error, listening->text, listening->line,
                    listening->column);
}

/* Reads --kind; false, reported: it names something else. */
static bool kinds_read(struct listing *listing)
{
    const char *kinds = ctl_flag(listing->stream.ctl, FLAG_KIND);
    listing->has_sessions = listing->has_members = kinds == NULL;
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
        listing->has_sessions = listing->has_sessions || is_session;
        listing->has_members = listing->has_members || is_member;
        kinds = kinds[bytes] == ',' ? kinds + bytes + 1 : NULL;
    }
    if (listing->has_sessions || (ctl_flag(listing->stream.ctl, FLAG_FILTER) == NULL &&
                                  ctl_flag(listing->stream.ctl, FLAG_KEYS) == NULL))
        return true;
    (void)problems_usage("--filter and --keys are for sessions; --kind member leaves them out");
    return false;
}

/* The table's columns: those of all lines, and one for each key that was named. */
static bool columns_fill(struct listing *listing, const char *keys)
{
    char *rest = NULL;
    listing->keys = strdup(keys);
    if (listing->keys == NULL)
        return false;
    memcpy(listing->columns, columns, sizeof columns);
    listing->view = (struct output_view){.columns = listing->columns, .columns_count = COLUMNS};
    for (char *key = strtok_r(listing->keys, ",", &rest);
         key != NULL && listing->has_sessions && listing->view.columns_count < COLUMNS + KEYS_SHOWN;
         key = strtok_r(NULL, ",", &rest)) {
        if (key[0] != '*')
            listing->columns[listing->view.columns_count++] =
                (struct output_column){key, key, "properties", OUTPUT_TEXT, false};
    }
    return true;
}

static enum weft_error listen_all(struct listing *listing, struct weft_client *client,
                                  const char *keys)
{
    const char *filter = ctl_flag(listing->stream.ctl, FLAG_FILTER);
    enum weft_error error = WEFT_OK;
    listing->stream.wanted = (unsigned)listing->has_sessions + (unsigned)listing->has_members;
    if (listing->has_members)
        error = weft_listen_members(client, on_member, on_listening, listing);
    if (error == WEFT_OK && listing->has_sessions)
        error = weft_listen_sessions(client, filter == NULL ? "all" : filter, keys, on_session,
                                     on_listening, listing);
    return error;
}

int events_run(struct ctl *ctl)
{
    struct listing listing = {.stream = {.ctl = ctl}};
    struct weft_options options;
    const char *keys = ctl_flag(ctl, FLAG_KEYS);
    if (keys == NULL)
        keys = CTL_KEYS_OTHERWISE;
    if (!kinds_read(&listing))
        return EXIT_USAGE;
    if (!columns_fill(&listing, keys))
        return problems_report("INTERNAL", "out of memory");
    stream_options(&listing.stream, &options);
    ctl_catch_signals();
    struct weft_client *client = weft_new(&options);
    int code = EXIT_ERROR;
    if (client == NULL) {
        code = ctl_no_client(ctl);
    } else {
        enum weft_error error = listen_all(&listing, client, keys);
        code = error == WEFT_OK ? stream_follow(&listing.stream, client)
                                : problems_of_error(error, values_text(""), 0, 0);
    }
    weft_destroy(&client);
    free(listing.keys);
    return code;
}
