/* ctl_run.c - see ctl_run.h. */
#include "client/ctl/ctl_run.h"

#include "client/ctl/ctl.h"
#include "client/ctl/ctl_options.h"
#include "client/ctl/ctl_output.h"
#include "client/ctl/ctl_verbs.h"

#include <stdio.h>
#include <unistd.h>

/* Repeats a listing until it is to end; the last exit code. */
static int watch(struct ctl *ctl)
{
    uint64_t shown = 0;
    ctl_stream_begin(ctl);
    for (;;) {
        if (ctl_output_is_for_people(ctl) && isatty(STDOUT_FILENO))
            (void)fputs("\033[H\033[2J", stdout);
        int code = ctl->verb->run(ctl);
        shown++;
        if (code != CTL_COMPLETE && code != CTL_PARTIAL)
            return code;
        if ((ctl->given & CTL_OPT_COUNT) != 0 && shown >= ctl->count)
            return code;
        uint64_t next_ms = ctl_now_ms() + ctl->watch_ms;
        while (ctl_now_ms() < next_ms) {
            if (!ctl_stream_wait(ctl, (int)(next_ms - ctl_now_ms())))
                return code;
        }
    }
}

int ctl_run(int argc, char **argv)
{
    struct ctl ctl;
    int code = ctl_options_read(&ctl, argc, argv);
    if (code != CTL_COMPLETE)
        return code;
    if (ctl.wants_help) {
        ctl_verbs_help(ctl.verb);
        return CTL_COMPLETE;
    }
    code = (ctl.given & CTL_OPT_WATCH) != 0 ? watch(&ctl) : ctl.verb->run(&ctl);
    if (ctl.client != NULL)
        weft_destroy(&ctl.client);
    if (ctl.signals > 0)
        (void)close(ctl.signals);
    if (fflush(stdout) != 0 && code == CTL_COMPLETE)
        code = CTL_ERROR;
    return code;
}
