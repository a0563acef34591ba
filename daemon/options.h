/* options.h - reads weftd's command line, and puts defaults, file, environment and flags together.
 * Memory: points into argv, which must outlive it. Thread: one owner. */
#ifndef WEFT_DAEMON_OPTIONS_H
#define WEFT_DAEMON_OPTIONS_H

#include "daemon/config.h"

enum { OPTIONS_SETTINGS_MAX = 256 };

enum options_action { OPTIONS_RUN, OPTIONS_CHECK, OPTIONS_PRINT };

struct options {
    enum options_action action;
    const char *file;              /* NULL: none */
    char seeds[CONFIG_LIST_BYTES]; /* all --seed together */
    size_t count;
    struct options_setting {
        char name[64];
        const char *value;
    } settings[OPTIONS_SETTINGS_MAX]; /* in the order of the command line */
};

/* Reads the command line. Usage errors, --help and --version end the process, as argp does: with
 * exit 2 or 0. */
void options_read(struct options *options, int argc, char **argv);

/* Defaults, then file, environment, flags, then config_finish. false: the error says what is
 * wrong and where; the config is not to be used. */
bool options_load(const struct options *options, struct config *config, struct config_error *error);

#endif
