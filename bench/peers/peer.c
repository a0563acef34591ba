#include "bench/peers/peer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/histogram.h"
#include "bench/machine.h"

static const uint64_t WARMUP_NS = 300000000;

enum { CHILDREN_MAX = 8 };

/* One program, one measurement. */
static struct {
    pid_t children[CHILDREN_MAX];
    uint32_t children_count;
    uint64_t begun_ns, measure_ns, end_ns; /* 0: not begun */
    uint64_t cpu_before_ns, cpu_ns;
    struct histogram latency;
} peer;

static void end_children(void)
{
    for (uint32_t i = 0; i < peer.children_count; i++)
        (void)kill(peer.children[i], SIGKILL);
    for (uint32_t i = 0; i < peer.children_count; i++)
        (void)waitpid(peer.children[i], NULL, 0);
}

void peer_fail(const char *what)
{
    perror(what);
    end_children();
    _exit(1);
}

pid_t peer_fork(void (*role)(const struct peer_run *run), const struct peer_run *run)
{
    pid_t parent = getpid();
    pid_t pid = peer.children_count == CHILDREN_MAX ? -1 : fork();
    if (pid < 0)
        peer_fail("fork");
    if (pid == 0) {
        peer.children_count = 0;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
            role(run);
        _exit(1);
    }
    peer.children[peer.children_count++] = pid;
    return pid;
}

uint32_t peer_fan_received(uint32_t subscriber)
{
    static uint64_t received[PEER_SUBSCRIBERS], complete;
    static uint32_t behind = PEER_SUBSCRIBERS; /* who have not got the next one */
    if (received[subscriber]++ != complete || --behind > 0)
        return 0;
    uint32_t more = 0;
    while (behind == 0) {
        complete++;
        more++;
        for (uint32_t i = 0; i < PEER_SUBSCRIBERS; i++)
            behind += received[i] == complete;
    }
    return more;
}

static uint64_t nodes_cpu_ns(const struct peer_run *run)
{
    uint64_t sum_ns = 0;
    for (uint32_t i = 0; i < run->nodes_count; i++) {
        clockid_t clock;
        struct timespec used = {0};
        if (clock_getcpuclockid(run->nodes[i], &clock) == 0)
            (void)clock_gettime(clock, &used);
        sum_ns += (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
    }
    return sum_ns;
}

void peer_stamp(void *payload)
{
    uint64_t now_ns = machine_now_ns();
    memcpy(payload, &now_ns, sizeof now_ns);
}

bool peer_answered(const struct peer_run *run, const void *payload)
{
    uint64_t now_ns = machine_now_ns(), sent_ns;
    memcpy(&sent_ns, payload, sizeof sent_ns);
    if (peer.begun_ns == 0) {
        peer.begun_ns = now_ns;
        peer.measure_ns = now_ns + run->warmup_ns;
        peer.end_ns = peer.measure_ns + run->duration_ns;
    }
    if (now_ns < peer.measure_ns)
        return false;
    if (peer.cpu_before_ns == 0) {
        peer.measure_ns = now_ns;
        peer.end_ns = now_ns + run->duration_ns;
        peer.cpu_before_ns = nodes_cpu_ns(run);
    }
    if (now_ns >= peer.end_ns) {
        if (peer.cpu_ns == 0)
            peer.cpu_ns = nodes_cpu_ns(run) - peer.cpu_before_ns;
        return true;
    }
    histogram_add(&peer.latency, now_ns - sent_ns);
    return false;
}

void peer_finish(const struct peer_run *run)
{
    double count = (double)peer.latency.count;
    if (peer.latency.count > 0)
        printf("{\"rate\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f,\"nodes_cpu_us\":%.4f}\n",
               count * 1e9 / (double)run->duration_ns,
               (double)histogram_quantile(&peer.latency, 0.50) / 1e3,
               (double)histogram_quantile(&peer.latency, 0.99) / 1e3,
               (double)peer.cpu_ns / 1e3 / count);
    (void)fflush(stdout);
    end_children();
    _exit(peer.latency.count > 0 ? 0 : 1); /* without exit handlers: libraries' threads run on */
}

bool peer_parse(struct peer_run *run, char **words)
{
    char *end = NULL;
    run->size_bytes = (uint32_t)strtoul(words[0], &end, 10);
    bool is_good = *end == '\0' && run->size_bytes >= sizeof(uint64_t);
    run->outstanding = (uint32_t)strtoul(words[1], &end, 10);
    is_good = is_good && *end == '\0' && run->outstanding > 0;
    double seconds = strtod(words[2], &end);
    run->duration_ns = (uint64_t)(seconds * 1e9);
    run->warmup_ns = WARMUP_NS;
    return is_good && *end == '\0' && seconds > 0 && seconds < 3600;
}
