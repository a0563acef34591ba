#include "bench/req_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "bench/report.h"

/* A client process that used so much of a core is what limits the run. */
static const double BUSY_SHARE = 0.9;

double req_report_rate(const struct req_report *report)
{
    return report->seconds > 0 ? (double)report->tally.outcomes[WEFT_OK] / report->seconds : 0;
}

static double share_of_core(const struct meter *meter, uint64_t cpu_ns)
{
    return meter->took_ns == 0 ? 0 : (double)cpu_ns / (double)meter->took_ns;
}

/* In all nodes, in us; 0: no node's CPU is known. */
static double nodes_cpu_us(const struct bench_settings *settings, const struct req_report *report)
{
    uint64_t cpu_ns = 0;
    for (uint32_t i = 0; i < settings->servers_count; i++)
        cpu_ns += report->meter.nodes[i].cpu_ns;
    return meter_us_each(cpu_ns, report->tally.outcomes[WEFT_OK]);
}

static struct meter_flow flow_of_all(const struct bench_settings *settings,
                                     const struct req_report *report, enum meter_channel channel)
{
    struct meter_flow all = {0, 0};
    for (uint32_t i = 0; i < settings->servers_count; i++) {
        all.messages += report->meter.nodes[i].flows[channel].messages;
        all.frames += report->meter.nodes[i].flows[channel].frames;
    }
    return all;
}

/* ---- the table -------------------------------------------------------------------------------*/

static void print_requests(const struct bench_settings *settings, const struct req_report *report)
{
    const struct tally *tally = &report->tally;
    uint64_t others = tally->sent - tally->outcomes[WEFT_OK] - tally->checks.no_outcome;
    printf("requests   %" PRIu64 " sent, %" PRIu64 " OK, %" PRIu64 " other; ", tally->sent,
           tally->outcomes[WEFT_OK], others);
    if (settings->rate > 0)
        printf("%.0f/s offered, %.0f/s done\n", settings->rate, req_report_rate(report));
    else
        printf("%.0f/s done, %" PRIu32 " x %" PRIu32 " outstanding\n", req_report_rate(report),
               settings->clients, settings->pipeline);
    for (uint32_t i = 1; i < BENCH_OUTCOMES; i++)
        if (tally->outcomes[i] != 0)
            printf("           %" PRIu64 " %s\n", tally->outcomes[i],
                   weft_error_name((enum weft_error)i));
}

static void print_nodes(const struct bench_settings *settings, const struct req_report *report)
{
    const struct meter *meter = &report->meter;
    double all_us = nodes_cpu_us(settings, report);
    if (all_us > 0) {
        printf("nodes      %.2f us of CPU a request:", all_us);
        for (uint32_t i = 0; i < settings->servers_count; i++)
            printf("%s %s %.2f", i == 0 ? "" : ",", report->nodes[i],
                   meter_us_each(meter->nodes[i].cpu_ns, report->tally.outcomes[WEFT_OK]));
        puts("");
    }
    const struct meter_flow clients = flow_of_all(settings, report, METER_CLIENTS);
    const struct meter_flow peers = flow_of_all(settings, report, METER_PEERS);
    if (clients.frames > 0)
        printf("frames     %.1f messages a frame with clients, %.1f between nodes (%" PRIu64
               " frames)\n",
               meter_batch(&clients), meter_batch(&peers), peers.frames);
}

static void print_generator(const struct bench_settings *settings, const struct req_report *report)
{
    double busiest = share_of_core(&report->meter, report->meter.busiest_cpu_ns);
    if (busiest <= 0)
        return;
    printf("generator  %" PRIu32 " client process%s, the busiest on %.0f %% of a core",
           settings->procs, settings->procs == 1 ? "" : "es", 100 * busiest);
    puts(busiest > BUSY_SHARE ? ": it is the limit; give more --procs" : "");
}

static void print_checks(const struct bench_settings *settings, const struct bench_checks *checks)
{
    if (settings->checks)
        printf("checks     %" PRIu64 " lost, %" PRIu64 " duplicate, %" PRIu64 " reordered, %" PRIu64
               " corrupt, ",
               checks->lost, checks->duplicate, checks->reordered, checks->corrupt);
    else
        printf("checks     ");
    printf("%" PRIu64 " without outcome\n", checks->no_outcome);
}

void req_report_print(const struct bench_settings *settings, const struct req_report *report)
{
    report_print_machine(settings);
    printf(", route %s, %" PRIu32 " bytes\n", bench_route_name(settings->route),
           settings->size_bytes);
    print_requests(settings, report);
    report_print_latency(settings, &report->tally.latency);
    print_nodes(settings, report);
    print_generator(settings, report);
    print_checks(settings, &report->tally.checks);
    puts(tally_has_held(&report->tally) ? "PASS" : "FAIL");
}

