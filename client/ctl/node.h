/* node.h - shows the nodes: who is a member, and what each has counted. Thread: one. */
#ifndef WEFT_CTL_NODE_H
#define WEFT_CTL_NODE_H

#include "client/ctl/ctl.h"

/* alive, suspect, dead, left; unknown for other numbers. */
const char *node_state_name(enum weft_member_state state);

/* Reports that no member has the name; what would do: "known; `weftctl node ls --all` lists them".
 * Returns EXIT_NOTHING. */
int node_unknown_say(const char *name, const char *which);

/* The verbs `node ls` and `node stats`. Return the exit code. */
int node_ls(struct ctl *ctl);
int node_stats(struct ctl *ctl);

#endif
