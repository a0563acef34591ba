/* handler.h - shows who serves what. Thread: one. */
#ifndef WEFT_CTL_HANDLER_H
#define WEFT_CTL_HANDLER_H

#include "client/ctl/ctl.h"

/* The verbs `handler ls` and `handler stats`. Return the exit code. */
int handler_ls(struct ctl *ctl);
int handler_stats(struct ctl *ctl);

#endif
