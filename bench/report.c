#include "bench/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/compare.h"
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
    static const char *const names[] = {"local", "remote", "mixed", "nowhere"};
    return names[route];
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

static bool write_to(const char *name, const char *text)
{
    FILE *file = strcmp(name, "-") == 0 ? stdout : fopen(name, "we");
    bool is_written = text != NULL && file != NULL && fprintf(file, "%s\n", text) > 0;
    if (file != NULL && file != stdout && fclose(file) != 0)
        is_written = false;
    if (!is_written)
        fprintf(stderr, "weftbench: can't write %s\n", name);
    return is_written;
}

/* Beside the table, or, where standard output is JSON, on standard error. */
static bool compare_with(const char *file, const cJSON *object, bool out_is_json)
{
    cJSON *older = compare_load(file);
    if (older == NULL)
        return false;
    enum compare_verdict verdict = compare_print(out_is_json ? stderr : stdout, older, object);
    if (verdict == COMPARE_OTHER_VERB)
        fprintf(stderr, "weftbench: %s is of another verb\n", file);
    cJSON_Delete(older);
    return verdict == COMPARE_DONE;
}

bool report_table_is_wanted(const struct bench_settings *settings)
{
    return settings->json_file == NULL || strcmp(settings->json_file, "-") != 0;
}

bool report_json_end(cJSON *object, const struct bench_settings *settings, bool has_held)
{
    cJSON_AddStringToObject(object, "verdict", has_held ? "PASS" : "FAIL");
    bool is_done = true;
    if (settings->json_file != NULL) {
        char *text = cJSON_PrintUnformatted(object);
        is_done = write_to(settings->json_file, text);
        cJSON_free(text);
    }
    if (settings->compare_file != NULL)
        is_done = compare_with(settings->compare_file, object, !report_table_is_wanted(settings)) &&
                  is_done;
    cJSON_Delete(object);
    return is_done;
}
