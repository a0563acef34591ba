#include "tests/sim/episodes.h"

/* Kinds that strike the whole network hit nobody in particular: faults_are_moderate judges them. */

static const uint64_t MS = 1000000;

enum split_variant { SPLIT_ONE_OFF, SPLIT_TWO, SPLIT_THREE, SPLITS };
enum one_way_variant { ONE_WAY_SENDS, ONE_WAY_PAIR, ONE_WAY_DEAF, ONE_WAYS };
enum pause_variant { PAUSE_SHORT, PAUSE_BETWEEN, PAUSE_LONG, PAUSES };
enum return_variant { RETURN_HERE, RETURN_ELSEWHERE, RETURN_NEVER, RETURNS };
enum clock_variant { CLOCK_FAST, CLOCK_SLOW, CLOCK_STANDS, CLOCKS };

/* Even in the logarithm: as many small ones as large ones. */
static uint64_t log_between(struct random *random, uint64_t least, uint64_t most)
{
    uint64_t octaves = 0;
    while (least << (octaves + 1) <= most)
        octaves++;
    uint64_t low = least << random_below(random, octaves + 1);
    uint64_t high = low * 2 < most ? low * 2 : most;
    return low + random_below(random, high - low + 1);
}

static void draw_pair(struct episode *episode, const struct world *world, struct random *random)
{
    episode->a = (uint32_t)random_below(random, world->nodes_count);
    episode->b = (uint32_t)random_below(random, world->nodes_count);
    if (episode->b == episode->a)
        episode->b = (episode->a + 1) % world->nodes_count;
}

/* Makes it last so long, but not beyond its end. */
static void shorten(struct episode *episode, uint64_t ms)
{
    if (episode->to_ns - episode->from_ns > ms * MS)
        episode->to_ns = episode->from_ns + ms * MS;
}

static uint64_t pause_ms(struct random *random, uint32_t variant)
{
    switch ((enum pause_variant)variant) {
    case PAUSE_SHORT:
        return log_between(random, 50, 1400);
    case PAUSE_BETWEEN:
        return log_between(random, 1500, 4000);
    case PAUSE_LONG:
    case PAUSES:
        break;
    }
    return log_between(random, 5000, 60000);
}

static void draw_network(struct episode *episode, struct random *random)
{
    if (episode->fault == FAULT_LOSS)
        episode->strength = log_between(random, 10, 300);
    else if (episode->fault == FAULT_REPEAT)
        episode->strength = log_between(random, 1, 200);
    else if (episode->fault == FAULT_DELAY)
        episode->strength = log_between(random, 1, 5000);
    else
        episode->strength = log_between(random, 100, 10000);
    episode->variant = (uint32_t)random_below(random, 2);
}

void episodes_draw(struct episode *episode, struct world *world, struct random *random)
{
    draw_pair(episode, world, random);
    switch (episode->fault) {
    case FAULT_LOSS:
    case FAULT_REPEAT:
    case FAULT_DELAY:
    case FAULT_FLIP:
        draw_network(episode, random);
        break;
    case FAULT_NARROW:
        episode->strength = log_between(random, 2000, 64000);
        break;
    case FAULT_SPLIT:
        episode->variant = (uint32_t)random_below(random, SPLITS);
        episode->strength = random_u64(random);
        break;
    case FAULT_ONE_WAY:
        episode->variant = (uint32_t)random_below(random, ONE_WAYS);
        break;
    case FAULT_FLAPPING:
        episode->strength = log_between(random, 100, 1500);
        episode->variant = (uint32_t)random_below(random, 2);
        break;
    case FAULT_PAUSE:
        episode->variant = (uint32_t)random_below(random, PAUSES);
        shorten(episode, pause_ms(random, episode->variant));
        break;
    case FAULT_SLOW:
        episode->strength = log_between(random, 1000, 16000);
        break;
    case FAULT_CRASH:
    case FAULT_VANISH:
    case FAULT_STOP:
        episode->variant = (uint32_t)random_below(random, RETURNS);
        break;
    case FAULT_RESTART:
        episode->variant = (uint32_t)random_below(random, RETURN_NEVER);
        shorten(episode, random_below(random, 300) + 1);
        break;
    case FAULT_NAMESAKE:
        episode->b = world->spare;
        break;
    case FAULT_WALL:
        episode->strength = log_between(random, 1000, UINT64_C(315360000000)); /* to ten years */
        episode->variant = (uint32_t)random_below(random, 2);
        break;
    case FAULT_CLOCK:
        episode->variant = (uint32_t)random_below(random, CLOCKS);
        episode->strength = log_between(random, 1, 50);
        if (episode->variant == CLOCK_STANDS)
            shorten(episode, pause_ms(random, (uint32_t)random_below(random, PAUSES)));
        break;
    case FAULT_CLOGGED:
        episode->strength = log_between(random, 2, 64);
        break;
    case FAULTS:
        break;
    }
}

/* ---- cuts ------------------------------------------------------------------------------------*/

