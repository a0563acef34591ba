/* handler_run.c - see handler_run.h. What those who want to enter say is shown, but for their
 * credentials. */
#include "client/ctl/handler_run.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "client/ctl/stream.h"
#include "client/ctl/values.h"
#include "client/weft_auth.h"

enum { KEY_BYTES = 129 };

struct run {
    struct stream stream; /* first */
    struct weft_client *client;
    enum ctl_flag verdict; /* of `handler auth` */
};

static const struct output_column auth_columns[] = {
    {"principal", "PRINCIPAL", NULL, OUTPUT_TEXT, false},
    {"verdict", "VERDICT", NULL, OUTPUT_TEXT, false},
};
static const struct output_view auth_view = {
    .columns = auth_columns, .columns_count = sizeof auth_columns / sizeof auth_columns[0]};

static const struct output_column missing_columns[] = {
    {"selector", "SELECTOR", NULL, OUTPUT_TEXT, false},
    {"path", "PATH", NULL, OUTPUT_TEXT, false},
    {"session", "SESSION", NULL, OUTPUT_TEXT, false},
    {"coalesced", "COALESCED", NULL, OUTPUT_NUMBER, false},
};
static const struct output_view missing_view = {.columns = missing_columns,
                                                .columns_count = sizeof missing_columns /
                                                                 sizeof missing_columns[0]};

static void line_end(struct stream *stream, cJSON *line, const struct output_view *view)
{
    (void)output_stream(&stream->ctl->output, line, view);
    cJSON_Delete(line);
    stream->lines++;
}

static void on_login(struct weft_client *client, const struct weft_login *login, void *user)
{
    struct run *run = user;
    struct stream *stream = &run->stream;
    const struct weft_allowance allowance = {.roles = ctl_flag(stream->ctl, FLAG_ROLE)};
    const char *verdict = "abstain";
    enum weft_error error;
    if (run->verdict == FLAG_ALLOW) {
        verdict = "allow";
        error = weft_allow(client, login->responder, &allowance);
    } else if (run->verdict == FLAG_DENY) {
        verdict = "deny";
        error = weft_deny(client, login->responder);
    } else {
        error = weft_abstain(client, login->responder);
    }
    if (error != WEFT_OK) {
        stream->error = error;
        (void)snprintf(stream->why, sizeof stream->why,
                       "--role takes names of roles, joined by commas");
        return;
    }
    cJSON *line = cJSON_CreateObject();
    values_add_text(line, "principal", login->principal);
    cJSON_AddStringToObject(line, "verdict", verdict);
    line_end(stream, line, &auth_view);
}

static void on_missing(struct weft_client *client, const struct weft_missing *missing, void *user)
{
    struct stream *stream = &((struct run *)user)->stream;
    char id[WEFT_SESSION_ID_BYTES];
    struct weft_rows rows = missing->properties;
    struct weft_property_row property;
    struct weft_text rest = missing->nodes;
    (void)client;
    if (stream_is_full(stream))
        return; /* of one frame with more than were asked for */
    cJSON *line = cJSON_CreateObject();
    values_add_text(line, "selector", missing->selector);
    cJSON_AddStringToObject(line, "path", stream->ctl->words[0]);
    cJSON_AddStringToObject(line, "session", weft_session_id_format(missing->session, id));
    cJSON *properties = cJSON_AddObjectToObject(line, "properties");
    while (weft_next_property(&rows, &property)) {
        char key[KEY_BYTES];
        (void)snprintf(key, sizeof key, "%.*s", (int)property.key.bytes, property.key.data);
        values_add_text(properties, key, property.value);
    }
    cJSON *nodes = cJSON_AddArrayToObject(line, "nodes");
    while (rest.bytes > 0) {
        const char *comma = memchr(rest.data, ',', rest.bytes);
        size_t bytes = comma == NULL ? rest.bytes : (size_t)(comma - rest.data);
        char name[KEY_BYTES];
        (void)snprintf(name, sizeof name, "%.*s", (int)bytes, rest.data);
        cJSON_AddItemToArray(nodes, cJSON_CreateString(name));
        rest.data += bytes + (comma != NULL);
        rest.bytes -= bytes + (comma != NULL);
    }
    cJSON_AddNumberToObject(line, "coalesced", missing->coalesced);
    line_end(stream, line, &missing_view);
}

static void on_registered(struct weft_client *client, enum weft_error error, struct weft_text text,
                          void *user)
{
    stream_answered(&((struct run *)user)->stream, client, error, text, 0, 0);
}

static bool run_open(struct run *run)
{
    struct weft_options options;
    run->stream.wanted = 1;
    stream_options(&run->stream, &options);
    ctl_catch_signals(); /* so that the session is closed, and its registration with it */
    run->client = weft_new(&options);
    return run->client != NULL;
}

int handler_run_auth(struct ctl *ctl)
{
    struct run run = {.stream.ctl = ctl, .verdict = FLAG_ABSTAIN};
    bool allows = ctl_flag(ctl, FLAG_ALLOW) != NULL, denies = ctl_flag(ctl, FLAG_DENY) != NULL;
    bool abstains = ctl_flag(ctl, FLAG_ABSTAIN) != NULL;
    if (allows + denies + abstains != 1)
        return problems_usage("handler auth takes one of --allow, --deny and --abstain");
    if (ctl_flag(ctl, FLAG_ROLE) != NULL && !allows)
        return problems_usage("--role is for those whom --allow lets in");
    if (!abstains)
        run.verdict = allows ? FLAG_ALLOW : FLAG_DENY;
    if (!run_open(&run))
        return ctl_no_client(ctl);
    enum weft_error error =
        weft_authenticate_handler(run.client, ctl->words[0], on_login, on_registered, &run);
    int code = error == WEFT_OK ? stream_follow(&run.stream, run.client)
                                : problems_usage("'%s' is no name of a handler: 1 to 64 bytes "
                                                 "without blanks, quotes, commas and /",
                                                 ctl->words[0]);
    weft_destroy(&run.client);
    return code;
}

int handler_run_missing(struct ctl *ctl)
{
    struct run run = {.stream.ctl = ctl};
    if (!run_open(&run))
        return ctl_no_client(ctl);
    enum weft_error error =
        weft_missing_handler(run.client, ctl->words[0], on_missing, on_registered, &run);
    int code = error == WEFT_OK ? stream_follow(&run.stream, run.client)
                                : problems_of_error(error, values_text(CTL_PATH_RULE), 0, 0);
    weft_destroy(&run.client);
    return code;
}
