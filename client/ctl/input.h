/* input.h - takes a VALUE from the command line or from standard input, of the type of --type.
 * Memory: what the value stands on is the struct's; input_clear frees. Thread: one. */
#ifndef WEFT_CTL_INPUT_H
#define WEFT_CTL_INPUT_H

#include "client/ctl/ctl.h"

struct input {
    struct weft_value value;
    bool is_there;       /* the command line has one */
    char *text, *memory; /* what the value stands on */
};

/* Reads the word at `at` behind the verb, `-` for standard input. Returns EXIT_COMPLETE, also when
 * there is no such word, or EXIT_USAGE with what is wrong reported. */
int input_read(const struct ctl *ctl, size_t at, struct input *input);

void input_clear(struct input *input);

#endif
