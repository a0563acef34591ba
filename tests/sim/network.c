#include "tests/sim/network.h"

/* Why TCP and not datagrams: weft speaks over ZeroMQ, where loss is delay. One pipe a link and
 * channel; its head leaves when neither way is cut; what is behind waits.
 *
 * A lost segment is sent again after one round trip when more follows it (the receiver asks for
 * it), else after 200 ms, then doubling; nothing acknowledged for 15 s breaks the link. A one-way
 * cut lets ten more frames out of the healthy direction (the window), then that stalls too. */

#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "tests/sim/addresses.h"
#include "tests/sim/loop.h"
#include "tests/sim/world.h"

enum {
    RETRY_FIRST_MS = 100, /* ZeroMQ's RECONNECT_IVL */
    RETRY_MAX_MS = 1000,  /* RECONNECT_IVL_MAX */
    SYN_AGAIN_MS = 1000,
    SYN_GIVEN_UP_MS = 2000, /* after the second: CONNECT_TIMEOUT 3 s in all */
    STALL_FIRST_MS = 200,   /* TCP's least retransmission time-out, doubling */
    STALL_END_MS = 15000,   /* TCP_MAXRT: the link breaks */
    WINDOW_FRAMES = 10,     /* sent into a one-way cut before the sender waits */
    PIPE_FRAMES = 128,      /* both high-water marks */
    HANDSHAKE_TRIPS = 3,
    HANDSHAKE_END_MS = 5000, /* HANDSHAKE_IVL: then anew */
};

static const uint64_t MS = 1000000;

struct network_settings network_calm(void)
{
    return (struct network_settings){
        .delay_ns = MS, .jitter_ns = MS / 2, .pipe_frames = PIPE_FRAMES};
}

static struct sim_link *link_at(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_links *links = &world->nodes[node].links;
    uint32_t at = link * 2 + (channel == CHANNEL_FORWARD);
    require(at < links->count);
    return &links->links[at];
}

static void links_grow(struct sim_links *links, uint32_t link)
{
    if (link * 2 + 1 < links->count)
        return;
    uint32_t count = link * 2 + 16;
    struct sim_link *grown = realloc(links->links, count * sizeof *grown);
    require(grown != NULL);
    memset(grown + links->count, 0, (count - links->count) * sizeof *grown);
    links->links = grown;
    links->count = count;
}

static enum channel channel_of(uint32_t at)
{
    return at % 2 == 0 ? CHANNEL_GOSSIP : CHANNEL_FORWARD;
}

static bool draws(struct world *world, uint32_t chance, uint32_t of)
{
    return chance != 0 && random_below(&world->random[STREAM_NETWORK], of) < chance;
}

/* Always the same for a directed pair. */
static uint64_t spread_ns(const struct world *world, uint32_t from, uint32_t to)
{
    if (world->network.spread_ns == 0)
        return 0;
    uint64_t mixed = (((uint64_t)from << 32 | to) + world->seed) * UINT64_C(0x9e3779b97f4a7c15);
    return (mixed >> 32) % world->network.spread_ns;
}

static uint64_t travel_ns(struct world *world, uint32_t from, uint32_t to)
{
    const struct network_settings *set = &world->network;
    uint64_t jitter =
        set->jitter_ns == 0 ? 0 : random_below(&world->random[STREAM_NETWORK], set->jitter_ns);
    return set->delay_ns + jitter + spread_ns(world, from, to);
}

static uint64_t round_trip_ns(struct world *world, uint32_t from, uint32_t to)
{
    return travel_ns(world, from, to) + travel_ns(world, to, from);
}

static void plan(struct world *world, uint64_t in_ns, enum event_kind kind, uint32_t node,
                 uint32_t link, uint32_t channel)
{
    const struct sim_link *l = link_at(world, node, link, channel);
    agenda_plan(&world->agenda, (struct agenda_event){.at_ns = world->now_ns + in_ns,
                                                      .kind = kind,
                                                      .node = node,
                                                      .life = world->nodes[node].life,
                                                      .link = link,
                                                      .channel = channel,
                                                      .number = l->pump,
                                                      .dial = l->dial});
}

