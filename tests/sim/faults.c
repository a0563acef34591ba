#include "tests/sim/faults.h"

/* The schedule: which episodes there are, and when. A world with several kinds on at once finds
 * what none of them finds alone, and one with few finds what many would hide (swarm testing). */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "tests/sim/check_members.h"
#include "tests/sim/episodes.h"

static const uint64_t MS = 1000000;

enum {
    ON_PERCENT = 30,   /* of the kinds, in a swarm */
    EPISODES_MAX = 96, /* of one phase */
    EACH_MAX = 3,      /* of one kind in a phase */
    /* Up to here nobody left alone may be declared dead. A mesh of a hundred bears 250 (--measure
     * loss); of five nodes, who have few helpers, one was lost in two of 300 runs of ten minutes at
     * 240, and with two others down, which leaves a single helper, at 209. */
    STALLS_PERMILLE = 200,
    DELAY_MS = 50,
    LONE_NODES = 5, /* in a part of so few each has to find out for itself */
};

/* What a node went through. */
struct toll {
    uint32_t hits, link_hits;          /* episodes that go on */
    uint64_t until_ns, links_until_ns; /* what ended is felt until then */
};

struct faults {
    uint32_t on; /* a bit a kind */
    uint32_t phase;
    bool is_apart; /* some are cut off since the last phase ended */
    uint32_t count;
    struct episode episodes[EPISODES_MAX];
    uint32_t harsh;          /* episodes that the network as a whole suffers from */
    uint64_t harsh_until_ns; /* and until when that is felt */
    uint64_t struck[FAULTS];
    struct toll tolls[]; /* of each node */
};

