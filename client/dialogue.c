/* dialogue.c - see dialogue.h.
 *
 *     WAITING -> [dial] -> DIALING -> [dialogue_greet] -> GREETING -> [welcomed] -> OPEN
 *        ^                    |                              |                      |
 *        +---- [start_over] <-+------------------------------+----------------------+
 *     any -> [finish] -> CLOSED: refused for good, GOODBYE, or the client's own wish
 *
 * (D1) A callback may destroy the client: after each one, is_destroyed is looked at before anything
 *      else is touched.
 * (D2) What was sent in a session that is over is answered SESSION_CLOSED once the next one stands,
 *      and what was not yet sent goes out in the next one: see forget_session. */
#include "client/dialogue.h"

#include "client/calls.h"
#include "client/client.h"
#include "client/topics.h"
#include "proto/kinds.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    /* The node holds what it sent until it hears that it came: of a session that may be resumed it
     * hears so for every 64 messages, at the cost of some 30 bytes. */
    RECEIPT_MESSAGES_MAX = 64,
    RECEIPT_BYTES_MAX = 64 * 1024,
    RESUMES_MAX = 5,  /* at one node, whose answers do not arrive; then others are asked */
    SILENCES_MAX = 3, /* one until PING, two more for the answer: as a node does */
    GOODBYE_LINGER_MS = 1000,
};

static struct span nothing(void)
{
    return (struct span){0};
}

__attribute__((format(printf, 2, 3))) static void note_failure(struct weft_client *client,
                                                               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(client->failure, sizeof client->failure, format, arguments);
    va_end(arguments);
    client->refusal = WEFT_OK;
}

/* Ends the client for good. */
static void finish(struct weft_client *client, enum weft_close_reason reason, enum weft_error error)
{
    client->state = CLIENT_CLOSED;
    client->close_reason = reason;
    client->close_error = error;
    timers_cancel(&client->timer);
    dealer_close(&client->dealer, GOODBYE_LINGER_MS);
    batch_clear(&client->batch);
    calls_end_all(client, reason == WEFT_CLOSED_BY_CLIENT ? WEFT_CANCELLED : WEFT_SESSION_CLOSED,
                  false);
    if (client->is_destroyed || client->options.closed == NULL)
        return;
    const struct weft_closed closed = {reason, error, client_text(span_text(client->failure))};
    client->options.closed(client, &closed, client->options.user);
}

/* The connection is of no more use: tells, and goes on to the next node. */
static void start_over(struct weft_client *client, bool is_stopping)
{
    bool was_open = client->state == CLIENT_OPEN;
    /* The session is at that node, which answers: a break on the way back is no reason to give it
     * up for another one. */
    bool is_same_again = client->state == CLIENT_GREETING && client->has_session && !is_stopping &&
                         client->resumes++ < RESUMES_MAX;
    client->state = CLIENT_WAITING;
    timers_cancel(&client->timer);
    dealer_close(&client->dealer, 0);
    if (was_open) {
        servers_restart(&client->servers, is_stopping, reactor_chance(client->context));
        if (client->options.no_reconnect) {
            finish(client, WEFT_CLOSED_CONNECTION_LOST, WEFT_SESSION_CLOSED);
            return;
        }
    }
    if (is_same_again)
        client->servers.next = client->servers.current;
    if (client->options.lost != NULL)
        client->options.lost(client, client_text(span_text(client->failure)), client->options.user);
    if (!client->is_destroyed)
        dialogue_begin(client);
}

void dialogue_begin(struct weft_client *client)
{
    uint32_t wait_ms = 0;
    (void)servers_next(&client->servers, reactor_chance(client->context), &wait_ms);
    client->state = CLIENT_WAITING;
    client_set_timer(client, reactor_now_ns() + client_ms_to_ns(wait_ms));
}

static void dial(struct weft_client *client)
{
    const struct weft_context *context = client->context;
    const char *address = servers_current(&client->servers);
    const struct keys *keys = &client->keys;
    const struct dealer_keys pair = {
        .public_key = keys->public_key,
        .secret_key = keys->secret_key,
        .server_key = keys->count == 0 ? NULL : keys->servers[servers_key(&client->servers)],
    };
    if (!dealer_open(&client->dealer, context->zmq, context->epoll, client, address,
                     keys->count == 0 ? NULL : &pair)) {
        note_failure(client, "no socket or descriptor is left to dial %s with", address);
        start_over(client, false);
        return;
    }
    client->state = CLIENT_DIALING;
    client_set_timer(client,
                     reactor_now_ns() + client_ms_to_ns(client->options.connect_timeout_ms));
    reactor_make_ready(client->context, client);
}

