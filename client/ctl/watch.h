/* watch.h - shows what becomes of topics, as it happens. Thread: one. */
#ifndef WEFT_CTL_WATCH_H
#define WEFT_CTL_WATCH_H

#include "client/ctl/ctl.h"

/* The verb `topic sub`. Returns the exit code. */
int watch_topics(struct ctl *ctl);

#endif
