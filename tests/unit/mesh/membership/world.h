/* world.h - several membership rooms in one process and in virtual time, connected through their
 * outboxes by a small network: what the unit tests of the room are played on. The whole mesh, with
 * harsher weather, is tests/sim's.
 *
 * Reads like a play: world_new, world_start, world_run_ms, world_kill, world_cut ...
 * Memory: world_destroy frees all, and requires that no room leaked. Thread: one. */
#ifndef WEFT_TESTS_UNIT_MESH_MEMBERSHIP_WORLD_H
#define WEFT_TESTS_UNIT_MESH_MEMBERSHIP_WORLD_H

#include "mesh/base/context.h"
#include "mesh/membership/membership.h"
#include "tests/unit/mesh/membership/happenings.h"

enum { WORLD_TEXT_BYTES = 64, WORLD_EVENT_KINDS = MEMBER_EVENT_LOG_HEAD + 1 };

struct world_link {
    bool is_open, is_up;
    uint32_t generation; /* of this number's use */
    uint32_t connection; /* at the other end, while it is up */
    char address[WORLD_TEXT_BYTES];
};

/* What a node's rooms were told of one instance. */
struct world_told {
    uint64_t instance;
    uint32_t times[WORLD_EVENT_KINDS];
};

struct world_node {
    struct mesh_config config;
    struct context context;
    struct membership *room; /* NULL: not running */
    uint32_t life;
    char name[WORLD_TEXT_BYTES], cluster[WORLD_TEXT_BYTES], zone[WORLD_TEXT_BYTES];
    char gossip[WORLD_TEXT_BYTES], forward[WORLD_TEXT_BYTES], client[WORLD_TEXT_BYTES];
    char seeds[MESH_SEEDS_MAX][WORLD_TEXT_BYTES * 2]; /* addresses, one a line */
    struct world_link *links[2];                      /* gossip, forward; by number */
    uint32_t links_count[2];
    bool is_silent;        /* its host is gone: no refusals, no resets */
    bool is_unreachable;   /* nobody can dial it */
    bool is_forward_shut;  /* nobody can dial its forward port */
    uint32_t loss_percent; /* of frames to and from it */
    uint64_t asleep_until_ns;
    struct world_told *told;
    uint32_t told_count, told_capacity;
    uint32_t notices[64]; /* how often, by enum mesh_notice_code */
    char last_refusal[1100];
    uint64_t gossip_bytes, gossip_frames;
    uint32_t bad_messages;
};

struct world {
    uint64_t now_ns;
    uint64_t seed;
    uint32_t count;
    struct world_node *nodes;
    uint8_t *cuts; /* [from * count + to]: nothing passes that way */
    struct happenings happenings;
    struct {
        uint32_t from, from_life, link, to, to_life;
        bool is_open;
    } * connections;
    uint32_t connections_count, connections_capacity;
    struct random random;
    uint32_t loss_percent;    /* frames that vanish */
    uint32_t repeat_percent;  /* frames that arrive twice */
    uint32_t corrupt_percent; /* frames with one wrong byte */
    uint32_t frame_bytes_max; /* larger gossip frames never arrive; 0: all do */
    int64_t wall_jump_ms;     /* added to everybody's wall clock */
    uint32_t delay_us, jitter_us;
    bool is_loud;  /* prints notices */
    uint64_t hash; /* of all frames, in order */
};

/* `count` stopped nodes n0, n1 ..; node n listens at "n:7311". All know n0 as their only seed, n0
 * none. The configuration of a node may be changed before it starts. */
struct world *world_new(uint32_t count, uint64_t seed);
void world_destroy(struct world **world);

/* Replaces a node's seeds by one seed with these nodes' addresses. */
void world_seed(struct world *world, uint32_t node, const uint32_t *addresses, uint32_t count);

void world_start(struct world *world, uint32_t node); /* a new life */
void world_start_all(struct world *world);
void world_stop(struct world *world, uint32_t node);   /* leaves */
void world_kill(struct world *world, uint32_t node);   /* its connections break at once */
void world_vanish(struct world *world, uint32_t node); /* its host is gone without a word */
void world_sleep(struct world *world, uint32_t node, uint64_t ms); /* stopped, then goes on */
void world_cut(struct world *world, uint32_t from, uint32_t to);   /* one way */
void world_mend(struct world *world, uint32_t from, uint32_t to);
void world_split(struct world *world, uint32_t first); /* nodes below `first` from the others */
void world_heal(struct world *world);                  /* all cuts */
void world_reset_links(struct world *world, uint32_t from, uint32_t to); /* connections break */

/* What one node says of another, as a record: its present instance, its own incarnation, complete
 * when it is alive. To be changed, and told. Its spans point at the nodes' own strings. */
struct member_record world_record(struct world *world, uint32_t of, enum member_state state);

/* A member tells another one a piece of news, now. */
void world_tell(struct world *world, uint32_t from, uint32_t to,
                const struct member_record *record);

/* The same of several pieces in one frame. */
void world_tell_all(struct world *world, uint32_t from, uint32_t to,
                    const struct member_record *records, uint32_t count);

void world_run_ms(struct world *world, uint64_t ms);

/* Runs until it holds; false when limit_ms passed first. Looks every virtual ms. */
bool world_run_until(struct world *world, bool (*holds)(struct world *), uint64_t limit_ms);

/* Every running node holds exactly the running nodes alive, at one hash. */
bool world_agrees(struct world *world);

/* What one node holds of another's present or last instance: 0 is unknown. */
enum member_state world_state(struct world *world, uint32_t node, uint32_t of);

/* How often a node's rooms were told this of any instance of another's name. */
uint32_t world_told(struct world *world, uint32_t node, uint32_t of, enum member_event_kind kind);

/* The same, summed over all pairs. */
uint32_t world_told_anywhere(struct world *world, enum member_event_kind kind);

uint64_t world_instance(const struct world *world, uint32_t node);

#endif
