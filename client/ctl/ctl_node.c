/* ctl_node.c - see ctl_node.h. */
#include "client/ctl/ctl_node.h"

#include "client/ctl/ctl_output.h"

#include <stdlib.h>
#include <string.h>

static const char *state_name(enum weft_member_state state)
{
    switch (state) {
    case WEFT_MEMBER_ALIVE:
        return "alive";
    case WEFT_MEMBER_SUSPECT:
        return "suspect";
    case WEFT_MEMBER_DEAD:
        return "dead";
    case WEFT_MEMBER_LEFT:
        return "left";
    }
    return "unknown";
}

static cJSON *member_tree(const struct weft_member_row *row)
{
    cJSON *node = cJSON_CreateObject();
    ctl_output_text(node, "name", row->name);
    ctl_output_hex(node, "instance", row->instance);
    ctl_output_decimal(node, "incarnation", row->incarnation);
    ctl_output_string(node, "state", state_name(row->state));
    ctl_output_text(node, "zone", row->zone);
    ctl_output_text(node, "version", row->version);
    ctl_output_text(node, "address", row->address);
    ctl_output_number(node, "sessions", row->sessions);
    (void)cJSON_AddNumberToObject(node, "lag_ms", (double)row->lag_us / 1000);
    if (row->is_self)
        (void)cJSON_AddNullToObject(node, "rtt_us");
    else
        ctl_output_number(node, "rtt_us", row->rtt_us);
    ctl_output_bool(node, "self", row->is_self);
    return node;
}

int ctl_node_ls(struct ctl *ctl)
{
    static const struct ctl_column columns[] = {
        {"NODE", "name", CTL_CELL_NAME, false},
        {"STATE", "state", CTL_CELL_STATE, false},
        {"ZONE", "zone", CTL_CELL_TEXT, false},
        {"VERSION", "version", CTL_CELL_TEXT, false},
        {"SESSIONS", "sessions", CTL_CELL_NUMBER, false},
        {"RTT", "rtt_us", CTL_CELL_US, false},
        {"LAG", "lag_ms", CTL_CELL_MS, false},
        {"ADDRESS", "address", CTL_CELL_TEXT, false},
        {"INSTANCE", "instance", CTL_CELL_TEXT, true},
        {"INCARNATION", "incarnation", CTL_CELL_TEXT, true},
        {NULL, NULL, CTL_CELL_TEXT, false},
    };
    int code = ctl_open(ctl, false);
    if (code != CTL_COMPLETE)
        return code;
    const struct weft_result *result = weft_members_wait(ctl->client, ctl->all, 0);
    if (result->error != WEFT_OK)
        return ctl_fail_with(ctl, result->error, result->text);
    struct weft_rows rows = result->rows;
    struct weft_member_row row;
    cJSON *tree = cJSON_CreateObject();
    cJSON *nodes = cJSON_AddArrayToObject(tree, "nodes");
    while (weft_next_member(&rows, &row))
        (void)cJSON_AddItemToArray(nodes, member_tree(&row));
    ctl_output_listing(ctl, tree, "nodes", columns);
    cJSON_Delete(tree);
    return CTL_COMPLETE;
}

static void fill_counters(cJSON *node, const struct weft_node_answer *answer, void *user)
{
    struct weft_rows rows = answer->rows;
    struct weft_counter_row row;
    (void)user;
    cJSON *counters = cJSON_AddObjectToObject(node, "counters");
    while (weft_next_counter(&rows, &row)) {
        char *name = strndup(row.name.data, row.name.bytes);
        if (name != NULL)
            ctl_output_number(counters, name, row.value);
        free(name);
    }
}

/* One row a counter, for people: node, counter, value. */
static cJSON *counter_lines(const cJSON *nodes)
{
    const cJSON *node;
    const cJSON *counter;
    cJSON *lines = cJSON_CreateArray();
    cJSON_ArrayForEach(node, nodes)
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(node, "node");
        const cJSON *counters = cJSON_GetObjectItemCaseSensitive(node, "counters");
        cJSON_ArrayForEach(counter, counters)
        {
            cJSON *line = cJSON_CreateObject();
            ctl_output_string(line, "node", cJSON_GetStringValue(name));
            ctl_output_string(line, "counter", counter->string);
            (void)cJSON_AddNumberToObject(line, "value", cJSON_GetNumberValue(counter));
            (void)cJSON_AddItemToArray(lines, line);
        }
    }
    return lines;
}

int ctl_node_stats(struct ctl *ctl)
{
    static const struct ctl_column columns[] = {
        {"NODE", "node", CTL_CELL_TEXT, false},
        {"COUNTER", "counter", CTL_CELL_TEXT, false},
        {"VALUE", "value", CTL_CELL_NUMBER, false},
        {NULL, NULL, CTL_CELL_TEXT, false},
    };
    int code = ctl_open(ctl, false);
    if (code != CTL_COMPLETE)
        return code;
    const char *name = ctl->arguments_count > 0 ? ctl->arguments[0] : NULL;
    const struct weft_result *result = weft_counters_wait(ctl->client, name, 0);
    if (result->error != WEFT_OK)
        return ctl_fail_with(ctl, result->error, result->text);
    cJSON *tree = cJSON_CreateObject();
    ctl_output_reach(tree, result, fill_counters, NULL);
    const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(tree, "nodes");
    if (ctl->format == CTL_JSON || ctl->format == CTL_JSONL) {
        ctl_output_listing(ctl, tree, "nodes", columns);
    } else {
        cJSON *lines = cJSON_CreateObject();
        (void)cJSON_AddItemToObject(lines, "lines", counter_lines(nodes));
        ctl_output_listing(ctl, lines, "lines", columns);
        cJSON_Delete(lines);
    }
    cJSON_Delete(tree);
    return ctl_output_partial(ctl, result);
}
