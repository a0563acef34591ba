#include "bench/conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/crowd.h"
#include "bench/machine.h"
#include "bench/report.h"
#include "bench/stop.h"

struct conn {
    const struct bench_settings *settings;
    const struct spawn *spawn;
    struct holder_report report;
    double seconds; /* that opening took */
    uint64_t duplicates;
};

static uint64_t wanted(const struct bench_settings *settings)
{
    return settings->number > 0 ? settings->number : settings->clients;
}

static bool has_held(const struct conn *conn)
{
    return conn->report.opened == wanted(conn->settings) && conn->duplicates == 0;
}

/* ---- the table -------------------------------------------------------------------------------*/

static void print_refusals(const struct holder_report *report)
{
    for (uint32_t i = 0; i < BENCH_OUTCOMES; i++)
        if (report->refused[i] > 0)
            printf("           %" PRIu32 " attempts refused: %s\n", report->refused[i],
                   weft_error_name((enum weft_error)i));
    if (report->unanswered > 0)
        printf("           %" PRIu32 " attempts without an answer\n", report->unanswered);
}

static void print_fates(const struct holder_report *report)
{
    printf("at the end %" PRIu32 " stand", report->standing);
    if (report->ended > 0)
        printf(", %" PRIu32 " made room", report->ended);
    if (report->reopened > 0)
        printf(", %" PRIu32 " came back (%" PRIu32 " as the same session)", report->reopened,
               report->resumed);
    for (uint32_t i = 0; i < HOLDER_REASONS; i++)
        if (report->closed[i] > 0)
            printf(", %" PRIu32 " %s", report->closed[i],
                   weft_close_reason_name((enum weft_close_reason)i));
    puts("");
}

static void print_nodes(const struct holder_report *report)
{
    if (report->opened == 0)
        return;
    printf("on nodes   ");
    for (uint32_t i = 0; i < BENCH_NODES_MAX && report->nodes[i].name[0] != '\0'; i++)
        printf("%s%s %" PRIu32, i == 0 ? "" : ", ", report->nodes[i].name, report->nodes[i].opened);
    puts("");
}

static uint64_t opened_on(const struct conn *conn, uint32_t server)
{
    const struct holder_report *report = &conn->report;
    for (uint32_t i = 0; i < BENCH_NODES_MAX && report->nodes[i].name[0] != '\0'; i++)
        if (report->nodes[i].server == server)
            return report->nodes[i].opened;
    return 0;
}

/* What a session costs a node of our own, in bytes. */
static double session_bytes(const struct conn *conn, uint32_t number)
{
    uint64_t empty = conn->spawn->nodes[number].empty_bytes;
    uint64_t full = conn->spawn->nodes[number].full_bytes;
    uint64_t sessions = opened_on(conn, number);
    if (wanted(conn->settings) > conn->settings->clients) /* the others made room */
        sessions = sessions * conn->settings->clients / wanted(conn->settings);
    return sessions == 0 || full < empty ? 0 : (double)(full - empty) / (double)sessions;
}

static void print(const struct conn *conn)
{
    const struct holder_report *report = &conn->report;
    report_print_machine(conn->settings);
    printf(", %" PRIu32 " client process%s\n", conn->settings->procs,
           conn->settings->procs == 1 ? "" : "es");
    printf("sessions   %" PRIu32 " of %" PRIu64 " opened in %.2f s, %.0f/s", report->opened,
           wanted(conn->settings), conn->seconds,
           conn->seconds > 0 ? report->opened / conn->seconds : 0);
    if (conn->settings->rate > 0)
        printf(" (%.0f/s offered)", conn->settings->rate);
    puts("");
    print_refusals(report);
    print_nodes(report);
    for (uint32_t i = 0; i < conn->spawn->count; i++)
        printf("memory     %s: %.1f MiB before, %.1f MiB with all, %.1f KiB a session\n",
               conn->settings->servers[i], (double)conn->spawn->nodes[i].empty_bytes / (1u << 20),
               (double)conn->spawn->nodes[i].full_bytes / (1u << 20),
               session_bytes(conn, i) / 1024);
    if (report->opened > 0)
        report_print_latency(conn->settings, &report->latency);
    print_fates(report);
    printf("checks     %" PRIu64 " ids given twice\n", conn->duplicates);
    puts(has_held(conn) ? "PASS" : "FAIL");
}

/* ---- JSON ------------------------------------------------------------------------------------*/

static void add_counts(cJSON *to, const char *name, const uint32_t *counts, uint32_t count,
                       const char *(*name_of)(uint32_t))
{
    cJSON *object = cJSON_AddObjectToObject(to, name);
    for (uint32_t i = 0; i < count; i++)
        if (counts[i] > 0)
            cJSON_AddNumberToObject(object, name_of(i), counts[i]);
}

static const char *error_name_of(uint32_t number)
{
    return weft_error_name((enum weft_error)number);
}