/* Says how far we came, and how much may come beyond. */
static void grant(struct weft_client *client)
{
    struct client_credit *credit = &client->credit;
    const struct client_grant grant = {
        .received_seq = credit->received_seq,
        .messages_limit = client->options.grant_messages,
        .bytes_limit = client->options.grant_bytes,
    };
    if (!batch_put(&client->batch, &client_grant_schema, &grant, KIND_GRANT, 0, nothing()))
        return;
    credit->granted_seq = credit->received_seq;
    credit->bytes = 0;
}

/* The node has been silent for long: asks whether it lives, then gives it up. Who was asleep
 * himself can't tell: what was said to him meanwhile may still be under way, so he asks anew. */
static void silence(struct weft_client *client)
{
    uint64_t now_ns = reactor_now_ns();
    uint64_t patience_ns = client_ms_to_ns(client->options.silence_ms);
    bool was_asleep = now_ns - client->timer.due_ns >= patience_ns;
    if (now_ns - client->heard_ns < patience_ns) {
        client->is_pinged = false;
        client_set_timer(client, client->heard_ns + patience_ns);
    } else if (!client->is_pinged || was_asleep) {
        client->is_pinged = true;
        (void)batch_put(&client->batch, NULL, NULL, KIND_PING, 1, nothing());
        if (client->credit.received_seq != client->credit.granted_seq)
            grant(client); /* a quiet session leaves nothing for the node to hold */
        reactor_make_ready(client->context, client);
        client_set_timer(client, now_ns + (SILENCES_MAX - 1) * patience_ns);
    } else {
        note_failure(client, "%s at %s has not said a word for %u ms", client->node,
                     servers_current(&client->servers),
                     (unsigned)((now_ns - client->heard_ns) / 1000000U));
        start_over(client, false);
    }
}

void dialogue_timer_fired(struct weft_client *client)
{
    switch (client->state) {
    case CLIENT_WAITING:
        dial(client);
        break;
    case CLIENT_DIALING:
    case CLIENT_GREETING:
        note_failure(client, "%s did not answer within %u ms", servers_current(&client->servers),
                     (unsigned)client->options.connect_timeout_ms);
        start_over(client, false);
        break;
    case CLIENT_OPEN:
        silence(client);
        break;
    case CLIENT_CLOSED:
        break;
    }
}

/* A dial that came to nothing. Who breaks off a handshake wants keys, or has another key than the
 * one that it was called with. */
static void note_dial(struct weft_client *client, const char *address)
{
    bool has_keys = client->keys.count > 0;
    switch (client->dealer.failure) {
    case DEALER_UNREACHABLE:
        note_failure(client, "nothing answers at %s", address);
        return;
    case DEALER_BROKEN_OFF:
        note_failure(client,
                     has_keys ? "%s broke off the handshake: it has none of the server keys given, "
                                "or speaks without keys"
                              : "%s broke off the handshake: it wants keys (key, server key), or "
                                "is no weft node",
                     address);
        return;
    case DEALER_REFUSED:
        note_failure(client, "%s does not take our key: it is not in its curve.clients", address);
        return;
    }
}

/* Whether the node that was dialled is to be dialled again with another of the keys given: then
 * that is begun. */
static bool guess_again(struct weft_client *client)
{
    if (client->dealer.failure != DEALER_BROKEN_OFF || client->keys.count == 0 ||
        !servers_key_failed(&client->servers))
        return false;
    dealer_close(&client->dealer, 0);
    dial(client);
    return true;
}

void dialogue_lost(struct weft_client *client)
{
    const char *address = servers_current(&client->servers);
    if (client->state == CLIENT_DIALING && guess_again(client))
        return;
    if (client->state == CLIENT_DIALING)
        note_dial(client, address);
    else if (client->state == CLIENT_GREETING)
        note_failure(client, "%s ended the connection before it gave a session", address);
    else
        note_failure(client, "the connection to %s at %s was lost", client->node, address);
    start_over(client, false);
}

