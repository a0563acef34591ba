/* ctl_handler.h - `handler ls`.
 * Memory: none kept. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_HANDLER_H
#define WEFT_CLIENT_CTL_CTL_HANDLER_H

#include "client/ctl/ctl.h"

int ctl_handler_ls(struct ctl *ctl);

#endif
