/* test_events.c - what happens is a line each, with every field, until it has been enough. */
#include <criterion/criterion.h>

#include <string.h>

#include "client/ctl/events.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

TestSuite(events, .init = node_straw_up, .fini = node_straw_down);

Test(events, of_sessions_have_their_fields_in_json)
{
    struct play play;
    play_run(&play, "-s $S events --kind session -f tier~is~'gold' --keys tier -o jsonl --count 2");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(play.out,
                     "{\"kind\":\"session\",\"event\":\"opened\","
                     "\"session\":\"0000000000000009-0000000000000001\",\"node\":\"hay\","
                     "\"zone\":\"az1\",\"reason\":null,\"properties\":{\"tier\":\"gold\"}}\n"
                     "{\"kind\":\"session\",\"event\":\"closed\","
                     "\"session\":\"0000000000000009-0000000000000001\",\"node\":\"hay\","
                     "\"zone\":\"az1\",\"reason\":\"expired\",\"properties\":{}}\n");
    cr_assert_eq(strncmp(play.err, "weftctl: ready ", 15), 0);
    cr_assert_str_eq(straw.filter, "tier is 'gold'");
    cr_assert_str_eq(straw.keys, "tier");
}

Test(events, of_members_have_the_same_fields)
{
    struct play play;
    play_run(&play, "-s $S events --kind member -o jsonl --count 1");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(play.out, "{\"kind\":\"member\",\"event\":\"joined\",\"session\":null,"
                               "\"node\":\"straw\",\"zone\":\"\",\"reason\":null,"
                               "\"properties\":{}}\n");
    cr_assert_eq(straw.listens, 1);
}

Test(events, of_both_kinds_come_when_none_is_named)
{
    struct play play;
    play_run(&play, "-s $S events -o jsonl --count 3");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_not_null(strstr(play.out, "\"member\""));
    cr_assert_not_null(strstr(play.out, "\"opened\""));
    cr_assert_not_null(strstr(play.out, "\"closed\""));
    cr_assert_eq(straw.listens, 2);
    cr_assert_str_eq(straw.filter, "all");
    cr_assert_str_eq(straw.keys, "$Principal,$ClientType,$ClientIP");
}

Test(events, a_table_has_a_column_for_each_key)
{
    struct play play;
    play_run(&play, "-s $S events --kind session --keys tier,*F --count 1");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_not_null(strstr(play.out, "gold"));
    cr_assert_null(strstr(play.out, "*F"));
}

Test(events, a_bad_filter_is_an_error_with_its_place)
{
    struct play play;
    play_run(&play, "-s $S events --kind session -f tier~is~Gold");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_str_eq(play.out, "");
    cr_assert_str_eq(play.err,
                     "weftctl: INVALID_FILTER: 1:9: expected a quoted string, found Gold\n");
}

Test(events, an_unknown_kind_or_a_filter_of_members_is_wrong_usage)
{
    struct play play;
    play_run(&play, "-s $S events --kind session,topic");
    cr_assert_eq(play.code, EXIT_USAGE);
    cr_assert_not_null(strstr(play.err, "'topic'"));
    play_run(&play, "-s $S events --kind member -f all");
    cr_assert_eq(play.code, EXIT_USAGE);
    play_run(&play, "-s $S events --kind member --keys a");
    cr_assert_eq(play.code, EXIT_USAGE);
    cr_assert_eq(straw.listens, 0);
}

Test(events, end_after_their_time)
{
    struct play play;
    play_run(&play, "-s $S events --kind member --for 300ms");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_not_null(strstr(play.out, "joined"));
}

Test(events, need_a_node)
{
    struct play play;
    play_run(&play, "-s 127.0.0.1:1 -t 300ms events");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: CLUSTER_ROUTING: ", 26), 0);
}
