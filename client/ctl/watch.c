/* watch.c - see watch.h. It shows all that comes, also of what others subscribe this session to. */
#include "client/ctl/watch.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "client/ctl/stream.h"
#include "client/ctl/values.h"
#include "client/weft_topics.h"

static const struct output_column columns[] = {
    {"event", "EVENT", NULL, OUTPUT_TEXT, false},    {"path", "PATH", NULL, OUTPUT_TEXT, false},
    {"value", "VALUE", NULL, OUTPUT_TEXT, false},    {"reason", "REASON", NULL, OUTPUT_TEXT, false},
    {"resync", "RESYNC", NULL, OUTPUT_MARK, false},  {"type", "TYPE", NULL, OUTPUT_TEXT, true},
    {"version", "VERSION", NULL, OUTPUT_TEXT, true},
};

static const struct output_view view = {.columns = columns,
                                        .columns_count = sizeof columns / sizeof columns[0]};

/* A line with its first two cells; an empty path is null. */
static cJSON *line_new(const char *event, struct weft_text path)
{
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "event", event);
    if (path.bytes == 0)
        cJSON_AddNullToObject(line, "path");
    else
        values_add_text(line, "path", path);
    return line;
}

static void add_version(cJSON *line, struct weft_version version)
{
    char text[WEFT_VERSION_BYTES];
    if (version.term == 0)
        cJSON_AddNullToObject(line, "version");
    else
        cJSON_AddStringToObject(line, "version", weft_version_format(version, text));
}

static void line_end(struct stream *stream, cJSON *line)
{
    (void)output_stream(&stream->ctl->output, line, &view);
    cJSON_Delete(line);
    stream->lines++;
}

static void on_value(struct weft_client *client, const struct weft_topic_value *topic, void *user)
{
    struct stream *stream = user;
    (void)client;
    if (stream_is_full(stream))
        return;
    cJSON *line = line_new("value", topic->path);
    add_version(line, topic->version);
    values_add(line, &topic->value);
    cJSON_AddNullToObject(line, "reason");
    if (topic->is_snapshot)
        cJSON_AddTrueToObject(line, "snapshot");
    if (topic->is_resync)
        cJSON_AddTrueToObject(line, "resync");
    line_end(stream, line);
}

/* The line of an event without a value. */
static cJSON *bare_line(const char *event, struct weft_text path, struct weft_version version,
                        const char *reason)
{
    cJSON *line = line_new(event, path);
    add_version(line, version);
    cJSON_AddNullToObject(line, "type");
    cJSON_AddNullToObject(line, "value");
    if (reason == NULL)
        cJSON_AddNullToObject(line, "reason");
    else
        cJSON_AddStringToObject(line, "reason", reason);
    return line;
}

static void on_removed(struct weft_client *client, const struct weft_topic_removed *topic,
                       void *user)
{
    struct stream *stream = user;
    (void)client;
    if (!stream_is_full(stream))
        line_end(stream, bare_line("removed", topic->path, topic->version, NULL));
}

static void on_unsubscribed(struct weft_client *client, const struct weft_topic_unsubscribed *topic,
                            void *user)
{
    struct stream *stream = user;
    (void)client;
    if (stream_is_full(stream))
        return;
    cJSON *line = bare_line("unsubscribed", topic->path, (struct weft_version){0},
                            weft_unsubscribed_reason_name(topic->reason));
    if (topic->selector.bytes > 0)
        values_add_text(line, "selector", topic->selector);
    line_end(stream, line);
}

static void on_subscribed(struct weft_client *client, struct weft_text selector,
                          enum weft_error error, struct weft_text text, void *user)
{
    (void)selector;
    stream_answered(user, client, error, text, 0, 0);
}

/* What the library takes a selector for: without its outer '/'. */
static struct weft_text trimmed(const char *word)
{
    word += strspn(word, "/");
    size_t bytes = strlen(word);
    while (bytes > 0 && word[bytes - 1] == '/')
        bytes--;
    return (struct weft_text){word, bytes};
}

/* Whether an earlier word is the same selector: it is answered once. */
static bool is_repeated(const struct ctl *ctl, size_t at)
{
    struct weft_text selector = trimmed(ctl->words[at]);
    for (size_t i = 0; i < at; i++) {
        struct weft_text other = trimmed(ctl->words[i]);
        if (other.bytes == selector.bytes && memcmp(other.data, selector.data, other.bytes) == 0)
            return true;
    }
    return false;
}

static enum weft_error subscribe_all(struct stream *stream, struct weft_client *client)
{
    const struct weft_watcher watcher = {on_value, on_removed, on_unsubscribed, stream};
    enum weft_error error = WEFT_OK;
    weft_watch(client, &watcher);
    for (size_t i = 0; i < stream->ctl->words_count && error == WEFT_OK; i++) {
        if (is_repeated(stream->ctl, i))
            continue;
        error = weft_subscribe(client, stream->ctl->words[i], on_subscribed, stream);
        stream->wanted++;
    }
    return error;
}

int watch_topics(struct ctl *ctl)
{
    struct stream stream = {.ctl = ctl};
    struct weft_options options;
    stream_options(&stream, &options);
    ctl_catch_signals();
    struct weft_client *client = weft_new(&options);
    if (client == NULL)
        return ctl_no_client(ctl);
    enum weft_error error = subscribe_all(&stream, client);
    const char *why = error == WEFT_INVALID_PATH ? CTL_SELECTOR_RULE : "";
    int code = error == WEFT_OK ? stream_follow(&stream, client)
                                : problems_of_error(error, values_text(why), 0, 0);
    weft_destroy(&client);
    return code;
}
