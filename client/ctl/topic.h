/* topic.h - lists, shows, sets and removes topics, as the asked node has them. Thread: one. */
#ifndef WEFT_CTL_TOPIC_H
#define WEFT_CTL_TOPIC_H

#include "client/ctl/ctl.h"

/* The verbs `topic ls`, `topic get`, `topic set` and `topic rm`. Return the exit code. */
int topic_ls(struct ctl *ctl);
int topic_get(struct ctl *ctl);
int topic_set(struct ctl *ctl);
int topic_rm(struct ctl *ctl);

#endif
