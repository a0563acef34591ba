/* ctl_session.c - see ctl_session.h. */
#include "client/ctl/ctl_session.h"

#include "client/ctl/ctl_output.h"

#include <stdio.h>
#include <stdlib.h>

enum { HOLD_MAX = 10000 };

static cJSON *session_tree(const struct weft_session_row *row)
{
    cJSON *session = cJSON_CreateObject();
    ctl_output_id(session, "id", row->id);
    ctl_output_string(session, "state", ctl_output_session_state(row->state));
    ctl_output_text(session, "node", row->node);
    ctl_output_properties(session, "properties", row->properties);
    return session;
}

struct listing {
    cJSON *sessions;
    uint32_t limit;
    uint32_t shown;
};

/* Moves a node's rows into the one list, as many as are wanted. */
static void fill_sessions(cJSON *node, const struct weft_node_answer *answer, void *user)
{
    struct listing *listing = user;
    struct weft_rows rows = answer->rows;
    struct weft_session_row row;
    ctl_output_number(node, "total", answer->total);
    while (listing->shown < listing->limit && weft_next_session(&rows, &row)) {
        (void)cJSON_AddItemToArray(listing->sessions, session_tree(&row));
        listing->shown++;
    }
}

int ctl_session_ls(struct ctl *ctl)
{
    static const struct ctl_column columns[] = {
        {"SESSION", "id", CTL_CELL_TEXT, false}, {"STATE", "state", CTL_CELL_STATE, false},
        {"NODE", "node", CTL_CELL_TEXT, false},  {"PROPERTIES", "properties", CTL_CELL_MAP, false},
        {NULL, NULL, CTL_CELL_TEXT, false},
    };
    int code = ctl_open(ctl, false);
    if (code != CTL_COMPLETE)
        return code;
    const char *keys = ctl->keys;
    if (keys == NULL && ctl->format == CTL_TABLE) /* what fits on a line */
        keys = "$Principal,$ClientType,$ClientIP,*U";
    const struct weft_result *result = weft_list_sessions_wait(ctl->client, keys, ctl->limit, 0);
    if (result->error != WEFT_OK)
        return ctl_fail_with(ctl, result->error, result->text);
    cJSON *tree = cJSON_CreateObject();
    struct listing listing = {
        .sessions = cJSON_AddArrayToObject(tree, "sessions"),
        .limit = ctl->limit,
    };
    cJSON *reach = cJSON_CreateObject();
    ctl_output_reach(reach, result, fill_sessions, &listing);
    ctl_output_number(tree, "shown", listing.shown);
    ctl_output_number(tree, "total", result->total);
    while (reach->child != NULL) {
        cJSON *member = cJSON_DetachItemViaPointer(reach, reach->child);
        (void)cJSON_AddItemToObject(tree, member->string, member);
    }
    cJSON_Delete(reach);
    ctl_output_listing(ctl, tree, "sessions", columns);
    if (ctl_output_is_for_people(ctl) && listing.shown < result->total)
        (void)printf("%u of %u sessions shown; --limit N shows more\n", (unsigned)listing.shown,
                     (unsigned)result->total);
    cJSON_Delete(tree);
    return ctl_output_partial(ctl, result);
}

/* For people: a line a property, then nothing. */
static void print_session(const struct weft_session_row *row)
{
    char id[WEFT_SESSION_ID_BYTES];
    struct weft_rows rows = row->properties;
    struct weft_property_row property;
    (void)printf("%s  %s on %.*s\n", weft_session_id_format(row->id, id),
                 ctl_output_session_state(row->state), (int)row->node.bytes, row->node.data);
    while (weft_next_property(&rows, &property))
        (void)printf("  %.*s = %.*s\n", (int)property.key.bytes, property.key.data,
                     (int)property.value.bytes, property.value.data);
}

int ctl_session_get(struct ctl *ctl)
{
    struct weft_session_id id;
    if (!ctl_read_id(ctl, ctl->arguments[0], &id))
        return CTL_USAGE;
    int code = ctl_open(ctl, false);
    if (code != CTL_COMPLETE)
        return code;
    const struct weft_result *result = weft_get_properties_wait(ctl->client, id, ctl->keys, 0);
    if (result->error != WEFT_OK)
        return ctl_fail_with(ctl, result->error, result->text);
    struct weft_rows rows = result->rows;
    struct weft_session_row row;
    if (!weft_next_session(&rows, &row))
        return ctl_fail(ctl, "INVALID_MESSAGE", "the node's answer holds no session");
    if (ctl_output_is_for_people(ctl)) {
        print_session(&row);
        return CTL_COMPLETE;
    }
    cJSON *tree = session_tree(&row);
    ctl_output_one(ctl, tree, "%s", "");
    cJSON_Delete(tree);
    return CTL_COMPLETE;
}

int ctl_session_close(struct ctl *ctl)
{
    struct weft_session_id id;
    if (!ctl_read_id(ctl, ctl->arguments[0], &id))
        return CTL_USAGE;
    int code = ctl_open(ctl, false);
    if (code != CTL_COMPLETE)
        return code;
    const struct weft_result *result = weft_close_session_wait(ctl->client, id, ctl->reason, 0);
    if (result->error != WEFT_OK)
        return ctl_fail_with(ctl, result->error, result->text);
    cJSON *tree = cJSON_CreateObject();
    ctl_output_string(tree, "command", "close");
    ctl_output_id(tree, "session", id);
    ctl_output_text(tree, "node", result->node);
    ctl_output_string(tree, "outcome", "OK");
    ctl_output_one(ctl, tree, "closed %s on %.*s\n", ctl->arguments[0], (int)result->node.bytes,
                   result->node.data);
    cJSON_Delete(tree);
    return CTL_COMPLETE;
}

