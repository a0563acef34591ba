/* events.h - shows what happens in the mesh, as it happens. Thread: one. */
#ifndef WEFT_CTL_EVENTS_H
#define WEFT_CTL_EVENTS_H

#include "client/ctl/ctl.h"

/* The verb `events`. Returns the exit code. */
int events_run(struct ctl *ctl);

#endif
