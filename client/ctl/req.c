/* req.c - see req.h. */
#include "client/ctl/req.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "client/ctl/input.h"
#include "client/ctl/values.h"

enum { RETRY_PAUSE_MS = 20 }; /* of --wait; a handler is known everywhere within a few times that */

struct question {
    struct input value;
    uint64_t wait_ms;
    struct weft_request_options options;
};

static int read_question(const struct ctl *ctl, struct question *question)
{
    const char *wait = ctl_flag(ctl, FLAG_WAIT);
    if (wait != NULL && !values_parse_duration(wait, &question->wait_ms))
        return problems_usage("--wait takes a time such as 500ms, 10s or 5m, not '%s'", wait);
    question->options = (struct weft_request_options){
        .timeout_ms = ctl->timeout_ms,
        .is_idempotent = ctl_flag(ctl, FLAG_IDEMPOTENT) != NULL,
    };
    return input_read(ctl, 1, &question->value);
}

/* Asks, again and again while nobody serves the path and the time to wait is not over. */
static const struct weft_response *ask(const struct ctl *ctl, const struct question *question,
                                       uint64_t end_ms)
{
    for (;;) {
        const struct weft_response *response = weft_request_wait(
            ctl->client, ctl->words[0], question->value.is_there ? &question->value.value : NULL,
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

int req_run(struct ctl *ctl)
{
    struct question question = {.wait_ms = 0};
    uint64_t started_ms = ctl_now_ms();
    int code = read_question(ctl, &question);
    if (code == EXIT_COMPLETE) {
        ctl->is_patient = question.wait_ms > 0; /* the node may come up as late as the handler */
        code = ctl_connect(ctl);
    }
    if (code == EXIT_COMPLETE)
        code = show(ctl, ask(ctl, &question, started_ms + question.wait_ms));
    input_clear(&question.value);
    return code;
}
