/* weftctl - shows and steers a mesh of weft nodes. */

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/ctl/command_line.h"
#include "client/ctl/ctl.h"
#include "client/ctl/passwd.h"
#include "client/ctl/verbs.h"

/* Sleeps until the time comes or a signal does. */
static void sleep_until(uint64_t at_ms)
{
    uint64_t now_ms = ctl_now_ms();
    if (now_ms >= at_ms || ctl_is_stopped())
        return;
    uint64_t ms = at_ms - now_ms;
    struct timespec rest = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    (void)nanosleep(&rest, NULL);
}

/* Repeats a listing; a node that can't be reached for a while does not end it. */
static int watch(struct ctl *ctl)
{
    uint64_t next_ms = ctl_now_ms();
    uint64_t end_ms = ctl->for_ms == 0 ? UINT64_MAX : next_ms + ctl->for_ms;
    int code = EXIT_COMPLETE;
    ctl_catch_signals();
    for (uint64_t shown = 1;; shown++) {
        output_restart(&ctl->output);
        code = ctl->verb->run(ctl);
        next_ms += ctl->watch_ms;
        bool is_over = code == EXIT_USAGE || shown == ctl->count || next_ms >= end_ms;
        if (is_over)
            return code;
        sleep_until(next_ms);
        if (ctl_is_stopped())
            return EXIT_COMPLETE;
    }
}

static int run(int count, char **words, struct ctl *ctl)
{
    int code = command_line_read(count, words, ctl);
    if (code != EXIT_COMPLETE) /* Nagios reads 2 as CRITICAL, and 3 as not asked right */
        return ctl->verb != NULL && strcmp(ctl->verb->noun, "check") == 0 ? 3 : code;
    if (ctl->wants_help)
        command_line_help(ctl->verb, stdout);
    else if (ctl->wants_version)
        printf("weftctl %s\n", WEFT_VERSION);
    else if (ctl->password_file != NULL)
        code = passwd_read(ctl->password_file, ctl->password, &ctl->password_bytes);
    if (code == EXIT_COMPLETE && !ctl->wants_help && !ctl->wants_version)
        code = ctl->watch_ms > 0 ? watch(ctl) : ctl->verb->run(ctl);
    return code;
}

int main(int count, char **words)
{
    static struct ctl ctl;
    (void)setlocale(LC_CTYPE, ""); /* how wide characters are in a table */
    int code = run(count, words, &ctl);
    ctl_clear(&ctl);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        problems_note("INTERNAL", "the result could not be written to standard output");
        return EXIT_ERROR;
    }
    return code;
}
