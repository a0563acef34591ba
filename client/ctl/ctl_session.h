/* ctl_session.h - `session ls`, `get`, `open`, `close`.
 * Memory: none kept. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_SESSION_H
#define WEFT_CLIENT_CTL_CTL_SESSION_H

#include "client/ctl/ctl.h"

int ctl_session_ls(struct ctl *ctl);
int ctl_session_get(struct ctl *ctl);
int ctl_session_close(struct ctl *ctl);

/* Holds --number sessions until told to stop or all are closed. */
int ctl_session_open(struct ctl *ctl);

#endif
