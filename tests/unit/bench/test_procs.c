#include "bench/procs.h"

#include <criterion/criterion.h>
#include <unistd.h>

/* What a process tells: its number, and the command it was sent. */
struct head {
    uint32_t number, command;
};

enum { TAIL_BYTES = 300000 }; /* more than a pipe holds */

static int echo_command(const void *job, uint32_t number, int commands, int reports)
{
    static char tail[TAIL_BYTES];
    struct head head = {.number = number + *(const uint32_t *)job};
    for (size_t i = 0; i < sizeof tail; i++)
        tail[i] = (char)(i + number);
    if (!procs_tell(reports, &head, sizeof head, tail, sizeof tail, false) ||
        read(commands, &head.command, sizeof head.command) != sizeof head.command ||
        !procs_tell(reports, &head, sizeof head, NULL, 0, false))
        return 1;
    uint32_t more;
    while (read(commands, &more, sizeof more) > 0)
        continue;
    head.command++;
    return procs_tell(reports, &head, sizeof head, NULL, 0, true) ? 0 : 1;
}

static int break_off(const void *job, uint32_t number, int commands, int reports)
{
    (void)job, (void)number, (void)commands, (void)reports;
    return 1;
}

static const struct head *head_of(const struct procs *procs, uint32_t number)
{
    return procs_head(procs, number);
}

Test(procs, what_processes_tell_and_are_told_arrives_whole)
{
    const uint32_t base = 100, command = 7;
    struct procs *procs = procs_begin(3, sizeof(struct head), echo_command, &base);
    cr_assert_not_null(procs);
    size_t bytes = 0;
    for (uint32_t i = 0; i < 3; i++)
        while (procs_tail(procs, i, &bytes) == NULL)
            cr_assert(procs_pump(procs, 1000));
    cr_assert(procs_command(procs, &command, sizeof command));
    for (uint32_t i = 0; i < 3; i++) {
        while (head_of(procs, i)->command != command)
            cr_assert(procs_pump(procs, 1000));
        const char *tail = procs_tail(procs, i, &bytes);
        cr_assert_eq(head_of(procs, i)->number, base + i);
        cr_assert_eq(bytes, TAIL_BYTES, "a head without a tail leaves the last one");
        cr_assert_eq(tail[TAIL_BYTES - 1], (char)(TAIL_BYTES - 1 + i));
        cr_assert_gt(procs_pid(procs, i), 0);
    }
    procs_end(procs);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(head_of(procs, i)->command, command + 1, "its last word");
    cr_assert(procs_pump(procs, 0), "all said that they were over");
    procs_destroy(&procs);
    cr_assert_null(procs);
}

Test(procs, one_that_ends_without_saying_so_is_seen)
{
    struct procs *procs = procs_begin(2, sizeof(struct head), break_off, NULL);
    cr_assert_not_null(procs);
    while (procs_pump(procs, 1000))
        continue;
    procs_end(procs);
    procs_destroy(&procs);
}
