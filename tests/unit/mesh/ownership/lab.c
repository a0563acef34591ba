/* lab.c - see lab.h. */
#include "tests/unit/mesh/ownership/lab.h"

#include "proto/kinds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { NS_PER_MS = 1000000, SCRIPT_PATHS = 40 };

static void node_start(struct lab *lab, struct lab_node *node)
{
    mesh_config_defaults(&node->config);
    node->config.cluster = "test";
    node->config.gossip.members_max = LAB_NODES_MAX;
    random_bytes(&lab->random, node->config.random_seed, sizeof node->config.random_seed);
    node->context = (struct context){0};
    cr_assert(context_init(&node->context, &node->config));
    node->context.now_ns = lab->now_ns;
    deadlines_init(node->context.deadlines, lab->now_ns);
    node->ownership = ownership_new(&node->context);
    cr_assert_not_null(node->ownership);
    node->is_alive = true;
}

static void node_stop(struct lab_node *node)
{
    if (!node->is_alive)
        return;
    ownership_destroy(&node->ownership);
    context_clear(&node->context);
    free(node->truth.sessions);
    free(node->truth.states);
    free(node->truth.handlers);
    node->truth = (struct lab_truth){0};
    node->is_alive = false;
}

struct lab *lab_new(uint64_t seed)
{
    struct lab *lab = calloc(1, sizeof *lab);
    cr_assert_not_null(lab);
    uint8_t bytes[32] = {0};
    memcpy(bytes, &seed, sizeof seed);
    random_init(&lab->random, bytes, 77);
    lab->now_ns = 1000 * (uint64_t)NS_PER_MS;
    lab->delay_ms_min = lab->delay_ms_max = 1;
    lab->gossip_ms = 500;
    return lab;
}

void lab_destroy(struct lab **holder)
{
    struct lab *lab = *holder;
    for (uint32_t i = 0; i < lab->count; i++)
        node_stop(&lab->nodes[i]);
    while (lab->frames != NULL) {
        struct lab_frame *frame = lab->frames;
        lab->frames = frame->next;
        free(frame);
    }
    free(lab);
    *holder = NULL;
}

uint32_t lab_add(struct lab *lab)
{
    cr_assert_lt(lab->count, LAB_NODES_MAX);
    node_start(lab, &lab->nodes[lab->count]);
    return lab->count++;
}

static uint32_t node_of_instance(const struct lab *lab, uint64_t instance)
{
    for (uint32_t i = 0; i < lab->count; i++) {
        if (lab->nodes[i].is_alive && lab->nodes[i].context.instance == instance)
            return i;
    }
    return UINT32_MAX;
}

static void frame_add(struct lab *lab, const struct lab_frame *original)
{
    size_t bytes = sizeof(struct lab_frame) + original->size;
    struct lab_frame *frame = malloc(bytes);
    cr_assert_not_null(frame);
    memcpy(frame, original, bytes);
    uint64_t spread = lab->delay_ms_max - lab->delay_ms_min + 1;
    uint64_t delay_ms = lab->delay_ms_min + random_below(&lab->random, spread);
    frame->at_ns = lab->now_ns + delay_ms * NS_PER_MS;
    frame->next = NULL;
    struct lab_frame **end = &lab->frames;
    while (*end != NULL && (*end)->at_ns <= frame->at_ns)
        end = &(*end)->next;
    frame->next = *end;
    *end = frame;
}

static bool chance(struct lab *lab, uint32_t percent)
{
    return percent > 0 && random_below(&lab->random, 100) < percent;
}

static void frame_send(struct lab *lab, uint32_t from, const struct mesh_output *output)
{
    struct lab_node *node = &lab->nodes[from];
    struct lab_frame *frame = calloc(1, sizeof *frame + output->bytes);
    cr_assert_not_null(frame);
    frame->size = output->bytes;
    frame->from = from;
    outbox_write(node->context.outbox, frame->bytes);
    const struct link *link = links_find(node->context.links, output->link);
    cr_assert_not_null(link);
    frame->to = node_of_instance(lab, link->instance);
    frame->sender = node->context.instance;
    frame->receiver = link->instance;
    lab->frames_sent++;
    lab->bytes_sent += frame->size;
    bool is_lost =
        frame->to == UINT32_MAX || lab->cut[from][frame->to] || chance(lab, lab->loss_percent);
    if (!is_lost) {
        frame_add(lab, frame);
        if (chance(lab, lab->repeat_percent))
            frame_add(lab, frame);
    }
    free(frame);
}

