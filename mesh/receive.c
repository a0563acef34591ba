/* receive.c - see receive.h. A frame is taken whole or not at all: its framing is checked to the
 * end before its first message is acted on. After each message the rooms' events are handed on, so
 * the second message of a frame meets the world that the first one made; what rooms look after
 * besides, the hundreds of requests and responses in a frame leave alone: one look ends them. */
#include "mesh/receive.h"

#include "mesh/membership/owners.h"
#include "mesh/report.h"
#include "mesh/routing/authentication.h"
#include "mesh/routing/authenticators.h"
#include "mesh/routing/commands.h"
#include "mesh/routing/listeners.h"
#include "mesh/routing/missing.h"
#include "mesh/routing/polls.h"
#include "mesh/routing/registrations.h"
#include "mesh/routing/requests.h"
#include "mesh/routing/responses.h"
#include "mesh/sessions/conduct.h"
#include "mesh/sessions/opening.h"
#include "proto/kinds.h"

/* How the messages of a frame are framed. */
enum framing { FRAMING_GOOD, FRAMING_BAD, FRAMING_TOO_LARGE };

/* Looks at all headers; the reader is the caller's copy. A message of more than most_bytes is too
 * large, and so are the later ones. */
static enum framing framing_judge(struct reader frame, size_t most_bytes)
{
    size_t bytes;
    enum error error;
    bool is_empty = true;
    while (message_skip(&frame, &bytes, &error)) {
        if (bytes > most_bytes)
            return FRAMING_TOO_LARGE;
        is_empty = false;
    }
    return error != ERROR_OK || is_empty ? FRAMING_BAD : FRAMING_GOOD;
}

/* The door pumps once more when it has taken the fact. */
static void pump_after(struct mesh *mesh, const struct message *message)
{
    if (message->kind == KIND_REQUEST || message->kind == KIND_RESPONSE)
        mesh_pump_events(mesh);
    else
        mesh_pump(mesh);
}

static void frame_count(struct mesh *mesh, const struct mesh_input *input, enum counter frames,
                        enum counter bytes)
{
    count(&mesh->context, frames);
    mesh->context.counters[bytes] += input->bytes.bytes;
}

static void connection_cut(struct mesh *mesh, const struct mesh_input *input)
{
    struct mesh_output order = {
        .order = MESH_CUT,
        .channel = input->channel,
        .connection = input->connection,
    };
    outbox_order(mesh->context.outbox, &order);
}

/* A node that took this port for another node's. */
static bool is_from_node(struct span bytes)
{
    struct reader frame;
    struct envelope envelope;
    reader_init(&frame, bytes);
    return envelope_decode(&frame, CHANNEL_GOSSIP, &envelope) == ERROR_OK;
}

/* A frame of a client that can't be used: nothing of it is. */
static void client_frame_refuse(struct mesh *mesh, const struct mesh_input *input,
                                struct session *session, enum framing framing)
{
    admission_bad_frame(mesh->admission, CHANNEL_CLIENT, input->connection, input->address);
    if (session == NULL && is_from_node(input->bytes))
        sessions_refuse(mesh->sessions, input->connection, 0, ERROR_INVALID_MESSAGE,
                        span_text("this is a client port; nodes are called at the gossip port"));
    else if (session == NULL)
        connection_cut(mesh, input);
    else if (framing == FRAMING_TOO_LARGE)
        sessions_close(mesh->sessions, session, CLOSE_REASON_MESSAGE_TOO_LARGE,
                       span_text("a message has more than 1 MiB"));
    else
        sessions_close(mesh->sessions, session, CLOSE_REASON_INVALID_MESSAGE,
                       span_text("a frame could not be taken apart"));
}

/* A kind that this build does not know: skipped, unless an answer is wanted. */
static enum error client_kind_unknown(struct mesh *mesh, const struct message *message)
{
    count(&mesh->context, COUNTER_kinds_unknown);
    return (message->flags & MESSAGE_WANTS_ANSWER) != 0 ? ERROR_VERSION_MISMATCH : ERROR_OK;
}

/* Some are answered by the door itself. */
static enum error client_command(struct mesh *mesh, struct session *session,
                                 const struct message *message)
{
    report_status(mesh);
    enum error error = commands_from_session(mesh->routing, session, message);
    report_answer(mesh);
    return error;
}

