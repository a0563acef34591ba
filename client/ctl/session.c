/* session.c - see session.h. */
#include "client/ctl/session.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/reach.h"
#include "client/ctl/values.h"

enum { SESSIONS_LIMIT = 100 };

/* What is asked for when nobody says: who it is. */
static const char keys_otherwise[] = CTL_KEYS_OTHERWISE;

const char *session_state_name(enum weft_session_state state)
{
    switch (state) {
    case WEFT_SESSION_ACTIVE:
        return "active";
    case WEFT_SESSION_DISCONNECTED:
        return "disconnected";
    }
    return "unknown";
}

bool session_read_id(const struct ctl *ctl, struct weft_session_id *id)
{
    if (weft_session_id_parse(ctl->words[0], id) && (id->instance != 0 || id->serial != 0))
        return true;
    (void)problems_usage("'%s' is not a session id: two groups of 16 hexadecimal digits, such as "
                         "6731a0c19e02b7d4-99c2f3a1b2c3d4e5; `weftctl session ls` shows them",
                         ctl->words[0]);
    return false;
}

static void fill_session(cJSON *entry, const struct weft_session_row *row)
{
    char id[WEFT_SESSION_ID_BYTES];
    cJSON_AddStringToObject(entry, "id", weft_session_id_format(row->id, id));
    cJSON_AddStringToObject(entry, "state", session_state_name(row->state));
    values_add_text(entry, "node", row->node);
    cJSON_AddBoolToObject(entry, "conflate", row->is_conflated);
    cJSON_AddNumberToObject(entry, "queue_messages", (double)row->queue_messages);
    cJSON_AddNumberToObject(entry, "queue_bytes", (double)row->queue_bytes);
    cJSON_AddNumberToObject(entry, "conflated_total", (double)row->conflated_total);
    cJSON_AddNumberToObject(entry, "lag_ms", row->lag_ms);
    cJSON *properties = cJSON_AddObjectToObject(entry, "properties");
    struct weft_rows rows = row->properties;
    struct weft_property_row property;
    while (weft_next_property(&rows, &property)) {
        char key[129];
        (void)snprintf(key, sizeof key, "%.*s", (int)property.key.bytes, property.key.data);
        values_add_text(properties, key, property.value);
    }
}

/* ---- session ls ---- */

/* The cell that a listing is sorted by. */
static const char *sort_text(const cJSON *entry, const char *key)
{
    bool is_own = strcmp(key, "id") == 0 || strcmp(key, "state") == 0 || strcmp(key, "node") == 0;
    const cJSON *holder = is_own ? entry : cJSON_GetObjectItemCaseSensitive(entry, "properties");
    const cJSON *cell = cJSON_GetObjectItemCaseSensitive(holder, key);
    return cJSON_IsString(cell) ? cell->valuestring : "";
}

struct sortable {
    const char *text;
    size_t order; /* as it came: equals keep it */
    cJSON *entry;
};

