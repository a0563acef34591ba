/* node.c - see node.h. */
#include "tests/unit/client/node.h"

#include "proto/command.h"
#include "proto/envelope.h"
#include "proto/event.h"
#include "proto/gossip.h"
#include "proto/kinds.h"
#include "proto/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static void listen_at(struct node *node, const char *endpoint)
{
    int linger = 0;
    size_t bytes = sizeof node->address;
    char bound[64];
    node->zmq = zmq_ctx_new();
    node->router = zmq_socket(node->zmq, ZMQ_ROUTER);
    int unlimited = 0; /* a ROUTER drops what it has no room for */
    (void)zmq_setsockopt(node->router, ZMQ_LINGER, &linger, sizeof linger);
    (void)zmq_setsockopt(node->router, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    if (zmq_bind(node->router, endpoint) != 0)
        abort();
    bytes = sizeof bound;
    (void)zmq_getsockopt(node->router, ZMQ_LAST_ENDPOINT, bound, &bytes);
    (void)snprintf(node->address, sizeof node->address, "%s", bound + strlen("tcp://"));
    if (node->outcome == 0)
        node->outcome = ERROR_NO_HANDLER;
}

void node_start(struct node *node)
{
    listen_at(node, "tcp://127.0.0.1:*");
}

void node_start_at(struct node *node, const char *address)
{
    char endpoint[80];
    (void)snprintf(endpoint, sizeof endpoint, "tcp://%s", address);
    listen_at(node, endpoint);
}

void node_stop(struct node *node)
{
    if (node->router == NULL)
        return;
    (void)zmq_close(node->router);
    (void)zmq_ctx_term(node->zmq);
    node->router = NULL;
    node->zmq = NULL;
    node->sessions_count = 0;
    node->handlers_count = 0;
    node->topics.selections_count = 0;
}

void node_send_raw(struct node *node, int session, const void *bytes, size_t count)
{
    const struct node_session *to = &node->sessions[session];
    (void)zmq_send(node->router, to->routing, to->routing_bytes, ZMQ_SNDMORE);
    (void)zmq_send(node->router, bytes, count, 0);
}

void node_say(struct node *node, int session, const struct schema *schema, const void *fields,
              enum kind kind, uint64_t correlation, struct span body)
{
    if (node->is_mute)
        return;
    size_t bytes = ENVELOPE_CLIENT_BYTES + message_measure(schema, fields) + body.bytes;
    uint8_t *frame = malloc(bytes);
    struct writer writer;
    const struct envelope envelope = {.version = 1, .channel = CHANNEL_CLIENT};
    writer_init(&writer, frame, bytes);
    envelope_encode(&envelope, &writer);
    message_encode(schema, fields, (uint8_t)kind, 0, correlation, body.bytes, &writer);
    writer_span(&writer, body);
    node_send_raw(node, session, frame, bytes);
    free(frame);
}

static struct span nothing(void)
{
    return (struct span){0};
}

void node_goodbye(struct node *node, int session, enum close_reason reason, const char *text)
{
    const struct client_goodbye goodbye = {.reason = (uint8_t)reason, .text = span_text(text)};
    node_say(node, session, &client_goodbye_schema, &goodbye, KIND_GOODBYE, 0, nothing());
    node->sessions[session].is_open = false;
}

static void respond(struct node *node, int session, uint64_t correlation, unsigned outcome)
{
    const struct response response = {.outcome = (uint16_t)outcome};
    node_say(node, session, &response_schema, &response, KIND_RESPONSE, correlation, nothing());
}

static int session_of(const struct node *node, const void *routing, size_t bytes)
{
    for (int i = 0; i < node->sessions_count; i++) {
        if (node->sessions[i].routing_bytes == bytes &&
            memcmp(node->sessions[i].routing, routing, bytes) == 0)
            return i;
    }
    return -1;
}

static void note_hello(struct node *node, const struct client_hello *hello, struct span body)
{
    struct property property;
    enum error error;
    (void)snprintf(node->principal, sizeof node->principal, "%.*s", (int)hello->principal.bytes,
                   (const char *)hello->principal.data);
    if (group_next(&property_schema, &body, &property, &error))
        (void)snprintf(node->property, sizeof node->property, "%.*s=%.*s", (int)property.key.bytes,
                       (const char *)property.key.data, (int)property.value.bytes,
                       (const char *)property.value.data);
}

/* The mesh's addresses as groups. */
static size_t addresses(const struct node *node, uint8_t *buffer, size_t room)
{
    struct writer writer;
    writer_init(&writer, buffer, room);
    const char *line = node->others;
    while (*line != '\0') {
        size_t bytes = strcspn(line, "\n");
        const struct node_address address = {
            .node = span_text("other"),
            .address = span_of(line, bytes),
        };
        group_encode(&node_address_schema, &address, &writer);
        line += bytes + (line[bytes] == '\n');
    }
    return room - writer.left;
}

static void hear_hello(struct node *node, int session, const struct message *message)
{
    struct client_hello hello;
    uint8_t buffer[1024];
    static const uint8_t token[TOKEN_BYTES] = {1, 2, 3};
    if (schema_decode(&client_hello_schema, message->fields, &hello) != ERROR_OK)
        abort();
    note_hello(node, &hello, message->body);
    struct span body = span_of(buffer, addresses(node, buffer, sizeof buffer));
    if (node->refuse_with != 0) {
        const struct client_refused refused = {
            .code = (uint16_t)node->refuse_with,
            .text = span_text("not today"),
        };
        node_say(node, session, &client_refused_schema, &refused, KIND_REFUSED, 0, body);
        return;
    }
    bool is_resumed = node->can_resume && !session_id_is_none(hello.session);
    node->sessions[session].is_open = true;
    if (is_resumed)
        node->sessions[session].id = hello.session;
    const struct client_welcome welcome = {
        .version = 1,
        .session = node->sessions[session].id,
        .token = span_of(token, sizeof token),
        .node = span_text("straw"),
        .mesh = span_text("weft"),
        .recovered = is_resumed && !node->has_lost_messages,
        .received_seq = is_resumed ? node->numbered : 0,
        .resumed_seq = is_resumed ? hello.received_seq : 0,
        .reconnect_ms = node->can_resume ? 60000 : 0,
    };
    node_say(node, session, &client_welcome_schema, &welcome, KIND_WELCOME, 0, body);
}

static void hear_register(struct node *node, int session, const struct message *message)
{
    struct registration registration;
    if (schema_decode(&registration_schema, message->fields, &registration) != ERROR_OK)
        abort();
    node->registrations++;
    if (span_equal(registration.path, span_text("forbidden"))) {
        const struct client_error error = {
            .code = ERROR_ACCESS_DENIED,
            .text = span_text("no permission for forbidden"),
        };
        node_say(node, session, &client_error_schema, &error, KIND_ERROR, message->correlation,
                 nothing());
        return;
    }
    struct node_handler *handler = &node->handlers[node->handlers_count++];
    handler->session = session;
    (void)snprintf(handler->path, sizeof handler->path, "%.*s", (int)registration.path.bytes,
                   (const char *)registration.path.data);
    node_say(node, session, NULL, NULL, KIND_DONE, message->correlation, nothing());
}

static int handler_session(const struct node *node, struct span path)
{
    for (int i = node->handlers_count; i > 0; i--) {
        size_t bytes = strlen(node->handlers[i - 1].path);
        if (path.bytes >= bytes && memcmp(path.data, node->handlers[i - 1].path, bytes) == 0)
            return node->handlers[i - 1].session;
    }
    return -1;
}

static void hear_request(struct node *node, int session, const struct message *message)
{
    struct request request;
    if (schema_decode(&request_schema, message->fields, &request) != ERROR_OK)
        abort();
    node->requests++;
    if (span_equal(request.path, span_text("silent")))
        return;
    int to = handler_session(node, request.path);
    if (to < 0) {
        respond(node, session, message->correlation, node->outcome);
        return;
    }
    request.sender = node->sessions[session].id;
    int number = node->pending_count++ % NODE_PENDING;
    node->pending[number] = (struct node_pending){session, message->correlation};
    node_say(node, to, &request_schema, &request, KIND_REQUEST, (uint64_t)number, message->body);
}

static void hear_decision(struct node *node, const struct message *message)
{
    struct decision decision;
    if (schema_decode(&decision_schema, message->fields, &decision) != ERROR_OK ||
        message->body.bytes > sizeof node->decision_body)
        abort();
    node->decisions++;
    node->decision = decision.code;
    node->decision_number = message->correlation;
    node->decision_bytes = message->body.bytes;
    if (message->body.bytes > 0)
        memcpy(node->decision_body, message->body.data, message->body.bytes);
}

/* Everybody's password is his name. */
static void hear_reauthenticate(struct node *node, int session, const struct message *message)
{
    struct reauthenticate said;
    if (schema_decode(&reauthenticate_schema, message->fields, &said) != ERROR_OK)
        abort();
    const struct client_error error = {.code = ERROR_ACCESS_DENIED, .text = span_text("no")};
    if (span_equal(said.principal, said.credentials))
        node_say(node, session, NULL, NULL, KIND_DONE, message->correlation, nothing());
    else
        node_say(node, session, &client_error_schema, &error, KIND_ERROR, message->correlation,
                 nothing());
}

static void hear_response(struct node *node, const struct message *message)
{
    struct response response;
    if (schema_decode(&response_schema, message->fields, &response) != ERROR_OK ||
        message->correlation >= NODE_PENDING)
        abort();
    const struct node_pending *pending = &node->pending[message->correlation];
    node_say(node, pending->caller, &response_schema, &response, KIND_RESPONSE,
             pending->correlation, message->body);
}

static size_t members(uint8_t *buffer, size_t room)
{
    struct writer writer;
    const struct member_row row = {
        .name = span_text("straw"),
        .instance = 7,
        .state = MEMBER_ALIVE,
        .address = span_text("127.0.0.1:7311"),
        .is_self = true,
    };
    writer_init(&writer, buffer, room);
    group_encode(&member_row_schema, &row, &writer);
    return room - writer.left;
}

static size_t statuses(uint8_t *buffer, size_t room)
{
    uint8_t rows[128];
    struct writer writer;
    const struct status_row row = {.is_ready = true, .members = 2, .members_hash = UINT64_MAX};
    writer_init(&writer, rows, sizeof rows);
    group_encode(&status_row_schema, &row, &writer);
    struct node_answer answers[2] = {
        {.node = span_text("straw"), .rows = span_of(rows, sizeof rows - writer.left)},
        {.node = span_text("hay"), .code = ERROR_CLUSTER_ROUTING, .text = span_text("suspect")},
    };
    writer_init(&writer, buffer, room);
    group_encode(&node_answer_schema, &answers[0], &writer);
    group_encode(&node_answer_schema, &answers[1], &writer);
    return room - writer.left;
}

static size_t verdicts(uint8_t *buffer, size_t room)
{
    struct writer writer;
    const struct verdict_row rows[] = {
        {.at_ms = 1795374867123,
         .by = span_text("straw"),
         .event = span_text("unanswered"),
         .helpers = span_text("eu-a,eu-d"),
         .incarnation = 3},
        {.at_ms = 1795374867400,
         .by = span_text("eu-a"),
         .event = span_text("answered"),
         .rtt_us = 210,
         .confirmations = 1,
         .incarnation = UINT64_MAX},
    };
    writer_init(&writer, buffer, room);
    group_encode(&verdict_row_schema, &rows[0], &writer);
    group_encode(&verdict_row_schema, &rows[1], &writer);
    return room - writer.left;
}

static void close_session(struct node *node, int session, uint64_t correlation,
                          const struct command *command)
{
    struct result result = {.code = ERROR_NO_SUCH_SESSION, .session = command->session};
    for (int i = 0; i < node->sessions_count; i++) {
        if (!node->sessions[i].is_open || !session_id_equal(node->sessions[i].id, command->session))
            continue;
        result.code = ERROR_OK;
        result.node = span_text("straw");
        node_goodbye(node, i, CLOSE_REASON_CLOSED_BY_CONTROLLER, "told to");
    }
    node_say(node, session, &result_schema, &result, KIND_RESULT, correlation, nothing());
}

static void hear_command(struct node *node, int session, const struct message *message)
{
    struct command command;
    uint8_t buffer[1024];
    if (schema_decode(&command_schema, message->fields, &command) != ERROR_OK)
        abort();
    struct result result = {.code = ERROR_OK, .node = span_text("straw")};
    size_t bytes = 0;
    if (command.verb == COMMAND_CLOSE) {
        close_session(node, session, message->correlation, &command);
        return;
    }
    if (command.verb == COMMAND_VERDICTS && span_equal(command.node, span_text("hay"))) {
        result.state = MEMBER_DEAD;
        bytes = verdicts(buffer, sizeof buffer);
    } else if (command.verb == COMMAND_VERDICTS) {
        result.code = ERROR_INVALID_ARGUMENT;
    } else if (command.verb == COMMAND_MEMBERS) {
        bytes = members(buffer, sizeof buffer);
    } else if (command.verb == COMMAND_STATUS) {
        result.nodes_asked = 2;
        result.nodes_answered = 1;
        bytes = statuses(buffer, sizeof buffer);
    } else if (command.verb == COMMAND_HANDLERS) {
        return; /* never answers that one */
    }
    node_say(node, session, &result_schema, &result, KIND_RESULT, message->correlation,
             span_of(buffer, bytes));
}

void node_take_back(struct node *node, int session, const char *path)
{
    const struct registration gone = {.kind = HANDLER_REQUEST, .path = span_text(path)};
    node_say(node, session, &registration_schema, &gone, KIND_UNREGISTER, 0, nothing());
}

void node_session_event(struct node *node, int session, unsigned event, uint64_t sequence)
{
    uint8_t buffer[64];
    struct writer writer;
    const struct property property = {.key = span_text("tier"), .value = span_text("gold")};
    const struct event said = {
        .what = LISTEN_SESSION,
        .event = (uint8_t)event,
        .node = span_text("hay"),
        .zone = span_text("az1"),
        .instance = 9,
        .sequence = sequence,
        .session = {.instance = 9, .serial = 1},
        .state = event == SESSION_NEWS_CLOSED ? SESSION_CLOSED : SESSION_ACTIVE,
        .reason = event == SESSION_NEWS_CLOSED ? CLOSE_REASON_EXPIRED : CLOSE_REASON_NONE,
        .is_resync = event == SESSION_NEWS_LEFT,
    };
    writer_init(&writer, buffer, sizeof buffer);
    if (event == SESSION_NEWS_OPENED)
        group_encode(&property_schema, &property, &writer);
    node_say(node, session, &event_schema, &said, KIND_EVENT, node->listen,
             span_of(buffer, sizeof buffer - writer.left));
}

void node_end_listening(struct node *node, int session)
{
    const struct client_error error = {.code = ERROR_LIMIT_REACHED,
                                       .text = span_text("too many sessions")};
    node_say(node, session, &client_error_schema, &error, KIND_ERROR, node->listen, nothing());
}

static void hear_listen(struct node *node, int session, const struct message *message)
{
    struct listen listen;
    if (schema_decode(&listen_schema, message->fields, &listen) != ERROR_OK)
        abort();
    node->listens++;
    if (span_equal(listen.filter, span_text("tier is Gold"))) {
        const struct client_error error = {
            .code = ERROR_INVALID_FILTER,
            .text = span_text("expected a quoted string, found Gold"),
            .line = 1,
            .column = 9,
        };
        node_say(node, session, &client_error_schema, &error, KIND_ERROR, message->correlation,
                 nothing());
        return;
    }
    node_say(node, session, NULL, NULL, KIND_DONE, message->correlation, nothing());
    if (listen.what == LISTEN_MEMBER) {
        const struct event joined = {
            .what = LISTEN_MEMBER,
            .event = MEMBER_NEWS_JOINED,
            .node = span_text("straw"),
            .instance = 7,
            .sequence = 1,
        };
        node_say(node, session, &event_schema, &joined, KIND_EVENT, message->correlation,
                 nothing());
        return;
    }
    node->listen = message->correlation;
    (void)snprintf(node->filter, sizeof node->filter, "%.*s", (int)listen.filter.bytes,
                   (const char *)listen.filter.data);
    (void)snprintf(node->keys, sizeof node->keys, "%.*s", (int)listen.keys.bytes,
                   (const char *)listen.keys.data);
    node_session_event(node, session, SESSION_NEWS_OPENED, 1);
    node_session_event(node, session, SESSION_NEWS_CLOSED, 2);
}

static void hear_grant(struct node *node, int session, const struct message *message)
{
    struct client_grant grant;
    if (schema_decode(&client_grant_schema, message->fields, &grant) != ERROR_OK)
        abort();
    node->sessions[session].grants++;
    node->sessions[session].granted_seq = grant.received_seq;
}

static void hear(struct node *node, int session, const struct message *message)
{
    if (kind_is_numbered(message->kind)) {
        if (node->is_deaf)
            return;
        node->numbered++;
    }
    if (message->kind == KIND_HELLO) {
        hear_hello(node, session, message);
    } else if (!node->sessions[session].is_open || node_topics_hear(node, session, message)) {
        return;
    } else if (message->kind == KIND_LISTEN) {
        hear_listen(node, session, message);
    } else if (message->kind == KIND_REGISTER) {
        hear_register(node, session, message);
    } else if (message->kind == KIND_UNREGISTER || message->kind == KIND_UNLISTEN) {
        node_say(node, session, NULL, NULL, KIND_DONE, message->correlation, nothing());
    } else if (message->kind == KIND_REQUEST) {
        hear_request(node, session, message);
    } else if (message->kind == KIND_RESPONSE) {
        hear_response(node, message);
    } else if (message->kind == KIND_COMMAND) {
        hear_command(node, session, message);
    } else if (message->kind == KIND_GRANT) {
        hear_grant(node, session, message);
    } else if (message->kind == KIND_CANCEL) {
        node->cancels++;
        respond(node, session, message->correlation, ERROR_CANCELLED);
    } else if (message->kind == KIND_DECISION) {
        hear_decision(node, message);
    } else if (message->kind == KIND_REAUTHENTICATE) {
        hear_reauthenticate(node, session, message);
    } else if (message->kind == KIND_PING) {
        node->pings++;
        node_say(node, session, NULL, NULL, KIND_PONG, message->correlation, nothing());
    } else if (message->kind == KIND_PONG) {
        node->pongs++;
    } else if (message->kind == KIND_GOODBYE) {
        node->goodbyes++;
        node->sessions[session].is_open = false;
    }
}

static void take_frame(struct node *node, int session, zmq_msg_t *frame)
{
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error = ERROR_OK;
    reader_init(&reader, span_of(zmq_msg_data(frame), zmq_msg_size(frame)));
    if (envelope_decode(&reader, CHANNEL_CLIENT, &envelope) != ERROR_OK)
        abort();
    node->frames++;
    while (message_next(&reader, &message, &error))
        hear(node, session, &message);
    if (error != ERROR_OK)
        abort();
}

static int session_add(struct node *node, const void *routing, size_t bytes)
{
    static uint64_t last_serial;
    int session = node->sessions_count++;
    struct node_session *added = &node->sessions[session];
    *added = (struct node_session){.routing_bytes = bytes, .id = {.instance = 1}};
    added->id.serial = ++last_serial;
    memcpy(added->routing, routing, bytes);
    return session;
}

void node_step(struct node *node)
{
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    while (node->router != NULL && zmq_msg_recv(&frame, node->router, ZMQ_DONTWAIT) >= 0) {
        int session = session_of(node, zmq_msg_data(&frame), zmq_msg_size(&frame));
        if (session < 0)
            session = session_add(node, zmq_msg_data(&frame), zmq_msg_size(&frame));
        if (zmq_msg_recv(&frame, node->router, 0) >= 0)
            take_frame(node, session, &frame);
    }
    (void)zmq_msg_close(&frame);
}

void node_turn(struct node *node, struct weft_context *context)
{
    node_step(node);
    (void)weft_context_run(context, 1);
}

static void *run(void *argument)
{
    struct node *node = argument;
    while (!atomic_load(&node->is_stopping)) {
        zmq_pollitem_t item = {.socket = node->router, .events = ZMQ_POLLIN};
        (void)zmq_poll(&item, 1, 10);
        node_step(node);
    }
    return NULL;
}

void node_run(struct node *node)
{
    atomic_store(&node->is_stopping, false);
    if (pthread_create(&node->thread, NULL, run, node) != 0)
        abort();
}

void node_join(struct node *node)
{
    atomic_store(&node->is_stopping, true);
    (void)pthread_join(node->thread, NULL);
}

struct node straw;

void node_straw_up(void)
{
    straw = (struct node){0};
    node_start(&straw);
    node_run(&straw);
}

void node_straw_down(void)
{
    node_join(&straw);
    node_stop(&straw);
}

struct weft_client *node_straw_client(void)
{
    const struct weft_options options = {.servers = straw.address};
    return weft_new(&options);
}

struct weft_client *node_straw_session(void)
{
    struct weft_client *client = node_straw_client();
    if (weft_connect(client, 5000) != WEFT_OK)
        abort();
    return client;
}
