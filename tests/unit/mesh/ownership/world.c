/* world.c - see world.h. */
#include "tests/unit/mesh/ownership/world.h"

#include "proto/kinds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { NS_PER_MS = 1000000, SCRIPT_PATHS = 40 };

static void node_start(struct world *world, struct world_node *node)
{
    mesh_config_defaults(&node->config);
    node->config.cluster = "test";
    node->config.gossip.members_max = WORLD_NODES_MAX;
    random_bytes(&world->random, node->config.random_seed, sizeof node->config.random_seed);
    node->context = (struct context){0};
    cr_assert(context_init(&node->context, &node->config));
    node->context.now_ns = world->now_ns;
    deadlines_init(node->context.deadlines, world->now_ns);
    node->ownership = ownership_new(&node->context);
    cr_assert_not_null(node->ownership);
    node->is_alive = true;
}

static void node_stop(struct world_node *node)
{
    if (!node->is_alive)
        return;
    ownership_destroy(&node->ownership);
    context_clear(&node->context);
    free(node->truth.sessions);
    free(node->truth.states);
    free(node->truth.handlers);
    node->truth = (struct world_truth){0};
    node->is_alive = false;
}

struct world *world_new(uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);
    cr_assert_not_null(world);
    uint8_t bytes[32] = {0};
    memcpy(bytes, &seed, sizeof seed);
    random_init(&world->random, bytes, 77);
    world->now_ns = 1000 * (uint64_t)NS_PER_MS;
    world->delay_ms_min = world->delay_ms_max = 1;
    world->gossip_ms = 500;
    return world;
}

void world_destroy(struct world **holder)
{
    struct world *world = *holder;
    for (uint32_t i = 0; i < world->count; i++)
        node_stop(&world->nodes[i]);
    while (world->frames != NULL) {
        struct world_frame *frame = world->frames;
        world->frames = frame->next;
        free(frame);
    }
    free(world);
    *holder = NULL;
}

uint32_t world_add(struct world *world)
{
    cr_assert_lt(world->count, WORLD_NODES_MAX);
    node_start(world, &world->nodes[world->count]);
    return world->count++;
}

static uint32_t node_of_instance(const struct world *world, uint64_t instance)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (world->nodes[i].is_alive && world->nodes[i].context.instance == instance)
            return i;
    }
    return UINT32_MAX;
}

static void frame_add(struct world *world, const struct world_frame *original)
{
    size_t bytes = sizeof(struct world_frame) + original->size;
    struct world_frame *frame = malloc(bytes);
    cr_assert_not_null(frame);
    memcpy(frame, original, bytes);
    uint64_t spread = world->delay_ms_max - world->delay_ms_min + 1;
    uint64_t delay_ms = world->delay_ms_min + random_below(&world->random, spread);
    frame->at_ns = world->now_ns + delay_ms * NS_PER_MS;
    frame->next = NULL;
    struct world_frame **end = &world->frames;
    while (*end != NULL && (*end)->at_ns <= frame->at_ns)
        end = &(*end)->next;
    frame->next = *end;
    *end = frame;
}

static bool chance(struct world *world, uint32_t percent)
{
    return percent > 0 && random_below(&world->random, 100) < percent;
}

static void frame_send(struct world *world, uint32_t from, const struct mesh_output *output)
{
    struct world_node *node = &world->nodes[from];
    struct world_frame *frame = calloc(1, sizeof *frame + output->bytes);
    cr_assert_not_null(frame);
    frame->size = output->bytes;
    frame->from = from;
    outbox_write(node->context.outbox, frame->bytes);
    const struct link *link = links_find(node->context.links, output->link);
    cr_assert_not_null(link);
    frame->to = node_of_instance(world, link->instance);
    frame->sender = node->context.instance;
    frame->receiver = link->instance;
    world->frames_sent++;
    world->bytes_sent += frame->size;
    bool is_lost = frame->to == UINT32_MAX || world->cut[from][frame->to] ||
                   chance(world, world->loss_percent);
    if (!is_lost) {
        frame_add(world, frame);
        if (chance(world, world->repeat_percent))
            frame_add(world, frame);
    }
    free(frame);
}

static void pull(struct world *world, uint32_t number)
{
    struct context *context = &world->nodes[number].context;
    struct mesh_output output;
    while (outbox_next(context->outbox, &output)) {
        if (output.order == MESH_SEND)
            frame_send(world, number, &output);
    }
    scratch_clear(&context->scratch);
}

