/* floor - what libzmq itself allows: nodes, a client and a handler by hand, in processes of their
 * own over TCP, that do nothing but pass requests on.
 *
 *     floor two|local drain|coalesce BYTES OUTSTANDING SECONDS
 *     floor fan drain BYTES OUTSTANDING SECONDS
 *
 *     two     client -> node A -> node B -> handler, and back
 *     local   client -> node -> handler, and back
 *     fan     publisher -> node A -> nodes B and C -> 50 subscribers each; OUTSTANDING updates that
 *             not all subscribers have
 *     drain   one message a request, whose way back is the routing ids in front of it; a node takes
 *             all that is there before it sleeps
 *     coalesce  a message carries all the records that one turn of a node had for one receiver;
 *             their way back is in a header of 16 bytes each
 *
 * No checks, no sessions, no limits: nothing that keeps a promise costs less. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include "bench/peers/peer.h"

enum {
    PORT_FIRST = 20000, /* of this program: PORTS from here on, by its pid */
    PORTS = 5,
    HWM_FRAMES = 200000, /* never the limit */
    DRAIN_FRAMES = 1000, /* of one socket, before others have their turn */
    ID_BYTES = 5,
    OUTBOXES_MAX = 16,
    FAN_NODES = 2, /* those with subscribers */
};

enum part { NODE_LOCAL, NODE_A, NODE_B };

/* Leads each record of a coalesced message. The ids are libzmq's routing ids without their 0. */
struct record {
    uint32_t bytes;        /* of the whole record */
    uint32_t client, peer; /* who asked at node A; node A at node B */
    uint32_t unused;       /* so that payloads stay aligned */
};

struct node {
    enum part part;
    bool coalesces;
    void *front; /* ROUTER: client, and the handler, whose id is "H" */
    void *up;    /* DEALER of node A to node B */
    void *peers; /* ROUTER of node B for node A */
};

static const char handler_id[] = "H";

static struct {
    int port;
    bool is_two, coalesces;
} plan;

static void *zmq_context;

/* ---- sockets ---------------------------------------------------------------------------------*/

static void *open_socket(int type)
{
    int hwm = HWM_FRAMES, linger = 0;
    if (zmq_context == NULL)
        zmq_context = zmq_ctx_new();
    void *socket = zmq_socket(zmq_context, type);
    if (socket == NULL)
        peer_fail("zmq_socket");
    (void)zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    (void)zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    (void)zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    return socket;
}

static void endpoint(int offset, char text[64])
{
    snprintf(text, 64, "tcp://127.0.0.1:%d", plan.port + offset);
}

static void *serve(int offset)
{
    char text[64];
    void *socket = open_socket(ZMQ_ROUTER);
    endpoint(offset, text);
    if (zmq_bind(socket, text) != 0)
        peer_fail(text);
    return socket;
}

static void *dial(int offset, const char *id)
{
    char text[64];
    void *socket = open_socket(ZMQ_DEALER);
    endpoint(offset, text);
    if (id != NULL)
        (void)zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, strlen(id));
    if (zmq_connect(socket, text) != 0)
        peer_fail(text);
    return socket;
}

/* ---- drain: one message a request ------------------------------------------------------------*/

/* Passes the parts that are left of a message on. */
static void pass_rest(void *from, void *to)
{
    zmq_msg_t part;
    int more = 1;
    while (more != 0) {
        (void)zmq_msg_init(&part);
        if (zmq_msg_recv(&part, from, 0) < 0)
            peer_fail("zmq_msg_recv");
        more = zmq_msg_more(&part);
        if (zmq_msg_send(&part, to, more != 0 ? ZMQ_SNDMORE : 0) < 0)
            (void)zmq_msg_close(&part);
    }
}

static bool is_handler(zmq_msg_t *id)
{
    return zmq_msg_size(id) == 1;
}

/* One message. false: there is none. What goes to the handler has its id put in front; what comes
 * from it has it taken off, and the ids behind it lead back. */
