/* conduct.c - see conduct.h. */
#include "mesh/sessions/conduct.h"

#include "mesh/sessions/table.h"
#include "proto/kinds.h"

/* Two slips are a bug in a client; three at once are a client that does not know what it says. */
#define BLAME_WINDOW_NS (UINT64_C(10000) * 1000000)

/* A client holds what it sent until it hears of it: some ten frames full. Half as many doubles what
 * is said for it, a message in some hundred now; twice as many, what each client holds. */
enum { ACKNOWLEDGE_MESSAGES = 128, ACKNOWLEDGE_BYTES = 256 * 1024 };

void conduct_heard(struct sessions *sessions, struct session *session)
{
    session->heard_ns = sessions->context->now_ns;
}

/* When a client that was heard of then is asked whether it lives, or is asked again. All whose time
 * comes within a quarter of a second are asked at once: a burst of frames costs less than as many
 * frames alone. Rounded down, so that the node asks before its clients do. */
static uint64_t ask_ns(uint64_t since_ns)
{
    const uint64_t together_ns = UINT64_C(1) << 28;
    return (since_ns + SESSION_SILENCE_NS) / together_ns * together_ns;
}

void conduct_silence(struct sessions *sessions, struct session *session)
{
    struct context *context = sessions->context;
    uint64_t end_ns = session->heard_ns + SESSION_SILENCE_END_NS;
    uint64_t next_ns = ask_ns(session->heard_ns);
    if (next_ns <= context->now_ns) {
        struct outgoing ping = {.kind = KIND_PING};
        sessions_send(sessions, session, &ping);
        next_ns = ask_ns(context->now_ns);
    }
    if (session->phase == SESSION_PHASE_OPEN)
        deadlines_set(context->deadlines, &session->deadline, next_ns < end_ns ? next_ns : end_ns);
}

void conduct_count(struct sessions *sessions, struct session *session,
                   const struct message *message)
{
    if (!kind_is_numbered(message->kind))
        return;
    session->received_seq++;
    session->unacknowledged_bytes +=
        MESSAGE_HEADER_BYTES + message->fields.bytes + message->body.bytes;
    bool is_due = session->received_seq - session->acknowledged_seq >= ACKNOWLEDGE_MESSAGES ||
                  session->unacknowledged_bytes >= ACKNOWLEDGE_BYTES;
    if (!is_due || session->reconnect_ms == 0)
        return;
    struct client_grant grant = {
        .received_seq = session->received_seq,
        .messages_limit = UINT32_MAX, /* a client's messages are limited by what they ask for */
        .bytes_limit = UINT32_MAX,
    };
    struct outgoing message_out = {
        .kind = KIND_GRANT,
        .schema = &client_grant_schema,
        .fields = &grant,
    };
    session->acknowledged_seq = session->received_seq;
    session->unacknowledged_bytes = 0;
    sessions_send(sessions, session, &message_out);
}

/* received_seq and messages_limit are cumulative, so what is under way stays counted. How many
 * bytes that is, the receiver does not say: bytes_limit counts from here, and at most twice as
 * much can be under way. */
static enum error grant(struct session *session, const struct message *message)
{
    struct client_grant grant;
    enum error error = schema_decode(&client_grant_schema, message->fields, &grant);
    if (error != ERROR_OK)
        return error;
    struct outbound *queue = &session->outbound;
    if (!outbound_acknowledge(queue, grant.received_seq))
        return ERROR_INVALID_MESSAGE;
    outbound_grant(queue, grant.received_seq + grant.messages_limit,
                   queue->credit_bytes_sent + grant.bytes_limit);
    return ERROR_OK;
}

static enum error goodbye(struct sessions *sessions, struct session *session,
                          const struct message *message)
{
    struct client_goodbye goodbye;
    enum error error = schema_decode(&client_goodbye_schema, message->fields, &goodbye);
    if (error == ERROR_OK)
        sessions_close(sessions, session, CLOSE_REASON_CLOSED_BY_CLIENT, (struct span){0});
    return error;
}

enum error conduct_receive(struct sessions *sessions, struct session *session,
                           const struct message *message)
{
    struct outgoing pong = {.kind = KIND_PONG, .correlation = message->correlation};
    switch (message->kind) {
    case KIND_PING:
        sessions_send(sessions, session, &pong);
        return ERROR_OK;
    case KIND_PONG:
        return ERROR_OK;
    case KIND_GRANT:
        return grant(session, message);
    case KIND_GOODBYE:
        return goodbye(sessions, session, message);
    default: /* a kind is a number from outside: HELLO twice, or what no client may say */
        return ERROR_INVALID_MESSAGE;
    }
}

void conduct_blame(struct sessions *sessions, struct session *session, uint64_t correlation,
                   enum error error, struct span text)
{
    struct context *context = sessions->context;
    uint64_t now_ns = context->now_ns;
    uint64_t oldest_ns = session->invalid_ns[1];
    count(context, COUNTER_client_messages_invalid);
    session->invalid_ns[1] = session->invalid_ns[0];
    session->invalid_ns[0] = now_ns;
    sessions_send_error(sessions, session, correlation, error, text);
    if (oldest_ns != 0 && now_ns - oldest_ns <= BLAME_WINDOW_NS)
        sessions_close(sessions, session, CLOSE_REASON_INVALID_MESSAGE,
                       span_text("three malformed messages within 10 s"));
}
