/* test_topic.c - topics on the command line: what is printed, and the exit codes. */
#include <criterion/criterion.h>

#include <string.h>

#include "client/ctl/topic.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

TestSuite(topic, .init = node_straw_up, .fini = node_straw_down);

static void put(const char *path, const char *value)
{
    node_join(&straw); /* from here on it is this thread's */
    node_topics_put(&straw, path, value, false);
    node_run(&straw);
}

Test(topic, that_is_set_is_there_to_get)
{
    struct play play;
    play_run(&play, "-s $S topic set prices/tea 4.2 --type double --policy always -o jsonl");
    cr_assert_eq(play.code, EXIT_COMPLETE, "%s", play.err);
    cr_assert_str_eq(play.out, "{\"path\":\"prices/tea\",\"version\":\"1-0000000000000007-1\"}\n");
    cr_assert_eq(straw.topics.set.policy, TOPIC_POLICY_ALWAYS);
    play_run(&play, "-s $S topic get prices/tea");
    cr_assert_str_eq(play.out, "4.2\n");
    play_run(&play, "-s $S topic get prices/tea -o jsonl");
    cr_assert_str_eq(play.out, "{\"path\":\"prices/tea\",\"type\":\"double\",\"value\":4.2,"
                               "\"version\":\"1-0000000000000007-1\"}\n");
    cr_assert_eq(play.code, EXIT_COMPLETE);
}

Test(topic, that_is_not_there_is_nothing_and_said_so)
{
    struct play play;
    play_run(&play, "-s $S topic get prices/tea -o json");
    cr_assert_eq(play.code, EXIT_NOTHING);
    cr_assert_not_null(strstr(play.out, "\"code\":\"NO_SUCH_TOPIC\""));
    cr_assert_eq(strncmp(play.err, "weftctl: NO_SUCH_TOPIC: ", 24), 0);
    play_run(&play, "-s $S topic rm prices/**");
    cr_assert_eq(play.code, EXIT_NOTHING);
    play_run(&play, "-s $S topic ls prices/**");
    cr_assert_eq(play.code, EXIT_NOTHING);
    play_run(&play, "-s $S topic ls -o json");
    cr_assert_eq(play.code, EXIT_COMPLETE, "an empty mesh is no surprise");
    cr_assert_not_null(strstr(play.out, "[]"));
}

Test(topic, listed_with_all_that_is_known)
{
    struct play play;
    put("b", "12345");
    put("a", "1");
    play_run(&play, "-s $S topic ls -o jsonl");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(play.out,
                     "{\"path\":\"a\",\"type\":\"string\","
                     "\"version\":\"1-0000000000000007-1\",\"bytes\":1,\"policy\":\"conflate\","
                     "\"sequencer\":\"straw\"}\n{\"path\":\"b\",\"type\":\"string\","
                     "\"version\":\"1-0000000000000007-1\",\"bytes\":5,\"policy\":\"conflate\","
                     "\"sequencer\":\"straw\"}\n");
    play_run(&play, "-s $S topic ls --limit 1");
    cr_assert_not_null(strstr(play.out, "1 of 2 topics"));
    cr_assert_null(strstr(play.out, "12345"));
    play_run(&play, "-s $S topic ls b -o csv");
    cr_assert_not_null(strstr(play.out, "b,string,5,conflate,straw,1-0000000000000007-1"));
}

Test(topic, constraints_are_obeyed_and_the_version_there_is_told)
{
    struct play play;
    put("a", "one");
    play_run(&play, "-s $S topic set a two --if-absent");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: UNSATISFIED_CONSTRAINT: ", 33), 0);
    cr_assert_not_null(strstr(play.err, "its version is 1-0000000000000007-1"));
    play_run(&play, "-s $S topic set a two --if-value one");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    play_run(&play, "-s $S topic set a three --if-version 1-0000000000000007-1");
    cr_assert_eq(play.code, EXIT_ERROR);
    play_run(&play, "-s $S topic set a three --if-version 1-0000000000000007-2");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    play_run(&play, "-s $S topic get a");
    cr_assert_str_eq(play.out, "three\n");
}

Test(topic, errors_of_the_node_are_reported)
{
    struct play play;
    play_run(&play, "-s $S topic set forbidden x -o json");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_not_null(strstr(play.out, "ACCESS_DENIED"));
    play_run(&play, "-s $S topic set moving x");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: CLUSTER_REPARTITION: ", 30), 0);
    put("a", "one");
    play_run(&play, "-s $S topic set a 1 --type int64");
    cr_assert_eq(strncmp(play.err, "weftctl: TOPIC_EXISTS_MISMATCH: ", 32), 0);
    play_run(&play, "-s $S topic set a//b x");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: INVALID_PATH: ", 23), 0);
    play_run(&play, "-s $S -t 100ms topic set silent x");
    cr_assert_eq(strncmp(play.err, "weftctl: TIMEOUT: ", 18), 0);
}

Test(topic, removed_ones_are_counted)
{
    struct play play;
    put("a/1", "x");
    put("a/2", "x");
    play_run(&play, "-s $S topic rm a/** -o jsonl");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(play.out, "{\"removed\":2}\n");
}

Test(topic, what_is_typed_wrong_is_named)
{
    static const char *const wrong[] = {
        "topic set a",
        "topic set a b c",
        "topic get",
        "topic get a/**",
        "topic rm",
        "topic sub",
        "topic set a b --policy never",
        "topic set a b --type text",
        "topic set a b --type int64",
        "topic set a 1 --type int64 --if-value x",
        "topic set a b --if-absent --if-value c",
        "topic set a b --if-version 12",
        "topic ls a b",
        "topic ls --limit 0",
    };
    struct play play;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        play_run(&play, wrong[i]);
        cr_assert_eq(play.code, EXIT_USAGE, "%s", wrong[i]);
        cr_assert_eq(strncmp(play.err, "weftctl: USAGE: ", 16), 0, "%s", wrong[i]);
    }
}
