/* ctl_verbs.h - the verbs of weftctl, and what --help says of them.
 * Memory: constant tables. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_VERBS_H
#define WEFT_CLIENT_CTL_CTL_VERBS_H

#include "client/ctl/ctl.h"

/* The verb that the words begin with, and how many words it takes; NULL: none. */
const struct ctl_verb *ctl_verbs_find(const char *const *words, int count, int *used);

/* Prints the help of one verb, or of all. */
void ctl_verbs_help(const struct ctl_verb *verb);

#endif