static void pull(struct lab *lab, uint32_t number)
{
    struct context *context = &lab->nodes[number].context;
    struct mesh_output output;
    while (outbox_next(context->outbox, &output)) {
        if (output.order == MESH_SEND)
            frame_send(lab, number, &output);
    }
    scratch_clear(&context->scratch);
}

static void frame_deliver(struct lab *lab, const struct lab_frame *arrived)
{
    struct lab_node *node = &lab->nodes[arrived->to];
    if (!node->is_alive || node->context.instance != arrived->receiver)
        return;
    node->context.now_ns = lab->now_ns;
    struct reader reader;
    reader_init(&reader, span_of(arrived->bytes, arrived->size));
    struct envelope envelope;
    cr_assert_eq(envelope_decode(&reader, CHANNEL_FORWARD, &envelope), ERROR_OK);
    struct message message;
    enum error error;
    while (message_next(&reader, &message, &error))
        cr_assert_eq(ownership_receive(node->ownership, arrived->sender, &message), ERROR_OK);
    cr_assert_eq(error, ERROR_OK);
    pull(lab, arrived->to);
}

void lab_introduce(struct lab *lab, uint32_t from, uint32_t to)
{
    struct lab_node *node = &lab->nodes[from];
    uint64_t instance = lab->nodes[to].context.instance;
    node->context.now_ns = lab->now_ns;
    ownership_member_joined(node->ownership, instance);
    struct link *link = links_of_instance(node->context.links, instance);
    if (link == NULL) {
        char address[32];
        snprintf(address, sizeof address, "host%u:1", (unsigned)to);
        link = links_open(node->context.links, span_text(address));
        cr_assert_not_null(link);
        links_open_forward(node->context.links, link, span_text(address));
        links_bind(node->context.links, link, instance);
    }
    if (!lab->cut[from][to] && !link->forward_up) {
        cr_assert(links_up(node->context.links, link->number, CHANNEL_FORWARD));
        ownership_link_up(node->ownership, instance);
    }
    pull(lab, from);
}

void lab_meet(struct lab *lab, uint32_t number)
{
    for (uint32_t i = 0; i < lab->count; i++) {
        if (i == number || !lab->nodes[i].is_alive)
            continue;
        lab_introduce(lab, number, i);
        lab_introduce(lab, i, number);
    }
}

static void others_lose(struct lab *lab, uint32_t number, bool is_gone)
{
    uint64_t instance = lab->nodes[number].context.instance;
    for (uint32_t i = 0; i < lab->count; i++) {
        struct lab_node *node = &lab->nodes[i];
        if (i == number || !node->is_alive)
            continue;
        node->context.now_ns = lab->now_ns;
        struct link *link = links_of_instance(node->context.links, instance);
        if (link != NULL)
            links_close(node->context.links, link);
        if (is_gone)
            ownership_member_gone(node->ownership, instance);
        else
            ownership_member_failed(node->ownership, instance);
        pull(lab, i);
    }
}

void lab_kill(struct lab *lab, uint32_t number)
{
    others_lose(lab, number, false);
    node_stop(&lab->nodes[number]);
}

void lab_restart(struct lab *lab, uint32_t number)
{
    if (lab->nodes[number].is_alive)
        others_lose(lab, number, true);
    node_stop(&lab->nodes[number]);
    node_start(lab, &lab->nodes[number]);
}

static void gossip(struct lab *lab)
{
    for (uint32_t from = 0; from < lab->count; from++) {
        for (uint32_t to = 0; to < lab->count; to++) {
            struct lab_node *node = &lab->nodes[to];
            if (from == to || !lab->nodes[from].is_alive || !node->is_alive || lab->cut[from][to] ||
                chance(lab, lab->loss_percent))
                continue;
            node->context.now_ns = lab->now_ns;
            ownership_log_head(node->ownership, lab->nodes[from].context.instance,
                               ownership_log_version(lab->nodes[from].ownership));
            pull(lab, to);
        }
    }
}

static void tick(struct lab *lab, uint32_t number)
{
    struct lab_node *node = &lab->nodes[number];
    node->context.now_ns = lab->now_ns;
    struct deadline *due;
    while ((due = deadlines_next_due(node->context.deadlines, lab->now_ns)) != NULL)
        ownership_due(node->ownership, due);
    pull(lab, number);
}

