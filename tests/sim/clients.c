#include "tests/sim/clients.h"

/* Clients are not slow, and their lines are not what the fault schedule strikes: what they meet is
 * a node that pauses, crashes, stops or vanishes. */

#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"

static const uint64_t MS = 1000000;

enum {
    TRAVEL_LEAST_NS = 50000,
    TRAVEL_SPREAD_NS = 200000,
    SILENCE_MS = 5000, /* a client whose node's host says nothing gives up */
    HALF_OPEN_MS = 2000,
};

struct clients *clients_new(struct world *world, uint32_t count, struct clients_owner owner)
{
    struct clients *clients = calloc(1, sizeof *clients);
    require(clients != NULL);
    *clients = (struct clients){.owner = owner,
                                .count = count,
                                .lines = calloc(count, sizeof *clients->lines),
                                .alarms = calloc(count, sizeof *clients->alarms)};
    require(clients->lines != NULL && clients->alarms != NULL);
    world->clients = clients;
    return clients;
}

void clients_destroy(struct clients **clients)
{
    if (*clients != NULL) {
        free((*clients)->lines);
        free((*clients)->alarms);
    }
    free(*clients);
    *clients = NULL;
}

static uint64_t travel_ns(struct world *world)
{
    return TRAVEL_LEAST_NS + random_below(&world->random[STREAM_CLIENTS], TRAVEL_SPREAD_NS);
}

/* Not before what was sent earlier the same way. */
static uint64_t arrival_ns(struct world *world, uint64_t *last_ns)
{
    uint64_t at_ns = world->now_ns + travel_ns(world);
    *last_ns = at_ns > *last_ns ? at_ns : *last_ns;
    return *last_ns;
}

/* To the client: a frame, or without one that its line is lost. */
static void plan_for_client(struct world *world, uint32_t client, uint64_t at_ns, uint8_t *frame,
                            size_t bytes)
{
    agenda_plan(&world->agenda,
                (struct agenda_event){.at_ns = at_ns,
                                      .kind = EVENT_CLIENT,
                                      .link = client,
                                      .connection = world->clients->lines[client].connection,
                                      .frame = frame,
                                      .bytes = bytes});
}

static void plan_for_node(struct world *world, struct client_line *line, struct agenda_event event)
{
    event.at_ns = arrival_ns(world, &line->there_ns);
    event.node = line->node;
    event.life = line->life;
    event.channel = CHANNEL_CLIENT;
    event.connection = line->connection;
    agenda_plan(&world->agenda, event);
}

static uint8_t *copy_of(const void *frame, size_t bytes)
{
    uint8_t *copy = malloc(bytes == 0 ? 1 : bytes);
    require(copy != NULL);
    memcpy(copy, frame, bytes);
    return copy;
}

void clients_connect(struct world *world, uint32_t client, uint32_t node)
{
    struct client_line *line = &world->clients->lines[client];
    const struct world_node *n = &world->nodes[node];
    require(line->connection == 0);
    *line = (struct client_line){
        .connection = connections_new(
            &world->connections,
            (struct sim_dialler){.node = client, .link = node, .channel = CHANNEL_CLIENT}),
        .node = node,
        .life = n->life,
        .is_cut = n->core == NULL,
        .there_ns = world->now_ns,
        .back_ns = world->now_ns};
    if (n->core == NULL)
        plan_for_client(world, client,
                        world->now_ns + (n->has_vanished ? SILENCE_MS * MS : travel_ns(world)),
                        NULL, 0);
}

static bool is_up(const struct world *world, const struct client_line *line)
{
    const struct world_node *node = &world->nodes[line->node];
    return line->connection != 0 && !line->is_cut && node->core != NULL && node->life == line->life;
}

void clients_send(struct world *world, uint32_t client, const void *frame, size_t bytes,
                  uint64_t number)
{
    struct client_line *line = &world->clients->lines[client];
    if (is_up(world, line))
        plan_for_node(world, line,
                      (struct agenda_event){.kind = EVENT_FRAME,
                                            .link = client,
                                            .number = number,
                                            .frame = copy_of(frame, bytes),
                                            .bytes = bytes});
}