static void frame_deliver(struct world *world, const struct world_frame *arrived)
{
    struct world_node *node = &world->nodes[arrived->to];
    if (!node->is_alive || node->context.instance != arrived->receiver)
        return;
    node->context.now_ns = world->now_ns;
    struct reader reader;
    reader_init(&reader, span_of(arrived->bytes, arrived->size));
    struct envelope envelope;
    cr_assert_eq(envelope_decode(&reader, CHANNEL_FORWARD, &envelope), ERROR_OK);
    struct message message;
    enum error error;
    while (message_next(&reader, &message, &error))
        cr_assert_eq(ownership_receive(node->ownership, arrived->sender, &message), ERROR_OK);
    cr_assert_eq(error, ERROR_OK);
    pull(world, arrived->to);
}

void world_introduce(struct world *world, uint32_t from, uint32_t to)
{
    struct world_node *node = &world->nodes[from];
    uint64_t instance = world->nodes[to].context.instance;
    node->context.now_ns = world->now_ns;
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
    if (!world->cut[from][to] && !link->forward_up) {
        cr_assert(links_up(node->context.links, link->number, CHANNEL_FORWARD));
        ownership_link_up(node->ownership, instance);
    }
    pull(world, from);
}

void world_meet(struct world *world, uint32_t number)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (i == number || !world->nodes[i].is_alive)
            continue;
        world_introduce(world, number, i);
        world_introduce(world, i, number);
    }
}

static void others_lose(struct world *world, uint32_t number, bool is_gone)
{
    uint64_t instance = world->nodes[number].context.instance;
    for (uint32_t i = 0; i < world->count; i++) {
        struct world_node *node = &world->nodes[i];
        if (i == number || !node->is_alive)
            continue;
        node->context.now_ns = world->now_ns;
        struct link *link = links_of_instance(node->context.links, instance);
        if (link != NULL)
            links_close(node->context.links, link);
        if (is_gone)
            ownership_member_gone(node->ownership, instance);
        else
            ownership_member_failed(node->ownership, instance);
        pull(world, i);
    }
}

void world_kill(struct world *world, uint32_t number)
{
    others_lose(world, number, false);
    node_stop(&world->nodes[number]);
}

void world_restart(struct world *world, uint32_t number)
{
    if (world->nodes[number].is_alive)
        others_lose(world, number, true);
    node_stop(&world->nodes[number]);
    node_start(world, &world->nodes[number]);
}

static void gossip(struct world *world)
{
    for (uint32_t from = 0; from < world->count; from++) {
        for (uint32_t to = 0; to < world->count; to++) {
            struct world_node *node = &world->nodes[to];
            if (from == to || !world->nodes[from].is_alive || !node->is_alive ||
                world->cut[from][to] || chance(world, world->loss_percent))
                continue;
            node->context.now_ns = world->now_ns;
            ownership_log_head(node->ownership, world->nodes[from].context.instance,
                               ownership_log_version(world->nodes[from].ownership));
            pull(world, to);
        }
    }
}

static void tick(struct world *world, uint32_t number)
{
    struct world_node *node = &world->nodes[number];
    node->context.now_ns = world->now_ns;
    struct deadline *due;
    while ((due = deadlines_next_due(node->context.deadlines, world->now_ns)) != NULL)
        ownership_due(node->ownership, due);
    pull(world, number);
}

void world_run(struct world *world, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        world->now_ns += NS_PER_MS;
        while (world->frames != NULL && world->frames->at_ns <= world->now_ns) {
            struct world_frame *frame = world->frames;
            world->frames = frame->next;
            frame_deliver(world, frame);
            free(frame);
        }
        if (world->gossip_ms > 0 && world->now_ns / NS_PER_MS % world->gossip_ms == 0)
            gossip(world);
        for (uint32_t n = 0; n < world->count; n++) {
            if (world->nodes[n].is_alive)
                tick(world, n);
        }
    }
}

static struct world_node *acting(struct world *world, uint32_t number)
{
    struct world_node *node = &world->nodes[number];
    node->context.now_ns = world->now_ns;
    return node;
}

struct session_id world_open(struct world *world, uint32_t number)
{
    struct world_node *node = acting(world, number);
    struct world_truth *truth = &node->truth;
    if (truth->sessions_count == truth->sessions_capacity) {
        truth->sessions_capacity = truth->sessions_capacity * 2 + 64;
        truth->sessions =
            realloc(truth->sessions, truth->sessions_capacity * sizeof truth->sessions[0]);
        truth->states = realloc(truth->states, truth->sessions_capacity);
        cr_assert(truth->sessions != NULL && truth->states != NULL);
    }
    struct session_id id = {.instance = node->context.instance,
                            .serial = random_u64(&world->random)};
    cr_assert_eq(ownership_session_opened(node->ownership, id), ERROR_OK);
    truth->sessions[truth->sessions_count] = id;
    truth->states[truth->sessions_count++] = SESSION_ACTIVE;
    return id;
}