void lab_run(struct lab *lab, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        lab->now_ns += NS_PER_MS;
        while (lab->frames != NULL && lab->frames->at_ns <= lab->now_ns) {
            struct lab_frame *frame = lab->frames;
            lab->frames = frame->next;
            frame_deliver(lab, frame);
            free(frame);
        }
        if (lab->gossip_ms > 0 && lab->now_ns / NS_PER_MS % lab->gossip_ms == 0)
            gossip(lab);
        for (uint32_t n = 0; n < lab->count; n++) {
            if (lab->nodes[n].is_alive)
                tick(lab, n);
        }
    }
}

static struct lab_node *acting(struct lab *lab, uint32_t number)
{
    struct lab_node *node = &lab->nodes[number];
    node->context.now_ns = lab->now_ns;
    return node;
}

struct session_id lab_open(struct lab *lab, uint32_t number)
{
    struct lab_node *node = acting(lab, number);
    struct lab_truth *truth = &node->truth;
    if (truth->sessions_count == truth->sessions_capacity) {
        truth->sessions_capacity = truth->sessions_capacity * 2 + 64;
        truth->sessions =
            realloc(truth->sessions, truth->sessions_capacity * sizeof truth->sessions[0]);
        truth->states = realloc(truth->states, truth->sessions_capacity);
        cr_assert(truth->sessions != NULL && truth->states != NULL);
    }
    struct session_id id = {.instance = node->context.instance, .serial = random_u64(&lab->random)};
    cr_assert_eq(ownership_session_opened(node->ownership, id), ERROR_OK);
    truth->sessions[truth->sessions_count] = id;
    truth->states[truth->sessions_count++] = SESSION_ACTIVE;
    return id;
}

void lab_close(struct lab *lab, uint32_t number, size_t session)
{
    struct lab_node *node = acting(lab, number);
    struct lab_truth *truth = &node->truth;
    struct session_id id = truth->sessions[session];
    ownership_session_closed(node->ownership, id);
    truth->sessions_count--;
    truth->sessions[session] = truth->sessions[truth->sessions_count];
    truth->states[session] = truth->states[truth->sessions_count];
    size_t kept = 0;
    for (size_t i = 0; i < truth->handlers_count; i++) {
        if (!session_id_equal(truth->handlers[i].session, id))
            truth->handlers[kept++] = truth->handlers[i];
    }
    truth->handlers_count = kept;
}

void lab_change(struct lab *lab, uint32_t number, size_t session, enum session_state state)
{
    struct lab_node *node = acting(lab, number);
    ownership_session_changed(node->ownership, node->truth.sessions[session], state);
    node->truth.states[session] = (uint8_t)state;
}

void lab_register(struct lab *lab, uint32_t number, size_t session, enum handler_kind kind,
                  const char *path)
{
    struct lab_node *node = acting(lab, number);
    struct lab_truth *truth = &node->truth;
    struct session_id id = truth->sessions[session];
    enum error error =
        ownership_handler_registered(node->ownership, kind, span_text(path), id, (struct span){0});
    bool is_there = false;
    for (size_t i = 0; i < truth->handlers_count; i++) {
        const struct lab_handler *other = &truth->handlers[i];
        is_there |= session_id_equal(other->session, id) && other->kind == kind &&
                    strcmp(other->path, path) == 0;
    }
    cr_assert_eq(error, is_there ? ERROR_HANDLER_CONFLICT : ERROR_OK);
    if (is_there)
        return;
    if (truth->handlers_count == truth->handlers_capacity) {
        truth->handlers_capacity = truth->handlers_capacity * 2 + 64;
        truth->handlers =
            realloc(truth->handlers, truth->handlers_capacity * sizeof truth->handlers[0]);
        cr_assert_not_null(truth->handlers);
    }
    struct lab_handler *handler = &truth->handlers[truth->handlers_count++];
    *handler = (struct lab_handler){.session = id, .kind = kind};
    snprintf(handler->path, sizeof handler->path, "%s", path);
}

void lab_unregister(struct lab *lab, uint32_t number, size_t handler)
{
    struct lab_node *node = acting(lab, number);
    struct lab_truth *truth = &node->truth;
    struct lab_handler gone = truth->handlers[handler];
    cr_assert_eq(ownership_handler_unregistered(node->ownership, gone.kind, span_text(gone.path),
                                                gone.session),
                 ERROR_OK);
    truth->handlers[handler] = truth->handlers[--truth->handlers_count];
}

