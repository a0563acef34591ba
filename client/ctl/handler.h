/* handler.h - shows who serves what. Thread: one. */
#ifndef WEFT_CTL_HANDLER_H
#define WEFT_CTL_HANDLER_H

#include "client/ctl/ctl.h"

/* The verb `handler ls`. Returns the exit code. */
int handler_ls(struct ctl *ctl);

#endif