/* Plans the pump; what was planned for it before is void. */
static void plan_pump(struct world *world, uint64_t in_ns, uint32_t node, uint32_t link,
                      uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    l->pump++;
    l->is_pumping = true;
    plan(world, in_ns, EVENT_PUMP, node, link, channel);
}

static void drop_frames(struct sim_link *l)
{
    while (l->first != NULL) {
        struct sim_frame *frame = l->first;
        l->first = frame->next;
        free(frame);
    }
    l->last = NULL;
    l->queued = 0;
    l->is_pumping = l->is_leaving = false;
    l->pump++;
}

/* ---- dialling --------------------------------------------------------------------------------*/

void network_open(struct world *world, uint32_t node, uint32_t link, enum channel channel,
                  struct span address)
{
    links_grow(&world->nodes[node].links, link);
    struct sim_link *l = link_at(world, node, link, channel);
    require(!l->is_open);
    *l = (struct sim_link){.is_open = true,
                           .dial = l->dial + 1,
                           .pump = l->pump + 1,
                           .address = addresses_host(address),
                           .peer = UINT32_MAX,
                           .retry_ms = RETRY_FIRST_MS};
    plan(world, 0, EVENT_DIAL, node, link, channel);
}

/* The other end of a link that was up hears that it is gone, after what is still on its way. */
static void tell_peer(struct world *world, uint32_t node, const struct sim_link *l,
                      enum channel channel)
{
    const struct world_node *peer = &world->nodes[l->peer];
    if (peer->core == NULL || peer->life != l->peer_life)
        return;
    uint64_t at_ns = world->now_ns + travel_ns(world, node, l->peer);
    agenda_plan(
        &world->agenda,
        (struct agenda_event){.at_ns = at_ns < l->last_arrival_ns ? l->last_arrival_ns : at_ns,
                              .kind = EVENT_CONNECTION_LOST,
                              .node = l->peer,
                              .life = l->peer_life,
                              .channel = channel,
                              .connection = l->connection});
}

void network_close(struct world *world, uint32_t node, uint32_t link, enum channel channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    require(l->is_open);
    if (l->is_up && !world_is_cut(world, node, l->peer))
        tell_peer(world, node, l, channel);
    drop_frames(l);
    l->dial++;
    l->is_open = l->is_up = false;
}

static void retry(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    uint32_t in_ms = l->retry_ms;
    l->retry_ms = in_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : in_ms * 2;
    plan(world, in_ms * MS, EVENT_DIAL, node, link, channel);
}

static void break_link(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    if (!l->is_up)
        return;
    drop_frames(l);
    l->is_up = false;
    l->dial++;
    plan(world, 0, EVENT_LINK_LOST, node, link, channel);
    l->retry_ms = RETRY_FIRST_MS;
    retry(world, node, link, channel);
}

void network_reset(struct world *world, uint32_t node, uint32_t link, enum channel channel)
{
    const struct sim_links *links = &world->nodes[node].links;
    if (link * 2 + 1 >= links->count)
        return;
    const struct sim_link *l = link_at(world, node, link, channel);
    if (!l->is_open || !l->is_up)
        return;
    tell_peer(world, node, l, channel);
    break_link(world, node, link, channel);
}

static bool is_silent(const struct world *world, uint32_t node, uint32_t peer)
{
    return peer == UINT32_MAX || world->nodes[peer].has_vanished ||
           world_is_cut(world, node, peer) || world_is_cut(world, peer, node) ||
           world_is_held(world, node, peer) || world_is_held(world, peer, node);
}

