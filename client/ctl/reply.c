/* reply.c - see reply.h. Three ways to answer: a value, the request itself, or what a shell command
 * makes of it. Commands run beside the loop, JOBS_MAX at a time; what comes beyond is refused, so
 * that callers hear of it at once. */
#include "client/ctl/reply.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "client/ctl/job.h"
#include "client/ctl/values.h"
#include "client/weft_requests.h"

enum {
    JOBS_MAX = 64,     /* each has three descriptors and its memory */
    LOOK_MS = 100,     /* how late a signal or the end of --for may be seen */
    PATH_BYTES = 1025, /* of a path, with NUL */
    PROPERTY_KEY_BYTES = 129,
    REASON_BYTES = 256,
};

struct task {
    struct job job;
    uint64_t responder;
    uint64_t end_ms; /* nobody waits for the answer any longer */
    bool is_late;
    char path[PATH_BYTES];
    struct weft_session_id sender;
};

struct reply {
    struct ctl *ctl;
    struct weft_client *client;
    enum weft_value_type type;
    bool is_echo;
    const char *command; /* NULL: none */
    struct weft_value value;
    char *memory; /* what the value stands on */
    struct task tasks[JOBS_MAX];
    uint64_t answered;
    bool is_ready, is_closed;
    enum weft_error error; /* why it can't go on */
    char why[REASON_BYTES];
};

static const struct output_column columns[] = {
    {"path", "PATH", NULL, OUTPUT_TEXT, false},
    {"sender", "SENDER", NULL, OUTPUT_TEXT, false},
    {"outcome", "OUTCOME", NULL, OUTPUT_TEXT, false},
};
static const struct output_view view = {.columns = columns,
                                        .columns_count = sizeof columns / sizeof columns[0]};

static void write_line(struct reply *reply, struct weft_text path, struct weft_session_id sender,
                       enum weft_error outcome)
{
    char id[WEFT_SESSION_ID_BYTES];
    cJSON *line = cJSON_CreateObject();
    values_add_text(line, "path", path);
    cJSON_AddStringToObject(line, "sender", weft_session_id_format(sender, id));
    cJSON_AddStringToObject(line, "outcome", weft_error_name(outcome));
    (void)output_stream(&reply->ctl->output, line, &view);
    cJSON_Delete(line);
    reply->answered++;
}

/* Answers with the value; what the node does not take is told to the caller instead. Returns the
 * outcome that the caller gets. */
static enum weft_error respond(const struct reply *reply, uint64_t responder,
                               const struct weft_value *value)
{
    enum weft_error error = weft_respond(reply->client, responder, value);
    if (error == WEFT_LIMIT_REACHED) {
        error = weft_fail(reply->client, responder, "the answer is larger than the node takes");
        return error == WEFT_OK ? WEFT_HANDLER_ERROR : error;
    }
    return error;
}

static enum weft_error fail(const struct reply *reply, uint64_t responder, const char *text)
{
    enum weft_error error = weft_fail(reply->client, responder, text);
    return error == WEFT_OK ? WEFT_HANDLER_ERROR : error;
}

/* ---- commands ---- */

/* A value as the bytes that a command reads; numbers in digits. *digits: room for them. */
static struct weft_text bytes_of(const struct weft_value *value, char digits[VALUES_DOUBLE_BYTES])
{
    switch (value->type) {
    case WEFT_INT64:
        (void)snprintf(digits, VALUES_DOUBLE_BYTES, "%" PRId64, value->int64);
        return values_text(digits);
    case WEFT_DOUBLE:
        return values_text(values_format_double(value->number, digits));
    case WEFT_JSON:
    case WEFT_STRING:
    case WEFT_BINARY:
        break;
    }
    return (struct weft_text){value->data, value->bytes};
}

/* What the handler asked to know of the sender, as an object. */
static void tell_properties(struct weft_rows properties)
{
    cJSON *object = cJSON_CreateObject();
    struct weft_property_row property;
    char key[PROPERTY_KEY_BYTES];
    while (weft_next_property(&properties, &property)) {
        (void)snprintf(key, sizeof key, "%.*s", (int)property.key.bytes, property.key.data);
        values_add_text(object, key, property.value);
    }
    char *text = cJSON_PrintUnformatted(object);
    (void)setenv("WEFT_PROPERTIES", text == NULL ? "{}" : text, 1);
    cJSON_free(text);
    cJSON_Delete(object);
}

static void tell_command(const struct task *task, const struct weft_incoming *incoming)
{
    char id[WEFT_SESSION_ID_BYTES];
    tell_properties(incoming->properties);
    (void)setenv("WEFT_PATH", task->path, 1);
    (void)setenv("WEFT_SENDER", weft_session_id_format(task->sender, id), 1);
    (void)setenv("WEFT_TYPE", values_type_name(incoming->value.type), 1);
}

