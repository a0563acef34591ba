#include "bench/meter.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/machine.h"

enum { PATH_BYTES = 300, LINE_BYTES = 512, ASK_MS = 2000 };

struct meter_reading {
    uint64_t at_ns;
    struct {
        uint64_t cpu_ns;
        bool has_flows;
        struct meter_flow flows[METER_CHANNELS];
    } nodes[BENCH_NODES_MAX];
    uint64_t clients_ns[BENCH_PROCS_MAX];
};

/* ---- processes -------------------------------------------------------------------------------*/

uint64_t meter_cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* A line of the kernel's table: "sl local:port remote:port state .. .. .. .. .. inode ..". The
 * inode if its socket listens on the port; else 0. */
static uint64_t inode_in(char *line, uint16_t port)
{
    enum { AT_LOCAL = 1, AT_STATE = 3, AT_INODE = 9, FIELDS = 10, TCP_LISTENING = 0x0a };
    const char *fields[FIELDS];
    char *rest = NULL;
    unsigned count = 0;
    for (char *word = strtok_r(line, " ", &rest); word != NULL && count < FIELDS;
         word = strtok_r(NULL, " ", &rest))
        fields[count++] = word;
    const char *colon = count < FIELDS ? NULL : strrchr(fields[AT_LOCAL], ':');
    if (colon == NULL || strtoul(colon + 1, NULL, 16) != port ||
        strtoul(fields[AT_STATE], NULL, 16) != TCP_LISTENING)
        return 0;
    return strtoull(fields[AT_INODE], NULL, 10);
}

/* The inode of the socket that listens on the port, as the table in `file` has it; 0: none. */
static uint64_t listening_inode(const char *file, uint16_t port)
{
    char line[LINE_BYTES];
    uint64_t found = 0;
    FILE *table = fopen(file, "re");
    while (table != NULL && found == 0 && fgets(line, sizeof line, table) != NULL)
        found = inode_in(line, port);
    if (table != NULL)
        (void)fclose(table);
    return found;
}

static bool holds_socket(const char *process, uint64_t inode)
{
    char path[PATH_BYTES], wanted[LINE_BYTES], target[LINE_BYTES];
    bool holds = false;
    snprintf(path, sizeof path, "/proc/%s/fd", process);
    snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
    DIR *descriptors = opendir(path);
    const struct dirent *entry;
    while (descriptors != NULL && !holds && (entry = readdir(descriptors)) != NULL) {
        ssize_t bytes = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1);
        target[bytes < 0 ? 0 : bytes] = '\0';
        holds = strcmp(target, wanted) == 0;
    }
    if (descriptors != NULL)
        (void)closedir(descriptors);
    return holds;
}

pid_t meter_listener(uint16_t port)
{
    uint64_t inode = listening_inode("/proc/net/tcp", port);
    if (inode == 0)
        inode = listening_inode("/proc/net/tcp6", port);
    pid_t pid = 0;
    DIR *processes = inode == 0 ? NULL : opendir("/proc");
    const struct dirent *entry;
    while (processes != NULL && pid == 0 && (entry = readdir(processes)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) && holds_socket(entry->d_name, inode))
            pid = (pid_t)strtol(entry->d_name, NULL, 10);
    if (processes != NULL)
        (void)closedir(processes);
    return pid;
}

static pid_t pid_of_server(const char *server)
{
    const char *colon = strrchr(server, ':');
    bool is_here = strncmp(server, "127.", 4) == 0 || strncmp(server, "localhost:", 10) == 0 ||
                   strncmp(server, "[::1]:", 6) == 0;
    if (colon == NULL || !is_here)
        return 0;
    return meter_listener((uint16_t)strtoul(colon + 1, NULL, 10));
}

/* ---- counters --------------------------------------------------------------------------------*/

static void add_counter(struct meter_flow flows[METER_CHANNELS], const struct weft_counter_row *row)
{
    static const struct {
        const char *name;
        enum meter_channel channel;
        bool is_frames;
    } counted[] = {
        {"client_frames_in", METER_CLIENTS, true},    {"client_frames_out", METER_CLIENTS, true},
        {"client_messages_in", METER_CLIENTS, false}, {"client_messages_out", METER_CLIENTS, false},
        {"forward_frames_in", METER_PEERS, true},     {"forward_frames_out", METER_PEERS, true},
        {"forward_messages_in", METER_PEERS, false},  {"forward_messages_out", METER_PEERS, false},
    };
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        struct meter_flow *flow = &flows[counted[i].channel];
        if (strlen(counted[i].name) != row->name.bytes ||
            memcmp(counted[i].name, row->name.data, row->name.bytes) != 0)
            continue;
        if (counted[i].is_frames)
            flow->frames += row->value;
        else
            flow->messages += row->value;
    }
}