static const char *reason_name_of(uint32_t number)
{
    return weft_close_reason_name((enum weft_close_reason)number);
}

static void add_sessions(cJSON *to, const struct conn *conn)
{
    const struct holder_report *report = &conn->report;
    cJSON *object = cJSON_AddObjectToObject(to, "sessions");
    cJSON_AddNumberToObject(object, "wanted", (double)wanted(conn->settings));
    cJSON_AddNumberToObject(object, "opened", report->opened);
    cJSON_AddNumberToObject(object, "standing", report->standing);
    cJSON_AddNumberToObject(object, "made_room", report->ended);
    cJSON_AddNumberToObject(object, "reopened", report->reopened);
    cJSON_AddNumberToObject(object, "resumed", report->resumed);
    cJSON_AddNumberToObject(object, "unanswered", report->unanswered);
    add_counts(object, "refused", report->refused, BENCH_OUTCOMES, error_name_of);
    add_counts(object, "closed", report->closed, HOLDER_REASONS, reason_name_of);
    cJSON *nodes = cJSON_AddObjectToObject(object, "nodes");
    for (uint32_t i = 0; i < BENCH_NODES_MAX && report->nodes[i].name[0] != '\0'; i++)
        cJSON_AddNumberToObject(nodes, report->nodes[i].name, report->nodes[i].opened);
}

static void add_memory(cJSON *to, const struct conn *conn)
{
    cJSON *nodes = cJSON_AddArrayToObject(to, "memory");
    for (uint32_t i = 0; i < conn->spawn->count; i++) {
        cJSON *node = cJSON_CreateObject();
        cJSON_AddStringToObject(node, "server", conn->settings->servers[i]);
        cJSON_AddNumberToObject(node, "empty_bytes", (double)conn->spawn->nodes[i].empty_bytes);
        cJSON_AddNumberToObject(node, "full_bytes", (double)conn->spawn->nodes[i].full_bytes);
        cJSON_AddNumberToObject(node, "session_bytes", session_bytes(conn, i));
        cJSON_AddItemToArray(nodes, node);
    }
}

static bool write_json(const struct conn *conn)
{
    static char names[BENCH_NODES_MAX][BENCH_NAME_BYTES];
    const struct holder_report *report = &conn->report;
    for (uint32_t i = 0; i < BENCH_NODES_MAX && report->nodes[i].name[0] != '\0'; i++)
        memcpy(names[report->nodes[i].server], report->nodes[i].name, BENCH_NAME_BYTES);
    cJSON *object = report_json_begin(conn->settings, names);
    cJSON_AddNumberToObject(object, "sent", report->begun);
    cJSON *outcomes = cJSON_AddObjectToObject(object, "outcomes");
    cJSON_AddNumberToObject(outcomes, "OK", report->opened);
    cJSON_AddNumberToObject(object, "rate_offered", conn->settings->rate);
    cJSON_AddNumberToObject(object, "rate_done",
                            conn->seconds > 0 ? report->opened / conn->seconds : 0);
    add_sessions(object, conn);
    if (conn->spawn->count > 0)
        add_memory(object, conn);
    report_json_latency(object, conn->settings, &report->latency);
    cJSON *checks = cJSON_AddObjectToObject(object, "checks");
    cJSON_AddNumberToObject(checks, "duplicate", (double)conn->duplicates);
    return report_json_end(object, conn->settings, has_held(conn));
}

/* ---- the run ---------------------------------------------------------------------------------*/

static void hold(struct crowd *crowd, const struct bench_settings *settings)
{
    if (settings->hold_ns == 0)
        return;
    fprintf(stderr, "weftbench: holding %" PRIu32 " sessions\n", crowd_report(crowd)->standing);
    uint64_t begun_ns = machine_now_ns();
    while (!stop_is_wanted() && machine_now_ns() - begun_ns < settings->hold_ns)
        if (!crowd_pump(crowd, 100))
            return;
}

enum bench_exit conn_run(const struct bench_settings *settings, struct spawn *spawn)
{
    struct conn conn = {.settings = settings, .spawn = spawn};
    struct crowd *crowd = crowd_begin(settings);
    if (crowd == NULL)
        return BENCH_NOT_RUN;
    bool is_whole = crowd_wait(crowd, stop_is_wanted);
    if (is_whole) {
        conn.seconds = crowd_seconds(crowd);
        conn.duplicates = crowd_duplicates(crowd);
        spawn_weigh(spawn, true);
        hold(crowd, settings);
    }
    crowd_end(crowd);
    conn.report = *crowd_report(crowd);
    crowd_destroy(&crowd);
    if (!is_whole) {
        fprintf(stderr, "weftbench: ended before all sessions were opened\n");
        return BENCH_NOT_RUN;
    }
    if (report_table_is_wanted(settings))
        print(&conn);
    if (!write_json(&conn))
        return BENCH_NOT_RUN;
    return has_held(&conn) ? BENCH_HELD : BENCH_BROKEN;
}
