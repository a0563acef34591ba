/* ctl_cluster.h - `cluster status`, `check cluster`: is the mesh one, and well?
 * Memory: none kept. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_CLUSTER_H
#define WEFT_CLIENT_CTL_CTL_CLUSTER_H

#include "client/ctl/ctl.h"

int ctl_cluster_status(struct ctl *ctl);

/* Waits for --nodes ready nodes with equal hashes; exits as a Nagios check does. */
int ctl_cluster_check(struct ctl *ctl);

#endif
