/* session.h - shows sessions of the whole mesh, and closes one. Thread: one. */
#ifndef WEFT_CTL_SESSION_H
#define WEFT_CTL_SESSION_H

#include "client/ctl/ctl.h"

/* The verbs `session ls`, `session get` and `session close`. Return the exit code. */
int session_ls(struct ctl *ctl);
int session_get(struct ctl *ctl);
int session_close(struct ctl *ctl);

/* "active" or "disconnected". */
const char *session_state_name(enum weft_session_state state);

#endif
