#include "bench/cmd.h"

/* The crowd is twice as large as --clients: half `a` of each node's sessions is what the command's
 * filter names, half `b` must never be touched. A close takes a new crowd each time; the others
 * act on the same one again and again, each time to another effect (another value, on and off), and
 * a listing afterwards has to find that effect on exactly half `a`. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/crowd.h"
#include "bench/machine.h"
#include "bench/report.h"
#include "bench/stop.h"
#include "client/weft_control.h"

static const uint64_t SETTLE_NS = 20000000000; /* for clients to learn of what was done to them */

enum { FILTER_BYTES = 256, CONNECT_MS = 10000, TIMEOUT_MS = 60000, TURN_MS = 20 };

struct cmd;

/* What one run of a command is, and how its effect is seen. */
struct deed {
    const char *name;
    bool takes_all; /* the sessions are gone afterwards */
    enum weft_error (*begin)(struct cmd *cmd, const struct weft_matching *matching);
    /* The filter that the effect of this run fulfils; NULL: see `takes_all`, or none is to see. */
    void (*effect)(const struct cmd *cmd, char filter[FILTER_BYTES]);
};

struct cmd {
    const struct bench_settings *settings; /* as asked */
    struct bench_settings crowd_settings;  /* twice as many sessions */
    const struct deed *deed;
    struct crowd *crowd;
    struct weft_client *client;
    uint32_t run; /* number of this one, from 1 */
    bool is_back;
    /* Of the command under way, once it is back. */
    enum weft_error error;
    bool is_complete;
    uint32_t matched, applied, failed, total;
    uint64_t took_us, slowest_us; /* the whole; the node that took longest for its part */
    char problem[256];
    /* Over all runs. */
    uint64_t runs, completes, matched_all, applied_all;
    uint64_t strays; /* sessions matched, changed or closed that the filter did not name, or not */
    uint64_t lost;   /* closed sessions whose clients saw the connection end, not why */
    struct histogram latency, slowest;
    char names[BENCH_NODES_MAX][BENCH_NAME_BYTES];
};

/* ---- the commands ----------------------------------------------------------------------------*/

static uint64_t slowest_of(struct weft_rows nodes)
{
    struct weft_node_answer answer;
    uint64_t slowest_us = 0;
    while (weft_next_node(&nodes, &answer))
        if (answer.took_us > slowest_us)
            slowest_us = answer.took_us;
    return slowest_us;
}

static void take_result(struct weft_client *client, const struct weft_result *result, void *user)
{
    struct cmd *cmd = user;
    (void)client;
    cmd->is_back = true;
    cmd->error = result->error;
    cmd->is_complete = result->is_complete;
    cmd->matched = result->matched;
    cmd->applied = result->applied;
    cmd->failed = result->failed;
    cmd->total = result->total;
    cmd->took_us = result->took_us;
    cmd->slowest_us = slowest_of(result->nodes);
    snprintf(cmd->problem, sizeof cmd->problem, "%.*s", (int)result->text.bytes, result->text.data);
}

static enum weft_error begin_close(struct cmd *cmd, const struct weft_matching *matching)
{
    return weft_close_matching(cmd->client, matching, "weftbench", TIMEOUT_MS, take_result, cmd);
}

static enum weft_error begin_conflate(struct cmd *cmd, const struct weft_matching *matching)
{
    return weft_set_conflated_matching(cmd->client, matching, cmd->run % 2 == 1, TIMEOUT_MS,
                                       take_result, cmd);
}

/* Another role each time, in the place of the last one's. */
static enum weft_error begin_roles(struct cmd *cmd, const struct weft_matching *matching)
{
    char added[32], removed[32];
    snprintf(added, sizeof added, "bench-%" PRIu32, cmd->run);
    snprintf(removed, sizeof removed, "bench-%" PRIu32, cmd->run - 1);
    return weft_change_roles_matching(cmd->client, matching, added, removed, TIMEOUT_MS,
                                      take_result, cmd);
}

static enum weft_error begin_set(struct cmd *cmd, const struct weft_matching *matching)
{
    char value[16];
    snprintf(value, sizeof value, "%" PRIu32, cmd->run);
    const struct weft_property mark = {"bench_mark", value};
    return weft_set_properties_matching(cmd->client, matching, &mark, 1, TIMEOUT_MS, take_result,
                                        cmd);
}

static enum weft_error begin_list(struct cmd *cmd, const struct weft_matching *matching)
{
    return weft_list_sessions(cmd->client, matching->filter, "bench_number", NULL, 0, TIMEOUT_MS,
                              take_result, cmd);
}

static void effect_of_roles(const struct cmd *cmd, char filter[FILTER_BYTES])
{
    snprintf(filter, FILTER_BYTES, "hasRoles 'bench-%" PRIu32 "'", cmd->run);
}

static void effect_of_set(const struct cmd *cmd, char filter[FILTER_BYTES])
{
    snprintf(filter, FILTER_BYTES, "bench_mark is '%" PRIu32 "'", cmd->run);
}

