/* conduct.c - see conduct.h. */
#include "mesh/sessions/conduct.h"

#include "mesh/sessions/table.h"
#include "proto/kinds.h"

/* Two slips are a bug in a client; three at once are a client that does not know what it says. */
#define BLAME_WINDOW_NS (UINT64_C(10000) * 1000000)

void conduct_heard(struct sessions *sessions, struct session *session)
{
    session->heard_ns = sessions->context->now_ns;
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
    if (grant.received_seq > queue->credit_messages_sent)
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
