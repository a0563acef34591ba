/* bugs.h - bugs that are planted on purpose, one for each promise that a checker of the simulator
 * stands for: a checker that has never found anything may be blind. Only the simulator's build with
 * WEFT_PLANTED_BUGS has them, one at a time, chosen at run time; everywhere else the question below
 * is a constant and costs nothing. Thread: chosen before the first core is made. */
#ifndef WEFT_MESH_BASE_BUGS_H
#define WEFT_MESH_BASE_BUGS_H

#include <stdbool.h>

/* X(NAME, invariant, what is wrong). Numbers count from 1; new ones are added at the end. */
#define BUG_LIST(X)                                                                                \
    X(NO_REFUTATION, "I20", "who is accused says nothing")                                         \
    X(NO_REDIAL, "I20", "dead peers and lost seeds are not called again")                          \
    X(SUSPECT_FOR_EVER, "I20", "a suspicion never ends in a verdict")                              \
    X(HASTY_DEATH, "I20", "one unanswered probe is a death")                                       \
    X(GHOST, "I20", "old news that a member is alive revives it")                                  \
    X(OTHERS_RAISE, "I21", "who accuses a member raises its incarnation")                          \
    X(GOES_BACK, "I21", "news of a lower incarnation is taken")                                    \
    X(NAME_GIVEN_UP, "I30", "a node stops when it is accused")                                     \
    X(WALL_CLOCK, "I31", "the wall clock decides who hears the news")

enum bug {
    BUG_NONE,
#define BUG_ENUM(name, invariant, text) BUG_##name,
    BUG_LIST(BUG_ENUM)
#undef BUG_ENUM
        BUGS
};

#ifdef WEFT_PLANTED_BUGS

/* Whether this is the bug that was chosen. */
bool bug_is_planted(enum bug bug);

/* Chooses one; BUG_NONE: none. */
void bug_plant(enum bug bug);

#else

static inline bool bug_is_planted(enum bug bug)
{
    (void)bug;
    return false;
}

#endif

#endif
