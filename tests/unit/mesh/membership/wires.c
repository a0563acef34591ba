/* wires.c - see wires.h. */
#include "tests/unit/mesh/membership/wires.h"

#include <stdlib.h>

#define MS_NS UINT64_C(1000000)

uint64_t wires_delay_ns(struct world *world)
{
    uint64_t jitter = world->jitter_us == 0 ? 0 : random_below(&world->random, world->jitter_us);
    return (world->delay_us + jitter) * UINT64_C(1000);
}

struct world_link *wires_link(struct world_node *node, enum channel channel, uint32_t number)
{
    uint32_t side = channel == CHANNEL_FORWARD ? 1 : 0;
    if (number >= node->links_count[side]) {
        uint32_t count = number + 16;
        node->links[side] = realloc(node->links[side], count * sizeof(struct world_link));
        memset(node->links[side] + node->links_count[side], 0,
               (count - node->links_count[side]) * sizeof(struct world_link));
        node->links_count[side] = count;
    }
    return &node->links[side][number];
}

uint32_t wires_listener(const struct world *world, const char *address)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (strcmp(world->nodes[i].gossip, address) == 0 ||
            strcmp(world->nodes[i].forward, address) == 0)
            if (world->nodes[i].room != NULL || world->nodes[i].is_silent)
                return i;
    }
    return UINT32_MAX;
}

static bool is_cut(const struct world *world, uint32_t from, uint32_t to)
{
    return world->cuts[from * world->count + to] != 0;
}

void wires_break(struct world *world, uint32_t number)
{
    if (!world->connections[number].is_open)
        return;
    world->connections[number].is_open = false;
    uint32_t from = world->connections[number].from;
    uint32_t link = world->connections[number].link & INT32_MAX;
    enum channel channel =
        world->connections[number].link >> 31 != 0 ? CHANNEL_FORWARD : CHANNEL_GOSSIP;
    struct world_link *end = wires_link(&world->nodes[from], channel, link);
    happenings_push(&world->happenings, world->now_ns,
                    (struct happening){.kind = EVENT_LOST,
                                       .channel = channel,
                                       .node = from,
                                       .life = world->connections[number].from_life,
                                       .link = link,
                                       .generation = end->generation},
                    MS_NS);
}

static uint32_t connection_new(struct world *world, uint32_t from, enum channel channel,
                               uint32_t link, uint32_t to)
{
    if (world->connections_count == world->connections_capacity) {
        world->connections_capacity =
            world->connections_capacity == 0 ? 256 : world->connections_capacity * 2;
        world->connections =
            realloc(world->connections, world->connections_capacity * sizeof world->connections[0]);
    }
    uint32_t number = world->connections_count++;
    world->connections[number].from = from;
    world->connections[number].from_life = world->nodes[from].life;
    world->connections[number].link = link | (channel == CHANNEL_FORWARD ? UINT32_C(1) << 31 : 0);
    world->connections[number].to = to;
    world->connections[number].to_life = world->nodes[to].life;
    world->connections[number].is_open = true;
    return number;
}

void wires_dial(struct world *world, const struct happening *event)
{
    struct world_node *node = &world->nodes[event->node];
    struct world_link *link = wires_link(node, event->channel, event->link);
    if (!link->is_open || link->generation != event->generation || link->is_up)
        return;
    uint32_t to = wires_listener(world, link->address);
    struct happening next = *event;
    if (to == UINT32_MAX || world->nodes[to].is_silent || world->nodes[to].is_unreachable ||
        (world->nodes[to].is_forward_shut && event->channel == CHANNEL_FORWARD) ||
        is_cut(world, event->node, to) || is_cut(world, to, event->node)) {
        happenings_push(&world->happenings, world->now_ns, next, WIRES_REDIAL_MS * MS_NS);
        return;
    }
    link->connection = connection_new(world, event->node, event->channel, event->link, to);
    link->is_up = true;
    next.kind = EVENT_UP;
    happenings_push(&world->happenings, world->now_ns, next, 2 * wires_delay_ns(world));
}

/* Draws, but only where something can come of it: a quiet world's draws stay the same. */
static bool draws(struct world *world, uint32_t percent)
{
    return percent > 0 && random_below(&world->random, 100) < percent;
}

void wires_send(struct world *world, uint32_t from, uint32_t connection, bool is_answer,
                uint8_t *bytes, size_t count)
{
    if (connection >= world->connections_count) { /* a stranger's, made up by a test */
        free(bytes);
        return;
    }
    bool is_gone = !world->connections[connection].is_open;
    uint32_t to =
        is_answer ? world->connections[connection].from : world->connections[connection].to;
    bool is_lost = draws(world, world->loss_percent) ||
                   draws(world, world->nodes[from].loss_percent) ||
                   draws(world, world->nodes[to].loss_percent) ||
                   (world->frame_bytes_max > 0 && count > world->frame_bytes_max);
    if (is_gone || is_lost || world->nodes[to].is_silent || is_cut(world, from, to)) {
        free(bytes);
        return;
    }
    if (draws(world, world->corrupt_percent))
        bytes[random_below(&world->random, count)] ^=
            (uint8_t)(1 + random_below(&world->random, 255));
    uint32_t tagged = world->connections[connection].link;
    struct happening arrival = {
        .kind = is_answer ? EVENT_ANSWER : EVENT_FRAME,
        .channel = tagged >> 31 != 0 ? CHANNEL_FORWARD : CHANNEL_GOSSIP,
        .node = to,
        .life = is_answer ? world->connections[connection].from_life
                          : world->connections[connection].to_life,
        .link = tagged & INT32_MAX,
        .connection = connection,
        .bytes = bytes,
        .bytes_count = count,
    };
    uint64_t after_ns = wires_delay_ns(world);
    if (draws(world, world->repeat_percent)) {
        struct happening again = arrival;
        again.bytes = malloc(count);
        memcpy(again.bytes, bytes, count);
        happenings_push(&world->happenings, world->now_ns, again, after_ns);
    }
    happenings_push(&world->happenings, world->now_ns, arrival, after_ns);
}
