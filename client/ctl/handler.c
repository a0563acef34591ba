/* handler.c - see handler.h. */
#include "client/ctl/handler.h"

#include <cjson/cJSON.h>

#include "client/ctl/reach.h"
#include "client/ctl/session.h"
#include "client/ctl/values.h"
#include "client/weft_requests.h"

static const struct output_column columns[] = {
    {"kind", "KIND", NULL, OUTPUT_TEXT, false},    {"path", "PATH", NULL, OUTPUT_TEXT, false},
    {"node", "NODE", NULL, OUTPUT_TEXT, false},    {"session", "SESSION", NULL, OUTPUT_TEXT, false},
    {"state", "STATE", NULL, OUTPUT_STATE, false},
};

static const char *kind_name(enum weft_handler_kind kind)
{
    static const char *const names[] = {
        [WEFT_HANDLER_REQUEST] = "request",
        [WEFT_HANDLER_AUTHENTICATION] = "auth",
        [WEFT_HANDLER_MISSING_TOPIC] = "missing",
        [WEFT_HANDLER_DIRECT] = "direct",
    };
    return kind >= WEFT_HANDLER_REQUEST && kind <= WEFT_HANDLER_DIRECT ? names[kind] : "unknown";
}

/* What both verbs say of a handler. */
static cJSON *entry_of(const struct weft_handler_row *row)
{
    char id[WEFT_SESSION_ID_BYTES];
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddStringToObject(entry, "kind", kind_name(row->kind));
    values_add_text(entry, "path", row->path);
    values_add_text(entry, "node", row->node);
    cJSON_AddStringToObject(entry, "session", weft_session_id_format(row->session, id));
    cJSON_AddStringToObject(entry, "state", session_state_name(row->state));
    return entry;
}

int handler_ls(struct ctl *ctl)
{
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    const struct weft_result *result = weft_handlers_wait(ctl->client, ctl->timeout_ms);
    if (result->error != WEFT_OK)
        return problems_of_result(result);
    static const struct output_view view = {.list = "handlers",
                                            .columns = columns,
                                            .columns_count = sizeof columns / sizeof columns[0]};
    cJSON *document = cJSON_CreateObject();
    cJSON *handlers = cJSON_AddArrayToObject(document, "handlers");
    struct weft_rows rows = result->rows;
    struct weft_handler_row row;
    while (weft_next_handler(&rows, &row)) {
        cJSON_AddItemToArray(handlers, entry_of(&row));
    }
    cJSON_AddBoolToObject(document, "synced", result->is_complete);
    bool is_written = output_write(&ctl->output, document, &view);
    cJSON_Delete(document);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "out of memory");
}

static void stats_add(cJSON *handlers, const struct weft_handler_row *row)
{
    cJSON *entry = entry_of(row);
    cJSON_AddNumberToObject(entry, "in_flight", row->in_flight);
    cJSON_AddNumberToObject(entry, "requests", (double)row->requests);
    cJSON_AddNumberToObject(entry, "errors", (double)row->errors);
    cJSON_AddNumberToObject(entry, "avg_us", (double)row->mean_us);
    cJSON_AddNumberToObject(entry, "p99_us", (double)row->p99_us);
    if (row->last_error.bytes > 0)
        values_add_text(entry, "last_error", row->last_error);
    else
        cJSON_AddNullToObject(entry, "last_error");
    cJSON_AddItemToArray(handlers, entry);
}

int handler_stats(struct ctl *ctl)
{
    static const struct output_column stats_columns[] = {
        {"kind", "KIND", NULL, OUTPUT_TEXT, false},
        {"path", "PATH", NULL, OUTPUT_TEXT, false},
        {"node", "NODE", NULL, OUTPUT_TEXT, false},
        {"session", "SESSION", NULL, OUTPUT_TEXT, true},
        {"state", "STATE", NULL, OUTPUT_STATE, true},
        {"in_flight", "IN FLIGHT", NULL, OUTPUT_NUMBER, false},
        {"requests", "REQUESTS", NULL, OUTPUT_NUMBER, false},
        {"errors", "ERRORS", NULL, OUTPUT_NUMBER, false},
        {"avg_us", "AVG", NULL, OUTPUT_US, false},
        {"p99_us", "P99", NULL, OUTPUT_US, false},
        {"last_error", "LAST ERROR", NULL, OUTPUT_TEXT, false},
    };
    static const struct output_view view = {
        .list = "handlers",
        .columns = stats_columns,
        .columns_count = sizeof stats_columns / sizeof stats_columns[0],
    };
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    const struct weft_result *result = weft_handler_stats_wait(ctl->client, ctl->timeout_ms);
    if (result->error != WEFT_OK)
        return problems_of_result(result);
    cJSON *document = cJSON_CreateObject(), *nodes = cJSON_CreateArray();
    cJSON *handlers = cJSON_AddArrayToObject(document, "handlers");
    struct weft_node_answer answer = {0};
    struct weft_handler_row row;
    while (reach_next(result, &answer)) {
        (void)reach_add_node(nodes, &answer);
        while (weft_next_handler(&answer.rows, &row))
            stats_add(handlers, &row);
    }
    reach_add(document, result, nodes);
    bool is_written = output_write(&ctl->output, document, &view);
    cJSON_Delete(document);
    return is_written ? reach_judge(result) : problems_report("INTERNAL", "out of memory");
}
