/* verbs.h - the one table of what weftctl can do. Memory: constant. */
#ifndef WEFT_CTL_VERBS_H
#define WEFT_CTL_VERBS_H

#include <argp.h>

#include "client/ctl/ctl.h"

enum verb_kind {
    VERB_ACT,     /* does one thing */
    VERB_LISTING, /* shows something; may be repeated: --watch */
    VERB_STREAM,  /* goes on: --count, --for */
};

struct verb {
    const char *noun; /* the first word */
    const char *name; /* the second; NULL: the noun is the verb */
    const char *args; /* for the usage line; NULL: takes none */
    size_t words_least, words_most;
    enum verb_kind kind;
    const char *summary;               /* one line */
    const char *examples;              /* and what else is to be said; ends with a newline */
    const struct argp_option *options; /* its own; NULL: none */
    int (*run)(struct ctl *ctl);       /* returns the exit code */
};

/* All of them, in the order of --help. */
const struct verb *verbs_list(size_t *count);

/* The verb that the words begin with; *used: how many of them are its name. NULL: none is. */
const struct verb *verbs_find(char **words, size_t count, size_t *used);

/* Whether some verb begins with the word. */
bool verbs_is_noun(const char *word);

#endif