/* SYN, greeting, READY: a round trip each. */
static uint64_t handshake_ns(struct world *world, uint32_t node, uint32_t to)
{
    const struct world_node *peer = &world->nodes[to];
    uint64_t takes_ns = 0;
    for (int trip = 0; trip < HANDSHAKE_TRIPS; trip++) {
        takes_ns += round_trip_ns(world, node, to);
        if (draws(world, world->network.stall_permille, 1000))
            takes_ns += STALL_FIRST_MS * MS;
    }
    if (peer->paused_until_ns > world->now_ns) /* its kernel answers, it does not */
        takes_ns += peer->paused_until_ns - world->now_ns;
    return takes_ns;
}

static void connect_now(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    uint64_t takes_ns = handshake_ns(world, node, l->peer);
    l->retry_ms = RETRY_FIRST_MS;
    l->has_asked_twice = false;
    if (takes_ns > HANDSHAKE_END_MS * MS) {
        plan(world, (HANDSHAKE_END_MS + RETRY_FIRST_MS) * MS, EVENT_DIAL, node, link, channel);
        return;
    }
    l->peer_life = world->nodes[l->peer].life;
    l->connection = connections_new(
        &world->connections,
        (struct sim_dialler){.node = node, .link = link, .channel = (enum channel)channel});
    l->is_up = true;
    l->is_full = false;
    l->stall_ms = l->unacknowledged = 0;
    l->last_arrival_ns = world->now_ns + takes_ns;
    plan(world, takes_ns, EVENT_LINK_UP, node, link, channel);
}

static void dial(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    l->peer = world_node_at(world, l->address);
    if (is_silent(world, node, l->peer)) {
        l->retry_ms = RETRY_FIRST_MS;
        uint32_t in_ms = l->has_asked_twice ? SYN_GIVEN_UP_MS + RETRY_FIRST_MS : SYN_AGAIN_MS;
        l->has_asked_twice = !l->has_asked_twice;
        plan(world, in_ms * MS, EVENT_DIAL, node, link, channel);
    } else if (world->nodes[l->peer].core == NULL) {
        l->has_asked_twice = false;
        retry(world, node, link, channel);
    } else {
        connect_now(world, node, link, channel);
    }
}

/* ---- frames ----------------------------------------------------------------------------------*/

static uint8_t *copy_of(const uint8_t *frame, size_t bytes)
{
    uint8_t *copy = malloc(bytes == 0 ? 1 : bytes);
    require(copy != NULL);
    if (bytes > 0)
        memcpy(copy, frame, bytes);
    return copy;
}

static void arrive(struct world *world, uint32_t node, const struct sim_link *l, uint32_t channel,
                   const struct sim_frame *frame, uint64_t at_ns)
{
    uint8_t *copy = copy_of(frame->data, frame->bytes);
    if (frame->bytes > 0 && draws(world, world->network.flip_per_million, 1000000)) {
        copy[random_below(&world->random[STREAM_NETWORK], frame->bytes)] ^=
            (uint8_t)(1 + random_below(&world->random[STREAM_NETWORK], 255));
        world->frames_flipped++;
    }
    agenda_plan(&world->agenda, (struct agenda_event){.at_ns = at_ns,
                                                      .kind = EVENT_FRAME,
                                                      .node = l->peer,
                                                      .life = l->peer_life,
                                                      .channel = channel,
                                                      .connection = l->connection,
                                                      .from = node,
                                                      .frame = copy,
                                                      .bytes = frame->bytes});
}

/* A narrow node's frames leave one after the other, each taking its time. */
static bool is_leaving(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct world_node *n = &world->nodes[node];
    struct sim_link *l = link_at(world, node, link, channel);
    if (n->uplink_bytes_per_s == 0)
        return false;
    if (n->uplink_free_ns <= world->now_ns && !l->is_leaving) {
        n->uplink_free_ns = world->now_ns + l->first->bytes * 1000 * MS / n->uplink_bytes_per_s;
        l->is_leaving = true;
    }
    if (n->uplink_free_ns <= world->now_ns)
        return false;
    plan_pump(world, n->uplink_free_ns - world->now_ns, node, link, channel);
    return true;
}

