/* signals.h - signals as something to read: none interrupts anything.
 * Memory: one descriptor. Thread: the main one, before all others start. */
#ifndef WEFT_DAEMON_SIGNALS_H
#define WEFT_DAEMON_SIGNALS_H

#include <stdbool.h>

enum signals_wish { SIGNALS_NONE, SIGNALS_STOP, SIGNALS_RELOAD, SIGNALS_DRAIN };

/* Blocks the signals for this thread and all it starts. Returns a descriptor to poll; -1: errno. */
int signals_open(void);
void signals_close(int fd);

/* The next wish; SIGNALS_NONE: there is none now. */
enum signals_wish signals_next(int fd);

#endif