static bool pass_message(const struct node *node, void *from)
{
    zmq_msg_t first;
    (void)zmq_msg_init(&first);
    if (zmq_msg_recv(&first, from, ZMQ_DONTWAIT) < 0)
        return false;
    if (from == node->front && is_handler(&first)) {
        (void)zmq_msg_close(&first);
        pass_rest(from, node->part == NODE_B ? node->peers : node->front);
        return true;
    }
    bool is_request = from == node->peers || from == node->front;
    void *to = node->front;
    if (is_request && node->part == NODE_A)
        to = node->up;
    else if (is_request)
        (void)zmq_send(to, handler_id, 1, ZMQ_SNDMORE);
    if (zmq_msg_send(&first, to, ZMQ_SNDMORE) < 0)
        (void)zmq_msg_close(&first);
    pass_rest(from, to);
    return true;
}

/* ---- coalesce: a message for all records that go one way -------------------------------------*/

struct outbox {
    void *socket;
    uint32_t id; /* of the receiver; 0: the handler, or the one that a DEALER has */
    char *bytes;
    size_t used, room;
};

static struct outbox outboxes[OUTBOXES_MAX];
static uint32_t outboxes_count;

static struct outbox *outbox_for(void *socket, uint32_t id)
{
    for (uint32_t i = 0; i < outboxes_count; i++)
        if (outboxes[i].socket == socket && outboxes[i].id == id)
            return &outboxes[i];
    if (outboxes_count == OUTBOXES_MAX)
        peer_fail("too many receivers");
    outboxes[outboxes_count] = (struct outbox){.socket = socket, .id = id};
    return &outboxes[outboxes_count++];
}

static void put(void *socket, uint32_t id, const struct record *record)
{
    struct outbox *outbox = outbox_for(socket, id);
    if (outbox->used + record->bytes > outbox->room) {
        outbox->room = 2 * (outbox->used + record->bytes);
        outbox->bytes = realloc(outbox->bytes, outbox->room);
        if (outbox->bytes == NULL)
            peer_fail("realloc");
    }
    memcpy(outbox->bytes + outbox->used, record, record->bytes);
    outbox->used += record->bytes;
}

static void send_outboxes(const struct node *node)
{
    for (uint32_t i = 0; i < outboxes_count; i++) {
        struct outbox *outbox = &outboxes[i];
        char id[ID_BYTES] = {0};
        if (outbox->used == 0)
            continue;
        memcpy(id + 1, &outbox->id, sizeof outbox->id);
        if (outbox->id != 0)
            (void)zmq_send(outbox->socket, id, sizeof id, ZMQ_SNDMORE);
        else if (outbox->socket == node->front)
            (void)zmq_send(outbox->socket, handler_id, 1, ZMQ_SNDMORE);
        (void)zmq_send(outbox->socket, outbox->bytes, outbox->used, 0);
        outbox->used = 0;
    }
}

/* Sorts one record to where it goes next, and notes in it where it came from. */
static void sort_record(const struct node *node, const void *from, bool is_from_handler,
                        uint32_t sender, struct record *record)
{
    if (from == node->up) {
        put(node->front, record->client, record);
    } else if (from == node->peers) {
        record->peer = sender;
        put(node->front, 0, record);
    } else if (is_from_handler && node->part == NODE_B) {
        put(node->peers, record->peer, record);
    } else if (is_from_handler) {
        put(node->front, record->client, record);
    } else {
        record->client = sender;
        put(node->part == NODE_A ? node->up : node->front, 0, record);
    }
}

static bool sort_message(const struct node *node, void *from)
{
    zmq_msg_t part;
    uint32_t sender = 0;
    bool is_from_handler = false;
    (void)zmq_msg_init(&part);
    if (from != node->up) {
        if (zmq_msg_recv(&part, from, ZMQ_DONTWAIT) < 0)
            return false;
        is_from_handler = is_handler(&part);
        if (!is_from_handler)
            memcpy(&sender, (const char *)zmq_msg_data(&part) + 1, sizeof sender);
    }
    if (zmq_msg_recv(&part, from, from == node->up ? ZMQ_DONTWAIT : 0) < 0)
        return false;
    char *at = zmq_msg_data(&part), *end = at + zmq_msg_size(&part);
    while (at < end) {
        struct record *record = (struct record *)(void *)at;
        sort_record(node, from, is_from_handler, sender, record);
        at += record->bytes;
    }
    (void)zmq_msg_close(&part);
    return true;
}

