/* reach.h - what every question to all nodes has in common: how far it reached. Thread: one. */
#ifndef WEFT_CTL_REACH_H
#define WEFT_CTL_REACH_H

#include <cjson/cJSON.h>

#include "client/ctl/ctl.h"

/* Adds nodes_asked, nodes_answered, complete, and the entries as "nodes". */
void reach_add(cJSON *document, const struct weft_result *result, cJSON *nodes);

/* Walks the nodes' answers in the order of their names, not of their coming: tables and lines are
 * to look the same each time. *answer is the last one, at first all zero. O(nodes). */
bool reach_next(const struct weft_result *result, struct weft_node_answer *answer);

/* Adds an entry {node,error} for the answer to the array. error is null when there is none. */
cJSON *reach_add_node(cJSON *nodes, const struct weft_node_answer *answer);

/* EXIT_COMPLETE; or EXIT_PARTIAL after naming the nodes that did not answer on stderr. */
int reach_judge(const struct weft_result *result);

#endif