static const struct deed deeds[] = {
    {"close", true, begin_close, NULL},
    {"conflate", false, begin_conflate, NULL},
    {"roles", false, begin_roles, effect_of_roles},
    {"set", false, begin_set, effect_of_set},
    {"ls", false, begin_list, NULL},
};

static const struct deed *find(const char *name)
{
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
        if (strcmp(deeds[i].name, name) == 0)
            return &deeds[i];
    return NULL;
}

bool cmd_is_known(const char *name)
{
    return find(name) != NULL;
}

/* ---- one run ---------------------------------------------------------------------------------*/

/* Waits for the answer; both the mesh and the crowd are listened to meanwhile. */
static bool wait_answer(struct cmd *cmd)
{
    while (!cmd->is_back && !stop_is_wanted()) {
        (void)weft_run(cmd->client, TURN_MS);
        if (!crowd_pump(cmd->crowd, 0))
            return false;
    }
    return cmd->is_back;
}

static bool carry_out(struct cmd *cmd, const struct deed *deed, const char *filter)
{
    cmd->is_back = false;
    const struct weft_matching matching = {.filter = filter};
    enum weft_error error = deed->begin(cmd, &matching);
    if (error != WEFT_OK || !wait_answer(cmd)) {
        fprintf(stderr, "weftbench: the command was not answered: %s\n", weft_error_name(error));
        return false;
    }
    if (cmd->error == WEFT_OK)
        return true;
    fprintf(stderr, "weftbench: the command failed: %s: %s\n", weft_error_name(cmd->error),
            cmd->problem);
    return false;
}

static uint64_t differ(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* Closed were half `a` and nobody else; their clients have to learn of it. */
static bool check_closed(struct cmd *cmd)
{
    uint64_t deadline_ns = machine_now_ns() + SETTLE_NS;
    const uint32_t targets = cmd->settings->clients;
    uint32_t closed = 0, lost = 0;
    while (closed + lost < targets && machine_now_ns() < deadline_ns && !stop_is_wanted()) {
        if (!crowd_pump(cmd->crowd, TURN_MS))
            return false;
        closed = crowd_report(cmd->crowd)->closed[WEFT_CLOSED_BY_CONTROLLER];
        lost = crowd_report(cmd->crowd)->closed[WEFT_CLOSED_CONNECTION_LOST];
        (void)weft_progress(cmd->client);
    }
    const struct holder_report *report = crowd_report(cmd->crowd);
    cmd->lost += lost;
    cmd->strays += differ(closed, targets) + report->closed_b + differ(report->standing, targets);
    return true;
}

/* The effect is to be seen on all of half `a` and on nobody else in the mesh. */
static bool check_effect(struct cmd *cmd)
{
    char filter[FILTER_BYTES], own[2 * FILTER_BYTES];
    const struct deed *list = find("ls");
    cmd->deed->effect(cmd, filter);
    if (!carry_out(cmd, list, filter))
        return false;
    cmd->strays += differ(cmd->total, cmd->settings->clients);
    snprintf(own, sizeof own, "bench_run is '%" PRIu64 "' and bench_half is 'a' and %s",
             cmd->settings->seed, filter);
    if (!carry_out(cmd, list, own))
        return false;
    cmd->strays += differ(cmd->total, cmd->settings->clients);
    return true;
}

static bool run_once(struct cmd *cmd)
{
    char filter[FILTER_BYTES];
    const uint32_t targets = cmd->settings->clients;
    bool is_listing = strcmp(cmd->deed->name, "ls") == 0;
    snprintf(filter, sizeof filter, "bench_run is '%" PRIu64 "' and bench_half is 'a'",
             cmd->settings->seed);
    if (!carry_out(cmd, cmd->deed, filter))
        return false;
    histogram_add(&cmd->latency, cmd->took_us * 1000);
    histogram_add(&cmd->slowest, cmd->slowest_us * 1000);
    cmd->runs++;
    cmd->completes += cmd->is_complete;
    cmd->matched_all += is_listing ? cmd->total : cmd->matched;
    cmd->applied_all += is_listing ? cmd->total : cmd->applied;
    cmd->strays += differ(is_listing ? cmd->total : cmd->matched, targets);
    cmd->strays += is_listing ? 0 : differ(cmd->applied, targets) + cmd->failed;
    if (cmd->deed->takes_all)
        return check_closed(cmd);
    return cmd->deed->effect == NULL || check_effect(cmd);
}

/* ---- all runs --------------------------------------------------------------------------------*/

static bool begin_crowd(struct cmd *cmd)
{
    cmd->crowd = crowd_begin(&cmd->crowd_settings);
    if (cmd->crowd == NULL || !crowd_wait(cmd->crowd, stop_is_wanted))
        return false;
    const struct holder_report *report = crowd_report(cmd->crowd);
    for (uint32_t i = 0; i < BENCH_NODES_MAX && report->nodes[i].name[0] != '\0'; i++)
        memcpy(cmd->names[report->nodes[i].server], report->nodes[i].name, BENCH_NAME_BYTES);
    if (report->standing == cmd->crowd_settings.clients)
        return true;
    fprintf(stderr, "weftbench: only %" PRIu32 " of %" PRIu32 " sessions could be opened\n",
            report->standing, cmd->crowd_settings.clients);
    return false;
}

static bool begin_client(struct cmd *cmd)
{
    const struct weft_options options = {.servers = cmd->settings->servers[0],
                                         .key_file = cmd->settings->key_file,
                                         .server_keys = cmd->settings->server_keys};
    cmd->client = weft_new(&options);
    if (cmd->client != NULL && weft_connect(cmd->client, CONNECT_MS) == WEFT_OK)
        return true;
    fprintf(stderr, "weftbench: %s: %s\n", cmd->settings->servers[0],
            cmd->client == NULL ? "no session" : weft_last_failure(cmd->client));
    return false;
}

/* The client goes first: a process that is forked must not find its context. */
static void end_both(struct cmd *cmd)
{
    if (cmd->client != NULL)
        weft_destroy(&cmd->client);
    if (cmd->crowd != NULL) {
        crowd_end(cmd->crowd);
        crowd_destroy(&cmd->crowd);
    }
}

static void show_progress(const struct cmd *cmd)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" PRIu32 " of %" PRIu32 " runs, p50 %.1f ms   ", cmd->run,
                cmd->settings->repeat, (double)histogram_quantile(&cmd->latency, 0.5) / 1e6);
}