static void send_head(struct world *world, uint32_t node, struct sim_link *l, uint32_t channel)
{
    struct sim_frame *frame = l->first;
    l->first = frame->next;
    if (l->first == NULL)
        l->last = NULL;
    l->queued--;
    l->is_leaving = false;
    uint64_t at_ns = world->now_ns + travel_ns(world, node, l->peer);
    if (at_ns < l->last_arrival_ns)
        at_ns = l->last_arrival_ns;
    l->last_arrival_ns = at_ns;
    l->unacknowledged = world_is_cut(world, l->peer, node) ? l->unacknowledged + 1 : 0;
    if (draws(world, world->network.vanish_permille, 1000)) {
        world->frames_vanished++;
    } else {
        arrive(world, node, l, channel, frame, at_ns);
        if (draws(world, world->network.repeat_permille, 1000)) {
            arrive(world, node, l, channel, frame, at_ns);
            world->frames_repeated++;
        }
    }
    free(frame);
}

static bool must_wait(const struct world *world, uint32_t node, const struct sim_link *l)
{
    return world_is_cut(world, node, l->peer) || world->nodes[l->peer].has_vanished ||
           (l->unacknowledged >= WINDOW_FRAMES && world_is_cut(world, l->peer, node));
}

/* The process that this link led to is gone and its host says so. */
static bool is_reset_by_peer(const struct world *world, uint32_t node, const struct sim_link *l)
{
    const struct world_node *peer = &world->nodes[l->peer];
    bool is_gone = peer->core == NULL || peer->life != l->peer_life;
    return is_gone && !peer->has_vanished && !world_is_cut(world, node, l->peer) &&
           !world_is_cut(world, l->peer, node);
}

static void lost_note(struct world *world, uint32_t node, uint32_t peer)
{
    for (uint32_t i = 0; i < world->watchers_count; i++)
        if (world->watchers[i].on_link_lost != NULL)
            world->watchers[i].on_link_lost(world->watchers[i].state, world, node, peer);
}

static void tell_link(struct world *world, uint32_t node, uint32_t link, uint32_t channel,
                      enum mesh_fact fact)
{
    static const char *const words[] = {[MESH_LINK_UP] = "up",
                                        [MESH_LINK_LOST] = "lost",
                                        [MESH_LINK_FULL] = "full",
                                        [MESH_LINK_WRITABLE] = "writable"};
    struct mesh_input input = {.fact = fact, .channel = (enum channel)channel, .link = link};
    world_note(world, "%s link %u channel %u is %s", world->nodes[node].name, link, channel,
               words[fact]);
    if (fact == MESH_LINK_LOST && channel == CHANNEL_FORWARD)
        lost_note(world, node, link_at(world, node, link, channel)->peer);
    loop_tell(world, node, &input);
}

/* The head is lost: it is sent again later. False when it was tried for too long. */
static bool stall(struct world *world, uint32_t node, uint32_t link, uint32_t channel,
                  bool is_noticed)
{
    struct sim_link *l = link_at(world, node, link, channel);
    if (l->stall_ms == 0)
        l->stalled_since_ns = world->now_ns;
    uint64_t stalled_ms = (world->now_ns - l->stalled_since_ns) / MS;
    if (stalled_ms >= STALL_END_MS)
        return false;
    bool is_first = l->stall_ms == 0;
    l->stall_ms = is_first ? STALL_FIRST_MS : l->stall_ms * 2;
    uint64_t left_ms = STALL_END_MS - stalled_ms;
    uint64_t in_ns = (l->stall_ms < left_ms ? l->stall_ms : left_ms) * MS;
    if (is_first && is_noticed && l->queued > 1) {
        uint64_t soon_ns = round_trip_ns(world, node, l->peer);
        in_ns = soon_ns < in_ns ? soon_ns : in_ns;
    }
    plan_pump(world, in_ns, node, link, channel);
    return true;
}

