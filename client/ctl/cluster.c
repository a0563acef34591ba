/* cluster.c - see cluster.h. */
#include "client/ctl/cluster.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "client/ctl/reach.h"
#include "client/ctl/values.h"

enum {
    PAUSE_MS = 20,    /* between two looks; far below what people notice */
    SETTLE_MS = 1000, /* of `cluster status`; many times what news takes to be everywhere */
};

struct cluster_view cluster_view_of(const struct weft_result *result)
{
    struct cluster_view view = {.is_agreed = result->is_complete};
    struct weft_rows nodes = result->nodes;
    struct weft_node_answer answer;
    struct weft_status_row row, first = {0};
    while (weft_next_node(&nodes, &answer)) {
        view.nodes++;
        if (answer.error != WEFT_OK || !weft_next_status(&answer.rows, &row)) {
            view.is_agreed = false;
            continue;
        }
        if (view.answered++ == 0)
            first = row;
        view.ready += row.is_ready;
        if (row.members > view.members)
            view.members = row.members;
        view.is_agreed = view.is_agreed && row.members_hash == first.members_hash &&
                         row.directory_hash == first.directory_hash &&
                         row.topics_hash == first.topics_hash;
    }
    view.is_agreed = view.is_agreed && view.nodes > 0;
    return view;
}

static void pause_between_looks(const struct ctl *ctl)
{
    uint64_t now_ms = ctl_now_ms();
    for (uint64_t next_ms = now_ms + PAUSE_MS; now_ms < next_ms; now_ms = ctl_now_ms())
        (void)weft_run(ctl->client, (int)(next_ms - now_ms));
}

/* ---- cluster status ---- */

static const struct output_column status_columns[] = {
    {"node", "NODE", NULL, OUTPUT_TEXT, false},
    {"ready", "READY", NULL, OUTPUT_YES, false},
    {"sessions", "SESSIONS", NULL, OUTPUT_NUMBER, false},
    {"directory_sessions", "KNOWN", NULL, OUTPUT_NUMBER, true},
    {"lag_entries", "LAG", NULL, OUTPUT_NUMBER, false},
    {"members_hash", "MEMBERS", NULL, OUTPUT_TEXT, false},
    {"directory_hash", "DIRECTORY", NULL, OUTPUT_TEXT, false},
    {"topics_hash", "TOPICS", NULL, OUTPUT_TEXT, true},
    {"error", "ERROR", NULL, OUTPUT_TEXT, true},
};

static void add_status(cJSON *entry, const struct weft_status_row *row)
{
    cJSON_AddBoolToObject(entry, "ready", row->is_ready);
    cJSON_AddNumberToObject(entry, "sessions", row->sessions_here);
    cJSON_AddNumberToObject(entry, "directory_sessions", row->sessions);
    cJSON_AddNumberToObject(entry, "directory_handlers", row->handlers);
    cJSON_AddNumberToObject(entry, "topics", row->topics);
    cJSON_AddNumberToObject(entry, "lag_entries", (double)row->behind);
    values_add_hex(entry, "members_hash", row->members_hash);
    values_add_hex(entry, "directory_hash", row->directory_hash);
    values_add_hex(entry, "topics_hash", row->topics_hash);
}

/* The document; the mesh's sizes are what the asked node's directory has. */
static cJSON *status_document(const struct weft_result *result, const struct ctl *ctl,
                              struct weft_status_row *asked)
{
    cJSON *document = cJSON_CreateObject();
    cJSON *entries = cJSON_CreateArray();
    struct weft_node_answer answer = {0};
    struct weft_status_row row;
    struct weft_text own = values_text(weft_node(ctl->client));
    while (reach_next(result, &answer)) {
        cJSON *entry = reach_add_node(entries, &answer);
        if (answer.error != WEFT_OK || !weft_next_status(&answer.rows, &row))
            continue;
        add_status(entry, &row);
        if (answer.node.bytes == own.bytes && memcmp(answer.node.data, own.data, own.bytes) == 0)
            *asked = row;
    }
    struct cluster_view view = cluster_view_of(result);
    values_add_text(document, "cluster", values_text(ctl->mesh));
    cJSON_AddNumberToObject(document, "members", asked->members);
    cJSON_AddNumberToObject(document, "sessions", asked->sessions);
    cJSON_AddNumberToObject(document, "handlers", asked->handlers);
    cJSON_AddNumberToObject(document, "topics", asked->topics);
    cJSON_AddBoolToObject(document, "converged", view.is_agreed && view.ready == view.nodes);
    reach_add(document, result, entries);
    return document;
}

/* Whether what was expected is there; says what is not. */
static int judge_expected(const struct cluster_view *view, uint64_t expected)
{
    if (view->ready == expected && view->nodes == expected && view->is_agreed)
        return EXIT_COMPLETE;
    return problems_report("NOT_READY", "%llu nodes expected: %u of %u ready, hashes %s",
                           (unsigned long long)expected, view->ready, view->nodes,
                           view->is_agreed ? "equal" : "differ");
}

