/* ctl_request.c - see ctl_request.h. */
#include "client/ctl/ctl_request.h"

#include "client/ctl/ctl_output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES_MAX = 1024 * 1024, RETRY_MS = 50 };

/* All of standard input; NULL when it is too large or can't be read. */
static char *read_input(size_t *bytes)
{
    char *memory = malloc(INPUT_BYTES_MAX + 1);
    if (memory == NULL)
        return NULL;
    *bytes = fread(memory, 1, INPUT_BYTES_MAX + 1, stdin);
    if (ferror(stdin) != 0 || *bytes > INPUT_BYTES_MAX) {
        free(memory);
        return NULL;
    }
    memory[*bytes] = '\0';
    return memory;
}

static bool read_number(const char *text, struct weft_value *value)
{
    char *end = NULL;
    errno = 0;
    if (value->type == WEFT_INT64)
        value->int64 = strtoll(text, &end, 10);
    else
        value->number = strtod(text, &end);
    return errno == 0 && end != text && *end == '\0';
}

int ctl_request_value(const struct ctl *ctl, const char *text, struct weft_value *value,
                      char **memory)
{
    *memory = NULL;
    *value = (struct weft_value){.type = ctl->type};
    if (text == NULL)
        return CTL_COMPLETE;
    size_t bytes = strlen(text);
    if (strcmp(text, "-") == 0) {
        *memory = read_input(&bytes);
        if (*memory == NULL)
            return ctl_fail(ctl, "USAGE", "standard input can't be read, or is larger than 1 MiB");
        text = *memory;
    }
    value->data = text;
    value->bytes = bytes;
    if ((value->type == WEFT_INT64 || value->type == WEFT_DOUBLE) && !read_number(text, value))
        return ctl_fail(ctl, "USAGE", "'%s' is not a number of that type", text);
    if (value->type == WEFT_JSON) {
        cJSON *tree = cJSON_ParseWithLengthOpts(text, bytes + 1, NULL, 1);
        if (tree == NULL)
            return ctl_fail(ctl, "USAGE", "the value is not JSON; --type string takes any text");
        cJSON_Delete(tree);
    }
    return CTL_COMPLETE;
}

/* Whether asking again may help: the mesh may not have heard of the handler yet. */
static bool may_come(enum weft_error outcome)
{
    return outcome == WEFT_NO_HANDLER || outcome == WEFT_CLUSTER_ROUTING ||
           outcome == WEFT_NOT_READY;
}

/* The bare value, with a newline unless it is binary. */
static void print_value(const struct weft_value *value)
{
    if (value->type == WEFT_INT64)
        (void)printf("%" PRId64, value->int64);
    else if (value->type == WEFT_DOUBLE)
        (void)printf("%.17g", value->number);
    else if (value->bytes > 0)
        (void)fwrite(value->data, 1, value->bytes, stdout);
    if (value->type != WEFT_BINARY)
        (void)putchar('\n');
    (void)fflush(stdout);
}

static int show(struct ctl *ctl, const struct weft_response *response)
{
    if (!ctl_output_is_for_people(ctl)) {
        cJSON *tree = cJSON_CreateObject();
        ctl_output_string(tree, "outcome", weft_error_name(response->outcome));
        if (response->outcome == WEFT_OK)
            ctl_output_value(tree, &response->value);
        ctl_output_number(tree, "took_us", response->took_us);
        ctl_output_text(tree, "message", response->message);
        ctl_output_one(ctl, tree, "%s", "");
        cJSON_Delete(tree);
    } else if (response->outcome == WEFT_OK) {
        print_value(&response->value);
    }
    if (response->outcome == WEFT_OK)
        return CTL_COMPLETE;
    /* JSON has said it already, in the shape of an outcome. */
    struct ctl plain = {.format = CTL_TABLE};
    return ctl_fail_with(&plain, response->outcome, response->message);
}

static int ask(struct ctl *ctl, const struct weft_value *value)
{
    const struct weft_request_options options = {
        .timeout_ms = ctl->timeout_ms,
        .is_idempotent = ctl->is_idempotent,
    };
    uint64_t end_ms = ctl_now_ms() + ctl->wait_ms;
    for (;;) {
        const struct weft_response *response =
            weft_request_wait(ctl->client, ctl->arguments[0], value, &options);
        if (!may_come(response->outcome) || ctl_now_ms() >= end_ms)
            return show(ctl, response);
        uint64_t next_ms = ctl_now_ms() + RETRY_MS;
        while (ctl_now_ms() < next_ms)
            (void)weft_run(ctl->client, RETRY_MS);
    }
}

int ctl_request_req(struct ctl *ctl)
{
    struct weft_value value;
    char *memory;
    const char *text = ctl->arguments_count > 1 ? ctl->arguments[1] : NULL;
    int code = ctl_request_value(ctl, text, &value, &memory);
    if (code == CTL_COMPLETE)
        code = ctl_open(ctl, (ctl->given & CTL_OPT_WAIT) != 0);
    if (code == CTL_COMPLETE)
        code = ask(ctl, &value);
    free(memory);
    return code;
}
