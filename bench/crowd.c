#include "bench/crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/machine.h"

static const uint64_t HEAD_START_NS = 50000000; /* so that all processes begin together */

struct proc {
    pid_t pid;
    int commands, reports; /* our ends; -1: closed */
    size_t fill;           /* of the report, then of the ids, that are being read */
    bool in_ids;
    uint32_t ids_count;
    struct weft_session_id *ids;
    struct holder_report incoming, report;
};

struct crowd {
    const struct bench_settings *settings;
    uint64_t start_ns, shown_ns;
    bool is_broken;
    uint32_t count;
    struct holder_report sum;
    struct proc procs[];
};

/* ---- the processes ---------------------------------------------------------------------------*/

static void close_both(int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

/* In the child: only its own two ends stay open, so that each process sees the parent go. */
static void become_holder(struct crowd *crowd, uint32_t number, int commands, int reports)
{
    const struct holder_job job = {crowd->settings, number, crowd->count, crowd->start_ns};
    for (uint32_t i = 0; i < number; i++) {
        close(crowd->procs[i].commands);
        close(crowd->procs[i].reports);
    }
    _exit(holder_run(&job, commands, reports));
}

static bool fork_one(struct crowd *crowd, uint32_t number)
{
    struct proc *proc = &crowd->procs[number];
    int commands[2], reports[2];
    if (pipe2(commands, O_CLOEXEC) != 0)
        return false;
    if (pipe2(reports, O_CLOEXEC) != 0) {
        close_both(commands);
        return false;
    }
    proc->pid = fork();
    if (proc->pid == 0) {
        close(commands[1]);
        close(reports[0]);
        become_holder(crowd, number, commands[0], reports[1]);
    }
    close(commands[0]);
    close(reports[1]);
    proc->commands = commands[1];
    proc->reports = reports[0];
    return proc->pid > 0 && fcntl(proc->reports, F_SETFL, O_NONBLOCK) == 0;
}

struct crowd *crowd_begin(const struct bench_settings *settings)
{
    struct crowd *crowd = calloc(1, sizeof *crowd + settings->procs * sizeof crowd->procs[0]);
    if (crowd == NULL) {
        perror("weftbench");
        return NULL;
    }
    crowd->settings = settings;
    crowd->count = settings->procs;
    crowd->start_ns = machine_now_ns() + HEAD_START_NS;
    for (uint32_t i = 0; i < crowd->count; i++)
        crowd->procs[i].commands = crowd->procs[i].reports = -1;
    (void)fflush(stdout);
    for (uint32_t i = 0; i < crowd->count; i++) {
        if (fork_one(crowd, i))
            continue;
        perror("weftbench: can't start a client process");
        crowd_end(crowd);
        crowd_destroy(&crowd);
        return NULL;
    }
    return crowd;
}

/* ---- what they tell --------------------------------------------------------------------------*/

/* What is being read has come whole. false: no memory. */
static bool take_in(struct proc *proc)
{
    proc->fill = 0;
    if (proc->in_ids) {
        proc->in_ids = false;
        proc->report = proc->incoming; /* "holding" only with its ids */
        return true;
    }
    if (proc->incoming.ids == 0) {
        proc->report = proc->incoming;
        return true;
    }
    free(proc->ids);
    proc->ids_count = proc->incoming.ids;
    proc->ids = calloc(proc->ids_count, sizeof *proc->ids);
    proc->in_ids = true;
    return proc->ids != NULL;
}

/* Reads all that is there. false: it has ended, or there is no memory. */
static bool read_from(struct proc *proc)
{
    for (;;) {
        char *to = proc->in_ids ? (char *)proc->ids : (char *)&proc->incoming;
        size_t whole = proc->in_ids ? proc->ids_count * sizeof *proc->ids : sizeof proc->incoming;
        ssize_t got = read(proc->reports, to + proc->fill, whole - proc->fill);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        proc->fill += (size_t)got;
        if (proc->fill == whole && !take_in(proc))
            return false;
    }
}

bool crowd_pump(struct crowd *crowd, int timeout_ms)
{
    struct pollfd *descriptors = calloc(crowd->count, sizeof *descriptors);
    if (descriptors == NULL)
        return false;
    for (uint32_t i = 0; i < crowd->count; i++)
        descriptors[i] = (struct pollfd){.fd = crowd->procs[i].reports, .events = POLLIN};
    int ready = poll(descriptors, crowd->count, timeout_ms);
    for (uint32_t i = 0; ready > 0 && i < crowd->count; i++) {
        struct proc *proc = &crowd->procs[i];
        if (descriptors[i].revents == 0 || read_from(proc))
            continue;
        close(proc->reports);
        proc->reports = -1;
        crowd->is_broken = crowd->is_broken || proc->report.stage != HOLDER_OVER;
    }
    free(descriptors);
    return !crowd->is_broken;
}

static void show_progress(struct crowd *crowd)
{
    uint64_t now_ns = machine_now_ns();
    if (!isatty(STDERR_FILENO) || now_ns - crowd->shown_ns < 500000000)
        return;
    const struct holder_report *report = crowd_report(crowd);
    double seconds = now_ns > crowd->start_ns ? (double)(now_ns - crowd->start_ns) / 1e9 : 0;
    crowd->shown_ns = now_ns;
    fprintf(stderr, "\r%6.1f s  %" PRIu32 " sessions opened, %" PRIu32 " stand, p99 %.1f ms   ",
            seconds, report->opened, report->standing,
            (double)histogram_quantile(&report->latency, 0.99) / 1e6);
}

static bool are_holding(const struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->count; i++)
        if (crowd->procs[i].report.stage == HOLDER_OPENING)
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
    for (uint32_t i = 0; i < crowd->count; i++)
        add_report(&crowd->sum, &crowd->procs[i].report);
    sort_nodes(&crowd->sum);
    return &crowd->sum;
}

