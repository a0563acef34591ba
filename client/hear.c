/* hear.c - see hear.h. What concerns the session as a whole goes to dialogue.c, the rest, by its
 * kind, to the file that asked for it or serves it.
 *
 * A callback may destroy the client: after each message, is_destroyed is looked at before anything
 * else is touched. */
#include "client/hear.h"

#include "client/calls.h"
#include "client/client.h"
#include "client/decide.h"
#include "client/dialogue.h"
#include "client/matching.h"
#include "client/query.h"
#include "client/topics.h"
#include "proto/envelope.h"
#include "proto/kinds.h"

enum {
    AHEAD_FRAME_BYTES_MIN = 12 * 1024, /* below, two frames cost more than waiting for one */
};

static struct span nothing(void)
{
    return (struct span){0};
}

static bool is_talking(const struct weft_client *client)
{
    return client->state == CLIENT_GREETING || client->state == CLIENT_OPEN;
}

/* A message of a kind this build does not know. */
static void unknown(struct weft_client *client, const struct message *message)
{
    if ((message->flags & MESSAGE_WANTS_ANSWER) == 0)
        return;
    const struct client_error answer = {.code = ERROR_VERSION_MISMATCH};
    (void)batch_put(&client->batch, &client_error_schema, &answer, KIND_ERROR, message->correlation,
                    nothing());
}

/* DONE and ERROR end whatever bears their number. */
static void answered(struct weft_client *client, const struct message *message)
{
    struct client_error said = {0};
    if (message->kind == KIND_ERROR &&
        schema_decode(&client_error_schema, message->fields, &said) != ERROR_OK)
        said = (struct client_error){.code = ERROR_INVALID_MESSAGE};
    if (slots_find(&client->slots, message->correlation, SLOT_REGISTRATION) != NULL)
        serve_registered(client, message->correlation, &said);
    else if (slots_find(&client->slots, message->correlation, SLOT_LISTENING) != NULL)
        listen_answered(client, message->correlation, &said);
    else if (slots_find(&client->slots, message->correlation, SLOT_SUBSCRIPTION) != NULL)
        subscriptions_answered(client, message->correlation, &said);
    else if (slots_find(&client->slots, message->correlation, SLOT_COMMAND) != NULL)
        query_failed(client, message->correlation, &said);
    else if (!topics_failed(client, message->correlation, &said))
        calls_failed(client, message->correlation, &said);
}

static void hear_open(struct weft_client *client, const struct message *message)
{
    switch (message->kind) {
    case KIND_RESPONSE:
        calls_response(client, message);
        break;
    case KIND_SPREAD:
        matching_spread(client, message);
        break;
    case KIND_PART:
        matching_part(client, message);
        break;
    case KIND_REQUEST:
        serve_request(client, message);
        break;
    case KIND_UNREGISTER:
        serve_taken_back(client, message);
        break;
    case KIND_CANCEL:
        serve_cancelled(client, message->correlation);
        break;
    case KIND_RESULT:
        query_result(client, message);
        break;
    case KIND_EVENT:
        listen_event(client, message);
        break;
    case KIND_UPDATE:
        subscriptions_update(client, message);
        break;
    case KIND_UNSUBSCRIBED:
        subscriptions_ended(client, message);
        break;
    case KIND_TOPIC:
        topics_result(client, message);
        break;
    case KIND_TOPICS:
        topics_fetched(client, message);
        break;
    case KIND_AUTHENTICATE:
        decide_asked(client, message);
        break;
    case KIND_MISSING_TOPIC:
        decide_missing(client, message);
        break;
    case KIND_DONE:
    case KIND_ERROR:
        answered(client, message);
        break;
    case KIND_WELCOME:
        break; /* said once; a second one changes nothing */
    default:
        unknown(client, message);
        break;
    }
}

/* The node lives: the next silence begins now. */
static void ponged(struct weft_client *client)
{
    if (!client->is_pinged)
        return;
    client->is_pinged = false;
    client_set_timer(client, client->heard_ns + client_ms_to_ns(client->options.silence_ms));
}

/* What the node has received need not be held here. */
static void acknowledged(struct weft_client *client, const struct message *message)
{
    struct client_grant grant;
    if (schema_decode(&client_grant_schema, message->fields, &grant) == ERROR_OK)
        batch_acknowledge(&client->batch, grant.received_seq);
}

static void hear_message(struct weft_client *client, const struct message *message)
{
    if (message->kind == KIND_REFUSED) {
        dialogue_refused(client, message);
    } else if (message->kind == KIND_GOODBYE) {
        dialogue_goodbye(client, message);
    } else if (message->kind == KIND_PING) {
        (void)batch_put(&client->batch, NULL, NULL, KIND_PONG, message->correlation, nothing());
    } else if (message->kind == KIND_PONG) {
        ponged(client);
    } else if (message->kind == KIND_GRANT) {
        acknowledged(client, message);
    } else if (client->state == CLIENT_OPEN) {
        if (kind_is_numbered(message->kind)) {
            client->credit.received_seq++;
            client->credit.bytes +=
                MESSAGE_HEADER_BYTES + message->fields.bytes + message->body.bytes;
        }
        hear_open(client, message);
    } else if (message->kind == KIND_WELCOME) {
        dialogue_welcomed(client, message);
    }
}

/* A long frame is answered in two: what came of its first quarter leaves ahead of the rest, so that
 * the next process is at work while we are. Returns how many bytes that is; SIZE_MAX: none. */
static size_t ahead_bytes(const struct weft_client *client, size_t frame_bytes)
{
    bool is_long = client->state == CLIENT_OPEN && frame_bytes >= AHEAD_FRAME_BYTES_MIN;
    return is_long ? frame_bytes / 4 : SIZE_MAX;
}

bool hear_frame(struct weft_client *client, struct span frame)
{
    bool is_secret = false;
    size_t ahead = ahead_bytes(client, frame.bytes);
    struct reader reader;
    struct envelope envelope;
    struct message message;
    reader_init(&reader, frame);
    enum error error = envelope_decode(&reader, CHANNEL_CLIENT, &envelope);
    bool is_readable = error == ERROR_OK || error == ERROR_VERSION_MISMATCH;
    client->heard_ns = reactor_now_ns();
    while (is_readable && message_next(&reader, &message, &error)) {
        is_secret = is_secret || kind_is_secret(message.kind);
        hear_message(client, &message);
        if (client->is_destroyed || client->is_closing || !is_talking(client))
            return true; /* nobody looks at the rest */
        if (client->batch.bytes >= ahead) {
            (void)batch_flush(&client->batch, &client->dealer);
            ahead = SIZE_MAX;
        }
    }
    if (error == ERROR_OK)
        return is_secret;
    dialogue_unreadable(client);
    return is_secret;
}