static const enum fault kinds[] = {
#define FAULT_KIND(name, number, text) FAULT_##name,
    FAULT_LIST(FAULT_KIND)
#undef FAULT_KIND
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

bool faults_is_known(uint32_t number)
{
    for (size_t i = 0; i < KINDS; i++)
        if (number == kinds[i])
            return true;
    return false;
}

const char *faults_name(enum fault fault)
{
    switch (fault) {
#define FAULT_NAME(name, number, text)                                                             \
    case FAULT_##name:                                                                             \
        return text;
        FAULT_LIST(FAULT_NAME)
#undef FAULT_NAME
    case FAULTS:
        break;
    }
    return "unknown";
}

static struct random *stream(struct world *world, enum fault fault)
{
    return &world->random[STREAM_FAULTS + (uint32_t)fault];
}

static void on_due(void *state, struct world *world, uint32_t number);

struct faults *faults_new(struct world *world, uint32_t allowed, bool is_swarm)
{
    struct faults *faults =
        calloc(1, sizeof *faults + world->nodes_count * sizeof faults->tolls[0]);
    require(faults != NULL);
    for (size_t i = 0; i < KINDS; i++) {
        bool is_drawn = random_below(stream(world, kinds[i]), 100) < ON_PERCENT;
        if ((is_drawn || !is_swarm) && (allowed >> kinds[i] & 1) != 0)
            faults->on |= UINT32_C(1) << kinds[i];
    }
    world->faults = (struct world_faults){.state = faults, .on_due = on_due};
    return faults;
}

void faults_destroy(struct faults **faults)
{
    free(*faults);
    *faults = NULL;
}

bool faults_is_on(const struct faults *faults, enum fault fault)
{
    return (faults->on >> fault & 1) != 0;
}

const uint64_t *faults_struck(const struct faults *faults)
{
    return faults->struck;
}

bool faults_can_forge(const struct faults *faults)
{
    return faults_is_on(faults, FAULT_FLIP);
}

/* ---- the toll --------------------------------------------------------------------------------*/

static bool is_harsh(const struct episode *episode)
{
    return (episode->fault == FAULT_LOSS && episode->strength > STALLS_PERMILLE) ||
           (episode->fault == FAULT_DELAY && episode->strength > DELAY_MS) ||
           episode->fault == FAULT_FLIP;
}

static void toll_take(struct faults *faults, const struct world *world,
                      const struct episode *episode, bool begins)
{
    uint64_t felt_until_ns = world->now_ns + check_members_bound_ms(world) * MS;
    faults->harsh += is_harsh(episode) ? begins ? 1 : UINT32_MAX : 0;
    if (is_harsh(episode))
        faults->harsh_until_ns = felt_until_ns;
    for (uint32_t node = 0; node < world->nodes_count; node++) {
        struct toll *toll = &faults->tolls[node];
        if (episodes_hits(episode, world, node)) {
            toll->hits += begins ? 1 : UINT32_MAX;
            toll->until_ns = felt_until_ns;
        }
        if (episodes_hits_links(episode, world, node)) {
            toll->link_hits += begins ? 1 : UINT32_MAX;
            toll->links_until_ns = felt_until_ns;
        }
    }
}

/* Whether more comes to a slow node than it can take: what it hears is older than an answer may be,
 * and it cannot know. No longer than that: what it took for silence is refuted in what waits. */
static bool is_swamped(const struct world *world, uint32_t node)
{
    return world->nodes[node].behind_until_ns >= world->now_ns;
}

bool faults_excuse(const struct faults *faults, const struct world *world, uint32_t by, uint32_t of)
{
    const struct toll *victim = &faults->tolls[of], *judge = &faults->tolls[by];
    return is_swamped(world, by) || victim->hits > 0 || victim->until_ns > world->now_ns ||
           judge->link_hits > 0 || judge->links_until_ns > world->now_ns ||
           world->nodes[of].is_apart || world->nodes[by].is_apart || world->nodes[by].is_namesake;
}

bool faults_are_moderate(const struct faults *faults, const struct world *world)
{
    return faults->harsh == 0 && faults->harsh_until_ns <= world->now_ns;
}

/* ---- the schedule ----------------------------------------------------------------------------*/

enum turn { TURN_BEGIN, TURN_NEXT, TURN_END, TURNS };

static void plan(const struct faults *faults, struct world *world, uint32_t index, enum turn turn,
                 uint64_t at_ns)
{
    uint32_t number = (faults->phase * EPISODES_MAX + index) * TURNS + (uint32_t)turn;
    agenda_plan(&world->agenda,
                (struct agenda_event){.at_ns = at_ns, .kind = EVENT_FAULT, .number = number});
}

static void begin(struct faults *faults, struct world *world, uint32_t index)
{
    struct episode *episode = &faults->episodes[index];
    if (!episodes_begin(episode, world))
        return;
    faults->struck[episode->fault]++;
    toll_take(faults, world, episode, true);
    plan(faults, world, index, TURN_END, episode->to_ns);
    uint64_t turn_ns = episodes_turn(episode, world);
    if (turn_ns != 0)
        plan(faults, world, index, TURN_NEXT, world->now_ns + turn_ns);
}

static void end(struct faults *faults, struct world *world, struct episode *episode)
{
    if (!episode->has_begun)
        return;
    episodes_end(episode, world);
    toll_take(faults, world, episode, false);
}

static void on_due(void *state, struct world *world, uint32_t number)
{
    struct faults *faults = state;
    uint32_t index = number / TURNS % EPISODES_MAX;
    if (number / TURNS / EPISODES_MAX != faults->phase)
        return; /* ended with its phase */
    struct episode *episode = &faults->episodes[index];
    switch ((enum turn)(number % TURNS)) {
    case TURN_BEGIN:
        begin(faults, world, index);
        return;
    case TURN_NEXT:
        if (episode->has_begun)
            plan(faults, world, index, TURN_NEXT, world->now_ns + episodes_turn(episode, world));
        return;
    case TURN_END:
        end(faults, world, episode);
        return;
    case TURNS:
        return;
    }
}

static bool is_of_network(enum fault fault)
{
    return fault == FAULT_LOSS || fault == FAULT_REPEAT || fault == FAULT_DELAY ||
           fault == FAULT_FLIP;
}

/* Draws when an episode is. */
static void draw_times(const struct world *world, struct episode *episode, struct random *random,
                       uint64_t ms)
{
    uint64_t from_ms = random_below(random, ms * 3 / 4 + 1);
    uint64_t longest_ms = ms - from_ms;
    uint64_t lasts_ms = 1 + random_below(random, longest_ms);
    episode->from_ns = world->now_ns + from_ms * MS;
    episode->to_ns = episode->from_ns + lasts_ms * MS;
}

/* Who stayed down is started again; a newcomer with another's name goes. */
static void wake_all(struct world *world)
{
    if (world->spare != UINT32_MAX)
        world_crash(world, world->spare);
    for (uint32_t node = 0; node < world->nodes_count; node++)
        if (node != world->spare && world->nodes[node].core == NULL)
            world_start(world, node);
}

void faults_begin(struct faults *faults, struct world *world, uint64_t ms)
{
    faults->phase++;
    faults->count = 0;
    wake_all(world);
    for (size_t i = 0; i < KINDS; i++) {
        if (!faults_is_on(faults, kinds[i]) || world->nodes_count < 2)
            continue;
        struct random *random = stream(world, kinds[i]);
        uint64_t each = is_of_network(kinds[i]) ? 1 : 1 + random_below(random, EACH_MAX);
        for (; each > 0 && faults->count < EPISODES_MAX; each--) {
            uint32_t index = faults->count++;
            struct episode *episode = &faults->episodes[index];
            *episode = (struct episode){.fault = kinds[i]};
            draw_times(world, episode, random, ms);
            episodes_draw(episode, world, random);
            plan(faults, world, index, TURN_BEGIN, episode->from_ns);
        }
    }
}

/* Cuts off what is not healed. The first node is always in: all others have it as a seed. Returns
 * whether anybody is apart. */
static bool set_apart(struct world *world, bool is_apart)
{
    struct random *random = &world->random[STREAM_PHASES];
    bool is_any = false;
    for (uint32_t node = 1; node < world->nodes_count; node++) {
        bool is_out = is_apart && random_below(random, 3) == 0;
        if (world->nodes[node].is_apart != is_out)
            world_set_apart(world, node, is_out);
        is_any |= is_out;
    }
    for (uint32_t from = 0; from < world->nodes_count; from++)
        for (uint32_t to = 0; to < world->nodes_count; to++)
            if (world->nodes[from].is_apart != world->nodes[to].is_apart)
                world_cut(world, from, to);
    return is_any;
}

/* A part that is cut off now is news; the bound does not speak of how soon a probe comes to it, at
 * a node that thinks badly of itself after the storm. */
static uint64_t news_ms(const struct world *world)
{
    struct mesh_config config;
    mesh_config_defaults(&config);
    uint64_t slowest_ms = (uint64_t)config.gossip.period_ms * (config.gossip.health_max + 1);
    return slowest_ms * (world->nodes_count < LONE_NODES ? world->nodes_count : LONE_NODES);
}

void faults_end(struct faults *faults, struct world *world, bool may_split)
{
    for (uint32_t i = 0; i < faults->count; i++)
        end(faults, world, &faults->episodes[i]);
    faults->phase++;
    faults->count = 0;
    world_heal(world);
    if (world->nodes[0].core == NULL) { /* somebody must be there whom all have as a seed */
        if (world->spare != UINT32_MAX)
            world_crash(world, world->spare); /* it may have taken the name */
        world_start(world, 0);
    }
    bool splits = may_split && random_below(&world->random[STREAM_PHASES], 4) == 0;
    bool was_apart = faults->is_apart;
    faults->is_apart = set_apart(world, splits);
    uint64_t felt_until_ns = world->now_ns + check_members_bound_ms(world) * MS;
    for (uint32_t node = 0; node < world->nodes_count && (was_apart || faults->is_apart); node++)
        faults->tolls[node].links_until_ns = faults->tolls[node].until_ns = felt_until_ns;
    if (faults->is_apart)
        world_run_ms(world, news_ms(world));
}
