/* fuzz_log_merge.c - the log's merge as a state machine: three honest nodes whose frames are
 * delivered in any order, twice or never, while nodes fail and come back, and memory runs out; with
 * strangers' bytes in between. When all is healed and quiet, every directory must be the union of
 * what the nodes did, and all hashes equal. The input's bytes say what happens; any input is one
 * history. */
#include "mesh/base/context.h"
#include "mesh/ownership/ownership.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    NODES = 3,
    SESSIONS_MAX = 64,
    FRAMES_MAX = 256,
    ACTIONS_MAX = 600,
    QUIET_MS = 30000,
    FLOODS_MAX = 2
};

struct node {
    struct mesh_config config;
    struct context context;
    struct ownership *ownership;
    struct session_id sessions[SESSIONS_MAX];
    uint32_t count;
};

struct frame {
    uint32_t from, to;
    size_t bytes;
    uint8_t *data;
};

static struct node nodes[NODES];
static struct frame soup[FRAMES_MAX];
static uint32_t soup_count;
static uint64_t now_ns;
static uint64_t serials;
static uint32_t floods;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static void soup_remove(uint32_t at)
{
    free(soup[at].data);
    soup_count--;
    memmove(soup + at, soup + at + 1, (soup_count - at) * sizeof soup[0]);
}

/* What the node says goes into the soup; when that is full, the oldest is lost. */
static void pull(uint32_t number)
{
    struct context *context = &nodes[number].context;
    struct mesh_output output;
    while (outbox_next(context->outbox, &output)) {
        if (output.order != MESH_SEND)
            continue;
        if (soup_count == FRAMES_MAX)
            soup_remove(0);
        struct frame *frame = &soup[soup_count++];
        const struct link *link = links_find(context->links, output.link);
        *frame = (struct frame){.from = number, .bytes = output.bytes};
        frame->data = malloc(output.bytes);
        must(frame->data != NULL && link != NULL);
        frame->to = (uint32_t)(link->forward_address[0] - '0');
        outbox_write(context->outbox, frame->data);
    }
    scratch_clear(&context->scratch);
}

static void deliver(const struct frame *frame)
{
    struct node *node = &nodes[frame->to];
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error;
    node->context.now_ns = now_ns;
    reader_init(&reader, span_of(frame->data, frame->bytes));
    must(envelope_decode(&reader, CHANNEL_FORWARD, &envelope) == ERROR_OK);
    while (message_next(&reader, &message, &error))
        must(ownership_receive(node->ownership, nodes[frame->from].context.instance, &message) ==
             ERROR_OK);
    pull(frame->to);
}

/* The node has no memory for one act: its ring is emptied, or it can not apply what comes. */
static void starve(struct node *node, bool begins)
{
    struct memory *memory = &node->context.memory;
    memory->limit[MEMORY_DIRECTORY] = begins ? memory->used[MEMORY_DIRECTORY] : UINT64_MAX;
}

/* Delivers a frame of the soup; it stays there when it is to come again. */
static void deliver_one(uint32_t at, bool stays, bool is_starved)
{
    struct frame frame = soup[at];
    if (stays) {
        soup[at].data = malloc(frame.bytes);
        must(soup[at].data != NULL);
        memcpy(soup[at].data, frame.data, frame.bytes);
    } else {
        soup[at].data = NULL;
        soup_remove(at);
    }
    starve(&nodes[frame.to], is_starved);
    deliver(&frame);
    starve(&nodes[frame.to], false);
    free(frame.data);
}

static void link_up(uint32_t from, uint32_t to)
{
    struct node *node = &nodes[from];
    uint64_t instance = nodes[to].context.instance;
    char address[] = "0:1";
    address[0] = (char)('0' + to);
    node->context.now_ns = now_ns;
    ownership_member_joined(node->ownership, instance);
    struct link *link = links_open(node->context.links, span_text(address));
    links_open_forward(node->context.links, link, span_text(address));
    links_bind(node->context.links, link, instance);
    links_up(node->context.links, link->number, CHANNEL_FORWARD);
    ownership_link_up(node->ownership, instance);
    pull(from);
}