/* The one place that says which room decides about which message of a session. */
static enum error client_message(struct mesh *mesh, struct session *session,
                                 const struct message *message)
{
    switch ((enum kind)message->kind) {
    case KIND_REQUEST:
        return requests_from_session(mesh->routing, session, message);
    case KIND_RESPONSE:
        return responses_from_session(mesh->routing, session, message);
    case KIND_CANCEL:
        requests_cancel_from_session(mesh->routing, session, message->correlation);
        return ERROR_OK;
    case KIND_REGISTER:
    case KIND_UNREGISTER:
        return registrations_from_session(mesh->routing, session, message);
    case KIND_COMMAND:
        return client_command(mesh, session, message);
    case KIND_LISTEN:
    case KIND_UNLISTEN:
        return listeners_from_session(mesh->routing, session, message);
    case KIND_DECISION:
        return authenticators_decision_from_session(mesh->routing, session, message);
    case KIND_REAUTHENTICATE:
        return authentication_from_session(mesh->routing, session, message,
                                           mesh->excess == MESH_EXCESS_FAILURES);
    case KIND_PING:
    case KIND_PONG:
    case KIND_GRANT:
    case KIND_GOODBYE:
        return conduct_receive(mesh->sessions, session, message);
    case KIND_SUBSCRIBE:
    case KIND_UNSUBSCRIBE:
    case KIND_SET:
    case KIND_REMOVE:
    case KIND_FETCH:
        return topics_from_session(mesh->topics, session, message);
    case KIND_HELLO: /* the second one */
    case KIND_WELCOME:
    case KIND_REFUSED:
    case KIND_DONE:
    case KIND_ERROR:
    case KIND_EVENT:
    case KIND_RESULT:
    case KIND_SPREAD:
    case KIND_PART:
    case KIND_AUTHENTICATE:
    case KIND_MISSING_TOPIC:
    case KIND_LOG_ENTRIES:
    case KIND_LOG_PULL:
    case KIND_LOG_SNAPSHOT:
    case KIND_LOG_HEADS:
    case KIND_LOG_COLLECT:
    case KIND_LOG_COLLECTED:
    case KIND_JOIN:
    case KIND_CHALLENGE:
    case KIND_SWIM_PING:
    case KIND_SWIM_ACK:
    case KIND_SWIM_PING_REQUEST:
    case KIND_SWIM_NACK:
    case KIND_SWIM_NEWS:
    case KIND_SWIM_SYNC:
    case KIND_UPDATE:
    case KIND_UNSUBSCRIBED:
    case KIND_TOPIC:
    case KIND_TOPICS:
        return ERROR_INVALID_MESSAGE; /* a client never says that */
    }
    return client_kind_unknown(mesh, message);
}

static void client_message_take(struct mesh *mesh, struct session *session,
                                const struct message *message)
{
    count(&mesh->context, COUNTER_client_messages_in);
    conduct_count(mesh->sessions, session, message);
    enum error error = client_message(mesh, session, message);
    if (error == ERROR_VERSION_MISMATCH)
        sessions_send_error(mesh->sessions, session, message->correlation, error,
                            span_text(error_sentence(error)));
    else if (error != ERROR_OK)
        conduct_blame(mesh->sessions, session, message->correlation, error,
                      span_text(error_sentence(error)));
}

static void hello_take(struct mesh *mesh, const struct mesh_input *input,
                       const struct message *hello)
{
    count(&mesh->context, COUNTER_client_messages_in);
    report_addresses(mesh);
    if (input->excess == MESH_EXCESS_CLIENTS || input->excess == MESH_EXCESS_CONNECTS) {
        bool is_rate = input->excess == MESH_EXCESS_CONNECTS;
        count(&mesh->context,
              is_rate ? COUNTER_sessions_refused_rate : COUNTER_sessions_refused_address);
        sessions_refuse(mesh->sessions, input->connection, hello->correlation, ERROR_LIMIT_REACHED,
                        is_rate ? span_text("clients of your address connect faster than "
                                            "sessions.connects_per_address allows; try again later")
                                : span_text("your address has as many clients connected here as "
                                            "sessions.per_address allows; try another node"));
        return;
    }
    struct opening opening;
    opening.owner = input->owner;
    opening.owner_roles = input->owner_roles;
    if (opening_hello(mesh->sessions, input->connection, input->address, hello, &opening))
        authentication_hello(mesh->routing, &opening, input->excess == MESH_EXCESS_FAILURES);
    mesh_pump(mesh);
}

/* Somebody speaks who has said HELLO and was not answered yet. */
static void early_frame(struct mesh *mesh, const struct mesh_input *input, struct session *session)
{
    admission_bad_frame(mesh->admission, CHANNEL_CLIENT, input->connection, input->address);
    authentication_abandon(mesh->routing, session);
    sessions_turn_away(mesh->sessions, session, ERROR_INVALID_MESSAGE,
                       span_text("nothing may be said between HELLO and its answer"));
}

