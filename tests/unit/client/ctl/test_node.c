/* test_node.c - members are shown as the asked node tells of them. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "client/ctl/node.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

TestSuite(node, .init = node_straw_up, .fini = node_straw_down);

Test(node, members_are_a_table)
{
    struct play play;
    play_run(&play, "-s $S node ls");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(play.out,
                     "NODE      STATE  ZONE  VERSION  SESSIONS  RTT  LAG  ADDRESS\n"
                     "straw  *  alive  -     -               0    -  0us  127.0.0.1:7311\n");
    cr_assert_str_eq(play.err, "");
}

Test(node, instances_and_incarnations_are_strings_in_json)
{
    struct play play;
    play_run(&play, "-s $S node ls -o jsonl");
    cr_assert_str_eq(play.out,
                     "{\"name\":\"straw\",\"instance\":\"0000000000000007\",\"incarnation\":\"0\","
                     "\"state\":\"alive\",\"zone\":\"\",\"version\":\"\","
                     "\"address\":\"127.0.0.1:7311\",\"sessions\":0,\"lag_ms\":0,\"rtt_us\":null,"
                     "\"self\":true}\n");
}

Test(node, a_node_that_is_not_there_is_an_error_at_once)
{
    struct play play;
    play_run(&play, "-s 127.0.0.1:1 node ls");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: CLUSTER_ROUTING: no node at 127.0.0.1:1", 48), 0);
}

Test(node, the_second_server_is_tried_when_the_first_is_not_there)
{
    struct play play;
    char words[128];
    (void)snprintf(words, sizeof words, "-s 127.0.0.1:1,%s node ls", straw.address);
    play_run(&play, words);
    cr_assert_eq(play.code, EXIT_COMPLETE);
}

Test(node, a_refusal_is_told_in_its_words)
{
    struct play play;
    straw.refuse_with = WEFT_ACCESS_DENIED;
    play_run(&play, "-s $S node ls");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: ACCESS_DENIED: ", 24), 0);
}

Test(node, silence_ends_with_the_time_to_wait)
{
    struct play play;
    straw.is_mute = true;
    play_run(&play, "-s $S -t 100ms node ls");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_not_null(strstr(play.err, "weftctl: CLUSTER_ROUTING: no node at "));
}

Test(node, user_and_properties_are_offered)
{
    struct play play;
    play_run(&play, "-s $S --user ada --prop tier=gold node ls");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(straw.principal, "ada");
    cr_assert_str_eq(straw.property, "tier=gold");
}
