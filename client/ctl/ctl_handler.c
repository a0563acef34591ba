/* ctl_handler.c - see ctl_handler.h. */
#include "client/ctl/ctl_handler.h"

#include "client/ctl/ctl_output.h"

static const char *kind_name(enum weft_handler_kind kind)
{
    switch (kind) {
    case WEFT_HANDLER_REQUEST:
        return "request";
    case WEFT_HANDLER_AUTHENTICATION:
        return "auth";
    case WEFT_HANDLER_MISSING_TOPIC:
        return "missing";
    }
    return "unknown";
}

int ctl_handler_ls(struct ctl *ctl)
{
    static const struct ctl_column columns[] = {
        {"KIND", "kind", CTL_CELL_TEXT, false},    {"PATH", "path", CTL_CELL_TEXT, false},
        {"NODE", "node", CTL_CELL_TEXT, false},    {"SESSION", "session", CTL_CELL_TEXT, false},
        {"STATE", "state", CTL_CELL_STATE, false}, {NULL, NULL, CTL_CELL_TEXT, false},
    };
    int code = ctl_open(ctl, false);
    if (code != CTL_COMPLETE)
        return code;
    const struct weft_result *result = weft_handlers_wait(ctl->client, 0);
    if (result->error != WEFT_OK)
        return ctl_fail_with(ctl, result->error, result->text);
    struct weft_rows rows = result->rows;
    struct weft_handler_row row;
    cJSON *tree = cJSON_CreateObject();
    cJSON *handlers = cJSON_AddArrayToObject(tree, "handlers");
    while (weft_next_handler(&rows, &row)) {
        cJSON *handler = cJSON_CreateObject();
        ctl_output_string(handler, "kind", kind_name(row.kind));
        ctl_output_text(handler, "path", row.path);
        ctl_output_text(handler, "node", row.node);
        ctl_output_id(handler, "session", row.session);
        ctl_output_string(handler, "state", ctl_output_session_state(row.state));
        ctl_output_bool(handler, "sticky", false);
        (void)cJSON_AddItemToArray(handlers, handler);
    }
    ctl_output_bool(tree, "synced", true); /* before that, the node answers NOT_READY */
    ctl_output_listing(ctl, tree, "handlers", columns);
    cJSON_Delete(tree);
    return CTL_COMPLETE;
}