/* A session that may be spoken to; NULL: there is none, or it is over. */
static struct session *session_open(struct mesh *mesh, uint32_t connection)
{
    struct session *session = sessions_of_connection(mesh->sessions, connection);
    return session != NULL && session->phase == SESSION_PHASE_OPEN ? session : NULL;
}

static void client_frame(struct mesh *mesh, const struct mesh_input *input)
{
    frame_count(mesh, input, COUNTER_client_frames_in, COUNTER_client_bytes_in);
    struct session *session = sessions_of_connection(mesh->sessions, input->connection);
    mesh->excess = input->excess;
    if (session != NULL && session->phase == SESSION_PHASE_OPENING) {
        early_frame(mesh, input, session);
        return;
    }
    session = session_open(mesh, input->connection);
    struct reader frame;
    struct envelope envelope;
    struct message message = {0};
    enum error error;
    reader_init(&frame, input->bytes);
    enum error verdict = envelope_decode(&frame, CHANNEL_CLIENT, &envelope);
    struct reader first = frame;
    bool is_hello = message_next(&first, &message, &error) && message.kind == KIND_HELLO;
    if (session == NULL && !is_hello && sessions_is_cut(mesh->sessions, input->connection))
        return; /* it was under way when the session ended */
    enum framing framing = framing_judge(frame, CLIENT_MESSAGE_BYTES_MAX);
    /* HELLO is read whatever version its envelope has: it says which ones the client speaks. */
    bool is_readable = verdict == ERROR_OK || (verdict == ERROR_VERSION_MISMATCH && is_hello);
    if (!is_readable || framing != FRAMING_GOOD || (session == NULL && !is_hello)) {
        client_frame_refuse(mesh, input, session, framing);
        return;
    }
    if (session == NULL) {
        frame = first;
        hello_take(mesh, input, &message);
        session = sessions_of_connection(mesh->sessions, input->connection);
        if (session != NULL && session->phase == SESSION_PHASE_OPENING && frame.left > 0) {
            early_frame(mesh, input, session); /* it could not be kept until the answer */
            return;
        }
    } else {
        conduct_heard(mesh->sessions, session);
    }
    while ((session = session_open(mesh, input->connection)) != NULL &&
           message_next(&frame, &message, &error)) {
        client_message_take(mesh, session, &message);
        pump_after(mesh, &message);
    }
}

/* A kind that this build does not know, from a node that may be newer. */
static enum error forward_kind_unknown(struct mesh *mesh, uint64_t sender,
                                       const struct message *message)
{
    struct link *link = links_of_instance(mesh->context.links, sender);
    count(&mesh->context, COUNTER_kinds_unknown);
    if (link == NULL || !link->forward_open || (message->flags & MESSAGE_WANTS_ANSWER) == 0)
        return ERROR_OK;
    struct client_error fields = {
        .code = ERROR_VERSION_MISMATCH,
        .text = span_text("a node does not know that kind of message; it may be older"),
    };
    struct outgoing answer = {
        .kind = KIND_ERROR,
        .correlation = message->correlation,
        .schema = &client_error_schema,
        .fields = &fields,
    };
    (void)outbound_send(&link->forward, &answer);
    return ERROR_OK;
}

/* What members ask of each other's sessions. */
static enum error member_message(struct mesh *mesh, uint64_t sender, const struct message *message)
{
    struct node *node = routing_node(mesh->routing, sender);
    if (node == NULL) { /* not a member yet, or held dead: it could not be answered */
        count(&mesh->context, COUNTER_frames_not_ours);
        return ERROR_OK;
    }
    if (message->kind == KIND_REQUEST)
        return requests_from_node(mesh->routing, node, message);
    if (message->kind == KIND_RESPONSE)
        return responses_from_node(mesh->routing, node, message);
    if (message->kind == KIND_SPREAD)
        return polls_spread_from_node(mesh->routing, node, message);
    if (message->kind == KIND_PART)
        return polls_part_from_node(mesh->routing, node, message);
    if (message->kind == KIND_RESULT)
        return commands_result_from_node(mesh->routing, node, message);
    if (message->kind == KIND_COMMAND) {
        report_status(mesh);
        return commands_from_node(mesh->routing, node, message);
    }
    if (message->kind == KIND_LISTEN || message->kind == KIND_EVENT)
        return listeners_from_node(mesh->routing, sender, message);
    if (message->kind == KIND_AUTHENTICATE)
        return authenticators_from_node(mesh->routing, node, message);
    if (message->kind == KIND_DECISION)
        return authenticators_decision_from_node(mesh->routing, node, message);
    if (message->kind == KIND_MISSING_TOPIC)
        return missing_from_node(mesh->routing, message);
    requests_cancel_from_node(mesh->routing, node, message->correlation);
    return ERROR_OK;
}