double crowd_seconds(struct crowd *crowd)
{
    uint64_t last_ns = crowd_report(crowd)->last_opened_ns;
    return last_ns > crowd->start_ns ? (double)(last_ns - crowd->start_ns) / 1e9 : 0;
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
    size_t count = 0;
    uint64_t duplicates = 0;
    for (uint32_t i = 0; i < crowd->count; i++)
        count += crowd->procs[i].ids_count;
    struct weft_session_id *all = calloc(count + 1, sizeof *all);
    if (all == NULL)
        return 0;
    count = 0;
    for (uint32_t i = 0; i < crowd->count; i++) {
        const struct proc *proc = &crowd->procs[i];
        if (proc->ids_count > 0)
            memcpy(all + count, proc->ids, proc->ids_count * sizeof *all);
        count += proc->ids_count;
    }
    qsort(all, count, sizeof *all, compare_ids);
    for (size_t i = 1; i < count; i++)
        duplicates += compare_ids(&all[i - 1], &all[i]) == 0;
    free(all);
    return duplicates;
}

/* ---- the end ---------------------------------------------------------------------------------*/

void crowd_end(struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->count; i++) {
        if (crowd->procs[i].commands >= 0)
            close(crowd->procs[i].commands);
        crowd->procs[i].commands = -1;
    }
    for (uint32_t i = 0; i < crowd->count; i++) {
        struct proc *proc = &crowd->procs[i];
        while (proc->reports >= 0)
            (void)crowd_pump(crowd, 100);
        while (proc->pid > 0 && waitpid(proc->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        proc->pid = 0;
    }
}

void crowd_destroy(struct crowd **crowd)
{
    for (uint32_t i = 0; *crowd != NULL && i < (*crowd)->count; i++)
        free((*crowd)->procs[i].ids);
    free(*crowd);
    *crowd = NULL;
}