void lab_act(struct lab *lab)
{
    uint32_t number = (uint32_t)random_below(&lab->random, lab->count);
    struct lab_node *node = &lab->nodes[number];
    if (!node->is_alive)
        return;
    size_t sessions = node->truth.sessions_count;
    uint64_t dice = random_below(&lab->random, 10);
    if (sessions == 0 || dice < 3) {
        lab_open(lab, number);
        return;
    }
    size_t session = (size_t)random_below(&lab->random, sessions);
    if (dice < 5) {
        lab_close(lab, number, session);
    } else if (dice < 7) {
        lab_change(lab, number, session, dice == 5 ? SESSION_DISCONNECTED : SESSION_ACTIVE);
    } else if (dice < 9 || node->truth.handlers_count == 0) {
        static const char *const ends[] = {"", "/b", "/b/c", "-longer"};
        char path[32];
        uint64_t form = random_below(&lab->random, SCRIPT_PATHS);
        snprintf(path, sizeof path, "p%u%s", (unsigned)(form / 4), ends[form % 4]);
        lab_register(lab, number, session, (enum handler_kind)(1 + form % 3), path);
    } else {
        lab_unregister(lab, number, (size_t)random_below(&lab->random, node->truth.handlers_count));
    }
}

static void check_sessions(struct lab_node *viewer, const struct lab_node *host)
{
    for (size_t i = 0; i < host->truth.sessions_count; i++) {
        bool is_shaded;
        uint64_t found =
            ownership_find_session(viewer->ownership, host->truth.sessions[i], &is_shaded);
        cr_assert_eq(found, host->context.instance, "session %zu is not where it lives", i);
        cr_assert(!is_shaded);
    }
}

static void check_handlers(const struct lab *lab, const struct lab_node *viewer)
{
    uint64_t cursor = 0;
    enum handler_kind kind;
    struct handler_entry entry;
    size_t seen = 0;
    while (ownership_next_handler(viewer->ownership, &cursor, &kind, &entry)) {
        uint32_t number = node_of_instance(lab, entry.instance);
        cr_assert_neq(number, UINT32_MAX, "a ghost's handler");
        const struct lab_truth *truth = &lab->nodes[number].truth;
        bool is_there = false;
        for (size_t i = 0; i < truth->handlers_count; i++)
            is_there |= session_id_equal(truth->handlers[i].session, entry.session) &&
                        truth->handlers[i].kind == kind &&
                        span_equal(span_text(truth->handlers[i].path), entry.path);
        cr_assert(is_there, "a registration that its owner does not have");
        for (size_t i = 0; i < truth->sessions_count; i++) {
            if (session_id_equal(truth->sessions[i], entry.session))
                cr_assert_eq(entry.state, truth->states[i]);
        }
        seen++;
    }
    cr_assert_eq(seen, ownership_handlers(viewer->ownership));
}

void lab_check(struct lab *lab, uint32_t number)
{
    struct lab_node *viewer = &lab->nodes[number];
    size_t sessions = 0;
    size_t handlers = 0;
    ownership_check(viewer->ownership);
    for (uint32_t i = 0; i < lab->count; i++) {
        const struct lab_node *host = &lab->nodes[i];
        if (!host->is_alive)
            continue;
        sessions += host->truth.sessions_count;
        handlers += host->truth.handlers_count;
        check_sessions(viewer, host);
    }
    cr_assert_eq(ownership_sessions(viewer->ownership), sessions, "node %u: %u sessions, not %zu",
                 (unsigned)number, (unsigned)ownership_sessions(viewer->ownership), sessions);
    cr_assert_eq(ownership_handlers(viewer->ownership), handlers);
    check_handlers(lab, viewer);
}

void lab_check_all(struct lab *lab)
{
    bool is_first = true;
    uint64_t hash = 0;
    for (uint32_t i = 0; i < lab->count; i++) {
        if (!lab->nodes[i].is_alive)
            continue;
        lab_check(lab, i);
        uint64_t here = ownership_hash(lab->nodes[i].ownership);
        cr_assert(is_first || here == hash, "equal directories must have equal hashes");
        is_first = false;
        hash = here;
    }
}

uint64_t lab_counter(const struct lab *lab, uint32_t node, enum counter counter)
{
    return lab->nodes[node].context.counters[counter];
}