/* ---- the processes ---------------------------------------------------------------------------*/

static void run_node(enum part part)
{
    struct node node = {.part = part, .coalesces = plan.coalesces};
    zmq_pollitem_t items[2] = {{.events = ZMQ_POLLIN}, {.events = ZMQ_POLLIN}};
    node.front = serve(part == NODE_B ? 1 : 0);
    if (part == NODE_A)
        node.up = dial(2, NULL);
    if (part == NODE_B)
        node.peers = serve(2);
    items[0].socket = node.front;
    items[1].socket = part == NODE_A ? node.up : node.peers;
    int count = part == NODE_LOCAL ? 1 : 2;
    for (;;) {
        (void)zmq_poll(items, count, -1);
        for (int i = 0; i < count; i++) {
            int left = (items[i].revents & ZMQ_POLLIN) != 0 ? DRAIN_FRAMES : 0;
            while (left > 0 && (node.coalesces ? sort_message(&node, items[i].socket)
                                               : pass_message(&node, items[i].socket)))
                left--;
        }
        send_outboxes(&node);
    }
}

static void be_node_a(const struct peer_run *run)
{
    (void)run;
    run_node(NODE_A);
}

static void be_node_b(const struct peer_run *run)
{
    (void)run;
    run_node(NODE_B);
}

static void be_only_node(const struct peer_run *run)
{
    (void)run;
    run_node(NODE_LOCAL);
}

static void be_handler(const struct peer_run *run)
{
    (void)run;
    void *socket = dial(plan.is_two ? 1 : 0, handler_id);
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    for (;;) {
        zmq_msg_t part;
        (void)zmq_poll(&item, 1, -1);
        (void)zmq_msg_init(&part);
        while (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0)
            if (zmq_msg_send(&part, socket, zmq_msg_more(&part) ? ZMQ_SNDMORE : 0) < 0)
                peer_fail("zmq_msg_send");
    }
}

/* ---- the client ------------------------------------------------------------------------------*/

struct client {
    void *socket;
    char *out; /* drain: one payload; coalesce: records for as many as may be outstanding */
    size_t used, record_bytes, lead;
};

static void client_ask(const struct peer_run *run, struct client *client)
{
    char *at = client->out + client->used;
    const struct record record = {.bytes = (uint32_t)client->record_bytes};
    if (plan.coalesces) {
        memcpy(at, &record, sizeof record);
        peer_stamp(at + sizeof record);
        client->used += client->record_bytes;
        return;
    }
    peer_stamp(at);
    if (zmq_send(client->socket, at, run->size_bytes, 0) < 0)
        peer_fail("zmq_send");
}

static void client_let_go(struct client *client)
{
    if (client->used > 0 && zmq_send(client->socket, client->out, client->used, 0) < 0)
        peer_fail("zmq_send");
    client->used = 0;
}

/* Takes all answers that are there; *is_over is set when it is enough. Returns how many. */
static uint32_t client_hear(const struct peer_run *run, struct client *client, bool *is_over)
{
    zmq_msg_t part;
    uint32_t answers = 0;
    (void)zmq_msg_init(&part);
    while (zmq_msg_recv(&part, client->socket, ZMQ_DONTWAIT) >= 0) {
        const char *at = zmq_msg_data(&part), *end = at + zmq_msg_size(&part);
        for (; at < end; at += client->record_bytes, answers++)
            *is_over = peer_answered(run, at + client->lead) || *is_over;
    }
    (void)zmq_msg_close(&part);
    return answers;
}

