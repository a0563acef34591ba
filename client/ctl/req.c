/* req.c - see req.h. */
#include "client/ctl/req.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "client/ctl/input.h"
#include "client/ctl/reach.h"
#include "client/ctl/values.h"
#include "client/weft_requests.h"

enum { RETRY_PAUSE_MS = 20 }; /* of --wait; a handler is known everywhere within a few times that */

struct question {
    struct input value;
    uint64_t wait_ms;
    struct weft_session_id to; /* none: whoever serves the path */
    struct weft_request_options options;
};

/* A request to a filter, as its lines come. */
struct stream {
    struct ctl *ctl;
    bool is_over;
    int code;
};

static int read_question(const struct ctl *ctl, struct question *question)
{
    const char *wait = ctl_flag(ctl, FLAG_WAIT), *to = ctl_flag(ctl, FLAG_TO);
    if (to != NULL && !weft_session_id_parse(to, &question->to))
        return problems_usage("--to takes the ID of a session, as `session ls` shows it, not '%s'",
                              to);
    if (to != NULL && ctl_flag(ctl, FLAG_FILTER) != NULL)
        return problems_usage("req takes one of --to and --filter");
    if (wait != NULL && !values_parse_duration(wait, &question->wait_ms))
        return problems_usage("--wait takes a time such as 500ms, 10s or 5m, not '%s'", wait);
    question->options = (struct weft_request_options){
        .timeout_ms = ctl->timeout_ms,
        .is_idempotent = ctl_flag(ctl, FLAG_IDEMPOTENT) != NULL,
    };
    return input_read(ctl, 1, &question->value);
}

static const struct weft_value *value_of(const struct question *question)
{
    return question->value.is_there ? &question->value.value : NULL;
}

/* Asks, again and again while nobody serves the path and the time to wait is not over. */
static const struct weft_response *ask(const struct ctl *ctl, const struct question *question,
                                       uint64_t end_ms)
{
    for (;;) {
        const struct weft_response *response =
            question->to.instance != 0 || question->to.serial != 0
                ? weft_request_to_wait(ctl->client, question->to, ctl->words[0], value_of(question),
                                       &question->options)
                : weft_request_wait(ctl->client, ctl->words[0], value_of(question),
                                    &question->options);
        uint64_t now_ms = ctl_now_ms();
        bool may_come = response->outcome == WEFT_NO_HANDLER;
        if (!may_come || now_ms + RETRY_PAUSE_MS > end_ms)
            return response;
        for (uint64_t next_ms = now_ms + RETRY_PAUSE_MS; now_ms < next_ms; now_ms = ctl_now_ms())
            (void)weft_run(ctl->client, (int)(next_ms - now_ms));
    }
}

/* The response's words, or the general sentence. */
static struct weft_text words_of(const struct weft_response *response)
{
    if (response->message.bytes > 0 || response->outcome == WEFT_OK)
        return response->message;
    if (response->outcome == WEFT_LIMIT_REACHED) /* found here, before anything was sent */
        return values_text("the VALUE is larger than the node takes");
    if (response->outcome == WEFT_INVALID_PATH)
        return values_text(CTL_PATH_RULE);
    return values_text(weft_error_sentence(response->outcome));
}

static bool write_document(const struct ctl *ctl, const struct weft_response *response)
{
    static const struct output_column columns[] = {
        {"outcome", "OUTCOME", NULL, OUTPUT_STATE, false},
        {"type", "TYPE", NULL, OUTPUT_TEXT, false},
        {"value", "VALUE", NULL, OUTPUT_TEXT, false},
        {"took_us", "TOOK", NULL, OUTPUT_US, false},
        {"message", "MESSAGE", NULL, OUTPUT_TEXT, false},
    };
    static const struct output_view view = {.columns = columns,
                                            .columns_count = sizeof columns / sizeof columns[0]};
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "outcome", weft_error_name(response->outcome));
    if (response->outcome == WEFT_OK)
        values_add(document, &response->value);
    cJSON_AddNumberToObject(document, "took_us", (double)response->took_us);
    values_add_text(document, "message", words_of(response));
    bool is_written = output_write(&ctl->output, document, &view);
    cJSON_Delete(document);
    return is_written;
}

static int show(const struct ctl *ctl, const struct weft_response *response)
{
    bool is_ok = response->outcome == WEFT_OK;
    if (ctl->output.format != OUTPUT_TABLE) {
        if (!write_document(ctl, response))
            return problems_report("INTERNAL", "out of memory");
    } else if (is_ok) {
        values_print(stdout, &response->value);
    }
    if (is_ok)
        return EXIT_COMPLETE;
    struct weft_text words = words_of(response);
    problems_note(weft_error_name(response->outcome), "%.*s", (int)words.bytes, words.data);
    return EXIT_ERROR;
}

/* ---- to all that match ---- */

