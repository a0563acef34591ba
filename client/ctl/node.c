/* node.c - see node.h. */
#include "client/ctl/node.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "client/ctl/reach.h"
#include "client/ctl/values.h"

/* ---- node ls ---- */

static const struct output_column member_columns[] = {
    {"name", "NODE", NULL, OUTPUT_TEXT, false},
    {"self", " ", NULL, OUTPUT_MARK, false},
    {"state", "STATE", NULL, OUTPUT_STATE, false},
    {"zone", "ZONE", NULL, OUTPUT_TEXT, false},
    {"version", "VERSION", NULL, OUTPUT_TEXT, false},
    {"sessions", "SESSIONS", NULL, OUTPUT_NUMBER, false},
    {"rtt_us", "RTT", NULL, OUTPUT_US, false},
    {"lag_ms", "LAG", NULL, OUTPUT_MS, false},
    {"address", "ADDRESS", NULL, OUTPUT_TEXT, false},
    {"instance", "INSTANCE", NULL, OUTPUT_TEXT, true},
    {"incarnation", "INCARNATION", NULL, OUTPUT_NUMBER, true},
};

const char *node_state_name(enum weft_member_state state)
{
    static const char *const names[] = {
        [WEFT_MEMBER_ALIVE] = "alive",
        [WEFT_MEMBER_SUSPECT] = "suspect",
        [WEFT_MEMBER_DEAD] = "dead",
        [WEFT_MEMBER_LEFT] = "left",
    };
    return state >= WEFT_MEMBER_ALIVE && state <= WEFT_MEMBER_LEFT ? names[state] : "unknown";
}

static void add_member(cJSON *nodes, const struct weft_member_row *row)
{
    cJSON *entry = cJSON_CreateObject();
    values_add_text(entry, "name", row->name);
    values_add_hex(entry, "instance", row->instance);
    values_add_decimal(entry, "incarnation", row->incarnation);
    cJSON_AddStringToObject(entry, "state", node_state_name(row->state));
    values_add_text(entry, "zone", row->zone);
    values_add_text(entry, "version", row->version);
    values_add_text(entry, "address", row->address);
    cJSON_AddNumberToObject(entry, "sessions", row->sessions);
    cJSON_AddNumberToObject(entry, "lag_ms", (double)row->lag_us / 1000);
    if (row->is_self || row->rtt_us == 0) /* not measured, or not yet */
        cJSON_AddNullToObject(entry, "rtt_us");
    else
        cJSON_AddNumberToObject(entry, "rtt_us", (double)row->rtt_us);
    cJSON_AddBoolToObject(entry, "self", row->is_self);
    cJSON_AddItemToArray(nodes, entry);
}

int node_ls(struct ctl *ctl)
{
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    const struct weft_result *result =
        weft_members_wait(ctl->client, ctl_flag(ctl, FLAG_ALL) != NULL, ctl->timeout_ms);
    if (result->error != WEFT_OK)
        return problems_of_result(result);
    static const struct output_view view = {.list = "nodes",
                                            .columns = member_columns,
                                            .columns_count =
                                                sizeof member_columns / sizeof member_columns[0]};
    cJSON *document = cJSON_CreateObject();
    cJSON *nodes = cJSON_AddArrayToObject(document, "nodes");
    struct weft_rows rows = result->rows;
    struct weft_member_row row;
    while (weft_next_member(&rows, &row))
        add_member(nodes, &row);
    bool is_written = output_write(&ctl->output, document, &view);
    cJSON_Delete(document);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "out of memory");
}

/* ---- node stats ---- */

static void add_counters(cJSON *entry, struct weft_rows rows)
{
    cJSON *counters = cJSON_AddObjectToObject(entry, "counters");
    struct weft_counter_row row;
    while (weft_next_counter(&rows, &row)) {
        char name[128];
        (void)snprintf(name, sizeof name, "%.*s", (int)row.name.bytes, row.name.data);
        cJSON_AddNumberToObject(counters, name, (double)row.value);
    }
}

/* Turns the document round for people: a row for each counter, a column for each node. */
static cJSON *rows_by_counter(const cJSON *nodes, bool with_zeros)
{
    cJSON *rows = cJSON_CreateArray();
    const cJSON *first = NULL;
    for (const cJSON *node = nodes->child; node != NULL && first == NULL; node = node->next)
        first = cJSON_GetObjectItemCaseSensitive(node, "counters");
    for (const cJSON *counter = first == NULL ? NULL : first->child; counter != NULL;
         counter = counter->next) {
        cJSON *row = cJSON_CreateObject();
        bool is_counted = with_zeros;
        cJSON_AddStringToObject(row, "counter", counter->string);
        for (const cJSON *node = nodes->child; node != NULL; node = node->next) {
            const char *name = cJSON_GetObjectItemCaseSensitive(node, "node")->valuestring;
            const cJSON *value = cJSON_GetObjectItemCaseSensitive(
                cJSON_GetObjectItemCaseSensitive(node, "counters"), counter->string);
            if (value != NULL)
                cJSON_AddNumberToObject(row, name, value->valuedouble);
            is_counted = is_counted || (value != NULL && value->valuedouble > 0);
        }
        if (is_counted)
            cJSON_AddItemToArray(rows, row);
        else
            cJSON_Delete(row);
    }
    return rows;
}

/* The columns of rows_by_counter; as many nodes as there is room for. */
static size_t columns_by_node(const cJSON *nodes, struct output_column *columns)
{
    size_t count = 0;
    columns[count++] = (struct output_column){"counter", "COUNTER", NULL, OUTPUT_TEXT, false};
    for (const cJSON *node = nodes->child; node != NULL && count < OUTPUT_COLUMNS_MAX;
         node = node->next) {
        const char *name = cJSON_GetObjectItemCaseSensitive(node, "node")->valuestring;
        columns[count++] = (struct output_column){name, name, NULL, OUTPUT_NUMBER, false};
    }
    return count;
}

int node_unknown_say(const char *name, const char *which)
{
    (void)problems_report("INVALID_ARGUMENT", "no member %.64s is %s", name, which);
    return EXIT_NOTHING;
}

int node_stats(struct ctl *ctl)
{
    const char *name = ctl->words_count > 0 ? ctl->words[0] : NULL;
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    const struct weft_result *result = weft_counters_wait(ctl->client, name, ctl->timeout_ms);
    if (result->error == WEFT_INVALID_ARGUMENT && name != NULL)
        return node_unknown_say(name, "alive; `weftctl node ls` lists them");
    if (result->error != WEFT_OK)
        return problems_of_result(result);
    cJSON *document = cJSON_CreateObject();
    cJSON *nodes = cJSON_CreateArray();
    struct weft_node_answer answer = {0};
    while (reach_next(result, &answer)) {
        cJSON *entry = reach_add_node(nodes, &answer);
        if (answer.error == WEFT_OK)
            add_counters(entry, answer.rows);
    }
    reach_add(document, result, nodes);
    struct output_column columns[OUTPUT_COLUMNS_MAX];
    cJSON *rows = rows_by_counter(nodes, ctl->output.format != OUTPUT_TABLE);
    const struct output_view view = {.list = "nodes",
                                     .rows = rows,
                                     .columns = columns,
                                     .columns_count = columns_by_node(nodes, columns)};
    bool is_written = output_write(&ctl->output, document, &view);
    cJSON_Delete(rows);
    cJSON_Delete(document);
    return is_written ? reach_judge(result) : problems_report("INTERNAL", "out of memory");
}
