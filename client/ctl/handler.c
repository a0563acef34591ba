/* handler.c - see handler.h. */
#include "client/ctl/handler.h"

#include <cjson/cJSON.h>

#include "client/ctl/session.h"
#include "client/ctl/values.h"

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
    };
    return kind >= WEFT_HANDLER_REQUEST && kind <= WEFT_HANDLER_MISSING_TOPIC ? names[kind]
                                                                              : "unknown";
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
        char id[WEFT_SESSION_ID_BYTES];
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "kind", kind_name(row.kind));
        values_add_text(entry, "path", row.path);
        values_add_text(entry, "node", row.node);
        cJSON_AddStringToObject(entry, "session", weft_session_id_format(row.session, id));
        cJSON_AddStringToObject(entry, "state", session_state_name(row.state));
        cJSON_AddItemToArray(handlers, entry);
    }
    bool is_written = output_write(&ctl->output, document, &view);
    cJSON_Delete(document);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "out of memory");
}
