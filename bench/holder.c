#include "bench/holder.h"

/* Open loop: session k is due at start + k / rate, whatever became of those before. Closed loop: as
 * fast as the nodes go, with WINDOW of them under way. With --number the oldest session makes room
 * for the next one: its place in the table is its number modulo the table's size. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/machine.h"
#include "bench/procs.h"
#include "bench/turn.h"

enum {
    WINDOW_CLOSED = 64, /* under way in a closed loop: more only wait in the nodes' queues */
    WINDOW_OPEN = 1000, /* with a rate: a stall must not use up the descriptors */
    DESCRIPTORS = 2,    /* a session, and as many again while it dials */
    DESCRIPTORS_SPARE = 64,
    KEY_BYTES = 24,
    WORD_BYTES = 32,
};

static const uint64_t SECOND_NS = 1000000000;
static const uint64_t REPORT_NS = TURN_REPORT_MS * UINT64_C(1000000);

struct session {
    struct holder *holder;
    struct weft_client *client;
    struct weft_session_id id;
    uint64_t from_ns;
    uint32_t number;
    bool has_stood, stands;
};

struct holder {
    const struct holder_job *job;
    uint32_t first; /* number of its first session: its own number */
    struct weft_context *context;
    struct session *sessions;
    uint32_t places, wanted; /* sessions at a time; in all */
    uint32_t under_way;
    uint64_t reported_ns;
    bool has_changed;
    struct holder_report report;
};

/* How many of `count` numbers are this process's. */
static uint32_t share(const struct holder *holder, uint64_t count)
{
    return count <= holder->first
               ? 0
               : (uint32_t)((count - holder->first - 1) / holder->job->processes + 1);
}

/* ---- telling ---------------------------------------------------------------------------------*/

static bool tell(struct holder *holder, int reports, bool is_last)
{
    holder->reported_ns = machine_now_ns();
    holder->has_changed = false;
    return procs_tell(reports, &holder->report, sizeof holder->report, NULL, 0, is_last);
}

/* With the ids of all sessions that stand. */
static bool tell_ids(struct holder *holder, int reports)
{
    struct weft_session_id *ids = calloc(holder->places + 1, sizeof *ids);
    size_t count = 0;
    for (uint32_t i = 0; ids != NULL && i < holder->places; i++)
        if (holder->sessions[i].stands)
            ids[count++] = holder->sessions[i].id;
    bool is_told = ids != NULL && procs_tell(reports, &holder->report, sizeof holder->report, ids,
                                             count * sizeof *ids, false);
    free(ids);
    return is_told;
}

/* ---- what becomes of a session ---------------------------------------------------------------*/

static void count_node(struct holder_report *report, struct weft_text name, uint32_t server)
{
    for (uint32_t i = 0; i < BENCH_NODES_MAX; i++) {
        if (report->nodes[i].name[0] == '\0') {
            snprintf(report->nodes[i].name, BENCH_NAME_BYTES, "%.*s", (int)name.bytes, name.data);
            report->nodes[i].server = server;
        }
        if (strlen(report->nodes[i].name) == name.bytes &&
            memcmp(report->nodes[i].name, name.data, name.bytes) == 0) {
            report->nodes[i].opened++;
            return;
        }
    }
}

static void on_opened(struct weft_client *client, const struct weft_opened *opened, void *user)
{
    struct session *session = user;
    struct holder_report *report = &session->holder->report;
    (void)client;
    session->id = opened->session;
    session->stands = true;
    session->holder->has_changed = true;
    report->standing++;
    if (session->has_stood) {
        report->reopened++;
        report->resumed += opened->is_resumed;
        return;
    }
    session->has_stood = true;
    session->holder->under_way--;
    report->opened++;
    report->last_opened_ns = machine_now_ns();
    histogram_add(&report->latency, report->last_opened_ns - session->from_ns);
    count_node(report, opened->node,
               session->number % session->holder->job->settings->servers_count);
}

