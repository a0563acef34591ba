/* handler_run.h - the verbs `handler auth`, which decides in one way about all who want to enter,
 * and `handler missing`, which shows what is subscribed and not there. Memory: their own. Thread:
 * the program's. */
#ifndef WEFT_CTL_HANDLER_RUN_H
#define WEFT_CTL_HANDLER_RUN_H

#include "client/ctl/ctl.h"

int handler_run_auth(struct ctl *ctl);
int handler_run_missing(struct ctl *ctl);

#endif
