/* req.h - asks whoever serves a path. Thread: one. */
#ifndef WEFT_CTL_REQ_H
#define WEFT_CTL_REQ_H

#include "client/ctl/ctl.h"

/* The verb `req`. Returns the exit code: EXIT_COMPLETE only for the outcome OK. */
int req_run(struct ctl *ctl);

#endif
