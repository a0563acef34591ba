/* session.h - shows sessions of the whole mesh. Thread: one. */
#ifndef WEFT_CTL_SESSION_H
#define WEFT_CTL_SESSION_H

#include "client/ctl/ctl.h"

/* The verbs `session ls` and `session get`. Return the exit code. */
int session_ls(struct ctl *ctl);
int session_get(struct ctl *ctl);

/* Reads the verb's first word as an ID; false, reported, when it is none. */
bool session_read_id(const struct ctl *ctl, struct weft_session_id *id);

/* "active" or "disconnected". */
const char *session_state_name(enum weft_session_state state);

#endif