/* ---- session open ---- */

struct held {
    struct ctl *ctl;
    uint32_t opened, closed;
    bool is_leaving; /* closed because we go: not worth a line */
    enum weft_error error;
    char text[256];
};

static void on_held(struct weft_client *client, const struct weft_opened *opened, void *user)
{
    struct held *held = user;
    char id[WEFT_SESSION_ID_BYTES];
    (void)client;
    cJSON *tree = cJSON_CreateObject();
    ctl_output_id(tree, "id", opened->session);
    ctl_output_text(tree, "node", opened->node);
    ctl_output_one(held->ctl, tree, "%s  open on %.*s\n",
                   weft_session_id_format(opened->session, id), (int)opened->node.bytes,
                   opened->node.data);
    cJSON_Delete(tree);
    held->opened++;
}

static void on_released(struct weft_client *client, const struct weft_closed *closed, void *user)
{
    struct held *held = user;
    char id[WEFT_SESSION_ID_BYTES];
    held->closed++;
    held->error = closed->error;
    (void)snprintf(held->text, sizeof held->text, "%.*s", (int)closed->text.bytes,
                   closed->text.data);
    if (held->is_leaving || weft_session(client).instance == 0)
        return;
    cJSON *tree = cJSON_CreateObject();
    ctl_output_id(tree, "id", weft_session(client));
    ctl_output_string(tree, "closed", weft_close_reason_name(closed->reason));
    ctl_output_one(
        held->ctl, tree, "%s  closed: %s%s%s\n", weft_session_id_format(weft_session(client), id),
        weft_close_reason_name(closed->reason), held->text[0] == '\0' ? "" : ": ", held->text);
    cJSON_Delete(tree);
}

/* Opens all sessions; false when they do not all stand in time. */
static bool hold_all(struct held *held, struct weft_context *context,
                     const struct weft_options *options, struct weft_client **clients)
{
    struct ctl *ctl = held->ctl;
    for (uint32_t i = 0; i < ctl->number; i++) {
        clients[i] = weft_new(options);
        if (clients[i] == NULL)
            return false;
    }
    uint64_t end_ms = ctl_now_ms() + ctl->timeout_ms;
    ctl->client = clients[0];
    while (held->opened < ctl->number && held->closed == 0 && ctl_now_ms() < end_ms) {
        if (!ctl_stream_wait(ctl, 100))
            break;
    }
    (void)context;
    return held->opened >= ctl->number;
}

static int hold(struct held *held, struct weft_context *context, struct weft_client **clients)
{
    struct ctl *ctl = held->ctl;
    const struct weft_options options = {
        .context = context,
        .servers = ctl->servers,
        .principal = ctl->user,
        .properties = ctl->properties,
        .properties_count = ctl->properties_count,
        .client_type = "cli",
        .environment = "weftctl " WEFT_VERSION,
        .ends_with_connection = true,
        .no_reconnect = true,
        .opened = on_held,
        .closed = on_released,
        .user = held,
    };
    bool all_stand = hold_all(held, context, &options, clients);
    if (all_stand) {
        ctl_stream_ready(ctl);
        while (held->closed < ctl->number && ctl_stream_wait(ctl, -1)) {
        }
    }
    held->is_leaving = true;
    if (!all_stand && !ctl->is_interrupted && clients[0] == NULL)
        return ctl_fail(ctl, "USAGE", "the server list '%s' or a property can't be used",
                        ctl->servers);
    if (!all_stand && !ctl->is_interrupted)
        return ctl_fail(ctl, held->closed > 0 ? weft_error_name(held->error) : "CLUSTER_ROUTING",
                        "%u of %u sessions stand: %s", (unsigned)held->opened,
                        (unsigned)ctl->number,
                        held->closed > 0 ? held->text : weft_last_failure(clients[0]));
    if (held->closed > 0)
        return ctl_fail(ctl, "SESSION_CLOSED", "%u of %u sessions were closed from outside",
                        (unsigned)held->closed, (unsigned)ctl->number);
    return CTL_COMPLETE;
}

int ctl_session_open(struct ctl *ctl)
{
    struct held held = {.ctl = ctl};
    if (ctl->number == 0 || ctl->number > HOLD_MAX)
        return ctl_fail(ctl, "USAGE", "--number is %u; it must be 1 to %d", (unsigned)ctl->number,
                        HOLD_MAX);
    struct weft_context *context = weft_context_new(ctl->number);
    struct weft_client **clients = calloc(ctl->number, sizeof *clients);
    if (context == NULL || clients == NULL) {
        free(clients);
        weft_context_destroy(&context);
        return ctl_fail(ctl, "LIMIT_REACHED", "no memory or descriptors for %u sessions",
                        (unsigned)ctl->number);
    }
    ctl_stream_begin(ctl);
    int code = hold(&held, context, clients);
    ctl->client = NULL;
    weft_context_destroy(&context);
    free(clients);
    return code;
}
