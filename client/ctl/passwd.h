/* passwd.h - reads passwords without showing them, and the verb `passwd`, which makes a line of the
 * users file. Memory: the caller's, wiped by whoever is done. Thread: the program's. */
#ifndef WEFT_CTL_PASSWD_H
#define WEFT_CTL_PASSWD_H

#include "client/ctl/ctl.h"

enum { PASSWD_BYTES_MAX = 4096 }; /* as much as a node takes */

/* Reads the first line of a file (`-`: standard input, without an echo on a terminal) into
 * password; its end is cut off. Returns EXIT_COMPLETE, or an exit code, reported. */
int passwd_read(const char *path, char password[PASSWD_BYTES_MAX], size_t *bytes);

int passwd_run(struct ctl *ctl);

#endif