void clients_hang_up(struct world *world, uint32_t client)
{
    struct client_line *line = &world->clients->lines[client];
    if (is_up(world, line))
        plan_for_node(world, line, (struct agenda_event){.kind = EVENT_CONNECTION_LOST});
    line->connection = 0;
}

void clients_break(struct world *world, uint32_t client, enum line_break how)
{
    struct client_line *line = &world->clients->lines[client];
    struct agenda_event lost = {.kind = EVENT_CONNECTION_LOST};
    if (how == LINE_RESET && is_up(world, line)) {
        connections_reset(&world->connections, line->connection);
        line->there_ns = world->now_ns;
    } else if (how == LINE_HALF_OPEN) {
        line->there_ns += random_below(&world->random[STREAM_CLIENTS], HALF_OPEN_MS) * MS;
    }
    if (is_up(world, line))
        plan_for_node(world, line, lost);
    line->connection = 0;
}

void clients_wake_in(struct world *world, uint32_t client, uint64_t ms)
{
    agenda_plan(&world->agenda, (struct agenda_event){.at_ns = world->now_ns + ms * MS,
                                                      .kind = EVENT_CLIENT_DUE,
                                                      .link = client,
                                                      .number = ++world->clients->alarms[client]});
}

/* The client's line of that connection; NULL: it is gone. */
static struct client_line *line_of(struct world *world, uint32_t connection, uint32_t *client)
{
    const struct sim_dialler *dialler = connections_dialler(&world->connections, connection);
    if (dialler == NULL || dialler->channel != CHANNEL_CLIENT)
        return NULL;
    *client = dialler->node;
    struct client_line *line = &world->clients->lines[*client];
    return line->connection == connection ? line : NULL;
}

void clients_reply(struct world *world, uint32_t connection, const uint8_t *frame, size_t bytes)
{
    uint32_t client = 0;
    struct client_line *line = line_of(world, connection, &client);
    if (line != NULL && is_up(world, line))
        plan_for_client(world, client, arrival_ns(world, &line->back_ns), copy_of(frame, bytes),
                        bytes);
}

void clients_cut(struct world *world, uint32_t connection)
{
    uint32_t client = 0;
    struct client_line *line = line_of(world, connection, &client);
    if (line == NULL || !is_up(world, line))
        return; /* it learns, or has learnt, of the end */
    plan_for_client(world, client, arrival_ns(world, &line->back_ns), NULL, 0);
    plan_for_node(world, line, (struct agenda_event){.kind = EVENT_CONNECTION_LOST});
    line->is_cut = true;
}

void clients_due(struct world *world, const struct agenda_event *event)
{
    struct clients *clients = world->clients;
    uint32_t client = event->link;
    struct client_line *line = &clients->lines[client];
    if (event->kind == EVENT_CLIENT_DUE) {
        if (event->number == clients->alarms[client])
            clients->owner.on_due(clients->owner.state, world, client);
        return;
    }
    if (event->connection != line->connection)
        return; /* of an earlier line */
    if (event->frame == NULL) {
        line->connection = 0;
        clients->owner.on_lost(clients->owner.state, world, client);
        return;
    }
    clients->owner.on_frame(clients->owner.state, world, client,
                            span_of(event->frame, event->bytes));
}

void clients_delivered(struct world *world, const struct agenda_event *event)
{
    struct clients *clients = world->clients;
    if (event->kind == EVENT_CONNECTION_LOST)
        clients->owner.on_gone(clients->owner.state, world, event->connection);
    else if (event->number != 0)
        clients->owner.on_delivered(clients->owner.state, world, event->link, event->number);
}

void clients_process_ended(struct world *world, uint32_t node, bool says_so)
{
    uint32_t count = world->clients == NULL ? 0 : world->clients->count;
    for (uint32_t client = 0; client < count; client++) {
        struct client_line *line = &world->clients->lines[client];
        if (line->node != node || !is_up(world, line))
            continue;
        line->is_cut = true;
        plan_for_client(
            world, client,
            says_so ? arrival_ns(world, &line->back_ns) : world->now_ns + SILENCE_MS * MS, NULL, 0);
    }
}
