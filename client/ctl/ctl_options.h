/* ctl_options.h - reads the command line: which verb, and what of it.
 * Memory: strings stay argv's. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_OPTIONS_H
#define WEFT_CLIENT_CTL_CTL_OPTIONS_H

#include "client/ctl/ctl.h"

/* Fills in the run's options, verb and arguments. Returns CTL_COMPLETE; CTL_USAGE after having said
 * why. wants_help may be set without a verb. */
int ctl_options_read(struct ctl *ctl, int argc, char **argv);

/* A duration such as 250ms, 2s, 5m, 1h; false for anything else and for more than 1000 hours. */
bool ctl_options_duration(const char *text, uint32_t *ms);

#endif
