#include "bench/req_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "bench/cost.h"
#include "bench/report.h"

/* How many ended as they were to. */
static uint64_t done(const struct bench_settings *settings, const struct req_report *report)
{
    return report->tally.outcomes[bench_wanted(settings)];
}

static double rate_of(const struct bench_settings *settings, const struct req_report *report)
{
    return report->seconds > 0 ? (double)done(settings, report) / report->seconds : 0;
}

/* ---- the table -------------------------------------------------------------------------------*/

static void print_requests(const struct bench_settings *settings, const struct req_report *report)
{
    const struct tally *tally = &report->tally;
    enum weft_error wanted = bench_wanted(settings);
    uint64_t others = tally->sent - tally->outcomes[wanted] - tally->checks.no_outcome;
    printf("requests   %" PRIu64 " sent, %" PRIu64 " %s, %" PRIu64 " other; ", tally->sent,
           tally->outcomes[wanted], weft_error_name(wanted), others);
    if (settings->rate > 0)
        printf("%.0f/s offered, %.0f/s done\n", settings->rate, rate_of(settings, report));
    else
        printf("%.0f/s done, %" PRIu32 " x %" PRIu32 " outstanding\n", rate_of(settings, report),
               settings->clients, settings->pipeline);
    for (uint32_t i = 0; i < BENCH_OUTCOMES; i++)
        if (tally->outcomes[i] != 0 && i != wanted)
            printf("           %" PRIu64 " %s\n", tally->outcomes[i],
                   weft_error_name((enum weft_error)i));
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
    cost_print(&report->meter, done(settings, report), "request");
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
    cJSON_AddNumberToObject(to, "rate_done", rate_of(settings, report));
    cJSON_AddNumberToObject(to, "bytes_per_s", rate_of(settings, report) * settings->size_bytes);
    report_json_latency(to, settings, &tally->latency);
    cJSON *spread = cJSON_AddObjectToObject(to, "spread");
    for (uint32_t i = 0; i < settings->servers_count; i++)
        cJSON_AddNumberToObject(spread, report->nodes[i], (double)tally->answered[i]);
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
    cost_json(object, &report->meter, done(settings, report), "request");
    add_checks(object, &report->tally.checks);
    return report_json_end(object, settings, tally_has_held(&report->tally));
}
