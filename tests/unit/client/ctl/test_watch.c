/* test_watch.c - topics are a line each, with every field, until it has been enough. */
#include <criterion/criterion.h>

#include <string.h>

#include "client/ctl/watch.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

TestSuite(watch, .init = node_straw_up, .fini = node_straw_down);

static void put(const char *path, const char *value)
{
    node_join(&straw);
    node_topics_put(&straw, path, value, false);
    node_run(&straw);
}

Test(watch, snapshots_are_lines_with_every_field)
{
    struct play play;
    put("prices/tea", "4.2");
    put("other", "x");
    play_run(&play, "-s $S topic sub prices/** -o jsonl --count 1");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(play.out, "{\"event\":\"value\",\"path\":\"prices/tea\","
                               "\"version\":\"1-0000000000000007-1\",\"type\":\"string\","
                               "\"value\":\"4.2\",\"reason\":null,\"snapshot\":true}\n");
    cr_assert_eq(strncmp(play.err, "weftctl: ready ", 15), 0);
    play_run(&play, "-s $S topic sub prices/** --count 1");
    cr_assert_not_null(strstr(play.out, "prices/tea"));
    cr_assert_not_null(strstr(play.out, "4.2"));
}

Test(watch, the_same_selector_twice_is_one)
{
    struct play play;
    put("a", "1");
    play_run(&play, "-s $S topic sub a /a/ b -o jsonl --for 300ms");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_eq(straw.topics.subscribes, 2);
    cr_assert_eq(strncmp(play.err, "weftctl: ready ", 15), 0);
}

Test(watch, a_refusal_ends_it)
{
    struct play play;
    play_run(&play, "-s $S topic sub forbidden");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_str_eq(play.err, "weftctl: ACCESS_DENIED: not that one\n");
    play_run(&play, "-s $S topic sub a//b");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: INVALID_PATH: ", 23), 0);
}