static void node_start(uint32_t number)
{
    struct node *node = &nodes[number];
    *node = (struct node){0};
    mesh_config_defaults(&node->config);
    node->config.cluster = "fuzz";
    node->config.gossip.members_max = NODES;
    node->config.random_seed[0] = (uint8_t)(number + 1);
    must(context_init(&node->context, &node->config));
    node->context.now_ns = now_ns;
    deadlines_init(node->context.deadlines, now_ns);
    node->ownership = ownership_new(&node->context);
    must(node->ownership != NULL);
}

static void time_passes(uint32_t ms)
{
    now_ns += (uint64_t)ms * 1000000;
    for (uint32_t i = 0; i < NODES; i++) {
        struct deadline *due;
        nodes[i].context.now_ns = now_ns;
        while ((due = deadlines_next_due(nodes[i].context.deadlines, now_ns)) != NULL)
            ownership_due(nodes[i].ownership, due);
        pull(i);
    }
}

static void gossip(uint32_t from, uint32_t to)
{
    nodes[to].context.now_ns = now_ns;
    ownership_log_head(nodes[to].ownership, nodes[from].context.instance,
                       ownership_log_version(nodes[from].ownership));
    pull(to);
}

static void open_or_claim(struct node *node, const struct node *other, uint8_t choice)
{
    struct session_id id = {.instance = node->context.instance,
                            .serial = ++serials * UINT64_C(0x9e3779b97f4a7c15)};
    if (node->count == SESSIONS_MAX)
        return;
    bool claims = choice % 4 == 0 && other->count > 0;
    if (claims) {
        id = other->sessions[choice % other->count];
        for (uint32_t i = 0; i < node->count; i++) {
            if (session_id_equal(node->sessions[i], id))
                return;
        }
    }
    enum error error = claims ? ownership_session_claimed(node->ownership, id, SESSION_ACTIVE)
                              : ownership_session_opened(node->ownership, id);
    must(error == ERROR_OK || error == ERROR_LIMIT_REACHED);
    if (error == ERROR_OK)
        node->sessions[node->count++] = id;
}

static void end_session(struct node *node, uint32_t at)
{
    ownership_session_closed(node->ownership, node->sessions[at]);
    node->sessions[at] = node->sessions[--node->count];
}

static void change(struct node *node, uint8_t choice)
{
    struct session_id id = node->sessions[choice % node->count];
    char path[] = "p/x";
    path[2] = (char)('a' + choice % 8);
    switch (choice / 64) {
    case 0:
        end_session(node, choice % node->count);
        break;
    case 1:
        ownership_session_changed(node->ownership, id,
                                  choice % 2 == 0 ? SESSION_ACTIVE : SESSION_DISCONNECTED);
        break;
    case 2:
        (void)ownership_handler_registered(node->ownership, HANDLER_REQUEST, span_text(path), id,
                                           (struct span){0});
        break;
    default:
        (void)ownership_handler_unregistered(node->ownership, HANDLER_REQUEST, span_text(path), id);
        break;
    }
}

/* More than its ring holds: who misses this needs a snapshot. Costs a millisecond, so seldom. */
static void flood(struct node *node)
{
    static char path[1000];
    if (node->count == 0 || floods == FLOODS_MAX)
        return;
    floods++;
    memset(path, 'f', sizeof path);
    for (int i = 0; i < 560; i++) {
        struct span span = span_of(path, sizeof path);
        struct session_id id = node->sessions[0];
        if (ownership_handler_registered(node->ownership, HANDLER_REQUEST, span, id,
                                         (struct span){0}) == ERROR_OK)
            must(ownership_handler_unregistered(node->ownership, HANDLER_REQUEST, span, id) ==
                 ERROR_OK);
    }
}

static void stranger(struct node *node, const uint8_t *bytes, size_t size)
{
    uint64_t hash = ownership_hash(node->ownership);
    struct message message = {.kind = (uint8_t)(32 + bytes[0] % 4),
                              .correlation = bytes[1] % 8,
                              .fields = span_of(bytes + 2, (size - 2) / 2),
                              .body = span_of(bytes + 2 + (size - 2) / 2, (size - 2) / 2)};
    (void)ownership_receive(node->ownership, 0x5742a6e5, &message);
    must(ownership_hash(node->ownership) == hash);
}