/* Asks until one answer is back: the handler may not have been there yet. */
static void client_begin(const struct peer_run *run, struct client *client)
{
    zmq_pollitem_t item = {.socket = client->socket, .events = ZMQ_POLLIN};
    zmq_msg_t part;
    for (int tries = 0; tries < 100; tries++) {
        client_ask(run, client);
        client_let_go(client);
        if (zmq_poll(&item, 1, 50) > 0)
            break;
    }
    (void)zmq_msg_init(&part);
    while (zmq_poll(&item, 1, 100) > 0) /* and those of earlier tries */
        (void)zmq_msg_recv(&part, client->socket, 0);
    (void)zmq_msg_close(&part);
}

static void run_client(const struct peer_run *run)
{
    struct client client = {.socket = dial(0, NULL),
                            .lead = plan.coalesces ? sizeof(struct record) : 0};
    zmq_pollitem_t item = {.socket = client.socket, .events = ZMQ_POLLIN};
    uint32_t outstanding = 0;
    bool is_over = false;
    client.record_bytes = client.lead + run->size_bytes;
    client.out = calloc(run->outstanding + 1, client.record_bytes);
    if (client.out == NULL)
        peer_fail("calloc");
    client_begin(run, &client);
    while (!is_over) {
        for (; outstanding < run->outstanding; outstanding++)
            client_ask(run, &client);
        client_let_go(&client);
        if (zmq_poll(&item, 1, 5000) <= 0)
            peer_fail("no answer for 5 s");
        outstanding -= client_hear(run, &client, &is_over);
    }
    free(client.out);
}

/* ---- fan-out ---------------------------------------------------------------------------------*/

/* Sends a copy of the message. */
static void send_copy(zmq_msg_t *message, void *to)
{
    zmq_msg_t copy;
    (void)zmq_msg_init(&copy);
    if (zmq_msg_copy(&copy, message) != 0 || zmq_msg_send(&copy, to, 0) < 0)
        peer_fail("zmq_msg_send");
}

