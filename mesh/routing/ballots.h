/* ballots.h - keeps the requests to filters that sessions here have made: of each member, how many
 * sessions match there, how many may be asked by now, and how many have ended.
 *
 * (P1) of each member: sent = answered + failed + those that are still out
 * Memory: a fixed table; about 200 bytes a member of MEMORY_QUEUES for each. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_BALLOTS_H
#define WEFT_MESH_ROUTING_BALLOTS_H

#include "mesh/routing/room.h"

enum {
    BALLOTS_MAX = 256,          /* at work on a node; a share of each is on every other */
    BALLOTS_OF_ONE_MAX = 16,    /* of one session */
    BALLOTS_SENT_MAX = 1 << 24, /* sessions of one member; a peer that says more is none of ours */
};

enum part_state { PART_COUNTING, PART_ASKING, PART_OVER };

/* One member's part. */
struct poll_node {
    uint64_t instance;
    enum part_state state;
    uint16_t code; /* why it did not do it to the end */
    uint8_t name_bytes;
    char name[NAME_BYTES_MAX];
    const char *why;
    uint32_t sent, allowed, answered, failed;
    uint8_t *heard; /* a bit for each that has ended: a frame may come twice */
};

struct poll {
    bool is_used, is_asking;
    uint32_t slot, generation;
    uint32_t asker; /* slot of the session */
    uint64_t correlation;
    uint64_t ends_ns;
    struct deadline deadline; /* the next look, or the end */
    uint32_t nodes_count, counting, turn;
    struct poll_node *nodes;
    uint32_t sent, ended;         /* sums over the nodes */
    uint32_t allowed, may_answer; /* asked by now; of them those that have not ended */
    uint32_t window;
    size_t largest_bytes; /* of a PART so far */
};

bool ballots_init(struct routing *routing);
void ballots_clear(struct routing *routing);

/* A request of that session under that number, to every member; its deadline is not set. NULL: too
 * many, or no memory. */
struct poll *ballots_take(struct routing *routing, const struct session *session, uint64_t number);
void ballots_release(struct routing *routing, struct poll *poll);

/* The number by which members know it, and back; NULL: it is over. */
uint64_t ballots_number(const struct poll *poll);
struct poll *ballots_of_number(struct routing *routing, uint64_t number);

/* The one at work in that slot. */
struct poll *ballots_at(struct routing *routing, uint32_t slot);

/* By the caller's number; NULL: none. */
struct poll *ballots_of_session(const struct routing *routing, uint32_t asker,
                                uint64_t correlation);

/* Walks those at work; NULL starts, NULL ends. Releasing the one at hand is fine. */
struct poll *ballots_next(const struct routing *routing, const struct poll *after);

/* The member's part; NULL: it was not asked. O(members). */
struct poll_node *ballots_part(struct poll *poll, uint64_t instance);

/* The member has said how many match. False: no memory to remember who has ended; unchanged. */
bool ballots_counted(struct routing *routing, struct poll *poll, struct poll_node *part,
                     uint32_t sent);

/* The outcome of the member's session of that number, from 1, has come; false: it was not asked, or
 * is here already. */
bool ballots_hear(struct poll_node *part, uint32_t number);

/* What the member has not answered is given up; why: a constant, or NULL. */
void ballots_give_up(struct routing *routing, struct poll *poll, struct poll_node *part,
                     enum error code, const char *why);

/* How many members have done their part so far; and what all of it comes to. */
uint32_t ballots_done(const struct poll *poll);
enum error ballots_outcome(const struct poll *poll);

/* What the caller is told of each member, as groups; empty when there is no memory for it. */
struct span ballots_answers(struct routing *routing, const struct poll *poll);

uint32_t ballots_count(const struct routing *routing);
void ballots_check(const struct routing *routing);

#endif
