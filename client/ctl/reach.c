/* reach.c - see reach.h. */
#include "client/ctl/reach.h"

#include <stdio.h>
#include <string.h>

#include "client/ctl/values.h"

void reach_add(cJSON *document, const struct weft_result *result, cJSON *nodes)
{
    cJSON_AddNumberToObject(document, "nodes_asked", result->nodes_asked);
    cJSON_AddNumberToObject(document, "nodes_answered", result->nodes_answered);
    cJSON_AddBoolToObject(document, "complete", result->is_complete);
    cJSON_AddItemToObject(document, "nodes", nodes);
}

cJSON *reach_add_node(cJSON *nodes, const struct weft_node_answer *answer)
{
    cJSON *entry = cJSON_CreateObject();
    values_add_text(entry, "node", answer->node);
    if (answer->error == WEFT_OK)
        cJSON_AddNullToObject(entry, "error");
    else
        cJSON_AddStringToObject(entry, "error", weft_error_name(answer->error));
    cJSON_AddItemToArray(nodes, entry);
    return entry;
}

static int order_of(const struct weft_node_answer *one, const struct weft_node_answer *other)
{
    size_t shorter = one->node.bytes < other->node.bytes ? one->node.bytes : other->node.bytes;
    int order = shorter == 0 ? 0 : memcmp(one->node.data, other->node.data, shorter);
    if (order == 0)
        order = (one->node.bytes > other->node.bytes) - (one->node.bytes < other->node.bytes);
    if (order == 0)
        order = (one->instance > other->instance) - (one->instance < other->instance);
    return order;
}

bool reach_next(const struct weft_result *result, struct weft_node_answer *answer)
{
    struct weft_rows nodes = result->nodes;
    struct weft_node_answer candidate, next;
    bool is_found = false;
    while (weft_next_node(&nodes, &candidate)) {
        if (order_of(&candidate, answer) > 0 && (!is_found || order_of(&candidate, &next) < 0)) {
            next = candidate;
            is_found = true;
        }
    }
    if (is_found)
        *answer = next;
    return is_found;
}

int reach_judge(const struct weft_result *result)
{
    struct weft_node_answer answer = {0};
    bool is_partial = !result->is_complete;
    bool is_named = false;
    while (reach_next(result, &answer)) {
        if (answer.error == WEFT_OK)
            continue;
        is_partial = is_named = true;
        if (answer.error == WEFT_CLUSTER_ROUTING)
            problems_note("PARTIAL", "%.*s did not answer; see `weftctl node ls`, then run again",
                          (int)answer.node.bytes, answer.node.data);
        else
            problems_note("PARTIAL", "%.*s: %s: %.*s", (int)answer.node.bytes, answer.node.data,
                          weft_error_name(answer.error), (int)answer.text.bytes, answer.text.data);
    }
    if (is_partial && !is_named)
        problems_note("PARTIAL", "%u of %u nodes answered; see `weftctl node ls`, then run again",
                      result->nodes_answered, result->nodes_asked);
    return is_partial ? EXIT_PARTIAL : EXIT_COMPLETE;
}
