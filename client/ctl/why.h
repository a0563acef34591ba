/* why.h - shows why a member is held what it is held. Thread: one. */
#ifndef WEFT_CTL_WHY_H
#define WEFT_CTL_WHY_H

#include "client/ctl/ctl.h"

/* The verb `node why`. Returns the exit code: EXIT_NOTHING for a name that nobody has. */
int why_node(struct ctl *ctl);

#endif
