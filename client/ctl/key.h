/* key.h - the noun `key`: makes key files; no node is asked.
 * Memory: nothing is kept. Thread: one. */
#ifndef WEFT_CTL_KEY_H
#define WEFT_CTL_KEY_H

#include "client/ctl/ctl.h"

/* `key new NAME`. Returns the exit code. */
int key_new(struct ctl *ctl);

#endif