void dialogue_greet(struct weft_client *client)
{
    struct client_hello hello = client->hello;
    if (client->has_session) {
        hello.session = client->session;
        hello.token = span_of(client->token, sizeof client->token);
        hello.received_seq = client->credit.received_seq;
    }
    /* A frame of its own: what waits in the client's batch waits for WELCOME. */
    struct batch batch;
    batch_init(&batch, SIZE_MAX);
    (void)batch_put(&batch, &client_hello_schema, &hello, KIND_HELLO, 1, client->hello_properties);
    (void)batch_flush(&batch, &client->dealer);
    batch_clear(&batch);
    client->state = CLIENT_GREETING;
}

void dialogue_grant(struct weft_client *client)
{
    struct client_credit *credit = &client->credit;
    uint64_t messages = credit->received_seq - credit->granted_seq;
    bool is_receipt_due = client->has_session &&
                          (messages >= RECEIPT_MESSAGES_MAX || credit->bytes >= RECEIPT_BYTES_MAX);
    if (!is_receipt_due && messages < client->options.grant_messages / 2 &&
        credit->bytes < client->options.grant_bytes / 2)
        return;
    grant(client);
}

void dialogue_leave(struct weft_client *client)
{
    if (client->state == CLIENT_OPEN) {
        const struct client_goodbye goodbye = {.reason = CLOSE_REASON_CLOSED_BY_CLIENT};
        (void)batch_put(&client->batch, &client_goodbye_schema, &goodbye, KIND_GOODBYE, 0,
                        nothing());
        (void)batch_flush(&client->batch, &client->dealer);
    }
    client->failure[0] = '\0';
    client->refusal = WEFT_OK;
    finish(client, WEFT_CLOSED_BY_CLIENT, WEFT_SESSION_CLOSED);
}

/* ---- what the node says ---------------------------------------------------------------------- */

static void learn_nodes(struct weft_client *client, struct span body)
{
    struct node_address node;
    enum error error = ERROR_OK;
    servers_learn_begin(&client->servers);
    while (group_next(&node_address_schema, &body, &node, &error))
        servers_learn(&client->servers, node.address);
}

static bool keep_unsent(void *user, uint8_t kind, uint64_t correlation)
{
    struct weft_client *client = user;
    struct slot *slot = NULL;
    if (kind == KIND_REQUEST || kind == KIND_CANCEL)
        slot = calls_find(client, correlation);
    else if (kind == KIND_COMMAND)
        slot = slots_find(&client->slots, correlation, SLOT_COMMAND);
    else if (kind == KIND_SET || kind == KIND_REMOVE)
        slot = slots_find(&client->slots, correlation, SLOT_TOPIC);
    else if (kind == KIND_FETCH)
        slot = slots_find(&client->slots, correlation, SLOT_TOPICS);
    if (slot == NULL || (kind == KIND_CANCEL && slot->is_lost))
        return false;
    slot->is_lost = false;
    return true;
}

/* The former session is over: whatever was said in it will not be answered; requests and commands
 * that have not left yet belong to the new one. */
static void forget_session(struct weft_client *client)
{
    uint32_t at = 0;
    for (struct slot *slot; (slot = slots_next(&client->slots, &at)) != NULL;)
        slot->is_lost = true;
    batch_filter(&client->batch, keep_unsent, client);
    batch_keep_sent(&client->batch, false);
    client->credit = (struct client_credit){0};
}

static void copy_text(char *to, size_t room, struct span text)
{
    (void)snprintf(to, room, "%.*s", (int)text.bytes, (const char *)text.data);
}

/* A new session begins. */
static void begin_session(struct weft_client *client, const struct client_welcome *welcome)
{
    forget_session(client);
    client->session = welcome->session;
    client->has_session = welcome->token.bytes == TOKEN_BYTES && welcome->reconnect_ms > 0;
    if (client->has_session)
        memcpy(client->token, welcome->token.data, TOKEN_BYTES);
    batch_keep_sent(&client->batch, client->has_session);
}

/* The same session goes on: both sides say again what the other has not got. */
static void resume_session(struct weft_client *client, const struct client_welcome *welcome)
{
    client->credit.received_seq = welcome->resumed_seq;
    batch_rewind(&client->batch, welcome->received_seq);
}