/* Which side of a split a node is on. */
static uint64_t side(const struct episode *episode, uint32_t node)
{
    if (episode->variant == SPLIT_ONE_OFF)
        return node == episode->a;
    uint64_t mixed = (episode->strength + node) * UINT64_C(0x9e3779b97f4a7c15);
    return (mixed >> 40) % (episode->variant == SPLIT_TWO ? 2 : 3);
}

/* Whether the fault concerns frames from one node to another. */
static bool is_between(const struct episode *episode, uint32_t from, uint32_t to)
{
    bool is_out = from == episode->a && to == episode->b;
    bool is_back = from == episode->b && to == episode->a;
    switch (episode->fault) {
    case FAULT_SPLIT:
        return side(episode, from) != side(episode, to);
    case FAULT_ONE_WAY:
        if (episode->variant == ONE_WAY_DEAF)
            return to == episode->a;
        return is_out || (episode->variant == ONE_WAY_PAIR && is_back);
    case FAULT_FLAPPING:
        return episode->variant == 0 ? is_out || is_back : from == episode->a || to == episode->a;
    case FAULT_CLOGGED:
        return is_out;
    case FAULT_LOSS:
    case FAULT_REPEAT:
    case FAULT_DELAY:
    case FAULT_NARROW:
    case FAULT_PAUSE:
    case FAULT_SLOW:
    case FAULT_CRASH:
    case FAULT_STOP:
    case FAULT_RESTART:
    case FAULT_NAMESAKE:
    case FAULT_WALL:
    case FAULT_CLOCK:
    case FAULT_VANISH:
    case FAULT_FLIP:
    case FAULTS:
        break;
    }
    return false;
}

static void for_each_pair(const struct episode *episode, struct world *world,
                          void (*act)(struct world *, uint32_t, uint32_t))
{
    for (uint32_t from = 0; from < world->nodes_count; from++)
        for (uint32_t to = 0; to < world->nodes_count; to++)
            if (from != to && is_between(episode, from, to))
                act(world, from, to);
}

uint64_t episodes_turn(struct episode *episode, struct world *world)
{
    if (episode->fault != FAULT_FLAPPING)
        return 0;
    for_each_pair(episode, world, episode->is_on ? world_mend : world_cut);
    episode->is_on = !episode->is_on;
    return episode->strength * MS;
}

/* ---- begin and end ---------------------------------------------------------------------------*/

static void set_network(const struct episode *episode, struct world *world, bool is_on)
{
    struct network_settings *network = &world->network;
    struct network_settings calm = network_calm();
    uint32_t strength = is_on ? (uint32_t)episode->strength : 0;
    if (episode->fault == FAULT_LOSS) {
        network->stall_permille = strength;
        network->reset_per_million = episode->variant == 0 ? 0 : strength * 20;
    } else if (episode->fault == FAULT_REPEAT) {
        network->repeat_permille = strength;
    } else if (episode->fault == FAULT_FLIP) {
        network->flip_per_million = strength;
    } else {
        network->jitter_ns = calm.jitter_ns + strength * MS / 4;
        network->spread_ns = episode->variant == 0 ? 0 : strength * MS;
        network->delay_ns = calm.delay_ns + (episode->variant == 0 ? strength * MS / 2 : 0);
    }
}

/* A newcomer on a host of its own, with a name that is taken. */
static bool begin_namesake(const struct episode *episode, struct world *world)
{
    if (episode->b == UINT32_MAX)
        return false;
    struct world_node *newcomer = &world->nodes[episode->b];
    if (newcomer->core != NULL || !world_is_running(world, episode->a) || episode->a == episode->b)
        return false;
    newcomer->is_namesake = true;
    addresses_name(episode->a, newcomer->name);
    world_start(world, episode->b);
    return true;
}

static bool begin_on_process(struct episode *episode, struct world *world)
{
    uint32_t node = episode->a;
    if (!world_is_running(world, node) || world->nodes[node].is_namesake)
        return false;
    if (episode->fault == FAULT_PAUSE)
        world_pause(world, node, (episode->to_ns - episode->from_ns) / MS, false);
    else if (episode->fault == FAULT_SLOW)
        world_slow(world, node, episode->strength * 1000);
    else if (episode->fault == FAULT_VANISH)
        world_vanish(world, node);
    else if (episode->fault == FAULT_STOP)
        world_stop(world, node);
    else
        world_crash(world, node);
    episode->life = world->nodes[node].life;
    return true;
}

static bool begin_clock(const struct episode *episode, struct world *world)
{
    int32_t drift = (int32_t)episode->strength;
    if (!world_is_running(world, episode->a))
        return false;
    if (episode->variant == CLOCK_STANDS)
        world_pause(world, episode->a, (episode->to_ns - episode->from_ns) / MS, true);
    else
        world_drift(world, episode->a, episode->variant == CLOCK_FAST ? drift : -drift);
    return true;
}

