#include "bench/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/machine.h"

static const struct {
    const char *name, *key;
    double share;
} quantiles[] = {{"p50", "p50", 0.50},
                 {"p90", "p90", 0.90},
                 {"p95", "p95", 0.95},
                 {"p99", "p99", 0.99},
                 {"p99.9", "p99_9", 0.999}};

enum { QUANTILES = sizeof quantiles / sizeof quantiles[0] };

const char *bench_route_name(enum bench_route route)
{
    static const char *const names[] = {"local", "remote", "mixed"};
    return names[route];
}

static uint64_t broken(const struct bench_checks *checks)
{
    return checks->lost + checks->duplicate + checks->reordered + checks->corrupt +
           checks->no_outcome;
}

bool bench_has_held(const struct bench_settings *settings, const struct bench_report *report)
{
    (void)settings;
    return broken(&report->checks) == 0 && report->sent > 0;
}

static double micros(uint64_t ns)
{
    return (double)ns / 1e3;
}

static bool is_one_host(const struct bench_settings *settings)
{
    for (uint32_t i = 1; i < settings->servers_count; i++) {
        const char *a = settings->servers[0], *b = settings->servers[i];
        size_t bytes = (size_t)(strrchr(a, ':') - a);
        if ((size_t)(strrchr(b, ':') - b) != bytes || strncmp(a, b, bytes) != 0)
            return false;
    }
    return true;
}

static void print_requests(const struct bench_settings *settings, const struct bench_report *report)
{
    uint64_t others = report->sent - report->outcomes[WEFT_OK] - report->checks.no_outcome;
    printf("requests   %" PRIu64 " sent, %" PRIu64 " OK, %" PRIu64 " other; ", report->sent,
           report->outcomes[WEFT_OK], others);
    double done = report->seconds > 0 ? (double)report->outcomes[WEFT_OK] / report->seconds : 0;
    if (settings->rate > 0)
        printf("%.0f/s offered, %.0f/s done\n", settings->rate, done);
    else
        printf("%.0f/s done, %" PRIu32 " x %" PRIu32 " outstanding\n", done, settings->clients,
               settings->pipeline);
    for (uint32_t i = 1; i < BENCH_OUTCOMES; i++)
        if (report->outcomes[i] != 0)
            printf("           %" PRIu64 " %s\n", report->outcomes[i],
                   weft_error_name((enum weft_error)i));
}

void report_print_machine(const struct bench_settings *settings)
{
    struct machine machine;
    machine_read(&machine);
    printf("machine    %u cores, %.1f GiB, linux %s; %" PRIu32 " nodes%s", machine.cores,
           (double)machine.memory_bytes / (1u << 30), machine.kernel, settings->servers_count,
           is_one_host(settings) ? ", all on this host" : "");
}

void report_print_latency(const struct bench_settings *settings, const struct histogram *latency)
{
    printf("latency us mean %.0f  min %.0f", histogram_mean(latency) / 1e3, micros(latency->min));
    for (unsigned i = 0; i < QUANTILES; i++)
        printf("  %s %.0f", quantiles[i].name,
               micros(histogram_quantile(latency, quantiles[i].share)));
    printf("  max %.0f  (%s)\n", micros(latency->max),
           settings->rate > 0 ? "from schedule"
                              : "from send; closed loop: latency understates stalls");
}

void report_print(const struct bench_settings *settings, const struct bench_report *report)
{
    const struct bench_checks *checks = &report->checks;
    report_print_machine(settings);
    printf(", route %s, %" PRIu32 " bytes\n", bench_route_name(settings->route),
           settings->size_bytes);
    print_requests(settings, report);
    report_print_latency(settings, &report->latency);
    if (settings->checks)
        printf("checks     %" PRIu64 " lost, %" PRIu64 " duplicate, %" PRIu64 " reordered, %" PRIu64
               " corrupt, %" PRIu64 " without outcome\n",
               checks->lost, checks->duplicate, checks->reordered, checks->corrupt,
               checks->no_outcome);
    else
        printf("checks     %" PRIu64 " without outcome\n", checks->no_outcome);
    puts(bench_has_held(settings, report) ? "PASS" : "FAIL");
}

/* ---- JSON ------------------------------------------------------------------------------------*/

void report_json_latency(cJSON *to, const struct bench_settings *settings,
                         const struct histogram *latency)
{
    cJSON *object = cJSON_AddObjectToObject(to, "latency_us");
    cJSON_AddStringToObject(object, "from", settings->rate > 0 ? "schedule" : "send");
    cJSON_AddNumberToObject(object, "count", (double)latency->count);
    cJSON_AddNumberToObject(object, "mean", histogram_mean(latency) / 1e3);
    cJSON_AddNumberToObject(object, "min", micros(latency->min));
    for (unsigned i = 0; i < QUANTILES; i++)
        cJSON_AddNumberToObject(object, quantiles[i].key,
                                micros(histogram_quantile(latency, quantiles[i].share)));
    cJSON_AddNumberToObject(object, "max", micros(latency->max));
}

