/* ctl_reply.h - `reply`: serves a path until told to stop.
 * Memory: none kept. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_REPLY_H
#define WEFT_CLIENT_CTL_CTL_REPLY_H

#include "client/ctl/ctl.h"

int ctl_reply_run(struct ctl *ctl);

#endif
