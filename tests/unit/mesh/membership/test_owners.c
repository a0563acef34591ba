/* test_owners.c - under keys nobody speaks for another node. */
#include <criterion/criterion.h>

#include "proto/gossip.h"
#include "tests/unit/mesh/town.h"

TestSuite(owners, .init = town_begin, .fini = town_end);

static void keys_give(void)
{
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        town_owners[i] = town_nodes[i].config.name;
}

Test(owners, of_their_own_keys_make_a_mesh)
{
    keys_give();
    town_pair();
    cr_assert(town_heard(1, NOTICE_JOINED));
    cr_assert_eq(town_count(0, COUNTER_frames_wrong_owner), 0);
    uint32_t handler = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "echo");
    town_wait_ms(500);
    town_request(caller, 5, "echo", "hi");
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 1);
}

Test(owners, that_join_under_another_name_are_refused_with_the_reason)
{
    keys_give();
    town_owners[1] = "somebody";
    town_start(0);
    town_start(1);
    town_wait_ms(5000);
    cr_assert(town_heard(0, NOTICE_REFUSED_PEER));
    cr_assert_not(town_heard(0, NOTICE_MEMBER));
    cr_assert(town_heard(1, NOTICE_REFUSED_BY));
    cr_assert_gt(town_count(0, COUNTER_frames_wrong_owner), 0);
}

Test(owners, that_answer_under_another_name_are_not_believed)
{
    keys_give();
    town_owners[0] = "somebody";
    town_start(0);
    town_start(1);
    town_wait_ms(5000);
    cr_assert_gt(town_count(1, COUNTER_frames_wrong_owner), 0);
    cr_assert_not(town_heard(1, NOTICE_JOINED));
}

Test(owners, do_not_speak_for_a_member_that_is_known)
{
    keys_give();
    town_pair();
    uint64_t log = town_count(0, COUNTER_log_entries_in);
    town_owners[1] = "somebody";
    town_open(1, NULL, NULL); /* goes into the log, which is not taken */
    town_wait_ms(300);
    cr_assert_gt(town_count(0, COUNTER_frames_wrong_owner), 0);
    cr_assert_eq(town_count(0, COUNTER_log_entries_in), log);
    town_wait_ms(10000);
    cr_assert(town_heard(0, NOTICE_REFUSED_PEER));
}
