#include "bench/options.h"

#include "bench/bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 16 };

static struct bench_settings settings;

/* The words behind the program's name, as main gets them. */
static void parse(const char *line)
{
    static char text[256], program[] = "weftbench";
    char *words[WORDS_MAX + 1] = {program}, *rest = NULL;
    int count = 1;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    options_parse(count, words, &settings);
}

Test(options, req_calls_and_answers_in_two_processes_for_ten_seconds)
{
    parse("req");
    cr_assert_eq(settings.procs, 2);
    cr_assert_eq(settings.duration_ns, 10000000000u);
    cr_assert_eq(settings.servers_count, 1);
    cr_assert_str_eq(settings.servers[0], "127.0.0.1:7310");
    cr_assert_eq(settings.route, ROUTE_MIXED);
}

Test(options, pubsub_publishes_one_topic_in_a_process_of_its_own)
{
    parse("pubsub -c 300 --conflate");
    cr_assert_eq(settings.procs, 2);
    cr_assert_eq(settings.publishers, 1);
    cr_assert_eq(settings.topics, 1);
    cr_assert(settings.conflates);
    cr_assert_eq(settings.duration_ns, 10000000000u);
}

Test(options, pubsub_needs_room_for_the_time_in_a_value, .exit_code = BENCH_USAGE)
{
    parse("pubsub -z 39");
}

Test(options, pubsub_has_a_topic_for_each_publisher, .exit_code = BENCH_USAGE)
{
    parse("pubsub --publishers 3 --topics 2");
}

Test(options, conn_opens_in_one_process_and_gives_up_after_two_minutes)
{
    parse("conn -c 20");
    cr_assert_eq(settings.procs, 1);
    cr_assert_eq(settings.opening_ns, 120000000000u);
}

Test(options, servers_without_a_host_or_a_port_get_one)
{
    parse("req -s :7320,node --route remote");
    cr_assert_eq(settings.servers_count, 2);
    cr_assert_str_eq(settings.servers[0], "127.0.0.1:7320");
    cr_assert_str_eq(settings.servers[1], "node:7310");
}

Test(options, churn_opens_rate_times_duration_sessions)
{
    parse("churn -r 40 -d 2500ms -c 7");
    cr_assert_eq(settings.number, 100);
    cr_assert_eq(settings.clients, 7);
    cr_assert_gt(settings.opening_ns, settings.duration_ns, "the last ones may be late");
}

Test(options, churn_has_a_rate_of_its_own)
{
    parse("churn -d 1s");
    cr_assert_float_eq(settings.rate, 100, 1e-9);
    cr_assert_eq(settings.number, 100);
}

Test(options, one_node_has_no_remote_route, .exit_code = BENCH_USAGE)
{
    parse("req -s :7310 --route remote");
}

Test(options, a_port_is_a_number_that_ports_have, .exit_code = BENCH_USAGE)
{
    parse("req -s :7310,:99999");
}

Test(options, a_host_alone_with_a_bad_port_is_refused, .exit_code = BENCH_USAGE)
{
    parse("req -s node:7310x");
}

Test(options, a_verb_is_needed, .exit_code = BENCH_USAGE)
{
    parse("-c 5");
}

Test(options, nonsense_is_refused, .exit_code = BENCH_USAGE)
{
    parse("req -d 5parsecs");
}

Test(options, too_many_sessions_for_the_processes_are_refused, .exit_code = BENCH_USAGE)
{
    parse("conn -c 9000 --procs 2");
}

Test(options, an_old_result_that_is_none_is_refused_before_the_run, .exit_code = BENCH_USAGE)
{
    parse("req --compare /nowhere/at/all.json");
}