/* ---- JSON ------------------------------------------------------------------------------------*/

static void add_requests(cJSON *to, const struct bench_settings *settings,
                         const struct req_report *report)
{
    const struct tally *tally = &report->tally;
    cJSON_AddNumberToObject(to, "sent", (double)tally->sent);
    cJSON *outcomes = cJSON_AddObjectToObject(to, "outcomes");
    for (uint32_t i = 0; i < BENCH_OUTCOMES; i++)
        if (tally->outcomes[i] != 0 || i == WEFT_OK)
            cJSON_AddNumberToObject(outcomes, weft_error_name((enum weft_error)i),
                                    (double)tally->outcomes[i]);
    cJSON_AddNumberToObject(to, "rate_offered", settings->rate);
    cJSON_AddNumberToObject(to, "rate_done", req_report_rate(report));
    cJSON_AddNumberToObject(to, "bytes_per_s", req_report_rate(report) * settings->size_bytes);
    report_json_latency(to, settings, &tally->latency);
    cJSON *spread = cJSON_AddObjectToObject(to, "spread");
    for (uint32_t i = 0; i < settings->servers_count; i++)
        cJSON_AddNumberToObject(spread, report->nodes[i], (double)tally->answered[i]);
}

static void add_flows(cJSON *to, const struct meter_flow *clients, const struct meter_flow *peers)
{
    cJSON *frames = cJSON_AddObjectToObject(to, "frames");
    cJSON_AddNumberToObject(frames, "clients", (double)clients->frames);
    cJSON_AddNumberToObject(frames, "peers", (double)peers->frames);
    cJSON *batches = cJSON_AddObjectToObject(to, "messages_per_frame");
    cJSON_AddNumberToObject(batches, "clients", meter_batch(clients));
    cJSON_AddNumberToObject(batches, "peers", meter_batch(peers));
}

/* What the nodes and the client processes used; what is not known is left out. */
static void add_cost(cJSON *to, const struct bench_settings *settings,
                     const struct req_report *report)
{
    const struct meter *meter = &report->meter;
    uint64_t requests = report->tally.outcomes[WEFT_OK];
    cJSON *cost = cJSON_AddObjectToObject(to, "cost");
    if (nodes_cpu_us(settings, report) > 0)
        cJSON_AddNumberToObject(cost, "cpu_us_per_request", nodes_cpu_us(settings, report));
    cJSON_AddNumberToObject(cost, "clients_cpu_us_per_request",
                            meter_us_each(meter->clients_cpu_ns, requests));
    cJSON_AddNumberToObject(cost, "busiest_client_share",
                            share_of_core(meter, meter->busiest_cpu_ns));
    const struct meter_flow clients = flow_of_all(settings, report, METER_CLIENTS);
    const struct meter_flow peers = flow_of_all(settings, report, METER_PEERS);
    add_flows(cost, &clients, &peers);
    cJSON *nodes = cJSON_AddArrayToObject(cost, "nodes");
    for (uint32_t i = 0; i < settings->servers_count; i++) {
        const struct meter_node *node = &meter->nodes[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", report->nodes[i]);
        if (node->pid > 0)
            cJSON_AddNumberToObject(object, "cpu_us_per_request",
                                    meter_us_each(node->cpu_ns, requests));
        if (node->has_flows)
            add_flows(object, &node->flows[METER_CLIENTS], &node->flows[METER_PEERS]);
        cJSON_AddItemToArray(nodes, object);
    }
}

static void add_checks(cJSON *to, const struct bench_checks *counted)
{
    cJSON *checks = cJSON_AddObjectToObject(to, "checks");
    cJSON_AddNumberToObject(checks, "lost", (double)counted->lost);
    cJSON_AddNumberToObject(checks, "duplicate", (double)counted->duplicate);
    cJSON_AddNumberToObject(checks, "reordered", (double)counted->reordered);
    cJSON_AddNumberToObject(checks, "corrupt", (double)counted->corrupt);
    cJSON_AddNumberToObject(checks, "no_outcome", (double)counted->no_outcome);
}

bool req_report_write(const struct bench_settings *settings, struct req_report *report)
{
    cJSON *object = report_json_begin(settings, report->nodes);
    add_requests(object, settings, report);
    add_cost(object, settings, report);
    add_checks(object, &report->tally.checks);
    return report_json_end(object, settings, tally_has_held(&report->tally));
}