static struct task *free_task(struct reply *reply)
{
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (reply->tasks[i].job.pid == 0)
            return &reply->tasks[i];
    return NULL;
}

static void start_command(struct reply *reply, const struct weft_incoming *incoming)
{
    struct task *task = free_task(reply);
    char digits[VALUES_DOUBLE_BYTES], text[REASON_BYTES];
    if (task == NULL) {
        (void)snprintf(text, sizeof text, "%d commands are at work already; ask again later",
                       JOBS_MAX);
        enum weft_error error = weft_reject(reply->client, incoming->responder, text);
        write_line(reply, incoming->path, incoming->sender,
                   error == WEFT_OK ? WEFT_REJECTED : error);
        return;
    }
    task->responder = incoming->responder;
    task->end_ms = ctl_now_ms() + incoming->timeout_ms;
    task->is_late = false;
    task->sender = incoming->sender;
    (void)snprintf(task->path, sizeof task->path, "%.*s", (int)incoming->path.bytes,
                   incoming->path.data);
    tell_command(task, incoming);
    struct weft_text input = bytes_of(&incoming->value, digits);
    const char *why = job_start(&task->job, reply->command, input.data, input.bytes);
    if (why != NULL) {
        (void)snprintf(text, sizeof text, "the command could not be started: %s", why);
        write_line(reply, incoming->path, incoming->sender, fail(reply, incoming->responder, text));
    }
}

/* What the caller gets for a command that has ended. */
static enum weft_error answer_command(const struct reply *reply, struct task *task)
{
    struct job *job = &task->job;
    struct weft_value value;
    char text[REASON_BYTES];
    char *memory = NULL;
    if (task->is_late)
        return WEFT_TIMEOUT;
    if (job->is_too_long)
        return fail(reply, task->responder, "the command printed more than 1 MiB");
    if (WIFSIGNALED(job->status))
        (void)snprintf(text, sizeof text, "the command was ended by signal %d",
                       WTERMSIG(job->status));
    else
        (void)snprintf(text, sizeof text, "the command exited with %d", WEXITSTATUS(job->status));
    if (!WIFEXITED(job->status) || WEXITSTATUS(job->status) != 0)
        return fail(reply, task->responder, text);
    value = weft_binary(job->output, job->output_bytes);
    if (reply->type == WEFT_BINARY)
        return respond(reply, task->responder, &value);
    size_t bytes = job->output_bytes;
    bytes -= bytes > 0 && job->output[bytes - 1] == '\n';
    char *copy = strndup(job->output, bytes); /* ends with NUL, for the numbers */
    const char *why =
        copy == NULL
            ? "out of memory"
            : values_from_text(reply->type, reply->type == WEFT_STRING ? job->output : copy, bytes,
                               &value, &memory);
    (void)snprintf(text, sizeof text, "what the command printed is not of type %s: %s",
                   values_type_name(reply->type), why == NULL ? "" : why);
    enum weft_error outcome =
        why == NULL ? respond(reply, task->responder, &value) : fail(reply, task->responder, text);
    free(copy);
    free(memory);
    return outcome;
}

static void progress_commands(struct reply *reply)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        struct task *task = &reply->tasks[i];
        if (task->job.pid == 0)
            continue;
        if (job_progress(&task->job)) {
            write_line(reply, values_text(task->path), task->sender, answer_command(reply, task));
            job_clear(&task->job);
        } else if (!task->is_late && ctl_now_ms() >= task->end_ms) {
            task->is_late = true;
            job_kill(&task->job);
        }
    }
}

/* Waits until there is something to do, for the mesh or for a command. */
static void wait_for_work(const struct reply *reply)
{
    struct pollfd polls[1 + JOBS_MAX * JOB_POLLS];
    nfds_t count = 1;
    polls[0] = (struct pollfd){.fd = weft_fd(reply->client), .events = POLLIN};
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (reply->tasks[i].job.pid == 0)
            continue;
        job_polls(&reply->tasks[i].job, &polls[count]);
        count += JOB_POLLS;
    }
    (void)poll(polls, count, LOOK_MS);
}

/* ---- the session ---- */

static void on_request(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    struct reply *reply = user;
    (void)client;
    if (reply->command != NULL) {
        start_command(reply, incoming);
        return;
    }
    const struct weft_value *value = reply->is_echo ? &incoming->value : &reply->value;
    write_line(reply, incoming->path, incoming->sender, respond(reply, incoming->responder, value));
}