/* The one place that says which room decides about which message on forward. */
static enum error forward_message(struct mesh *mesh, uint64_t sender, const struct message *message)
{
    switch ((enum kind)message->kind) {
    case KIND_LOG_ENTRIES:
    case KIND_LOG_PULL:
    case KIND_LOG_SNAPSHOT:
    case KIND_LOG_HEADS:
        if (topics_is_log(message))
            return topics_from_node(mesh->topics, sender, message);
        return ownership_receive(mesh->ownership, sender, message);
    case KIND_REQUEST:
    case KIND_RESPONSE:
    case KIND_CANCEL:
    case KIND_COMMAND:
    case KIND_RESULT:
    case KIND_SPREAD:
    case KIND_PART:
    case KIND_LISTEN:
    case KIND_EVENT:
    case KIND_AUTHENTICATE:
    case KIND_DECISION:
    case KIND_MISSING_TOPIC:
        return member_message(mesh, sender, message);
    case KIND_LOG_COLLECT:
    case KIND_LOG_COLLECTED:
    case KIND_SET:
    case KIND_REMOVE:
    case KIND_TOPIC:
        return topics_from_node(mesh->topics, sender, message);
    case KIND_ERROR: /* it does not know what we asked; our own deadline ends the matter */
        return ERROR_OK;
    case KIND_HELLO:
    case KIND_WELCOME:
    case KIND_REFUSED:
    case KIND_PING:
    case KIND_PONG:
    case KIND_GRANT:
    case KIND_GOODBYE:
    case KIND_DONE:
    case KIND_REGISTER:
    case KIND_UNREGISTER:
    case KIND_UNLISTEN:
    case KIND_REAUTHENTICATE:
    case KIND_JOIN:
    case KIND_CHALLENGE:
    case KIND_SWIM_PING:
    case KIND_SWIM_ACK:
    case KIND_SWIM_PING_REQUEST:
    case KIND_SWIM_NACK:
    case KIND_SWIM_NEWS:
    case KIND_SWIM_SYNC:
    case KIND_SUBSCRIBE:
    case KIND_UNSUBSCRIBE:
    case KIND_UPDATE:
    case KIND_UNSUBSCRIBED:
    case KIND_FETCH:
    case KIND_TOPICS:
        return ERROR_INVALID_MESSAGE; /* a node never says that here */
    }
    return forward_kind_unknown(mesh, sender, message);
}

static enum error gossip_message(struct mesh *mesh, const struct mesh_input *input,
                                 const struct envelope *envelope, const struct message *message)
{
    unsigned kind = message->kind;
    if (kind == KIND_JOIN || (kind >= KIND_SWIM_PING && kind <= KIND_SWIM_SYNC))
        return membership_receive(mesh->membership, envelope, input->connection, input->address,
                                  message);
    if (kind < KIND_JOIN)
        return ERROR_INVALID_MESSAGE;
    count(&mesh->context, COUNTER_kinds_unknown);
    return ERROR_OK;
}

/* Whether a frame that came under a key may be acted on. A JOIN under another's key is answered; a
 * member that speaks under one is cut. On forward only members have something to say. */
static bool owner_judge(struct mesh *mesh, const struct mesh_input *input,
                        const struct envelope *envelope, const struct message *message)
{
    enum owners_verdict verdict =
        owners_judge(mesh->membership, envelope->sender, message, input->owner);
    if (verdict == OWNERS_FIT || (verdict == OWNERS_UNKNOWN && input->channel == CHANNEL_GOSSIP))
        return true;
    if (verdict == OWNERS_UNKNOWN) {
        count(&mesh->context, COUNTER_frames_not_ours);
        return false;
    }
    count(&mesh->context, COUNTER_frames_wrong_owner);
    if (message->kind == KIND_JOIN)
        owners_refuse(mesh->membership, envelope, input->connection, input->owner, input->address,
                      message);
    else
        owners_complain(mesh->membership, input->owner, input->address);
    connection_cut(mesh, input);
    return false;
}

/* A frame of a peer that admission has taken. All its messages have one sender, so the first one
 * is judged; a later one only where it says anew who that is. */
