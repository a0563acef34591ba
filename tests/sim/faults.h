/* faults.h - what goes wrong, when, and for whom: drawn from the seed, one stream of randomness for
 * each kind, so that a new kind does not shift the others. Numbers are those of tests/README.md.
 *
 *     faults_new -> [which kinds are on] -> faults_begin -> episodes -> faults_end -> calm
 *
 * Memory: faults_destroy. Thread: one. */
#ifndef WEFT_TESTS_SIM_FAULTS_H
#define WEFT_TESTS_SIM_FAULTS_H

#include "tests/sim/world.h"

/* X(NAME, number, name) */
#define FAULT_LIST(X)                                                                              \
    X(LOSS, 1, "loss")          /* segments lost: stalls; links reset */                           \
    X(REPEAT, 2, "repeat")      /* frames delivered twice */                                       \
    X(DELAY, 3, "delay")        /* slow and uneven links; order between links is lost */           \
    X(NARROW, 4, "narrow")      /* a node's uplink takes a few kB a second */                      \
    X(SPLIT, 5, "split")        /* in two or three */                                              \
    X(ONE_WAY, 6, "one-way")    /* one direction, or A-B while both reach the others */            \
    X(FLAPPING, 7, "flapping")  /* cuts on and off near the probe period */                        \
    X(CLOGGED, 8, "clogged")    /* frames held, freed in another order */                          \
    X(PAUSE, 9, "pause")        /* below suspicion, between, beyond death */                       \
    X(SLOW, 10, "slow")         /* each fact takes its core long */                                \
    X(CRASH, 11, "crash")       /* the process is gone, its links break */                         \
    X(STOP, 12, "stop")         /* leaves as asked */                                              \
    X(RESTART, 13, "restart")   /* crash and start at once, here or at another address */          \
    X(NAMESAKE, 14, "namesake") /* a newcomer takes a live node's name */                          \
    X(WALL, 16, "wall")         /* wall clocks jump an hour, or ten years */                       \
    X(CLOCK, 17, "clock")       /* monotonic clocks run fast or slow, or stand in a pause */       \
    X(VANISH, 24, "vanish")     /* the host is silent */                                           \
    X(FLIP, 25, "flip")         /* bytes change on the way */

enum fault {
#define FAULT_ENUM(name, number, text) FAULT_##name = (number),
    FAULT_LIST(FAULT_ENUM)
#undef FAULT_ENUM
        FAULTS = 32
};

#define FAULTS_ALL UINT32_MAX

struct faults;

/* Draws which kinds of `allowed` (a bit each) are on; all of them if not is_swarm. Registers with
 * the world. */
struct faults *faults_new(struct world *world, uint32_t allowed, bool is_swarm);
void faults_destroy(struct faults **faults);

/* Starts who is down, draws episodes for the next so many virtual ms, and plans them. */
void faults_begin(struct faults *faults, struct world *world, uint64_t ms);

/* Ends all that goes on, and heals the whole or a random connected part: what is outside of that is
 * set apart; then some seconds pass. With may_split false always the whole. */
void faults_end(struct faults *faults, struct world *world, bool may_split);

/* Whether something between or at two nodes explains that `by` holds `of` dead. */
bool faults_excuse(const struct faults *faults, const struct world *world, uint32_t by,
                   uint32_t of);

/* Whether the network as a whole is good enough that no node left alone may be declared dead. */
bool faults_are_moderate(const struct faults *faults, const struct world *world);

/* Whether members may show up that nobody started: bytes were changed on the way. */
bool faults_can_forge(const struct faults *faults);

bool faults_is_on(const struct faults *faults, enum fault fault);

/* How often each kind struck; index: enum fault. */
const uint64_t *faults_struck(const struct faults *faults);

/* Whether there is a kind of that number; a kind's name for people. */
bool faults_is_known(uint32_t number);
const char *faults_name(enum fault fault);

#endif
