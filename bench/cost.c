#include "bench/cost.h"

#include <inttypes.h>
#include <stdio.h>

/* A client process that used so much of a core is what limits the run. */
static const double BUSY_SHARE = 0.9;

enum { KEY_BYTES = 64, CLIENTS_KEY_BYTES = KEY_BYTES + 8 };

static double share_of_core(const struct meter *meter, uint64_t cpu_ns)
{
    return meter->took_ns == 0 ? 0 : (double)cpu_ns / (double)meter->took_ns;
}

/* In all nodes, in us; 0: no node's CPU is known. */
static double nodes_cpu_us(const struct meter *meter, uint64_t count)
{
    uint64_t cpu_ns = 0;
    for (uint32_t i = 0; i < meter->settings->servers_count; i++)
        cpu_ns += meter->nodes[i].cpu_ns;
    return meter_us_each(cpu_ns, count);
}

static struct meter_flow flow_of_all(const struct meter *meter, enum meter_channel channel)
{
    struct meter_flow all = {0, 0};
    for (uint32_t i = 0; i < meter->settings->servers_count; i++) {
        all.messages += meter->nodes[i].flows[channel].messages;
        all.frames += meter->nodes[i].flows[channel].frames;
    }
    return all;
}

/* ---- the table -------------------------------------------------------------------------------*/

static void print_nodes(const struct meter *meter, uint64_t count, const char *what)
{
    double all_us = nodes_cpu_us(meter, count);
    if (all_us > 0) {
        printf("nodes      %.2f us of CPU a %s:", all_us, what);
        for (uint32_t i = 0; i < meter->settings->servers_count; i++) {
            printf("%s %s ", i == 0 ? "" : ",", meter->names[i]);
            if (meter->nodes[i].has_ended)
                printf("ended");
            else
                printf("%.2f", meter_us_each(meter->nodes[i].cpu_ns, count));
        }
        puts("");
    }
    const struct meter_flow clients = flow_of_all(meter, METER_CLIENTS);
    const struct meter_flow peers = flow_of_all(meter, METER_PEERS);
    if (clients.frames > 0)
        printf("frames     %.1f messages a frame with clients, %.1f between nodes (%" PRIu64
               " frames)\n",
               meter_batch(&clients), meter_batch(&peers), peers.frames);
}

static void print_generator(const struct meter *meter)
{
    uint32_t procs = meter->settings->procs;
    double busiest = share_of_core(meter, meter->busiest_cpu_ns);
    if (busiest <= 0)
        return;
    printf("generator  %" PRIu32 " client process%s, the busiest on %.0f %% of a core", procs,
           procs == 1 ? "" : "es", 100 * busiest);
    puts(busiest > BUSY_SHARE ? ": it is the limit; give more --procs" : "");
}

void cost_print(const struct meter *meter, uint64_t count, const char *what)
{
    print_nodes(meter, count, what);
    print_generator(meter);
}

/* ---- JSON ------------------------------------------------------------------------------------*/

static void add_flows(cJSON *to, const struct meter_flow *clients, const struct meter_flow *peers)
{
    cJSON *frames = cJSON_AddObjectToObject(to, "frames");
    cJSON_AddNumberToObject(frames, "clients", (double)clients->frames);
    cJSON_AddNumberToObject(frames, "peers", (double)peers->frames);
    cJSON *batches = cJSON_AddObjectToObject(to, "messages_per_frame");
    cJSON_AddNumberToObject(batches, "clients", meter_batch(clients));
    cJSON_AddNumberToObject(batches, "peers", meter_batch(peers));
}

static void add_nodes(cJSON *to, const struct meter *meter, uint64_t count, const char *key)
{
    cJSON *nodes = cJSON_AddArrayToObject(to, "nodes");
    for (uint32_t i = 0; i < meter->settings->servers_count; i++) {
        const struct meter_node *node = &meter->nodes[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", meter->names[i]);
        if (node->has_ended)
            cJSON_AddTrueToObject(object, "ended");
        else if (node->pid > 0)
            cJSON_AddNumberToObject(object, key, meter_us_each(node->cpu_ns, count));
        if (node->has_flows)
            add_flows(object, &node->flows[METER_CLIENTS], &node->flows[METER_PEERS]);
        cJSON_AddItemToArray(nodes, object);
    }
}

void cost_json(cJSON *to, const struct meter *meter, uint64_t count, const char *what)
{
    char key[KEY_BYTES], clients_key[CLIENTS_KEY_BYTES];
    snprintf(key, sizeof key, "cpu_us_per_%s", what);
    snprintf(clients_key, sizeof clients_key, "clients_%s", key);
    cJSON *cost = cJSON_AddObjectToObject(to, "cost");
    if (nodes_cpu_us(meter, count) > 0)
        cJSON_AddNumberToObject(cost, key, nodes_cpu_us(meter, count));
    cJSON_AddNumberToObject(cost, clients_key, meter_us_each(meter->clients_cpu_ns, count));
    cJSON_AddNumberToObject(cost, "busiest_client_share",
                            share_of_core(meter, meter->busiest_cpu_ns));
    const struct meter_flow clients = flow_of_all(meter, METER_CLIENTS);
    const struct meter_flow peers = flow_of_all(meter, METER_PEERS);
    add_flows(cost, &clients, &peers);
    add_nodes(cost, meter, count, key);
}
