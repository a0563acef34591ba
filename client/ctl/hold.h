/* hold.h - opens sessions and holds them until something ends them. Thread: one. */
#ifndef WEFT_CTL_HOLD_H
#define WEFT_CTL_HOLD_H

#include "client/ctl/ctl.h"

/* The verb `session open`. Returns the exit code: EXIT_ERROR when a session was closed from
 * outside. */
int hold_open(struct ctl *ctl);

#endif
