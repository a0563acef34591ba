/* control.h - changes sessions of the whole mesh: one by its id, or all that match a filter.
 * Thread: one. */
#ifndef WEFT_CTL_CONTROL_H
#define WEFT_CTL_CONTROL_H

#include "client/ctl/ctl.h"

/* The verbs `session close`, `set`, `roles`, `conflate`, `subscribe` and `unsubscribe`. Return the
 * exit code. */
int control_close(struct ctl *ctl);
int control_set(struct ctl *ctl);
int control_roles(struct ctl *ctl);
int control_conflate(struct ctl *ctl);
int control_subscribe(struct ctl *ctl);
int control_unsubscribe(struct ctl *ctl);

#endif