/* Sends what can be sent; true while the head has to wait and is planned, or the link broke. */
static bool pump_out(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    while (l->first != NULL && l->is_up) {
        if (is_reset_by_peer(world, node, l)) {
            break_link(world, node, link, channel);
            return true;
        }
        if (world_is_held(world, node, l->peer))
            return true; /* until network_released */
        bool waits = must_wait(world, node, l);
        bool is_lost = !waits && draws(world, world->network.stall_permille, 1000);
        world->frames_stalled += is_lost;
        if (waits || is_lost) {
            if (!stall(world, node, link, channel, is_lost))
                break_link(world, node, link, channel);
            return true;
        }
        l->stall_ms = 0;
        if (is_leaving(world, node, link, channel))
            return true;
        send_head(world, node, l, channel);
    }
    return false;
}

static void pump(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    l->is_pumping = false;
    if (pump_out(world, node, link, channel))
        return;
    if (l->is_full && l->queued <= world->network.pipe_frames / 2) {
        l->is_full = false;
        tell_link(world, node, link, channel, MESH_LINK_WRITABLE);
    }
}

static void enqueue(struct sim_link *l, const uint8_t *data, size_t bytes)
{
    struct sim_frame *frame = malloc(sizeof *frame + bytes);
    require(frame != NULL);
    *frame = (struct sim_frame){.bytes = bytes};
    memcpy(frame->data, data, bytes);
    if (l->last == NULL)
        l->first = frame;
    else
        l->last->next = frame;
    l->last = frame;
    l->queued++;
}

void network_send(struct world *world, uint32_t node, uint32_t link, enum channel channel,
                  const uint8_t *data, size_t bytes)
{
    struct sim_link *l = link_at(world, node, link, channel);
    require(l->is_open);
    if (!l->is_up) /* it broke since the core's last look; the core hears of that in time */
        return;
    if (draws(world, world->network.reset_per_million, 1000000)) {
        world->links_reset++;
        network_reset(world, node, link, channel);
        return;
    }
    enqueue(l, data, bytes);
    bool is_first_loss =
        l->stall_ms == STALL_FIRST_MS && l->queued == 2 && !must_wait(world, node, l);
    if (!l->is_pumping)
        plan_pump(world, 0, node, link, channel);
    else if (is_first_loss) /* the receiver notices the gap */
        plan_pump(world, round_trip_ns(world, node, l->peer), node, link, channel);
    if (l->queued >= world->network.pipe_frames && !l->is_full) {
        l->is_full = true;
        tell_link(world, node, link, channel, MESH_LINK_FULL);
    }
}

void network_released(struct world *world, uint32_t from, uint32_t to)
{
    struct sim_links *links = &world->nodes[from].links;
    for (uint32_t i = 0; i < links->count; i++) {
        const struct sim_link *l = &links->links[i];
        if (l->is_up && (l->peer == to || to == UINT32_MAX) && l->first != NULL)
            plan_pump(world, 0, from, i / 2, channel_of(i));
    }
}

/* ---- answers, probes -------------------------------------------------------------------------*/

/* The dialler's end of an incoming connection; NULL: it is gone. */
static struct sim_link *dialled(struct world *world, uint32_t connection,
                                const struct sim_dialler **dialler)
{
    *dialler = connections_dialler(&world->connections, connection);
    if (*dialler == NULL || (*dialler)->channel == CHANNEL_CLIENT)
        return NULL;
    struct sim_link *l = link_at(world, (*dialler)->node, (*dialler)->link, (*dialler)->channel);
    return l->is_up && l->connection == connection ? l : NULL;
}