static const struct output_column part_columns[] = {
    {"session", "SESSION", NULL, OUTPUT_TEXT, false},
    {"outcome", "OUTCOME", NULL, OUTPUT_STATE, false},
    {"type", "TYPE", NULL, OUTPUT_TEXT, true},
    {"value", "VALUE", NULL, OUTPUT_TEXT, false},
    {"message", "MESSAGE", NULL, OUTPUT_TEXT, false},
};
static const struct output_view part_view = {
    .columns = part_columns,
    .columns_count = sizeof part_columns / sizeof part_columns[0],
};

static void on_part(struct weft_client *client, const struct weft_part *part, void *user)
{
    struct stream *stream = user;
    char id[WEFT_SESSION_ID_BYTES];
    cJSON *line = cJSON_CreateObject();
    (void)client;
    cJSON_AddStringToObject(line, "session", weft_session_id_format(part->session, id));
    cJSON_AddStringToObject(line, "outcome", weft_error_name(part->outcome));
    if (part->outcome == WEFT_OK)
        values_add(line, &part->value);
    values_add_text(line, "message", part->message);
    (void)output_stream(&stream->ctl->output, line, &part_view);
    cJSON_Delete(line);
}

/* A node that did not come to the end, in words. */
static void node_note(const struct weft_node_answer *answer)
{
    problems_note("PARTIAL", "%.*s: %s: of %u sessions there %u have no answer",
                  (int)answer->node.bytes, answer->node.data, weft_error_name(answer->error),
                  answer->matched, answer->failed);
}

static void write_end(const struct stream *stream, const struct weft_end *end)
{
    struct weft_result reached = {
        .nodes_asked = end->nodes_asked,
        .nodes_answered = end->nodes_answered,
        .is_complete = end->nodes_asked == end->nodes_answered,
        .nodes = end->nodes,
    };
    struct weft_node_answer answer = {0};
    cJSON *line = cJSON_CreateObject(), *nodes = cJSON_CreateArray();
    cJSON_AddBoolToObject(line, "end", true);
    cJSON_AddStringToObject(line, "outcome", weft_error_name(end->outcome));
    cJSON_AddNumberToObject(line, "sent", end->sent);
    cJSON_AddNumberToObject(line, "answered", end->answered);
    cJSON_AddNumberToObject(line, "took_us", (double)end->took_us);
    while (reach_next(&reached, &answer)) {
        cJSON *node = reach_add_node(nodes, &answer);
        cJSON_AddNumberToObject(node, "sent", answer.matched);
        cJSON_AddNumberToObject(node, "answered", answer.applied);
        cJSON_AddNumberToObject(node, "failed", answer.failed);
    }
    reach_add(line, &reached, nodes);
    if (output_is_json(&stream->ctl->output))
        (void)output_stream(&stream->ctl->output, line, &part_view);
    cJSON_Delete(line);
}

static void on_end(struct weft_client *client, const struct weft_end *end, void *user)
{
    struct stream *stream = user;
    struct weft_rows nodes = end->nodes;
    struct weft_node_answer answer;
    (void)client;
    stream->is_over = true;
    if (end->nodes_asked == 0) { /* it was refused, or ended on this side */
        stream->code = problems_of_error(end->outcome, end->message, end->line, end->column);
        return;
    }
    write_end(stream, end);
    if (end->sent == 0 && end->outcome == WEFT_OK && !output_is_json(&stream->ctl->output))
        problems_note("NO_SUCH_SESSION", "no session matches, on %u of %u nodes",
                      end->nodes_answered, end->nodes_asked);
    while (weft_next_node(&nodes, &answer))
        if (answer.error != WEFT_OK)
            node_note(&answer);
    stream->code = end->outcome != WEFT_OK ? EXIT_PARTIAL
                   : end->sent == 0        ? EXIT_NOTHING
                                           : EXIT_COMPLETE;
}

static int ask_matching(struct ctl *ctl, const struct question *question, const char *filter)
{
    static const struct weft_matching_calls calls = {.part = on_part, .end = on_end};
    struct stream stream = {.ctl = ctl};
    if (filter[0] == '\0') /* to the library that is no filter, and so an argument */
        return problems_of_error(WEFT_INVALID_FILTER, values_text(""), 0, 0);
    enum weft_error error =
        weft_request_matching(ctl->client, filter, ctl->words[0], value_of(question),
                              &question->options, &calls, &stream, NULL);
    if (error != WEFT_OK)
        return problems_of_error(
            error, values_text(error == WEFT_INVALID_PATH ? CTL_PATH_RULE : ""), 0, 0);
    while (!stream.is_over)
        (void)weft_run(ctl->client, -1);
    return stream.code;
}

int req_run(struct ctl *ctl)
{
    struct question question = {.wait_ms = 0};
    uint64_t started_ms = ctl_now_ms();
    int code = read_question(ctl, &question);
    if (code == EXIT_COMPLETE) {
        ctl->is_patient = question.wait_ms > 0; /* the node may come up as late as the handler */
        code = ctl_connect(ctl);
    }
    const char *filter = ctl_flag(ctl, FLAG_FILTER);
    if (code == EXIT_COMPLETE)
        code = filter == NULL ? show(ctl, ask(ctl, &question, started_ms + question.wait_ms))
                              : ask_matching(ctl, &question, filter);
    input_clear(&question.value);
    return code;
}