static uint32_t server_of(const struct meter *meter, struct weft_text name)
{
    uint32_t server = 0;
    while (server < meter->settings->servers_count &&
           (strlen(meter->names[server]) != name.bytes ||
            memcmp(meter->names[server], name.data, name.bytes) != 0))
        server++;
    return server;
}

/* Asks all nodes of the mesh at once. */
static void read_flows(const struct meter *meter, struct meter_reading *reading)
{
    struct weft_node_answer answer;
    if (meter->client == NULL || !weft_is_open(meter->client))
        return;
    const struct weft_result *result = weft_counters_wait(meter->client, NULL, ASK_MS);
    struct weft_rows nodes = result->nodes;
    while (weft_next_node(&nodes, &answer)) {
        uint32_t server = server_of(meter, answer.node);
        struct weft_counter_row row;
        if (server == meter->settings->servers_count || answer.error != WEFT_OK)
            continue;
        reading->nodes[server].has_flows = true;
        while (weft_next_counter(&answer.rows, &row))
            add_counter(reading->nodes[server].flows, &row);
    }
}

/* ---- readings --------------------------------------------------------------------------------*/

void meter_begin(struct meter *meter, const struct bench_settings *settings, const pid_t *pids,
                 char names[BENCH_NODES_MAX][BENCH_NAME_BYTES])
{
    *meter = (struct meter){.settings = settings, .names = names};
    for (uint32_t i = 0; i < settings->servers_count; i++)
        meter->nodes[i].pid = pids[i] > 0 ? pids[i] : pid_of_server(settings->servers[i]);
    const struct weft_options options = {.servers = settings->servers[0],
                                         .key_file = settings->key_file,
                                         .server_keys = settings->server_keys};
    meter->client = weft_new(&options);
    if (meter->client != NULL)
        (void)weft_connect(meter->client, ASK_MS);
}

/* A process that ended has used nothing that could be read. */
static uint64_t used_ns(uint64_t before_ns, uint64_t now_ns)
{
    return now_ns > before_ns ? now_ns - before_ns : 0;
}

static void note_differences(struct meter *meter, const struct meter_reading *now,
                             uint32_t clients_count)
{
    const struct meter_reading *before = meter->before;
    meter->took_ns = now->at_ns - before->at_ns;
    for (uint32_t i = 0; i < meter->settings->servers_count; i++) {
        struct meter_node *node = &meter->nodes[i];
        node->cpu_ns = used_ns(before->nodes[i].cpu_ns, now->nodes[i].cpu_ns);
        node->has_ended = now->nodes[i].cpu_ns < before->nodes[i].cpu_ns;
        node->has_flows = now->nodes[i].has_flows && before->nodes[i].has_flows;
        for (unsigned j = 0; node->has_flows && j < METER_CHANNELS; j++) {
            const struct meter_flow *from = &before->nodes[i].flows[j];
            const struct meter_flow *to = &now->nodes[i].flows[j];
            node->flows[j].messages = to->messages - from->messages;
            node->flows[j].frames = to->frames - from->frames;
        }
    }
    for (uint32_t i = 0; i < clients_count; i++) {
        uint64_t client_ns = used_ns(before->clients_ns[i], now->clients_ns[i]);
        meter->clients_cpu_ns += client_ns;
        if (client_ns > meter->busiest_cpu_ns)
            meter->busiest_cpu_ns = client_ns;
    }
}

void meter_read(struct meter *meter, const pid_t *clients, uint32_t clients_count)
{
    struct meter_reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL)
        return;
    reading->at_ns = machine_now_ns();
    for (uint32_t i = 0; i < meter->settings->servers_count; i++)
        reading->nodes[i].cpu_ns = meter_cpu_ns(meter->nodes[i].pid);
    for (uint32_t i = 0; i < clients_count; i++)
        reading->clients_ns[i] = meter_cpu_ns(clients[i]);
    read_flows(meter, reading);
    if (meter->before == NULL) {
        meter->before = reading;
        return;
    }
    note_differences(meter, reading, clients_count);
    free(meter->before);
    meter->before = reading;
}

void meter_attend(struct meter *meter)
{
    if (meter->client != NULL)
        (void)weft_progress(meter->client);
}

void meter_end(struct meter *meter)
{
    if (meter->client != NULL)
        weft_destroy(&meter->client);
    free(meter->before);
    meter->before = NULL;
}

double meter_us_each(uint64_t cpu_ns, uint64_t requests)
{
    return requests == 0 ? 0 : (double)cpu_ns / 1e3 / (double)requests;
}

double meter_batch(const struct meter_flow *flow)
{
    return flow->frames == 0 ? 0 : (double)flow->messages / (double)flow->frames;
}
