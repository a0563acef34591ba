/* test_command_line.c - options before and behind the verb; each mistake is named. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "client/ctl/command_line.h"
#include "client/ctl/verbs.h"
#include "tests/unit/client/ctl/play.h"

static struct ctl ctl;

static int read_words(int count, const char *const *given)
{
    static char texts[16][64];
    char *words[16];
    for (int i = 0; i < count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%s", given[i]);
        words[i] = texts[i];
    }
    ctl_clear(&ctl);
    return command_line_read(count, words, &ctl);
}

#define READ(...)                                                                                  \
    read_words((int)(sizeof(const char *[]){"weftctl", __VA_ARGS__} / sizeof(char *)),             \
               (const char *[]){"weftctl", __VA_ARGS__})

Test(command_line, options_stand_before_and_behind_the_verb)
{
    cr_assert_eq(READ("-s", ":7320", "session", "ls", "-o", "json", "--keys=a,b", "-t", "3s"), 0);
    cr_assert_str_eq(ctl.verb->noun, "session");
    cr_assert_str_eq(ctl.verb->name, "ls");
    cr_assert_str_eq(ctl.servers, ":7320");
    cr_assert_eq(ctl.output.format, OUTPUT_JSON);
    cr_assert_str_eq(ctl_flag(&ctl, FLAG_KEYS), "a,b");
    cr_assert_null(ctl_flag(&ctl, FLAG_SORT));
    cr_assert_eq(ctl.timeout_ms, 3000);
    ctl_clear(&ctl);
}

Test(command_line, words_of_a_verb_are_kept_in_order)
{
    cr_assert_eq(READ("req", "--wait", "5s", "path", "--", "-5"), 0);
    cr_assert_eq(ctl.words_count, 2);
    cr_assert_str_eq(ctl.words[0], "path");
    cr_assert_str_eq(ctl.words[1], "-5");
    cr_assert_str_eq(ctl_flag(&ctl, FLAG_WAIT), "5s");
}

Test(command_line, defaults_come_from_the_environment)
{
    (void)unsetenv("WEFT_SERVER");
    cr_assert_eq(READ("node", "ls"), 0);
    cr_assert_str_eq(ctl.servers, "127.0.0.1:7310");
    cr_assert_eq(ctl.timeout_ms, 10000);
    (void)setenv("WEFT_SERVER", "there:1", 1);
    (void)setenv("WEFT_USER", "ada", 1);
    cr_assert_eq(READ("node", "ls"), 0);
    cr_assert_str_eq(ctl.servers, "there:1");
    cr_assert_str_eq(ctl.user, "ada");
    cr_assert_eq(READ("node", "ls", "-s", "here:1"), 0);
    cr_assert_str_eq(ctl.servers, "here:1");
    (void)unsetenv("WEFT_SERVER");
    (void)unsetenv("WEFT_USER");
}

Test(command_line, properties_are_cut_at_the_first_equals_sign)
{
    cr_assert_eq(READ("--prop", "a=b=c", "--prop=d=", "session", "open"), 0);
    cr_assert_eq(ctl.properties_count, 2);
    cr_assert_str_eq(ctl.properties[0].key, "a");
    cr_assert_str_eq(ctl.properties[0].value, "b=c");
    cr_assert_str_eq(ctl.properties[1].value, "");
    ctl_clear(&ctl);
}

Test(command_line, watch_takes_a_time_or_a_second)
{
    cr_assert_eq(READ("node", "ls", "-w"), 0);
    cr_assert_eq(ctl.watch_ms, 1000);
    cr_assert_eq(READ("node", "ls", "-w250ms", "--count", "3"), 0);
    cr_assert_eq(ctl.watch_ms, 250);
    cr_assert_eq(ctl.count, 3);
    cr_assert_eq(READ("node", "ls", "--watch=2s", "--for=1m"), 0);
    cr_assert_eq(ctl.watch_ms, 2000);
    cr_assert_eq(ctl.for_ms, 60000);
}

Test(command_line, each_mistake_is_named)
{
    static const char *const wrong[][2] = {
        {"--no-such node ls", "--no-such is not an option"},
        {"node ls -Q", "-Q is not an option"},
        {"-w -Qs x node ls", "-Qs is not an option"},
        {"session ls -f x --filter y", "given twice"},
        {"-t", "-t needs a value"},
        {"req x --wait", "--wait needs a value"},
        {"node ls --all=3", "--all takes no value"},
        {"--no-color=1 node ls", "--no-color takes no value"},
        {"no-such-verb", "'no-such-verb' is not a verb"},
        {"topics ls", "'topics' is not a verb"},
        {"session subscribe -f all", "needs one SELECTOR"},
        {"session unsubscribe xyz -f all b", "needs one SELECTOR"},
        {"node", "'node' is half a verb"},
        {"session move x", "'session move' is not a verb"},
        {"session close", "which session?"},
        {"session close xyz -f all", "one word too many"},
        {"session set -f all xyz", "with --filter no ID is taken"},
        {"node ls more", "'more' is one word too many"},
        {"req", "req needs PATH"},
        {"-o yaml node ls", "not 'yaml'"},
        {"-t banana node ls", "not 'banana'"},
        {"-t 6m node ls", "not '6m'"},
        {"-w0s node ls", "not '0s'"},
        {"--count 0 session open", "not '0'"},
        {"--for x session open", "not 'x'"},
        {"--prop x session open", "not 'x'"},
        {"--prop =x session open", "not '=x'"},
        {"-w req x", "--watch repeats a listing"},
        {"--count 1 node ls", "--count and --for"},
        {"session close xyz", "'xyz' is not a session id"},
        {"session get 0000000000000000-0000000000000000", "is not a session id"},
        {"session ls --limit -1", "not '-1'"},
        {"session open --number 10001", "not '10001'"},
        {"cluster status --expect 0", "not '0'"},
        {"req x --type foo v", "not 'foo'"},
        {"req x --type int64", "there is none"},
        {"req x --type int64 1x", "no whole number"},
        {"req x --wait banana", "not 'banana'"},
        {"reply x", "one of VALUE, --echo and --command"},
        {"reply x v --echo", "one of VALUE, --echo and --command"},
        {"-s a:b:c node ls", "'a:b:c' is no list of servers"},
    };
    struct play play;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        play_run(&play, wrong[i][0]);
        cr_assert_eq(play.code, EXIT_USAGE, "%s", wrong[i][0]);
        cr_assert_not_null(strstr(play.err, wrong[i][1]), "%s: %s", wrong[i][0], play.err);
        cr_assert_eq(strncmp(play.err, "weftctl: USAGE: ", 16), 0, "%s", play.err);
        cr_assert_str_eq(play.out, "", "%s", wrong[i][0]);
    }
}

Test(command_line, no_verb_at_all_is_a_mistake_unless_help_is_asked_for)
{
    struct play play;
    play_run(&play, "");
    cr_assert_eq(play.code, EXIT_USAGE);
    cr_assert_eq(READ("--help"), 0);
    cr_assert(ctl.wants_help);
    cr_assert_null(ctl.verb);
    cr_assert_eq(READ("req", "--help"), 0);
    cr_assert_str_eq(ctl.verb->noun, "req");
    cr_assert_eq(READ("--version"), 0);
    cr_assert(ctl.wants_version);
}

static int help(void *user)
{
    command_line_help(user, stdout);
    return 0;
}

static int help_of_program(void *user)
{
    (void)user;
    command_line_help(NULL, stdout);
    return 0;
}

Test(command_line, help_names_every_verb)
{
    struct play play;
    size_t count = 0;
    const struct verb *verbs = verbs_list(&count);
    play_call(&play, help_of_program, NULL);
    for (size_t i = 0; i < count; i++)
        cr_assert_not_null(strstr(play.out, verbs[i].summary), "%s", verbs[i].summary);
    cr_assert_not_null(strstr(play.out, "Examples:"));
}

Test(command_line, help_of_a_verb_has_its_options_and_examples)
{
    struct play play;
    size_t used = 0;
    char req[] = "req";
    char *words[] = {req};
    struct verb verb = *verbs_find(words, 1, &used);
    play_call(&play, help, &verb);
    cr_assert_not_null(strstr(play.out, "Usage: weftctl req [OPTION...] PATH [VALUE]"));
    cr_assert_not_null(strstr(play.out, "--idempotent"));
    cr_assert_not_null(strstr(play.out, "--timeout"));
    cr_assert_not_null(strstr(play.out, "\n  weftctl req greet Ada\n"));
}
