#include "bench/meter.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

Test(meter, knows_the_cpu_of_a_process_and_of_none)
{
    cr_assert_gt(meter_cpu_ns(getpid()), 0);
    cr_assert_eq(meter_cpu_ns(0), 0);
}

Test(meter, what_was_not_measured_is_nothing)
{
    const struct meter_flow none = {0, 0}, some = {30, 4};
    cr_assert_float_eq(meter_batch(&none), 0, 1e-9);
    cr_assert_float_eq(meter_batch(&some), 7.5, 1e-9);
    cr_assert_float_eq(meter_us_each(5000, 0), 0, 1e-9);
    cr_assert_float_eq(meter_us_each(5000, 2), 2.5, 1e-9);
}

Test(meter, finds_who_listens_on_a_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(listener, 0);
    cr_assert_eq(bind(listener, (const struct sockaddr *)&address, bytes), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
    cr_assert_eq(meter_listener(ntohs(address.sin_port)), 0, "it does not listen yet");
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(meter_listener(ntohs(address.sin_port)), getpid());
    close(listener);
}

/* A child that has used so much of the CPU that it can be read. */
static pid_t busy_child(void)
{
    pid_t child = fork();
    while (child == 0)
        continue;
    while (child > 0 && meter_cpu_ns(child) == 0)
        continue;
    return child;
}

Test(meter, a_process_that_ends_between_two_readings_has_used_nothing_that_is_known)
{
    struct bench_settings settings = {.servers_count = 2};
    char names[BENCH_NODES_MAX][BENCH_NAME_BYTES] = {"a", "b"};
    pid_t pids[BENCH_NODES_MAX] = {getpid(), busy_child()};
    struct meter meter = {.settings = &settings, .names = names};
    for (unsigned i = 0; i < 2; i++)
        meter.nodes[i].pid = pids[i];
    meter_read(&meter, &pids[1], 1);
    cr_assert_eq(kill(pids[1], SIGKILL), 0);
    cr_assert_eq(waitpid(pids[1], NULL, 0), pids[1]);
    meter_read(&meter, &pids[1], 1);
    cr_assert_not(meter.nodes[0].has_ended);
    cr_assert_gt(meter.nodes[0].cpu_ns, 0);
    cr_assert(meter.nodes[1].has_ended);
    cr_assert_eq(meter.nodes[1].cpu_ns, 0);
    cr_assert_eq(meter.clients_cpu_ns, 0);
    meter_end(&meter);
}