static bool begin(struct episode *episode, struct world *world)
{
    int64_t jump_ms = (int64_t)episode->strength;
    switch (episode->fault) {
    case FAULT_LOSS:
    case FAULT_REPEAT:
    case FAULT_DELAY:
    case FAULT_FLIP:
        set_network(episode, world, true);
        return true;
    case FAULT_NARROW:
        world_narrow(world, episode->a, episode->strength);
        return true;
    case FAULT_SPLIT:
    case FAULT_ONE_WAY:
        for_each_pair(episode, world, world_cut);
        return true;
    case FAULT_FLAPPING:
        return true;
    case FAULT_CLOGGED:
        world->network.pipe_frames = (uint32_t)episode->strength;
        for_each_pair(episode, world, world_hold);
        return true;
    case FAULT_PAUSE:
    case FAULT_SLOW:
    case FAULT_CRASH:
    case FAULT_STOP:
    case FAULT_RESTART:
    case FAULT_VANISH:
        return begin_on_process(episode, world);
    case FAULT_NAMESAKE:
        return begin_namesake(episode, world);
    case FAULT_WALL:
        world->nodes[episode->a].wall_offset_ms = episode->variant == 0 ? jump_ms : -jump_ms;
        return true;
    case FAULT_CLOCK:
        return begin_clock(episode, world);
    case FAULTS:
        break;
    }
    return false;
}

bool episodes_begin(struct episode *episode, struct world *world)
{
    if (episode->has_begun || !begin(episode, world))
        return false;
    episode->has_begun = true;
    world_note(world, "F%d %s begins: %u %u, variant %u, strength %llu", (int)episode->fault,
               faults_name(episode->fault), episode->a, episode->b, episode->variant,
               (unsigned long long)episode->strength);
    return true;
}

/* A process that was ended comes back. */
static void end_on_process(const struct episode *episode, struct world *world)
{
    struct world_node *node = &world->nodes[episode->a];
    if (node->core != NULL) { /* somebody else woke it, or it has not left yet */
        if (episode->fault != FAULT_STOP || node->life != episode->life)
            return;
        world_crash(world, episode->a);
    }
    if (episode->variant == RETURN_NEVER)
        return; /* not in this phase */
    if (episode->variant == RETURN_ELSEWHERE)
        world_move(world, episode->a);
    world_start(world, episode->a);
}

void episodes_end(struct episode *episode, struct world *world)
{
    if (!episode->has_begun)
        return;
    episode->has_begun = false;
    world_note(world, "F%d %s ends", (int)episode->fault, faults_name(episode->fault));
    switch (episode->fault) {
    case FAULT_LOSS:
    case FAULT_REPEAT:
    case FAULT_DELAY:
    case FAULT_FLIP:
        set_network(episode, world, false);
        break;
    case FAULT_NARROW:
        world_narrow(world, episode->a, 0);
        break;
    case FAULT_SPLIT:
    case FAULT_ONE_WAY:
        for_each_pair(episode, world, world_mend);
        break;
    case FAULT_FLAPPING:
        if (episode->is_on)
            episodes_turn(episode, world);
        break;
    case FAULT_CLOGGED:
        world->network.pipe_frames = network_calm().pipe_frames;
        for_each_pair(episode, world, world_release);
        break;
    case FAULT_SLOW:
        world_slow(world, episode->a, 0);
        break;
    case FAULT_CRASH:
    case FAULT_STOP:
    case FAULT_RESTART:
    case FAULT_VANISH:
        end_on_process(episode, world);
        break;
    case FAULT_WALL:
        world->nodes[episode->a].wall_offset_ms = 0;
        break;
    case FAULT_CLOCK:
        world_drift(world, episode->a, 0);
        break;
    case FAULT_PAUSE:
    case FAULT_NAMESAKE:
    case FAULTS:
        break;
    }
}

/* ---- who is struck ---------------------------------------------------------------------------*/

bool episodes_hits_links(const struct episode *episode, const struct world *world, uint32_t node)
{
    if (episode->fault == FAULT_NARROW)
        return node == episode->a;
    for (uint32_t other = 0; other < world->nodes_count; other++)
        if (other != node && (is_between(episode, node, other) || is_between(episode, other, node)))
            return true;
    return false;
}

bool episodes_hits(const struct episode *episode, const struct world *world, uint32_t node)
{
    switch (episode->fault) {
    case FAULT_PAUSE: /* a short one must be survived: it is over before a suspicion is */
        return node == episode->a && episode->variant != PAUSE_SHORT;
    case FAULT_SLOW:
    case FAULT_CRASH:
    case FAULT_STOP:
    case FAULT_RESTART:
    case FAULT_NAMESAKE:
    case FAULT_CLOCK:
    case FAULT_VANISH:
        return node == episode->a;
    case FAULT_NARROW:
    case FAULT_SPLIT:
    case FAULT_ONE_WAY:
    case FAULT_FLAPPING:
    case FAULT_CLOGGED:
        return episodes_hits_links(episode, world, node);
    case FAULT_LOSS:
    case FAULT_REPEAT:
    case FAULT_DELAY:
    case FAULT_WALL:
    case FAULT_FLIP:
    case FAULTS:
        break;
    }
    return false;
}