void network_reply(struct world *world, uint32_t node, enum channel channel, uint32_t connection,
                   const uint8_t *frame, size_t bytes)
{
    const struct sim_dialler *dialler = NULL;
    const struct sim_link *l = dialled(world, connection, &dialler);
    if (l == NULL || world_is_cut(world, node, dialler->node) ||
        world_is_held(world, node, dialler->node))
        return;
    uint64_t late_ns = draws(world, world->network.stall_permille, 1000) ? STALL_FIRST_MS * MS : 0;
    agenda_plan(&world->agenda,
                (struct agenda_event){.at_ns = world->now_ns +
                                               travel_ns(world, node, dialler->node) + late_ns,
                                      .kind = EVENT_ANSWER,
                                      .node = dialler->node,
                                      .life = world->nodes[dialler->node].life,
                                      .channel = channel,
                                      .link = dialler->link,
                                      .dial = l->dial,
                                      .frame = copy_of(frame, bytes),
                                      .bytes = bytes,
                                      .from = node});
}

void network_cut_connection(struct world *world, enum channel channel, uint32_t connection)
{
    const struct sim_dialler *dialler = NULL;
    if (dialled(world, connection, &dialler) != NULL && dialler->channel == channel)
        network_reset(world, dialler->node, dialler->link, channel);
}

void network_probe(struct world *world, uint32_t node, uint32_t link, struct span address)
{
    uint32_t peer = world_node_at(world, addresses_host(address));
    if (is_silent(world, node, peer) || world->nodes[peer].core != NULL)
        return;
    agenda_plan(&world->agenda,
                (struct agenda_event){.at_ns = world->now_ns + round_trip_ns(world, node, peer),
                                      .kind = EVENT_LINK_REFUSED,
                                      .node = node,
                                      .life = world->nodes[node].life,
                                      .link = link});
}

static void tell_answer(struct world *world, const struct agenda_event *event)
{
    struct mesh_input input = {.fact = MESH_ANSWER,
                               .channel = (enum channel)event->channel,
                               .link = event->link,
                               .bytes = span_of(event->frame, event->bytes)};
    loop_tell(world, event->node, &input);
}

void network_due(struct world *world, const struct agenda_event *event)
{
    const struct sim_link *l = link_at(world, event->node, event->link, event->channel);
    if (!l->is_open || event->dial != l->dial)
        return;
    if (event->kind == EVENT_ANSWER)
        tell_answer(world, event);
    else if (event->kind == EVENT_LINK_LOST)
        tell_link(world, event->node, event->link, event->channel, MESH_LINK_LOST);
    else if (event->kind == EVENT_LINK_UP)
        tell_link(world, event->node, event->link, event->channel, MESH_LINK_UP);
    else if (event->kind == EVENT_DIAL)
        dial(world, event->node, event->link, event->channel);
    else if (event->number == l->pump)
        pump(world, event->node, event->link, event->channel);
}

/* ---- ends ------------------------------------------------------------------------------------*/

void network_process_ended(struct world *world, uint32_t node, bool says_so)
{
    struct sim_links *own = &world->nodes[node].links;
    for (uint32_t i = 0; i < own->count; i++) {
        struct sim_link *l = &own->links[i];
        if (says_so && l->is_up && !world_is_cut(world, node, l->peer))
            tell_peer(world, node, l, channel_of(i));
        drop_frames(l);
        l->dial++;
        l->is_open = l->is_up = false;
    }
    for (uint32_t n = 0; says_so && n < world->nodes_count; n++) {
        const struct sim_links *links = &world->nodes[n].links;
        for (uint32_t i = 0; n != node && i < links->count; i++)
            if (links->links[i].is_up && links->links[i].peer == node &&
                !world_is_cut(world, node, n))
                break_link(world, n, i / 2, channel_of(i));
    }
}

void network_forget(struct sim_links *links)
{
    for (uint32_t i = 0; i < links->count; i++)
        drop_frames(&links->links[i]);
    free(links->links);
    *links = (struct sim_links){.links = NULL};
}
