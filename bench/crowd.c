#include "bench/crowd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/machine.h"
#include "bench/procs.h"

static const uint64_t HEAD_START_NS = 50000000; /* so that all processes begin together */

struct crowd {
    struct holder_job job;
    struct procs *procs;
    uint64_t shown_ns;
    bool is_broken;
    struct holder_report sum;
};

struct crowd *crowd_begin(const struct bench_settings *settings)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    if (crowd == NULL) {
        perror("weftbench");
        return NULL;
    }
    crowd->job = (struct holder_job){settings, settings->procs, machine_now_ns() + HEAD_START_NS};
    crowd->procs =
        procs_begin(settings->procs, sizeof(struct holder_report), holder_run, &crowd->job);
    if (crowd->procs == NULL)
        crowd_destroy(&crowd);
    return crowd;
}

bool crowd_pump(struct crowd *crowd, int timeout_ms)
{
    crowd->is_broken = !procs_pump(crowd->procs, timeout_ms) || crowd->is_broken;
    return !crowd->is_broken;
}

static void show_progress(struct crowd *crowd)
{
    uint64_t now_ns = machine_now_ns();
    if (!isatty(STDERR_FILENO) || now_ns - crowd->shown_ns < 500000000)
        return;
    const struct holder_report *report = crowd_report(crowd);
    double seconds =
        now_ns > crowd->job.start_ns ? (double)(now_ns - crowd->job.start_ns) / 1e9 : 0;
    crowd->shown_ns = now_ns;
    fprintf(stderr, "\r%6.1f s  %" PRIu32 " sessions opened, %" PRIu32 " stand, p99 %.1f ms   ",
            seconds, report->opened, report->standing,
            (double)histogram_quantile(&report->latency, 0.99) / 1e6);
}

static const struct holder_report *report_of(const struct crowd *crowd, uint32_t number)
{
    return procs_head(crowd->procs, number);
}

static bool are_holding(const struct crowd *crowd)
{
    for (uint32_t i = 0; i < procs_count(crowd->procs); i++)
        if (report_of(crowd, i)->stage == HOLDER_OPENING)
            return false;
    return true;
}

bool crowd_wait(struct crowd *crowd, bool (*is_over)(void))
{
    while (!crowd->is_broken && !are_holding(crowd) && !is_over()) {
        (void)crowd_pump(crowd, 100);
        show_progress(crowd);
    }
    if (crowd->shown_ns != 0)
        fprintf(stderr, "\r%70s\r", "");
    crowd->shown_ns = 0;
    return !crowd->is_broken && are_holding(crowd);
}

/* ---- adding up -------------------------------------------------------------------------------*/

static void add_nodes(struct holder_report *sum, const struct holder_report *from)
{
    for (uint32_t i = 0; i < BENCH_NODES_MAX && from->nodes[i].opened > 0; i++) {
        uint32_t at = 0;
        while (at < BENCH_NODES_MAX && sum->nodes[at].name[0] != '\0' &&
               strcmp(sum->nodes[at].name, from->nodes[i].name) != 0)
            at++;
        if (at == BENCH_NODES_MAX)
            return;
        if (sum->nodes[at].name[0] == '\0')
            sum->nodes[at].server = from->nodes[i].server;
        memcpy(sum->nodes[at].name, from->nodes[i].name, BENCH_NAME_BYTES);
        sum->nodes[at].opened += from->nodes[i].opened;
    }
}

static void add_report(struct holder_report *sum, const struct holder_report *from)
{
    sum->begun += from->begun;
    sum->opened += from->opened;
    sum->standing += from->standing;
    sum->ended += from->ended;
    sum->given_up += from->given_up;
    sum->reopened += from->reopened;
    sum->resumed += from->resumed;
    sum->unanswered += from->unanswered;
    for (uint32_t i = 0; i < BENCH_OUTCOMES; i++)
        sum->refused[i] += from->refused[i];
    for (uint32_t i = 0; i < HOLDER_REASONS; i++)
        sum->closed[i] += from->closed[i];
    if (from->last_opened_ns > sum->last_opened_ns)
        sum->last_opened_ns = from->last_opened_ns;
    sum->closed_b += from->closed_b;
    histogram_merge(&sum->latency, &from->latency);
    add_nodes(sum, from);
}

static int compare_nodes(const void *one, const void *other)
{
    const struct holder_node *a = one, *b = other;
    return (a->server > b->server) - (a->server < b->server);
}

static void sort_nodes(struct holder_report *sum)
{
    uint32_t count = 0;
    while (count < BENCH_NODES_MAX && sum->nodes[count].name[0] != '\0')
        count++;
    qsort(sum->nodes, count, sizeof sum->nodes[0], compare_nodes);
}

const struct holder_report *crowd_report(struct crowd *crowd)
{
    crowd->sum = (struct holder_report){.stage = HOLDER_HOLDING};
    for (uint32_t i = 0; i < procs_count(crowd->procs); i++)
        add_report(&crowd->sum, report_of(crowd, i));
    sort_nodes(&crowd->sum);
    return &crowd->sum;
}

double crowd_seconds(struct crowd *crowd)
{
    uint64_t last_ns = crowd_report(crowd)->last_opened_ns;
    return last_ns > crowd->job.start_ns ? (double)(last_ns - crowd->job.start_ns) / 1e9 : 0;
}

static int compare_ids(const void *one, const void *other)
{
    const struct weft_session_id *a = one, *b = other;
    if (a->instance != b->instance)
        return a->instance < b->instance ? -1 : 1;
    return (a->serial > b->serial) - (a->serial < b->serial);
}

uint64_t crowd_duplicates(struct crowd *crowd)
{
    size_t bytes = 0, used = 0;
    uint64_t duplicates = 0;
    for (uint32_t i = 0; i < procs_count(crowd->procs); i++) {
        (void)procs_tail(crowd->procs, i, &used);
        bytes += used;
    }
    struct weft_session_id *all = malloc(bytes + 1);
    if (all == NULL)
        return 0;
    bytes = 0;
    for (uint32_t i = 0; i < procs_count(crowd->procs); i++) {
        const void *ids = procs_tail(crowd->procs, i, &used);
        if (used > 0)
            memcpy((char *)all + bytes, ids, used);
        bytes += used;
    }
    size_t count = bytes / sizeof *all;
    qsort(all, count, sizeof *all, compare_ids);
    for (size_t i = 1; i < count; i++)
        duplicates += compare_ids(&all[i - 1], &all[i]) == 0;
    free(all);
    return duplicates;
}

void crowd_end(struct crowd *crowd)
{
    procs_end(crowd->procs);
}

void crowd_destroy(struct crowd **crowd)
{
    if (*crowd != NULL)
        procs_destroy(&(*crowd)->procs);
    free(*crowd);
    *crowd = NULL;
}
