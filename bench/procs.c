#include "bench/procs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Leads each report on its pipe: both ends are this program. */
struct procs_lead {
    uint64_t tail_bytes;
    bool is_last;
};

struct proc {
    pid_t pid;
    int commands, reports; /* our ends; -1: closed */
    struct procs_lead lead;
    size_t fill; /* of lead, head and tail together, as they come in */
    bool is_over;
    char *coming_head, *coming_tail;
    char *head, *tail; /* told whole */
    size_t tail_bytes;
};

struct procs {
    uint32_t count;
    size_t head_bytes;
    bool is_broken;
    struct pollfd *descriptors;
    struct proc procs[];
};

/* ---- starting --------------------------------------------------------------------------------*/

static void close_both(int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

/* In the child: only its own two ends stay open, so that each process sees the parent go. */
static void become_client(const struct procs *procs, uint32_t number, procs_work *work,
                          const void *job, int commands, int reports)
{
    for (uint32_t i = 0; i < number; i++) {
        close(procs->procs[i].commands);
        close(procs->procs[i].reports);
    }
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    _exit(work(job, number, commands, reports));
}

static bool fork_one(struct procs *procs, uint32_t number, procs_work *work, const void *job)
{
    struct proc *proc = &procs->procs[number];
    int commands[2], reports[2];
    proc->head = calloc(1, procs->head_bytes);
    proc->coming_head = calloc(1, procs->head_bytes);
    if (proc->head == NULL || proc->coming_head == NULL || pipe2(commands, O_CLOEXEC) != 0)
        return false;
    if (pipe2(reports, O_CLOEXEC) != 0) {
        close_both(commands);
        return false;
    }
    proc->pid = fork();
    if (proc->pid == 0) {
        close(commands[1]);
        close(reports[0]);
        become_client(procs, number, work, job, commands[0], reports[1]);
    }
    close(commands[0]);
    close(reports[1]);
    proc->commands = commands[1];
    proc->reports = reports[0];
    return proc->pid > 0 && fcntl(proc->reports, F_SETFL, O_NONBLOCK) == 0;
}

struct procs *procs_begin(uint32_t count, size_t head_bytes, procs_work *work, const void *job)
{
    struct procs *procs = calloc(1, sizeof *procs + count * sizeof procs->procs[0]);
    struct pollfd *descriptors = calloc(count, sizeof *descriptors);
    if (procs == NULL || descriptors == NULL) {
        perror("weftbench");
        free(procs);
        free(descriptors);
        return NULL;
    }
    procs->count = count;
    procs->head_bytes = head_bytes;
    procs->descriptors = descriptors;
    for (uint32_t i = 0; i < count; i++)
        procs->procs[i].commands = procs->procs[i].reports = -1;
    (void)fflush(stdout);
    for (uint32_t i = 0; i < count; i++) {
        if (fork_one(procs, i, work, job))
            continue;
        perror("weftbench: can't start a client process");
        procs_end(procs);
        procs_destroy(&procs);
        return NULL;
    }
    return procs;
}

/* ---- what they tell --------------------------------------------------------------------------*/

/* Where the next bytes belong, and how many. */
static char *next_room(const struct procs *procs, struct proc *proc, size_t *bytes)
{
    const size_t head_at = sizeof proc->lead, tail_at = head_at + procs->head_bytes;
    if (proc->fill < head_at) {
        *bytes = head_at - proc->fill;
        return (char *)&proc->lead + proc->fill;
    }
    if (proc->fill < tail_at) {
        *bytes = tail_at - proc->fill;
        return proc->coming_head + (proc->fill - head_at);
    }
    *bytes = tail_at + proc->lead.tail_bytes - proc->fill;
    return proc->coming_tail + (proc->fill - tail_at);
}

/* So many bytes more have come. false: no memory for the tail that follows. */
static bool take_in(const struct procs *procs, struct proc *proc, size_t bytes)
{
    const size_t tail_at = sizeof proc->lead + procs->head_bytes;
    size_t before = proc->fill;
    proc->fill += bytes;
    if (before < tail_at && proc->fill == tail_at && proc->lead.tail_bytes > 0) {
        proc->coming_tail = malloc(proc->lead.tail_bytes);
        if (proc->coming_tail == NULL)
            return false;
    }
    if (proc->fill < tail_at + proc->lead.tail_bytes || proc->fill < tail_at)
        return true;
    char *old = proc->head;
    proc->head = proc->coming_head;
    proc->coming_head = old;
    if (proc->lead.tail_bytes > 0) {
        free(proc->tail);
        proc->tail = proc->coming_tail;
        proc->tail_bytes = proc->lead.tail_bytes;
        proc->coming_tail = NULL;
    }
    proc->is_over = proc->lead.is_last;
    proc->fill = 0;
    return true;
}

/* Reads all that is there. false: it has ended, or there is no memory. */
static bool read_from(const struct procs *procs, struct proc *proc)
{
    for (;;) {
        size_t room;
        char *to = next_room(procs, proc, &room);
        ssize_t got = read(proc->reports, to, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        if (!take_in(procs, proc, (size_t)got))
            return false;
    }
}

bool procs_pump(struct procs *procs, int timeout_ms)
{
    for (uint32_t i = 0; i < procs->count; i++)
        procs->descriptors[i] = (struct pollfd){.fd = procs->procs[i].reports, .events = POLLIN};
    int ready = poll(procs->descriptors, procs->count, timeout_ms);
    for (uint32_t i = 0; ready > 0 && i < procs->count; i++) {
        struct proc *proc = &procs->procs[i];
        if (procs->descriptors[i].revents == 0 || read_from(procs, proc))
            continue;
        close(proc->reports);
        proc->reports = -1;
        procs->is_broken = procs->is_broken || !proc->is_over;
    }
    return !procs->is_broken;
}

uint32_t procs_count(const struct procs *procs)
{
    return procs->count;
}

pid_t procs_pid(const struct procs *procs, uint32_t number)
{
    return procs->procs[number].pid;
}

const void *procs_head(const struct procs *procs, uint32_t number)
{
    return procs->procs[number].head;
}

const void *procs_tail(const struct procs *procs, uint32_t number, size_t *bytes)
{
    *bytes = procs->procs[number].tail_bytes;
    return procs->procs[number].tail;
}

/* ---- telling them ----------------------------------------------------------------------------*/

static bool write_all(int descriptor, const void *data, size_t bytes)
{
    const char *from = data;
    while (bytes > 0) {
        ssize_t written = write(descriptor, from, bytes);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            from += written;
            bytes -= (size_t)written;
        }
    }
    return true;
}

bool procs_command(struct procs *procs, const void *data, size_t bytes)
{
    bool is_heard = true;
    for (uint32_t i = 0; i < procs->count; i++)
        is_heard = write_all(procs->procs[i].commands, data, bytes) && is_heard;
    return is_heard;
}

void procs_end(struct procs *procs)
{
    procs_end_first(procs, procs->count);
}

void procs_end_first(struct procs *procs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (procs->procs[i].commands >= 0)
            close(procs->procs[i].commands);
        procs->procs[i].commands = -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct proc *proc = &procs->procs[i];
        while (proc->reports >= 0)
            (void)procs_pump(procs, 100);
        while (proc->pid > 0 && waitpid(proc->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        proc->pid = 0;
    }
}

void procs_destroy(struct procs **procs)
{
    for (uint32_t i = 0; *procs != NULL && i < (*procs)->count; i++) {
        struct proc *proc = &(*procs)->procs[i];
        free(proc->coming_head);
        free(proc->coming_tail);
        free(proc->head);
        free(proc->tail);
    }
    if (*procs != NULL)
        free((*procs)->descriptors);
    free(*procs);
    *procs = NULL;
}

/* ---- inside a process ------------------------------------------------------------------------*/

bool procs_tell(int reports, const void *head, size_t head_bytes, const void *tail,
                size_t tail_bytes, bool is_last)
{
    struct procs_lead lead;
    memset(&lead, 0, sizeof lead); /* its padding goes through the pipe too */
    lead.tail_bytes = tail_bytes;
    lead.is_last = is_last;
    return write_all(reports, &lead, sizeof lead) && write_all(reports, head, head_bytes) &&
           write_all(reports, tail, tail_bytes);
}

bool procs_reserve_descriptors(uint64_t needed, const char *what)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (needed <= limit.rlim_max)
        return true;
    fprintf(stderr,
            "weftbench: %s in one process take %" PRIu64 " descriptors, it may have %" PRIu64
            "; more --procs, fewer --clients, or a higher ulimit -n\n",
            what, needed, (uint64_t)limit.rlim_max);
    return false;
}