/* Asks; and again for a while when all is well but the hashes, because news is on its way: that of
 * the very session which asks, if nothing else. */
static const struct weft_result *ask(const struct ctl *ctl)
{
    uint64_t end_ms = ctl_now_ms() + SETTLE_MS;
    for (;;) {
        const struct weft_result *result = weft_status_wait(ctl->client, ctl->timeout_ms);
        if (result->error != WEFT_OK || !result->is_complete)
            return result;
        struct cluster_view view = cluster_view_of(result);
        if (view.is_agreed || view.ready < view.nodes || ctl_now_ms() >= end_ms)
            return result;
        pause_between_looks(ctl);
    }
}

int cluster_status(struct ctl *ctl)
{
    uint64_t expected = 0;
    if (!ctl_count(ctl, FLAG_EXPECT, "--expect", 1, 10000, 0, &expected))
        return EXIT_USAGE;
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    const struct weft_result *result = ask(ctl);
    if (result->error != WEFT_OK)
        return problems_of_result(result);
    struct weft_status_row asked = {0};
    cJSON *document = status_document(result, ctl, &asked);
    struct cluster_view view = cluster_view_of(result);
    char footer[160];
    (void)snprintf(
        footer, sizeof footer, "%s: %u members, %u sessions, %u handlers, %u topics, nodes %u/%u",
        view.is_agreed && view.ready == view.nodes ? "converged" : "NOT CONVERGED", asked.members,
        asked.sessions, asked.handlers, asked.topics, result->nodes_answered, result->nodes_asked);
    const struct output_view shown = {.list = "nodes",
                                      .columns = status_columns,
                                      .columns_count =
                                          sizeof status_columns / sizeof status_columns[0],
                                      .footer = footer};
    bool is_written = output_write(&ctl->output, document, &shown);
    cJSON_Delete(document);
    if (!is_written)
        return problems_report("INTERNAL", "out of memory");
    code = reach_judge(result);
    if (code == EXIT_COMPLETE && expected > 0)
        code = judge_expected(&view, expected);
    return code;
}

/* ---- check cluster ---- */

enum verdict { VERDICT_OK, VERDICT_WARNING, VERDICT_CRITICAL, VERDICT_UNKNOWN };

static int say_verdict(const struct ctl *ctl, enum verdict verdict, const char *text)
{
    static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    if (!output_is_json(&ctl->output)) {
        printf("%s: %s\n", names[verdict], text);
        return (int)verdict;
    }
    static const struct output_view view = {0};
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "status", names[verdict]);
    values_add_text(document, "text", values_text(text));
    (void)output_write(&ctl->output, document, &view);
    cJSON_Delete(document);
    return (int)verdict;
}

/* Looks once; *text says what was seen. */
static enum verdict look(struct ctl *ctl, uint32_t expected, char *text, size_t text_bytes)
{
    const struct weft_result *result = weft_status_wait(ctl->client, ctl->timeout_ms);
    if (result->error != WEFT_OK) {
        (void)snprintf(text, text_bytes, "%s: %.*s", weft_error_name(result->error),
                       (int)result->text.bytes, result->text.data);
        return VERDICT_CRITICAL;
    }
    struct cluster_view view = cluster_view_of(result);
    bool are_all_ready = view.ready == view.nodes;
    if (view.ready >= expected && are_all_ready)
        (void)snprintf(text, text_bytes, "%u nodes ready%s, hashes %s", view.ready,
                       view.ready == expected ? "" : " (more than expected)",
                       view.is_agreed ? "equal" : "differ");
    else
        (void)snprintf(text, text_bytes, "%u of %u nodes ready; %u answered of %u members",
                       view.ready, expected, view.answered, view.nodes);
    if (view.ready < expected || !are_all_ready)
        return VERDICT_CRITICAL;
    return view.ready == expected && view.is_agreed ? VERDICT_OK : VERDICT_WARNING;
}

int cluster_check(struct ctl *ctl)
{
    uint64_t expected = 0;
    if (!ctl_count(ctl, FLAG_NODES, "--nodes", 1, 10000, 0, &expected))
        return VERDICT_UNKNOWN;
    if (expected == 0) {
        (void)problems_usage("check cluster needs --nodes N");
        return VERDICT_UNKNOWN;
    }
    uint64_t end_ms = ctl_now_ms() + ctl->timeout_ms;
    char text[512];
    ctl->is_patient = true;
    if (ctl_connect(ctl) != EXIT_COMPLETE)
        return say_verdict(ctl, VERDICT_CRITICAL, "no node answers");
    for (;;) {
        enum verdict verdict = look(ctl, (uint32_t)expected, text, sizeof text);
        uint64_t now_ms = ctl_now_ms();
        if (verdict == VERDICT_OK || now_ms >= end_ms)
            return say_verdict(ctl, verdict, text);
        ctl->timeout_ms = (uint32_t)(end_ms - now_ms);
        pause_between_looks(ctl);
    }
}