/* Carries out what three bytes say. */
static void act(const uint8_t *bytes, size_t left)
{
    uint32_t number = bytes[1] % NODES;
    uint32_t other = (number + 1 + bytes[1] / 8 % 2) % NODES;
    struct node *node = &nodes[number];
    node->context.now_ns = now_ns;
    bool is_starved = bytes[1] >= 240;
    uint32_t at = soup_count == 0 ? 0 : bytes[2] % soup_count;
    starve(node, is_starved);
    switch (bytes[0] % 13) {
    case 0:
    case 1:
        open_or_claim(node, &nodes[other], bytes[2]);
        break;
    case 2:
    case 3:
        if (node->count > 0)
            change(node, bytes[2]);
        break;
    case 4:
    case 5:
    case 6:
        starve(node, false);
        if (soup_count > 0)
            deliver_one(at, bytes[0] % 13 == 6, is_starved);
        break;
    case 7:
        if (soup_count > 0)
            soup_remove(at);
        break;
    case 8:
        starve(node, false);
        time_passes(bytes[2]);
        break;
    case 9:
        gossip(number, other);
        break;
    case 10:
        if (bytes[2] % 2 == 0)
            ownership_member_failed(node->ownership, nodes[other].context.instance);
        else
            ownership_member_joined(node->ownership, nodes[other].context.instance);
        break;
    case 11:
        flood(node);
        break;
    default:
        stranger(node, bytes, left > 64 ? 64 : left);
        break;
    }
    starve(node, false);
    pull(number);
}

/* What others have won is ended here, as its room will do it. */
static void give_up_lost(void)
{
    struct session_id lost;
    uint64_t winner;
    for (uint32_t i = 0; i < NODES; i++) {
        struct node *node = &nodes[i];
        while (ownership_next_lost(node->ownership, &lost, &winner)) {
            uint32_t at = 0;
            while (at < node->count && !session_id_equal(node->sessions[at], lost))
                at++;
            must(at < node->count && winner != node->context.instance);
            end_session(node, at);
        }
    }
}

/* Everybody is well, frames arrive in order, lost sessions are given up. */
static void heal(void)
{
    for (uint32_t from = 0; from < NODES; from++) {
        for (uint32_t to = 0; to < NODES; to++) {
            if (from != to)
                ownership_member_joined(nodes[from].ownership, nodes[to].context.instance);
        }
        pull(from);
    }
    for (uint32_t ms = 0; ms < QUIET_MS; ms += 50) {
        time_passes(50);
        for (uint32_t i = 0; i < NODES * NODES && ms % 500 == 0; i++) {
            if (i / NODES != i % NODES)
                gossip(i / NODES, i % NODES);
        }
        while (soup_count > 0)
            deliver_one(0, false, false);
        give_up_lost();
    }
}

static void check(void)
{
    uint32_t sessions = 0;
    for (uint32_t i = 0; i < NODES; i++)
        sessions += nodes[i].count;
    for (uint32_t viewer = 0; viewer < NODES; viewer++) {
        const struct ownership *ownership = nodes[viewer].ownership;
        ownership_check(ownership);
        must(ownership_is_synced(ownership));
        must(ownership_sessions(ownership) == sessions);
        must(ownership_hash(ownership) == ownership_hash(nodes[0].ownership));
        must(ownership_handlers(ownership) == ownership_handlers(nodes[0].ownership));
        for (uint32_t i = 0; i < NODES; i++) {
            for (uint32_t s = 0; s < nodes[i].count; s++) {
                bool is_shaded;
                must(ownership_find_session(ownership, nodes[i].sessions[s], &is_shaded) ==
                     nodes[i].context.instance);
                must(!is_shaded);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    now_ns = UINT64_C(1) << 32;
    serials = floods = 0;
    for (uint32_t i = 0; i < NODES; i++)
        node_start(i);
    for (uint32_t i = 0; i < NODES * NODES; i++) {
        if (i / NODES != i % NODES)
            link_up(i / NODES, i % NODES);
    }
    for (size_t at = 0; at + 3 <= size && at < (size_t)3 * ACTIONS_MAX; at += 3) {
        act(data + at, size - at);
        for (uint32_t i = 0; i < NODES; i++)
            ownership_check(nodes[i].ownership);
    }
    heal();
    check();
    while (soup_count > 0)
        soup_remove(0);
    for (uint32_t i = 0; i < NODES; i++) {
        ownership_destroy(&nodes[i].ownership);
        context_clear(&nodes[i].context);
    }
    return 0;
}