static void count_refusal(struct holder_report *report, enum weft_error error)
{
    uint32_t number = (uint32_t)error;
    report->refused[number < BENCH_OUTCOMES ? number : BENCH_OUTCOMES - 1]++;
}

static void fell(struct session *session)
{
    if (session->stands)
        session->holder->report.standing--;
    session->stands = false;
    session->holder->has_changed = true;
}

static void on_lost(struct weft_client *client, struct weft_text why, void *user)
{
    struct session *session = user;
    struct holder_report *report = &session->holder->report;
    (void)why;
    if (!session->stands && weft_last_refusal(client) != WEFT_OK)
        count_refusal(report, weft_last_refusal(client));
    else if (!session->stands)
        report->unanswered++;
    fell(session);
}

static void on_closed(struct weft_client *client, const struct weft_closed *closed, void *user)
{
    struct session *session = user;
    struct holder_report *report = &session->holder->report;
    uint32_t reason = (uint32_t)closed->reason;
    (void)client;
    if (session->has_stood) {
        report->closed[reason < HOLDER_REASONS ? reason : HOLDER_REASONS - 1]++;
        report->closed_b += holder_half(session->holder->job->settings, session->number)[0] == 'b';
    } else {
        count_refusal(report, closed->error);
        report->given_up++;
        session->holder->under_way--;
    }
    fell(session);
}

const char *holder_half(const struct bench_settings *settings, uint32_t number)
{
    uint64_t sessions = settings->number > 0 ? settings->number : settings->clients;
    return number < sessions / 2 ? "a" : "b";
}

/* ---- opening ---------------------------------------------------------------------------------*/

/* false: there is no room for it; said once. */
static bool begin(struct holder *holder, uint32_t index, uint64_t from_ns)
{
    const struct bench_settings *settings = holder->job->settings;
    struct session *session = &holder->sessions[index % holder->places];
    char run[KEY_BYTES], number[KEY_BYTES];
    struct weft_property properties[BENCH_PROPERTIES + 3];
    memcpy(properties, settings->properties,
           settings->properties_count * sizeof settings->properties[0]);
    *session = (struct session){.holder = holder,
                                .number = holder->first + index * holder->job->processes,
                                .from_ns = from_ns};
    snprintf(run, sizeof run, "%llu", (unsigned long long)settings->seed);
    snprintf(number, sizeof number, "%u", session->number);
    struct weft_property *own = properties + settings->properties_count;
    own[0] = (struct weft_property){"bench_run", run};
    own[1] = (struct weft_property){"bench_number", number};
    own[2] = (struct weft_property){"bench_half", holder_half(settings, session->number)};
    struct weft_options options = {
        .context = holder->context,
        .servers = settings->servers[session->number % settings->servers_count],
        .key_file = settings->key_file,
        .server_keys = settings->server_keys,
        .properties = properties,
        .properties_count = settings->properties_count + 3,
        .no_reconnect = !settings->reconnects,
        .ends_with_connection = !settings->reconnects,
        .opened = on_opened,
        .lost = on_lost,
        .closed = on_closed,
        .user = session,
    };
    holder->report.begun++;
    session->client = weft_new(&options);
    if (session->client == NULL) {
        if (holder->report.given_up++ == 0)
            perror("weftbench: can't make a session");
        return false;
    }
    holder->under_way++;
    return true;
}

/* Whether the place of the session to be begun next is free, if need be by ending the oldest. */
static bool make_room(struct holder *holder, uint32_t index)
{
    struct session *old = &holder->sessions[index % holder->places];
    if (index < holder->places || old->client == NULL)
        return true;
    if (!old->has_stood && !weft_is_closed(old->client))
        return false; /* it is being opened */
    holder->report.ended += old->stands;
    holder->report.standing -= old->stands;
    weft_destroy(&old->client);
    return true;
}

