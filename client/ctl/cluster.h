/* cluster.h - judges the mesh as a whole: is every node ready, and do they agree? Thread: one. */
#ifndef WEFT_CTL_CLUSTER_H
#define WEFT_CTL_CLUSTER_H

#include "client/ctl/ctl.h"

/* The verb `cluster status`. Returns the exit code. */
int cluster_status(struct ctl *ctl);

/* The verb `check cluster`. Returns what Nagios reads: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. */
int cluster_check(struct ctl *ctl);

/* What a status of every node says. */
struct cluster_view {
    uint32_t nodes, answered, ready; /* members asked, and of those */
    uint32_t members;                /* as the node that answers first has them, or more */
    bool is_agreed;                  /* all answered and all hashes are equal */
};

/* Adds up the nodes' answers. */
struct cluster_view cluster_view_of(const struct weft_result *result);

#endif
