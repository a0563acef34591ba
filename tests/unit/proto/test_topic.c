/* test_topic.c - names, the order of versions, and the numbers that choose a sequencer. */
#include <criterion/criterion.h>

#include "proto/topic.h"

Test(topic_names, are_as_the_contract_writes_them)
{
    cr_assert_str_eq(topic_policy_name(TOPIC_POLICY_CONFLATE), "conflate");
    cr_assert_str_eq(topic_policy_name(TOPIC_POLICY_UNSUBSCRIBE), "unsubscribe");
    cr_assert_str_eq(topic_policy_name(TOPIC_POLICIES), "unknown");
    cr_assert_str_eq(topic_unsubscribed_name(UNSUBSCRIBED_BACK_PRESSURE), "back_pressure");
    cr_assert_str_eq(topic_unsubscribed_name(0), "unknown");
}

Test(topic_version, is_ordered_by_term_then_instance_then_n)
{
    struct topic_version versions[] = {
        {.term = 1, .instance = 9, .n = 9}, {.term = 2, .instance = 1, .n = 7},
        {.term = 2, .instance = 1, .n = 8}, {.term = 2, .instance = 2, .n = 1},
        {.term = 3, .instance = 1, .n = 1},
    };
    enum { COUNT = sizeof versions / sizeof versions[0] };
    for (int a = 0; a < COUNT; a++) {
        for (int b = 0; b < COUNT; b++) {
            int order = topic_version_order(&versions[a], &versions[b]);
            cr_assert_eq((order > 0) - (order < 0), (a > b) - (a < b), "%d %d", a, b);
        }
    }
}

/* Numbers that every node of every version must agree on, reckoned by another program. */
Test(topic_weight, is_what_the_page_says)
{
    cr_assert_eq(topic_path_hash(span_text("prices/eur")), UINT64_C(0x649181f1759052d1));
    cr_assert_eq(topic_weight(topic_path_hash(span_text("prices/eur")), 0x1A2B3C4D5E6F7081),
                 UINT64_C(0xbc320ab32ff7efc1));
}

Test(topic_weight, spreads_paths_evenly)
{
    static const uint64_t members[] = {3, 4, 5, 6};
    unsigned counts[4] = {0};
    for (unsigned i = 0; i < 4000; i++) {
        char path[] = "topic/0000";
        for (unsigned digit = 0, rest = i; digit < 4; digit++, rest /= 10)
            path[9 - digit] = (char)('0' + rest % 10);
        uint64_t hash = topic_path_hash(span_text(path));
        unsigned best = 0;
        for (unsigned m = 1; m < 4; m++)
            best = topic_weight(hash, members[m]) > topic_weight(hash, members[best]) ? m : best;
        counts[best]++;
    }
    for (unsigned m = 0; m < 4; m++)
        cr_assert(counts[m] > 900 && counts[m] < 1100, "%u", counts[m]);
}