/* Begins what is due; returns when the next one is. */
static uint64_t begin_due(struct holder *holder)
{
    const struct bench_settings *settings = holder->job->settings;
    uint32_t window = settings->rate > 0 ? WINDOW_OPEN : WINDOW_CLOSED;
    while (holder->report.begun < holder->wanted) {
        uint64_t now_ns = machine_now_ns(), due_ns = now_ns;
        uint32_t index = holder->report.begun;
        uint64_t number = holder->first + (uint64_t)index * holder->job->processes;
        if (settings->rate > 0)
            due_ns = holder->job->start_ns + (uint64_t)((double)number * 1e9 / settings->rate);
        if (due_ns > now_ns)
            return due_ns;
        if (holder->under_way >= window || !make_room(holder, index))
            break;
        (void)begin(holder, index, due_ns);
    }
    return UINT64_MAX;
}

/* ---- the process -----------------------------------------------------------------------------*/

/* Works for a moment; false: the other end wants it to be over. */
static bool turn(struct holder *holder, int commands, uint64_t until_ns)
{
    (void)weft_context_progress(holder->context);
    return !turn_take(holder->context, commands, until_ns);
}

static bool is_open_over(const struct holder *holder, uint64_t deadline_ns)
{
    const struct holder_report *report = &holder->report;
    return report->opened + report->given_up >= holder->wanted || machine_now_ns() >= deadline_ns;
}

static bool holder_prepare(struct holder *holder, const struct holder_job *job, uint32_t number)
{
    const struct bench_settings *settings = job->settings;
    uint32_t window = settings->rate > 0 ? WINDOW_OPEN : WINDOW_CLOSED;
    char what[WORD_BYTES];
    holder->job = job;
    holder->first = number;
    holder->places = share(holder, settings->clients);
    holder->wanted = share(holder, settings->number > 0 ? settings->number : settings->clients);
    if (holder->places > holder->wanted)
        holder->places = holder->wanted;
    snprintf(what, sizeof what, "%u sessions", holder->places);
    if (!procs_reserve_descriptors(
            (uint64_t)DESCRIPTORS * (holder->places + window) + DESCRIPTORS_SPARE, what))
        return false;
    holder->context = weft_context_new(holder->places + 1);
    holder->sessions = calloc(holder->places + 1, sizeof *holder->sessions);
    if (holder->context != NULL && holder->sessions != NULL)
        return true;
    perror("weftbench");
    return false;
}

static bool tell_changes(struct holder *holder, int reports)
{
    bool is_due = holder->has_changed && machine_now_ns() - holder->reported_ns >= REPORT_NS;
    return !is_due || tell(holder, reports, false);
}

/* Opens all; false: told to end, or nobody listens. */
static bool open_all(struct holder *holder, int commands, int reports)
{
    uint64_t deadline_ns = holder->job->start_ns + holder->job->settings->opening_ns;
    uint64_t now_ns;
    while ((now_ns = machine_now_ns()) < holder->job->start_ns)
        if (!turn(holder, commands, holder->job->start_ns))
            return false;
    while (!is_open_over(holder, deadline_ns)) {
        uint64_t next_ns = begin_due(holder);
        if (!turn(holder, commands, next_ns < now_ns + SECOND_NS ? next_ns : now_ns + SECOND_NS) ||
            !tell_changes(holder, reports))
            return false;
        now_ns = machine_now_ns();
    }
    return true;
}

static int hold(struct holder *holder, int commands, int reports)
{
    if (open_all(holder, commands, reports)) {
        holder->report.stage = HOLDER_HOLDING;
        bool goes_on = tell_ids(holder, reports);
        while (goes_on && turn(holder, commands, UINT64_MAX))
            goes_on = tell_changes(holder, reports);
    }
    return tell(holder, reports, true) ? BENCH_HELD : BENCH_NOT_RUN;
}

int holder_run(const void *job, uint32_t number, int commands, int reports)
{
    struct holder *holder = calloc(1, sizeof *holder);
    if (holder == NULL)
        return BENCH_NOT_RUN;
    int code =
        holder_prepare(holder, job, number) ? hold(holder, commands, reports) : BENCH_NOT_RUN;
    if (holder->context != NULL)
        weft_context_destroy(&holder->context);
    free(holder->sessions);
    free(holder);
    return code;
}
