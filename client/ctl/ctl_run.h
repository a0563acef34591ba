/* ctl_run.h - a run of weftctl from its arguments to its exit code.
 * Memory: all given back. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_RUN_H
#define WEFT_CLIENT_CTL_CTL_RUN_H

/* Changes argv. Returns the exit code. */
int ctl_run(int argc, char **argv);

#endif