void world_close(struct world *world, uint32_t number, size_t session)
{
    struct world_node *node = acting(world, number);
    struct world_truth *truth = &node->truth;
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

void world_change(struct world *world, uint32_t number, size_t session, enum session_state state)
{
    struct world_node *node = acting(world, number);
    ownership_session_changed(node->ownership, node->truth.sessions[session], state);
    node->truth.states[session] = (uint8_t)state;
}

void world_register(struct world *world, uint32_t number, size_t session, enum handler_kind kind,
                    const char *path)
{
    struct world_node *node = acting(world, number);
    struct world_truth *truth = &node->truth;
    struct session_id id = truth->sessions[session];
    enum error error = ownership_handler_registered(node->ownership, kind, span_text(path), id);
    bool is_there = false;
    for (size_t i = 0; i < truth->handlers_count; i++) {
        const struct world_handler *other = &truth->handlers[i];
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
    struct world_handler *handler = &truth->handlers[truth->handlers_count++];
    *handler = (struct world_handler){.session = id, .kind = kind};
    snprintf(handler->path, sizeof handler->path, "%s", path);
}

void world_unregister(struct world *world, uint32_t number, size_t handler)
{
    struct world_node *node = acting(world, number);
    struct world_truth *truth = &node->truth;
    struct world_handler gone = truth->handlers[handler];
    cr_assert_eq(ownership_handler_unregistered(node->ownership, gone.kind, span_text(gone.path),
                                                gone.session),
                 ERROR_OK);
    truth->handlers[handler] = truth->handlers[--truth->handlers_count];
}

void world_act(struct world *world)
{
    uint32_t number = (uint32_t)random_below(&world->random, world->count);
    struct world_node *node = &world->nodes[number];
    if (!node->is_alive)
        return;
    size_t sessions = node->truth.sessions_count;
    uint64_t dice = random_below(&world->random, 10);
    if (sessions == 0 || dice < 3) {
        world_open(world, number);
        return;
    }
    size_t session = (size_t)random_below(&world->random, sessions);
    if (dice < 5) {
        world_close(world, number, session);
    } else if (dice < 7) {
        world_change(world, number, session, dice == 5 ? SESSION_DISCONNECTED : SESSION_ACTIVE);
    } else if (dice < 9 || node->truth.handlers_count == 0) {
        static const char *const ends[] = {"", "/b", "/b/c", "-longer"};
        char path[32];
        uint64_t form = random_below(&world->random, SCRIPT_PATHS);
        snprintf(path, sizeof path, "p%u%s", (unsigned)(form / 4), ends[form % 4]);
        world_register(world, number, session, (enum handler_kind)(1 + form % 3), path);
    } else {
        world_unregister(world, number,
                         (size_t)random_below(&world->random, node->truth.handlers_count));
    }
}

static void check_sessions(struct world_node *viewer, const struct world_node *host)
{
    for (size_t i = 0; i < host->truth.sessions_count; i++) {
        bool is_shaded;
        uint64_t found =
            ownership_find_session(viewer->ownership, host->truth.sessions[i], &is_shaded);
        cr_assert_eq(found, host->context.instance, "session %zu is not where it lives", i);
        cr_assert(!is_shaded);
    }
}

static void check_handlers(const struct world *world, const struct world_node *viewer)
{
    uint64_t cursor = 0;
    enum handler_kind kind;
    struct handler_entry entry;
    size_t seen = 0;
    while (ownership_next_handler(viewer->ownership, &cursor, &kind, &entry)) {
        uint32_t number = node_of_instance(world, entry.instance);
        cr_assert_neq(number, UINT32_MAX, "a ghost's handler");
        const struct world_truth *truth = &world->nodes[number].truth;
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

void world_check(struct world *world, uint32_t number)
{
    struct world_node *viewer = &world->nodes[number];
    size_t sessions = 0;
    size_t handlers = 0;
    ownership_check(viewer->ownership);
    for (uint32_t i = 0; i < world->count; i++) {
        const struct world_node *host = &world->nodes[i];
        if (!host->is_alive)
            continue;
        sessions += host->truth.sessions_count;
        handlers += host->truth.handlers_count;
        check_sessions(viewer, host);
    }
    cr_assert_eq(ownership_sessions(viewer->ownership), sessions, "node %u: %u sessions, not %zu",
                 (unsigned)number, (unsigned)ownership_sessions(viewer->ownership), sessions);
    cr_assert_eq(ownership_handlers(viewer->ownership), handlers);
    check_handlers(world, viewer);
}

void world_check_all(struct world *world)
{
    bool is_first = true;
    uint64_t hash = 0;
    for (uint32_t i = 0; i < world->count; i++) {
        if (!world->nodes[i].is_alive)
            continue;
        world_check(world, i);
        uint64_t here = ownership_hash(world->nodes[i].ownership);
        cr_assert(is_first || here == hash, "equal directories must have equal hashes");
        is_first = false;
        hash = here;
    }
}

uint64_t world_counter(const struct world *world, uint32_t node, enum counter counter)
{
    return world->nodes[node].context.counters[counter];
}