/* Takes the next update that somebody sent to this ROUTER; false: there is none. */
static bool take_update(void *socket, zmq_msg_t *update)
{
    (void)zmq_msg_init(update);
    return zmq_msg_recv(update, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_recv(update, socket, 0) >= 0;
}

static void be_fan_a(const struct peer_run *run)
{
    (void)run;
    void *front = serve(0), *up[FAN_NODES];
    zmq_pollitem_t item = {.socket = front, .events = ZMQ_POLLIN};
    for (int i = 0; i < FAN_NODES; i++)
        up[i] = dial(1 + 2 * i, NULL);
    for (;;) {
        zmq_msg_t update;
        (void)zmq_poll(&item, 1, -1);
        while (take_update(front, &update)) {
            for (int i = 0; i < FAN_NODES; i++)
                send_copy(&update, up[i]);
            (void)zmq_msg_close(&update);
        }
    }
}

static void run_fan_node(int offset)
{
    void *peers = serve(offset), *front = serve(offset + 1);
    zmq_pollitem_t items[2] = {{.socket = peers, .events = ZMQ_POLLIN},
                               {.socket = front, .events = ZMQ_POLLIN}};
    char ids[PEER_SUBSCRIBERS][ID_BYTES];
    int subscribers = 0;
    for (;;) {
        zmq_msg_t update;
        (void)zmq_poll(items, 2, -1);
        char hello;
        while (subscribers < PEER_SUBSCRIBERS &&
               zmq_recv(front, ids[subscribers], ID_BYTES, ZMQ_DONTWAIT) == ID_BYTES &&
               zmq_recv(front, &hello, sizeof hello, 0) >= 0)
            subscribers++;
        while (take_update(peers, &update)) {
            for (int i = 0; i < subscribers; i++) {
                (void)zmq_send(front, ids[i], ID_BYTES, ZMQ_SNDMORE);
                send_copy(&update, front);
            }
            (void)zmq_msg_close(&update);
        }
    }
}

static void be_fan_b(const struct peer_run *run)
{
    (void)run;
    run_fan_node(1);
}

static void be_fan_c(const struct peer_run *run)
{
    (void)run;
    run_fan_node(3);
}

/* Opens a subscriber's session and has epoll tell when its socket's descriptor does. */
static void *subscribe(int epoll, uint32_t number)
{
    void *socket = dial(2 + 2 * (int)(number % FAN_NODES), NULL);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    int descriptor = -1;
    size_t bytes = sizeof descriptor;
    if (zmq_send(socket, "h", 1, 0) < 0 ||
        zmq_getsockopt(socket, ZMQ_FD, &descriptor, &bytes) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
        peer_fail("subscribe");
    return socket;
}

static void publish(const struct peer_run *run, void *publisher, char *payload, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        peer_stamp(payload);
        if (zmq_send(publisher, payload, run->size_bytes, 0) < 0)
            peer_fail("zmq_send");
    }
}

/* libzmq's descriptors tell once: what is there is taken until there is nothing. */
static uint32_t receive_updates(const struct peer_run *run, void *socket, uint32_t number,
                                bool *is_over)
{
    uint32_t complete = 0;
    zmq_msg_t update;
    (void)zmq_msg_init(&update);
    while (zmq_msg_recv(&update, socket, ZMQ_DONTWAIT) >= 0) {
        *is_over = peer_answered(run, zmq_msg_data(&update)) || *is_over;
        complete += peer_fan_received(number);
    }
    (void)zmq_msg_close(&update);
    return complete;
}

static void run_fan(const struct peer_run *run)
{
    struct epoll_event events[PEER_SUBSCRIBERS];
    void *subscribers[PEER_SUBSCRIBERS], *publisher = dial(0, NULL);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    char *payload = calloc(1, run->size_bytes);
    bool is_over = false;
    if (epoll < 0 || payload == NULL)
        peer_fail("fan-out");
    for (uint32_t i = 0; i < PEER_SUBSCRIBERS; i++)
        subscribers[i] = subscribe(epoll, i);
    (void)usleep(
        500000); /* every node knows its subscribers by then; if not, the run stands still */
    for (uint32_t i = 0; i < PEER_SUBSCRIBERS; i++) /* only who found nothing is told of more */
        (void)receive_updates(run, subscribers[i], i, &is_over);
    publish(run, publisher, payload, run->outstanding);
    while (!is_over) {
        int count = epoll_wait(epoll, events, PEER_SUBSCRIBERS, 5000);
        if (count <= 0)
            peer_fail("no update for 5 s");
        uint32_t complete = 0;
        for (int i = 0; i < count; i++)
            complete +=
                receive_updates(run, subscribers[events[i].data.u32], events[i].data.u32, &is_over);
        publish(run, publisher, payload, complete);
    }
    free(payload);
}

static void begin_fan(struct peer_run *run)
{
    run->nodes[run->nodes_count++] = peer_fork(be_fan_b, run);
    run->nodes[run->nodes_count++] = peer_fork(be_fan_c, run);
    run->nodes[run->nodes_count++] = peer_fork(be_fan_a, run);
    run_fan(run);
}

static void begin_requests(struct peer_run *run)
{
    if (plan.is_two)
        run->nodes[run->nodes_count++] = peer_fork(be_node_b, run);
    run->nodes[run->nodes_count++] = peer_fork(plan.is_two ? be_node_a : be_only_node, run);
    (void)peer_fork(be_handler, run);
    run_client(run);
}

int main(int count, char **words)
{
    struct peer_run run = {.nodes_count = 0};
    if (count != 6 || !peer_parse(&run, words + 3)) {
        fprintf(stderr, "usage: floor two|local|fan drain|coalesce BYTES OUTSTANDING SECONDS\n");
        return 2;
    }
    plan.is_two = strcmp(words[1], "two") == 0;
    plan.coalesces = strcmp(words[2], "coalesce") == 0;
    plan.port = PORT_FIRST + getpid() * PORTS % 12000;
    if (strcmp(words[1], "fan") == 0)
        begin_fan(&run);
    else
        begin_requests(&run);
    peer_finish(&run);
}
