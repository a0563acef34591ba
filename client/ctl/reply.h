/* reply.h - serves a path. Thread: one. */
#ifndef WEFT_CTL_REPLY_H
#define WEFT_CTL_REPLY_H

#include "client/ctl/ctl.h"

/* The verb `reply`. Returns the exit code. */
int reply_run(struct ctl *ctl);

#endif
