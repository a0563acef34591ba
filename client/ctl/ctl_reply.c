/* ctl_reply.c - see ctl_reply.h. */
#include "client/ctl/ctl_reply.h"

#include "client/ctl/ctl_output.h"
#include "client/ctl/ctl_pipe.h"
#include "client/ctl/ctl_request.h"

#include <stdio.h>
#include <stdlib.h>

struct reply {
    struct ctl *ctl;
    struct weft_value value;
    uint64_t answered;
};

static bool is_full(const struct reply *reply)
{
    return (reply->ctl->given & CTL_OPT_COUNT) != 0 && reply->answered >= reply->ctl->count;
}

static void tell(const struct reply *reply, const struct weft_incoming *incoming,
                 const char *outcome)
{
    char id[WEFT_SESSION_ID_BYTES];
    cJSON *tree = cJSON_CreateObject();
    ctl_output_text(tree, "path", incoming->path);
    ctl_output_id(tree, "sender", incoming->sender);
    ctl_output_string(tree, "outcome", outcome);
    ctl_output_one(reply->ctl, tree, "%s  %.*s  %s\n", weft_session_id_format(incoming->sender, id),
                   (int)incoming->path.bytes, incoming->path.data, outcome);
    cJSON_Delete(tree);
}

/* Runs the command on the request's value. */
static const char *answer_by_command(struct weft_client *client,
                                     const struct weft_incoming *incoming, const char *command)
{
    char *output = NULL;
    size_t bytes = 0;
    char failure[128];
    if (!ctl_pipe_run(command, &incoming->value, incoming->timeout_ms, &output, &bytes, failure,
                      sizeof failure)) {
        (void)weft_fail(client, incoming->responder, failure);
        return "HANDLER_ERROR";
    }
    const struct weft_value value = {.type = WEFT_STRING, .data = output, .bytes = bytes};
    enum weft_error error = weft_respond(client, incoming->responder, &value);
    free(output);
    return weft_error_name(error);
}

static void on_request(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    struct reply *reply = user;
    const struct ctl *ctl = reply->ctl;
    const char *outcome;
    if (is_full(reply)) { /* the last one has been answered, and the rest is not ours */
        (void)weft_reject(client, incoming->responder, "this handler is about to leave");
        return;
    }
    if (ctl->command != NULL)
        outcome = answer_by_command(client, incoming, ctl->command);
    else
        outcome = weft_error_name(weft_respond(client, incoming->responder,
                                               ctl->echo ? &incoming->value : &reply->value));
    reply->answered++;
    tell(reply, incoming, outcome);
}

static int serve(struct reply *reply)
{
    struct ctl *ctl = reply->ctl;
    enum weft_error error = weft_handle_wait(ctl->client, ctl->arguments[0], on_request, reply);
    if (error != WEFT_OK)
        return ctl_fail(ctl, weft_error_name(error), "%s: %s", ctl->arguments[0],
                        weft_error_sentence(error));
    ctl_stream_begin(ctl);
    ctl_stream_ready(ctl);
    while (!is_full(reply) && !weft_is_closed(ctl->client) && ctl_stream_wait(ctl, -1)) {
    }
    if (weft_is_closed(ctl->client)) {
        const char *why = weft_last_failure(ctl->client);
        return ctl_fail(ctl, "SESSION_CLOSED", "the session was closed from outside%s%s",
                        why[0] == '\0' ? "" : ": ", why);
    }
    return CTL_COMPLETE;
}

int ctl_reply_run(struct ctl *ctl)
{
    struct reply reply = {.ctl = ctl};
    char *memory = NULL;
    int ways = (ctl->arguments_count > 1) + ctl->echo + (ctl->command != NULL);
    if (ways != 1)
        return ctl_fail(ctl, "USAGE", "reply needs one of VALUE, --echo, --command CMD; %d given",
                        ways);
    int code = ctl_request_value(ctl, ctl->arguments_count > 1 ? ctl->arguments[1] : NULL,
                                 &reply.value, &memory);
    if (code == CTL_COMPLETE)
        code = ctl_open(ctl, true);
    if (code == CTL_COMPLETE)
        code = serve(&reply);
    free(memory);
    return code;
}