static int compare(const void *left, const void *right)
{
    const struct sortable *a = left, *b = right;
    int order = strcmp(a->text, b->text);
    if (order != 0)
        return order;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Sorts the entries by the key, unless it is NULL, and keeps the first `limit`. */
static void sort_and_cut(cJSON *entries, const char *key, size_t limit)
{
    size_t count = (size_t)cJSON_GetArraySize(entries);
    struct sortable *list = key == NULL ? NULL : calloc(count + 1, sizeof *list);
    if (list != NULL) {
        for (size_t i = 0; i < count; i++) {
            cJSON *entry = cJSON_DetachItemFromArray(entries, 0);
            list[i] = (struct sortable){sort_text(entry, key), i, entry};
        }
        qsort(list, count, sizeof *list, compare);
        for (size_t i = 0; i < count; i++)
            cJSON_AddItemToArray(entries, list[i].entry);
        free(list);
    }
    cJSON *beyond = cJSON_GetArrayItem(entries, limit > INT32_MAX ? INT32_MAX : (int)limit);
    while (beyond != NULL) {
        cJSON *next = beyond->next;
        cJSON_Delete(cJSON_DetachItemViaPointer(entries, beyond));
        beyond = next;
    }
}

static const struct output_column session_columns[] = {
    {"id", "ID", NULL, OUTPUT_TEXT, false},
    {"state", "STATE", NULL, OUTPUT_STATE, false},
    {"node", "NODE", NULL, OUTPUT_TEXT, false},
    {"conflate", "CONFLATE", NULL, OUTPUT_YES, true},
    {"queue_messages", "QUEUE", NULL, OUTPUT_NUMBER, true},
    {"queue_bytes", "BYTES", NULL, OUTPUT_NUMBER, true},
    {"conflated_total", "MERGED", NULL, OUTPUT_NUMBER, true},
    {"lag_ms", "LAG", NULL, OUTPUT_MS, true},
};

/* A column for each key, or for each property that is there where the key is *F or *U. */
struct columns {
    struct output_column list[OUTPUT_COLUMNS_MAX];
    size_t count;
    char *keys; /* cut at its commas; the columns point into it */
};

static void add_column(struct columns *columns, const char *key, bool is_wide)
{
    for (size_t i = 0; i < columns->count; i++)
        if (columns->list[i].inside != NULL && strcmp(columns->list[i].name, key) == 0)
            return;
    if (columns->count < OUTPUT_COLUMNS_MAX)
        columns->list[columns->count++] =
            (struct output_column){key, key, "properties", OUTPUT_TEXT, is_wide};
}

static void add_found_columns(struct columns *columns, const cJSON *entries, bool are_fixed)
{
    for (const cJSON *entry = entries->child; entry != NULL; entry = entry->next) {
        const cJSON *properties = cJSON_GetObjectItemCaseSensitive(entry, "properties");
        for (const cJSON *cell = properties->child; cell != NULL; cell = cell->next)
            if ((cell->string[0] == '$') == are_fixed)
                add_column(columns, cell->string, false);
    }
}

static bool columns_fill(struct columns *columns, const char *keys, const cJSON *entries)
{
    bool is_wide = keys == NULL;
    columns->keys = strdup(keys == NULL ? keys_otherwise : keys);
    if (columns->keys == NULL)
        return false;
    memcpy(columns->list, session_columns, sizeof session_columns);
    columns->count = sizeof session_columns / sizeof session_columns[0];
    char *rest = NULL;
    for (char *key = strtok_r(columns->keys, ",", &rest); key != NULL;
         key = strtok_r(NULL, ",", &rest)) {
        if (strcmp(key, "*F") == 0 || strcmp(key, "*U") == 0)
            add_found_columns(columns, entries, key[1] == 'F');
        else
            add_column(columns, key, is_wide);
    }
    return true;
}

/* The keys to ask for: those shown and the one sorted by. On the heap. */
static char *keys_to_ask(const char *keys, const char *sort)
{
    char *joined = NULL;
    if (keys == NULL)
        keys = keys_otherwise;
    bool is_property = sort != NULL && strcmp(sort, "id") != 0 && strcmp(sort, "state") != 0 &&
                       strcmp(sort, "node") != 0;
    int bytes =
        is_property ? asprintf(&joined, "%s,%s", keys, sort) : asprintf(&joined, "%s", keys);
    return bytes < 0 ? NULL : joined;
}

/* The property that nodes are to sort by; NULL: none says it. */
static const char *order_of(const char *sort)
{
    if (sort == NULL || strcmp(sort, "state") == 0)
        return NULL;
    if (strcmp(sort, "id") == 0)
        return "$SessionId";
    return strcmp(sort, "node") == 0 ? "$ServerName" : sort;
}

static bool write_sessions(struct ctl *ctl, const struct weft_result *result, uint64_t limit)
{
    cJSON *document = cJSON_CreateObject();
    cJSON *entries = cJSON_AddArrayToObject(document, "sessions");
    cJSON *nodes = cJSON_CreateArray();
    struct weft_rows answers = result->nodes;
    struct weft_node_answer answer;
    uint64_t total = 0;
    while (weft_next_node(&answers, &answer)) {
        cJSON *node = reach_add_node(nodes, &answer);
        struct weft_session_row row;
        total += answer.total;
        cJSON_AddNumberToObject(node, "total", answer.total);
        while (answer.error == WEFT_OK && weft_next_session(&answer.rows, &row)) {
            cJSON *entry = cJSON_CreateObject();
            fill_session(entry, &row);
            cJSON_AddItemToArray(entries, entry);
        }
    }
    size_t fetched = (size_t)cJSON_GetArraySize(entries);
    const char *sort = ctl_flag(ctl, FLAG_SORT);
    sort_and_cut(entries, sort, limit);
    size_t shown = (size_t)cJSON_GetArraySize(entries);
    cJSON_AddNumberToObject(document, "shown", (double)shown);
    cJSON_AddNumberToObject(document, "total", (double)total);
    reach_add(document, result, nodes);
    if (sort != NULL && order_of(sort) == NULL && fetched < total)
        problems_note("LIMIT_REACHED", "sorted among the first %zu of %llu sessions only", fetched,
                      (unsigned long long)total);
    char footer[64];
    (void)snprintf(footer, sizeof footer, "%zu of %llu sessions", shown, (unsigned long long)total);
    struct columns columns = {.count = 0};
    struct output_view view = {.list = "sessions", .footer = footer};
    bool is_written = columns_fill(&columns, ctl_flag(ctl, FLAG_KEYS), entries);
    view.columns = columns.list;
    view.columns_count = columns.count;
    is_written = is_written && output_write(&ctl->output, document, &view);
    free(columns.keys);
    cJSON_Delete(document);
    return is_written;
}

int session_ls(struct ctl *ctl)
{
    uint64_t limit = SESSIONS_LIMIT;
    const char *sort = ctl_flag(ctl, FLAG_SORT);
    if (!ctl_count(ctl, FLAG_LIMIT, "--limit", 1, UINT32_MAX, SESSIONS_LIMIT, &limit))
        return EXIT_USAGE;
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    char *keys = keys_to_ask(ctl_flag(ctl, FLAG_KEYS), sort);
    const char *order = order_of(sort);
    /* Each node sends its first ones; of an order that nodes do not know, all. */
    uint32_t asked = sort == NULL || order != NULL ? (uint32_t)limit : UINT32_MAX;
    const struct weft_result *result = weft_list_sessions_wait(
        ctl->client, ctl_flag(ctl, FLAG_FILTER), keys, order, asked, ctl->timeout_ms);
    free(keys);
    if (result->error != WEFT_OK)
        return problems_of_result(result);
    if (!write_sessions(ctl, result, limit))
        return problems_report("INTERNAL", "out of memory");
    int judged = reach_judge(result);
    bool is_nothing = ctl_flag(ctl, FLAG_FILTER) != NULL && result->total == 0;
    return judged == EXIT_COMPLETE && is_nothing ? EXIT_NOTHING : judged;
}

/* ---- session get ---- */

/* For people: a row for each cell. */
static cJSON *rows_by_key(const cJSON *entry)
{
    cJSON *rows = cJSON_CreateArray();
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(entry, "properties");
    const cJSON *runs[] = {entry->child, properties->child};
    for (size_t i = 0; i < 2; i++) {
        for (const cJSON *cell = runs[i]; cell != NULL; cell = cell->next) {
            if (!cJSON_IsString(cell))
                continue;
            cJSON *row = cJSON_CreateObject();
            cJSON_AddStringToObject(row, "key", cell->string);
            cJSON_AddStringToObject(row, "value", cell->valuestring);
            cJSON_AddItemToArray(rows, row);
        }
    }
    return rows;
}

int session_get(struct ctl *ctl)
{
    static const struct output_column columns[] = {{"key", "KEY", NULL, OUTPUT_TEXT, false},
                                                   {"value", "VALUE", NULL, OUTPUT_TEXT, false}};
    struct weft_session_id id;
    if (!session_read_id(ctl, &id))
        return EXIT_USAGE;
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    const struct weft_result *result =
        weft_get_properties_wait(ctl->client, id, ctl_flag(ctl, FLAG_KEYS), ctl->timeout_ms);
    if (result->error != WEFT_OK)
        return problems_of_result(result);
    struct weft_rows rows = result->rows;
    struct weft_session_row row;
    if (!weft_next_session(&rows, &row))
        return problems_report("INVALID_MESSAGE", "the node answered without the session");
    cJSON *entry = cJSON_CreateObject();
    fill_session(entry, &row);
    cJSON *shown = rows_by_key(entry);
    const struct output_view view = {.rows = shown, .columns = columns, .columns_count = 2};
    bool is_written = output_write(&ctl->output, entry, &view);
    cJSON_Delete(shown);
    cJSON_Delete(entry);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "out of memory");
}
