/* filter.h - the verbs `filter check` and `filter match`: what a node would make of a filter,
 * without a node. Memory: the run's. Thread: one. */
#ifndef WEFT_CTL_FILTER_H
#define WEFT_CTL_FILTER_H

#include "client/ctl/ctl.h"

/* Shows the canonical form of a filter, or what is wrong with it. */
int filter_check(struct ctl *ctl);

/* Shows which sessions of a file a filter means, in the order of the file. */
int filter_match(struct ctl *ctl);

#endif