static void add_settings(cJSON *to, const struct bench_settings *settings)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, settings->seed);
    cJSON *object = cJSON_AddObjectToObject(to, "settings");
    cJSON_AddStringToObject(object, "loop", settings->rate > 0 ? "open" : "closed");
    cJSON_AddNumberToObject(object, "rate", settings->rate);
    cJSON_AddNumberToObject(object, "clients", settings->clients);
    cJSON_AddNumberToObject(object, "handlers", settings->handlers);
    cJSON_AddNumberToObject(object, "procs", settings->procs);
    cJSON_AddNumberToObject(object, "pipeline", settings->pipeline);
    cJSON_AddNumberToObject(object, "size_bytes", settings->size_bytes);
    cJSON_AddNumberToObject(object, "duration_s", (double)settings->duration_ns / 1e9);
    cJSON_AddNumberToObject(object, "warmup_s", (double)settings->warmup_ns / 1e9);
    cJSON_AddStringToObject(object, "route", bench_route_name(settings->route));
    if (settings->hold_ns != UINT64_MAX)
        cJSON_AddNumberToObject(object, "hold_s", (double)settings->hold_ns / 1e9);
    cJSON_AddBoolToObject(object, "check", settings->checks);
    cJSON_AddStringToObject(object, "seed", seed);
}

static void add_placement(cJSON *to, const struct bench_settings *settings,
                          char names[BENCH_NODES_MAX][BENCH_NAME_BYTES])
{
    struct machine machine;
    machine_read(&machine);
    cJSON *object = cJSON_AddObjectToObject(to, "machine");
    cJSON_AddStringToObject(object, "cpu", machine.cpu);
    cJSON_AddNumberToObject(object, "cores", machine.cores);
    cJSON_AddNumberToObject(object, "memory_bytes", (double)machine.memory_bytes);
    cJSON_AddStringToObject(object, "kernel", machine.kernel);
    object = cJSON_AddObjectToObject(to, "placement");
    cJSON_AddBoolToObject(object, "same_host", is_one_host(settings));
    cJSON *nodes = cJSON_AddArrayToObject(object, "nodes");
    for (uint32_t i = 0; i < settings->servers_count; i++) {
        cJSON *node = cJSON_CreateObject();
        cJSON_AddStringToObject(node, "name", names[i]);
        cJSON_AddStringToObject(node, "server", settings->servers[i]);
        cJSON_AddItemToArray(nodes, node);
    }
}

static void add_results(cJSON *to, const struct bench_settings *settings,
                        const struct bench_report *report)
{
    double done = report->seconds > 0 ? (double)report->outcomes[WEFT_OK] / report->seconds : 0;
    cJSON_AddNumberToObject(to, "sent", (double)report->sent);
    cJSON *outcomes = cJSON_AddObjectToObject(to, "outcomes");
    for (uint32_t i = 0; i < BENCH_OUTCOMES; i++)
        if (report->outcomes[i] != 0 || i == WEFT_OK)
            cJSON_AddNumberToObject(outcomes, weft_error_name((enum weft_error)i),
                                    (double)report->outcomes[i]);
    cJSON_AddNumberToObject(to, "rate_offered", settings->rate);
    cJSON_AddNumberToObject(to, "rate_done", done);
    cJSON_AddNumberToObject(to, "bytes_per_s", done * settings->size_bytes);
    report_json_latency(to, settings, &report->latency);
    cJSON *checks = cJSON_AddObjectToObject(to, "checks");
    cJSON_AddNumberToObject(checks, "lost", (double)report->checks.lost);
    cJSON_AddNumberToObject(checks, "duplicate", (double)report->checks.duplicate);
    cJSON_AddNumberToObject(checks, "reordered", (double)report->checks.reordered);
    cJSON_AddNumberToObject(checks, "corrupt", (double)report->checks.corrupt);
    cJSON_AddNumberToObject(checks, "no_outcome", (double)report->checks.no_outcome);
}

cJSON *report_json_begin(const struct bench_settings *settings,
                         char names[BENCH_NODES_MAX][BENCH_NAME_BYTES])
{
    char when[32];
    time_t now = time(NULL);
    struct tm utc;
    if (strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc)) == 0)
        when[0] = '\0';
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "bench", settings->verb);
    cJSON_AddStringToObject(root, "version", weft_version());
    cJSON_AddStringToObject(root, "time", when);
    add_placement(root, settings, names);
    add_settings(root, settings);
    return root;
}

bool report_json_end(cJSON *object, const struct bench_settings *settings, bool has_held)
{
    cJSON_AddStringToObject(object, "verdict", has_held ? "PASS" : "FAIL");
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    FILE *file = strcmp(settings->json_file, "-") == 0 ? stdout : fopen(settings->json_file, "we");
    bool is_written = text != NULL && file != NULL && fprintf(file, "%s\n", text) > 0;
    if (file != NULL && file != stdout && fclose(file) != 0)
        is_written = false;
    if (!is_written)
        fprintf(stderr, "weftbench: can't write %s\n", settings->json_file);
    free(text);
    return is_written;
}

bool report_write_json(const struct bench_settings *settings, struct bench_report *report)
{
    cJSON *object = report_json_begin(settings, report->nodes);
    add_results(object, settings, report);
    return report_json_end(object, settings, bench_has_held(settings, report));
}