static void peer_messages(struct mesh *mesh, const struct mesh_input *input,
                          const struct envelope *envelope, struct reader frame)
{
    bool is_gossip = input->channel == CHANNEL_GOSSIP;
    struct message message;
    enum error error;
    if (framing_judge(frame, SIZE_MAX) != FRAMING_GOOD) {
        admission_bad_frame(mesh->admission, input->channel, input->connection, input->address);
        return;
    }
    bool is_judged = input->owner.bytes == 0;
    while (message_next(&frame, &message, &error)) {
        count(&mesh->context, is_gossip ? COUNTER_gossip_messages_in : COUNTER_forward_messages_in);
        if ((!is_judged || message.kind == KIND_JOIN) &&
            !owner_judge(mesh, input, envelope, &message))
            return;
        is_judged = true;
        if (envelope->receiver == 0 && message.kind != KIND_JOIN)
            error = ERROR_INVALID_MESSAGE;
        else if (is_gossip)
            error = gossip_message(mesh, input, envelope, &message);
        else
            error = forward_message(mesh, envelope->sender, &message);
        if (error != ERROR_OK)
            admission_strike(mesh->admission, input->channel, input->connection);
        pump_after(mesh, &message);
    }
}

/* A frame that is not for us, if it is a JOIN: membership refuses it with the reason. */
static void join_take(struct mesh *mesh, const struct mesh_input *input,
                      const struct envelope *envelope, struct reader frame)
{
    struct message message;
    enum error error;
    if (input->channel == CHANNEL_GOSSIP && message_next(&frame, &message, &error) &&
        message.kind == KIND_JOIN && owner_judge(mesh, input, envelope, &message))
        (void)membership_receive(mesh->membership, envelope, input->connection, input->address,
                                 &message);
}

static bool is_join(struct reader frame)
{
    struct message message;
    enum error error;
    return message_next(&frame, &message, &error) && message.kind == KIND_JOIN;
}

static void peer_frame(struct mesh *mesh, const struct mesh_input *input)
{
    bool is_gossip = input->channel == CHANNEL_GOSSIP;
    frame_count(mesh, input, is_gossip ? COUNTER_gossip_frames_in : COUNTER_forward_frames_in,
                is_gossip ? COUNTER_gossip_bytes_in : COUNTER_forward_bytes_in);
    struct reader frame;
    struct envelope envelope;
    reader_init(&frame, input->bytes);
    switch (admission_judge(mesh->admission, input->channel, input->connection, input->address,
                            &frame, &envelope)) {
    case ADMISSION_TAKEN:
        peer_messages(mesh, input, &envelope, frame);
        break;
    case ADMISSION_OTHER_VERSION:
    case ADMISSION_WRONG_MESH:
        join_take(mesh, input, &envelope, frame);
        break;
    case ADMISSION_NOT_OURS:
        if (is_gossip && is_join(frame))
            join_take(mesh, input, &envelope, frame);
        else if (is_gossip)
            membership_misaddressed(mesh->membership, &envelope, input->connection);
        break;
    case ADMISSION_IMPOSTOR: /* whoever is right: the dialler comes back, and is bound anew */
        connection_cut(mesh, input);
        break;
    case ADMISSION_BAD:
    case ADMISSION_STRUCK:
    case ADMISSION_FULL:
        break; /* counted by admission */
    }
}

void receive_frame(struct mesh *mesh, const struct mesh_input *input)
{
    if (input->channel == CHANNEL_CLIENT)
        client_frame(mesh, input);
    else
        peer_frame(mesh, input);
}

void receive_answer(struct mesh *mesh, const struct mesh_input *input)
{
    struct context *context = &mesh->context;
    frame_count(mesh, input, COUNTER_gossip_frames_in, COUNTER_gossip_bytes_in);
    struct reader frame;
    struct envelope envelope;
    struct message message;
    reader_init(&frame, input->bytes);
    enum error error = envelope_decode(&frame, CHANNEL_GOSSIP, &envelope);
    bool is_ours = (error == ERROR_OK || error == ERROR_VERSION_MISMATCH) &&
                   envelope.mesh == context->mesh_hash && envelope.receiver == context->instance;
    if (!is_ours || framing_judge(frame, SIZE_MAX) != FRAMING_GOOD) {
        count(context, COUNTER_gossip_frames_bad);
        return;
    }
    while (message_next(&frame, &message, &error)) {
        count(context, COUNTER_gossip_messages_in);
        if (owners_judge(mesh->membership, envelope.sender, &message, input->owner) ==
            OWNERS_OTHER) {
            count(context, COUNTER_frames_wrong_owner);
            continue;
        }
        error = membership_receive_answer(mesh->membership, &envelope, input->link, &message);
        if (error != ERROR_OK)
            count(context, COUNTER_gossip_frames_bad);
        mesh_pump(mesh);
    }
}
