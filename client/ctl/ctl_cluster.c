/* ctl_cluster.c - see ctl_cluster.h. Both ask every node for its status; the mesh has converged
 * when all have answered, are ready and show the same hashes. */
#include "client/ctl/ctl_cluster.h"

#include "client/ctl/ctl_output.h"

#include <stdio.h>

enum { CHECK_EVERY_MS = 100, CHECK_ANSWER_MS = 1000 };

/* Nagios's. */
enum { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

struct cluster {
    uint32_t ready;
    uint32_t handlers; /* in the directories: the most that one knows of */
    uint64_t sessions;
    bool is_converged;
};

static bool is_same(const struct weft_status_row *a, const struct weft_status_row *b)
{
    return a->members_hash == b->members_hash && a->directory_hash == b->directory_hash &&
           a->topics_hash == b->topics_hash;
}

static struct cluster judge(const struct weft_result *result)
{
    struct cluster cluster = {.is_converged = result->is_complete};
    struct weft_rows rows = result->nodes;
    struct weft_node_answer answer;
    struct weft_status_row first;
    struct weft_status_row status;
    bool is_first = true;
    while (weft_next_node(&rows, &answer)) {
        if (answer.error != WEFT_OK || !weft_next_status(&answer.rows, &status)) {
            cluster.is_converged = false;
            continue;
        }
        if (is_first)
            first = status;
        is_first = false;
        cluster.ready += status.is_ready;
        cluster.sessions += status.sessions_here;
        if (status.handlers > cluster.handlers)
            cluster.handlers = status.handlers;
        if (!status.is_ready || !is_same(&first, &status))
            cluster.is_converged = false;
    }
    return cluster;
}

static void fill_node(cJSON *node, const struct weft_node_answer *answer, void *user)
{
    struct weft_rows rows = answer->rows;
    struct weft_status_row status;
    (void)user;
    if (!weft_next_status(&rows, &status))
        return;
    ctl_output_bool(node, "ready", status.is_ready);
    ctl_output_number(node, "sessions", status.sessions_here);
    ctl_output_hex(node, "members_hash", status.members_hash);
    ctl_output_hex(node, "directory_hash", status.directory_hash);
    ctl_output_hex(node, "topics_hash", status.topics_hash);
}

static const struct ctl_column columns[] = {
    {"NODE", "node", CTL_CELL_TEXT, false},
    {"READY", "ready", CTL_CELL_STATE, false},
    {"SESSIONS", "sessions", CTL_CELL_NUMBER, false},
    {"MEMBERS", "members_hash", CTL_CELL_TEXT, false},
    {"DIRECTORY", "directory_hash", CTL_CELL_TEXT, false},
    {"TOPICS", "topics_hash", CTL_CELL_TEXT, true},
    {"ERROR", "error", CTL_CELL_TEXT, false},
    {NULL, NULL, CTL_CELL_TEXT, false},
};

int ctl_cluster_status(struct ctl *ctl)
{
    int code = ctl_open(ctl, false);
    if (code != CTL_COMPLETE)
        return code;
    const struct weft_result *result = weft_status_wait(ctl->client, 0);
    if (result->error != WEFT_OK)
        return ctl_fail_with(ctl, result->error, result->text);
    struct cluster cluster = judge(result);
    cJSON *tree = cJSON_CreateObject();
    ctl_output_string(tree, "cluster", ctl->mesh);
    ctl_output_number(tree, "members", result->nodes_asked);
    ctl_output_number(tree, "sessions", cluster.sessions);
    ctl_output_number(tree, "handlers", cluster.handlers);
    ctl_output_number(tree, "topics", 0);
    ctl_output_bool(tree, "converged", cluster.is_converged);
    ctl_output_reach(tree, result, fill_node, NULL);
    if (ctl_output_is_for_people(ctl))
        (void)printf("cluster %s: %u members, %u ready, %llu sessions, %u handlers, %s\n",
                     ctl->mesh, (unsigned)result->nodes_asked, (unsigned)cluster.ready,
                     (unsigned long long)cluster.sessions, (unsigned)cluster.handlers,
                     cluster.is_converged ? "converged" : "not converged");
    ctl_output_listing(ctl, tree, "nodes", columns);
    cJSON_Delete(tree);
    if ((ctl->given & CTL_OPT_EXPECT) != 0 &&
        (cluster.ready != ctl->expect || !cluster.is_converged))
        return ctl_fail(ctl, "NOT_READY", "expected %u ready nodes and one view, found %u, %s",
                        (unsigned)ctl->expect, (unsigned)cluster.ready,
                        cluster.is_converged ? "converged" : "not converged");
    return ctl_output_partial(ctl, result);
}

static int tell_check(struct ctl *ctl, int status, const char *text)
{
    static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    cJSON *tree = cJSON_CreateObject();
    ctl_output_string(tree, "status", names[status]);
    ctl_output_string(tree, "text", text);
    ctl_output_one(ctl, tree, "WEFT %s - %s\n", names[status], text);
    cJSON_Delete(tree);
    return status;
}

/* One look; the status, and what was seen. */
static int look(struct ctl *ctl, char *text, size_t room)
{
    const struct weft_result *result = weft_status_wait(ctl->client, CHECK_ANSWER_MS);
    if (result->error != WEFT_OK) {
        (void)snprintf(text, room, "%s: %s", weft_error_name(result->error),
                       weft_error_sentence(result->error));
        return CHECK_UNKNOWN;
    }
    struct cluster cluster = judge(result);
    (void)snprintf(text, room, "%u of %u nodes ready, %u asked, %u answered, %s",
                   (unsigned)cluster.ready, (unsigned)ctl->nodes, (unsigned)result->nodes_asked,
                   (unsigned)result->nodes_answered,
                   cluster.is_converged ? "one view" : "views differ");
    if (cluster.ready == ctl->nodes && cluster.is_converged)
        return CHECK_OK;
    return cluster.ready < ctl->nodes ? CHECK_CRITICAL : CHECK_WARNING;
}

int ctl_cluster_check(struct ctl *ctl)
{
    char text[256];
    uint64_t end_ms = ctl_now_ms() + ctl->timeout_ms;
    if ((ctl->given & CTL_OPT_NODES) == 0)
        return ctl_fail(ctl, "USAGE", "check cluster needs --nodes N: how many there should be");
    if (ctl_open(ctl, true) != CTL_COMPLETE)
        return tell_check(ctl, CHECK_UNKNOWN, "no server gave a session");
    for (;;) {
        int status = look(ctl, text, sizeof text);
        if (status == CHECK_OK || weft_is_closed(ctl->client) || ctl_now_ms() >= end_ms)
            return tell_check(ctl, status, text);
        uint64_t next_ms = ctl_now_ms() + CHECK_EVERY_MS;
        while (ctl_now_ms() < next_ms)
            (void)weft_run(ctl->client, CHECK_EVERY_MS);
    }
}
