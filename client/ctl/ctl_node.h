/* ctl_node.h - `node ls`, `node stats`.
 * Memory: none kept. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_NODE_H
#define WEFT_CLIENT_CTL_CTL_NODE_H

#include "client/ctl/ctl.h"

int ctl_node_ls(struct ctl *ctl);
int ctl_node_stats(struct ctl *ctl);

#endif
