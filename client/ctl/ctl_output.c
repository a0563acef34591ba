/* ctl_output.c - see ctl_output.h. Tables and CSV are read off the same tree that JSON prints, so
 * the three can't tell different stories. */
#include "client/ctl/ctl_output.h"

#include "client/ctl/ctl_table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_json(const cJSON *tree, bool is_pretty)
{
    char *text = is_pretty ? cJSON_Print(tree) : cJSON_PrintUnformatted(tree);
    if (text != NULL)
        (void)puts(text);
    cJSON_free(text);
    (void)fflush(stdout);
}

bool ctl_output_is_for_people(const struct ctl *ctl)
{
    return ctl->format == CTL_TABLE || ctl->format == CTL_WIDE;
}

void ctl_output_listing(const struct ctl *ctl, const cJSON *result, const char *rows_key,
                        const struct ctl_column *columns)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(result, rows_key);
    const cJSON *row;
    switch (ctl->format) {
    case CTL_TABLE:
    case CTL_WIDE:
        ctl_table_print(ctl, rows, columns);
        break;
    case CTL_JSON:
        print_json(result, (ctl->given & CTL_OPT_WATCH) == 0);
        break;
    case CTL_JSONL:
        cJSON_ArrayForEach(row, rows) print_json(row, false);
        break;
    case CTL_CSV:
        ctl_table_print_csv(rows, columns);
        break;
    }
    (void)fflush(stdout);
}

void ctl_output_one(const struct ctl *ctl, const cJSON *result, const char *format, ...)
{
    if (!ctl_output_is_for_people(ctl)) {
        print_json(result, false);
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)fflush(stdout);
}

void ctl_output_error(const struct ctl *ctl, const char *code, const char *sentence)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "weftctl: %s: %s\n", code, sentence);
    if (ctl->format != CTL_JSON && ctl->format != CTL_JSONL)
        return;
    cJSON *tree = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(tree, "error");
    ctl_output_string(error, "code", code);
    ctl_output_string(error, "message", sentence);
    (void)cJSON_AddArrayToObject(error, "errors");
    print_json(tree, false);
    cJSON_Delete(tree);
}

void ctl_output_string(cJSON *object, const char *key, const char *text)
{
    (void)cJSON_AddStringToObject(object, key, text);
}

void ctl_output_text(cJSON *object, const char *key, struct weft_text text)
{
    char *copy = strndup(text.bytes == 0 ? "" : text.data, text.bytes);
    if (copy != NULL)
        ctl_output_string(object, key, copy);
    free(copy);
}

void ctl_output_number(cJSON *object, const char *key, uint64_t number)
{
    (void)cJSON_AddNumberToObject(object, key, (double)number);
}

void ctl_output_bool(cJSON *object, const char *key, bool value)
{
    (void)cJSON_AddBoolToObject(object, key, value);
}

void ctl_output_hex(cJSON *object, const char *key, uint64_t number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%016" PRIx64, number);
    ctl_output_string(object, key, text);
}

void ctl_output_decimal(cJSON *object, const char *key, uint64_t number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    ctl_output_string(object, key, text);
}

void ctl_output_id(cJSON *object, const char *key, struct weft_session_id id)
{
    char text[WEFT_SESSION_ID_BYTES];
    ctl_output_string(object, key, weft_session_id_format(id, text));
}

void ctl_output_properties(cJSON *object, const char *key, struct weft_rows rows)
{
    struct weft_property_row row;
    cJSON *properties = cJSON_AddObjectToObject(object, key);
    while (weft_next_property(&rows, &row)) {
        char *name = strndup(row.key.data, row.key.bytes);
        if (name != NULL)
            ctl_output_text(properties, name, row.value);
        free(name);
    }
}

static void add_base64(cJSON *object, const char *key, const uint8_t *data, size_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc(bytes / 3 * 4 + 5);
    if (text == NULL)
        return;
    size_t at = 0;
    for (size_t i = 0; i < bytes; i += 3) {
        uint32_t triple = (uint32_t)data[i] << 16;
        triple |= i + 1 < bytes ? (uint32_t)data[i + 1] << 8 : 0;
        triple |= i + 2 < bytes ? (uint32_t)data[i + 2] : 0;
        text[at++] = digits[triple >> 18];
        text[at++] = digits[triple >> 12 & 63];
        text[at++] = i + 1 < bytes ? digits[triple >> 6 & 63] : '=';
        text[at++] = i + 2 < bytes ? digits[triple & 63] : '=';
    }
    text[at] = '\0';
    ctl_output_string(object, key, text);
    free(text);
}

void ctl_output_value(cJSON *object, const struct weft_value *value)
{
    static const char *const types[] = {"", "json", "string", "binary", "int64", "double"};
    const struct weft_text text = {value->data, value->bytes};
    cJSON *json = NULL;
    char number[32];
    ctl_output_string(object, "type", types[value->type]);
    switch (value->type) {
    case WEFT_JSON:
        if (value->bytes > 0)
            json = cJSON_ParseWithLength(value->data, value->bytes);
        if (json != NULL)
            (void)cJSON_AddItemToObject(object, "value", json);
        else
            ctl_output_text(object, "value", text);
        break;
    case WEFT_STRING:
        ctl_output_text(object, "value", text);
        break;
    case WEFT_BINARY:
        add_base64(object, "value", value->data, value->bytes);
        ctl_output_string(object, "encoding", "base64");
        break;
    case WEFT_INT64:
        (void)snprintf(number, sizeof number, "%" PRId64, value->int64);
        ctl_output_string(object, "value", number);
        break;
    case WEFT_DOUBLE:
        (void)cJSON_AddNumberToObject(object, "value", value->number);
        break;
    }
}

void ctl_output_reach(cJSON *object, const struct weft_result *result,
                      void (*fill)(cJSON *node, const struct weft_node_answer *answer, void *user),
                      void *user)
{
    struct weft_rows rows = result->nodes;
    struct weft_node_answer answer;
    ctl_output_number(object, "nodes_asked", result->nodes_asked);
    ctl_output_number(object, "nodes_answered", result->nodes_answered);
    ctl_output_bool(object, "complete", result->is_complete);
    cJSON *nodes = cJSON_AddArrayToObject(object, "nodes");
    while (weft_next_node(&rows, &answer)) {
        cJSON *node = cJSON_CreateObject();
        ctl_output_text(node, "node", answer.node);
        if (answer.error != WEFT_OK)
            ctl_output_string(node, "error", weft_error_name(answer.error));
        else if (fill != NULL)
            fill(node, &answer, user);
        (void)cJSON_AddItemToArray(nodes, node);
    }
}

int ctl_output_partial(const struct ctl *ctl, const struct weft_result *result)
{
    struct weft_rows rows = result->nodes;
    struct weft_node_answer answer;
    char missing[512] = "";
    size_t used = 0;
    while (weft_next_node(&rows, &answer)) {
        if (answer.error == WEFT_OK || used + answer.node.bytes + 3 > sizeof missing)
            continue;
        used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%.*s",
                                 used == 0 ? "" : ", ", (int)answer.node.bytes, answer.node.data);
    }
    if (result->is_complete && used == 0)
        return CTL_COMPLETE;
    (void)ctl_fail(ctl, "PARTIAL", "%s did not answer; see `weftctl node ls`, then run again",
                   used == 0 ? "a node" : missing);
    return CTL_PARTIAL;
}

const char *ctl_output_session_state(enum weft_session_state state)
{
    switch (state) {
    case WEFT_SESSION_ACTIVE:
        return "active";
    case WEFT_SESSION_DISCONNECTED:
        return "disconnected";
    }
    return "closed";
}