static void adopt(struct weft_client *client, const struct client_welcome *welcome)
{
    client->state = CLIENT_OPEN;
    copy_text(client->node, sizeof client->node, welcome->node);
    client->message_bytes_max = CLIENT_MESSAGE_BYTES_MAX;
    if (welcome->message_bytes_max > 0 && welcome->message_bytes_max < CLIENT_MESSAGE_BYTES_MAX)
        client->message_bytes_max = welcome->message_bytes_max;
    client->resumes = 0;
    client->servers.rounds = 0;
    client->failure[0] = '\0';
    client->refusal = WEFT_OK;
    client->is_pinged = false;
    client_set_timer(client, client->heard_ns + client_ms_to_ns(client->options.silence_ms));
    client->credit.bytes = UINT32_MAX; /* the first grant is due at once */
}

void dialogue_welcomed(struct weft_client *client, const struct message *message)
{
    struct client_welcome welcome;
    if (schema_decode(&client_welcome_schema, message->fields, &welcome) != ERROR_OK ||
        welcome.version < WIRE_VERSION_MIN || welcome.version > WIRE_VERSION_MAX) {
        note_failure(client, "%s gave a WELCOME that can't be read",
                     servers_current(&client->servers));
        start_over(client, false);
        return;
    }
    bool is_resumed = client->has_session && session_id_equal(client->session, welcome.session);
    if (is_resumed)
        resume_session(client, &welcome);
    else
        begin_session(client, &welcome);
    adopt(client, &welcome);
    const char *address = servers_current(&client->servers);
    const struct weft_opened opened = {
        .session = client_id(welcome.session),
        .node = client_text(welcome.node),
        .mesh = client_text(welcome.mesh),
        .address = client_text(span_text(address)),
        .is_resumed = is_resumed,
        .is_recovered = is_resumed && welcome.recovered,
    };
    if (!is_resumed) {
        serve_register_all(client);
        listen_again(client);
    }
    if (!opened.is_recovered)
        subscriptions_renew(client);
    if (client->options.opened != NULL)
        client->options.opened(client, &opened, client->options.user);
    if (client->is_destroyed)
        return;
    learn_nodes(client, message->body);
    if (!is_resumed)
        calls_end_all(client, WEFT_SESSION_CLOSED, true);
}

/* Whether another node, or the same one later, may well say something else. */
static bool is_transient(unsigned code)
{
    return code == ERROR_NOT_READY || code == ERROR_LIMIT_REACHED || code == ERROR_OVERLOADED ||
           code == ERROR_CLUSTER_ROUTING || code == ERROR_CLUSTER_REPARTITION ||
           code == ERROR_INTERNAL || code == ERROR_LEAVING || code == ERROR_MOVED;
}

void dialogue_refused(struct weft_client *client, const struct message *message)
{
    struct client_refused refusal;
    if (schema_decode(&client_refused_schema, message->fields, &refusal) != ERROR_OK)
        refusal = (struct client_refused){.code = ERROR_INTERNAL};
    note_failure(client, "%s: %s: %.*s", servers_current(&client->servers),
                 error_name(refusal.code), (int)refusal.text.bytes,
                 (const char *)refusal.text.data);
    client->refusal = (enum weft_error)refusal.code;
    learn_nodes(client, message->body);
    if (client->has_session && refusal.code == ERROR_NO_SUCH_SESSION) {
        client->has_session = false; /* it can't be resumed: open another, here and now */
        client->servers.next = client->servers.current;
        dealer_close(&client->dealer, 0);
        dialogue_begin(client);
    } else if (client->state == CLIENT_OPEN || is_transient(refusal.code)) {
        start_over(client, refusal.code == ERROR_LEAVING);
    } else {
        finish(client, WEFT_CLOSED_ACCESS_DENIED, (enum weft_error)refusal.code);
    }
}

void dialogue_goodbye(struct weft_client *client, const struct message *message)
{
    struct client_goodbye said;
    if (schema_decode(&client_goodbye_schema, message->fields, &said) != ERROR_OK)
        said = (struct client_goodbye){.reason = CLOSE_REASON_INTERNAL_ERROR};
    client->has_session = false;
    if (said.reason == CLOSE_REASON_NODE_STOPPING) {
        note_failure(client, "%s at %s is stopping", client->node,
                     servers_current(&client->servers));
        start_over(client, true);
        return;
    }
    note_failure(client, "%.*s", (int)said.text.bytes, (const char *)said.text.data);
    finish(client, (enum weft_close_reason)said.reason, WEFT_SESSION_CLOSED);
}

void dialogue_unreadable(struct weft_client *client)
{
    note_failure(client, "%s sent a frame that can't be read", servers_current(&client->servers));
    start_over(client, false);
}