static bool run_all(struct cmd *cmd)
{
    for (cmd->run = 1; cmd->run <= cmd->settings->repeat && !stop_is_wanted(); cmd->run++) {
        if (cmd->crowd == NULL && !(begin_crowd(cmd) && begin_client(cmd)))
            return false;
        if (!run_once(cmd))
            return false;
        show_progress(cmd);
        if (cmd->deed->takes_all)
            end_both(cmd);
    }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%50s\r", "");
    return cmd->runs > 0;
}

static bool has_held(const struct cmd *cmd)
{
    return cmd->strays == 0 && cmd->completes == cmd->runs;
}

static void print(const struct cmd *cmd)
{
    report_print_machine(cmd->settings);
    printf(", %" PRIu32 " client process%s\n", cmd->settings->procs,
           cmd->settings->procs == 1 ? "" : "es");
    printf("commands   %s: %" PRIu64 " runs, %" PRIu64 " complete; each on %" PRIu32 " of %" PRIu32
           " sessions\n",
           cmd->deed->name, cmd->runs, cmd->completes, cmd->settings->clients,
           cmd->crowd_settings.clients);
    printf("           %" PRIu64 " matched, %" PRIu64 " applied in all\n", cmd->matched_all,
           cmd->applied_all);
    report_print_latency(cmd->settings, &cmd->latency);
    printf("slowest node's part: p50 %.1f ms, max %.1f ms\n",
           (double)histogram_quantile(&cmd->slowest, 0.5) / 1e6, (double)cmd->slowest.max / 1e6);
    if (cmd->lost > 0)
        printf("           %" PRIu64 " clients saw their connection end and not why\n", cmd->lost);
    printf("checks     %" PRIu64 " sessions met that should not be, or missed\n", cmd->strays);
    puts(has_held(cmd) ? "PASS" : "FAIL");
}

static bool write_json(struct cmd *cmd)
{
    cJSON *object = report_json_begin(cmd->settings, cmd->names);
    cJSON_AddStringToObject(object, "command", cmd->deed->name);
    cJSON *commands = cJSON_AddObjectToObject(object, "commands");
    cJSON_AddNumberToObject(commands, "run", (double)cmd->runs);
    cJSON_AddNumberToObject(commands, "complete", (double)cmd->completes);
    cJSON_AddNumberToObject(commands, "matched", (double)cmd->matched_all);
    cJSON_AddNumberToObject(commands, "applied", (double)cmd->applied_all);
    report_json_latency(object, cmd->settings, &cmd->latency);
    cJSON *checks = cJSON_AddObjectToObject(object, "checks");
    cJSON_AddNumberToObject(checks, "strays", (double)cmd->strays);
    return report_json_end(object, cmd->settings, has_held(cmd));
}

enum bench_exit cmd_run(const struct bench_settings *settings, struct spawn *spawn)
{
    (void)spawn;
    static struct cmd cmd;
    cmd = (struct cmd){
        .settings = settings, .crowd_settings = *settings, .deed = find(settings->command)};
    cmd.crowd_settings.clients = 2 * settings->clients;
    bool has_run = run_all(&cmd);
    end_both(&cmd);
    if (!has_run)
        return BENCH_NOT_RUN;
    if (report_table_is_wanted(settings))
        print(&cmd);
    if (!write_json(&cmd))
        return BENCH_NOT_RUN;
    return has_held(&cmd) ? BENCH_HELD : BENCH_BROKEN;
}