static void on_registered(struct weft_client *client, enum weft_error error, struct weft_text text,
                          void *user)
{
    struct reply *reply = user;
    char id[WEFT_SESSION_ID_BYTES];
    if (error != WEFT_OK) {
        reply->error = error;
        (void)snprintf(reply->why, sizeof reply->why, "%.*s", (int)text.bytes, text.data);
        return;
    }
    reply->is_ready = true;
    fprintf(stderr, "weftctl: ready %s\n", weft_session_id_format(weft_session(client), id));
}

static void on_lost(struct weft_client *client, struct weft_text why, void *user)
{
    const struct reply *reply = user;
    (void)client;
    if (reply->is_ready)
        problems_note("CLUSTER_ROUTING", "%.*s; looking for another node", (int)why.bytes,
                      why.data);
}

static void on_closed(struct weft_client *client, const struct weft_closed *closed, void *user)
{
    struct reply *reply = user;
    bool had_session = weft_session(client).instance != 0;
    reply->is_closed = true;
    reply->error = closed->error;
    (void)snprintf(reply->why, sizeof reply->why, "%s%s%.*s",
                   had_session ? weft_close_reason_name(closed->reason) : "",
                   had_session && closed->text.bytes > 0 ? ": " : "", (int)closed->text.bytes,
                   closed->text.data);
}

/* Serves until something ends it. */
static int serve(struct reply *reply)
{
    const struct ctl *ctl = reply->ctl;
    uint64_t end_ms = ctl_end_ms(ctl), ready_ms = ctl_now_ms() + ctl->timeout_ms;
    while (!ctl_is_stopped() && ctl_now_ms() < end_ms) {
        (void)weft_progress(reply->client);
        progress_commands(reply);
        if (reply->is_closed || reply->error != WEFT_OK)
            return problems_of_error(reply->error, values_text(reply->why), 0, 0);
        if (ctl->count > 0 && reply->answered >= ctl->count)
            break;
        if (!reply->is_ready && ctl_now_ms() >= ready_ms)
            return ctl_no_session(ctl, reply->client);
        wait_for_work(reply);
    }
    return EXIT_COMPLETE;
}

static int read_answer(struct reply *reply)
{
    const struct ctl *ctl = reply->ctl;
    const char *name = ctl_flag(ctl, FLAG_TYPE);
    reply->type = WEFT_STRING;
    reply->is_echo = ctl_flag(ctl, FLAG_ECHO) != NULL;
    reply->command = ctl_flag(ctl, FLAG_COMMAND);
    if (name != NULL && !values_parse_type(name, &reply->type))
        return problems_usage("--type takes string, json, int64, double or binary, not '%s'", name);
    bool has_value = ctl->words_count > 1;
    if (has_value + reply->is_echo + (reply->command != NULL) != 1)
        return problems_usage("reply takes one of VALUE, --echo and --command CMD");
    if (!has_value)
        return EXIT_COMPLETE;
    const char *text = ctl->words[1];
    const char *why =
        values_from_text(reply->type, text, strlen(text), &reply->value, &reply->memory);
    return why == NULL ? EXIT_COMPLETE
                       : problems_usage("VALUE '%.40s' with --type %s: %s", text, name, why);
}

static int open_and_serve(struct reply *reply)
{
    struct weft_options options;
    ctl_options(reply->ctl, &options);
    options.lost = on_lost;
    options.closed = on_closed;
    options.user = reply;
    reply->client = weft_new(&options);
    if (reply->client == NULL)
        return ctl_no_client(reply->ctl);
    const struct weft_handler_options how = {
        .is_direct = ctl_flag(reply->ctl, FLAG_DIRECT) != NULL,
        .keys = ctl_flag(reply->ctl, FLAG_KEYS),
    };
    enum weft_error error = weft_handle_with(reply->client, reply->ctl->words[0], &how, on_request,
                                             on_registered, reply);
    int code = error == WEFT_OK
                   ? serve(reply)
                   : problems_of_error(
                         error, values_text(error == WEFT_INVALID_PATH ? CTL_PATH_RULE : ""), 0, 0);
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (reply->tasks[i].job.pid != 0)
            job_clear(&reply->tasks[i].job);
    weft_destroy(&reply->client);
    return code;
}

int reply_run(struct ctl *ctl)
{
    struct reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL)
        return problems_report("INTERNAL", "out of memory");
    reply->ctl = ctl;
    int code = read_answer(reply);
    if (code == EXIT_COMPLETE) {
        ctl_catch_signals();
        code = open_and_serve(reply);
    }
    free(reply->memory);
    free(reply);
    return code;
}
