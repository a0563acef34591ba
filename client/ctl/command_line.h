/* command_line.h - reads the words weftctl was called with. Memory: points into the words; what is
 * copied belongs to the run. Thread: one. */
#ifndef WEFT_CTL_COMMAND_LINE_H
#define WEFT_CTL_COMMAND_LINE_H

#include <stdio.h>

#include "client/ctl/ctl.h"

/* Fills in the run (all zero before): verb, words, options, defaults and environment. Options may
 * stand before the verb and behind it. Returns EXIT_COMPLETE, or EXIT_USAGE after saying what is
 * wrong. */
int command_line_read(int count, char **words, struct ctl *ctl);

/* Writes the help of the verb, or of the program when there is none. */
void command_line_help(const struct verb *verb, FILE *file);

#endif
