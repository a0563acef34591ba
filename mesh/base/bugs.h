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
    X(WALL_CLOCK, "I31", "the wall clock decides who hears the news")                              \
    X(GHOST_SESSION, "I17", "a session that another node closed stays in the directory")           \
    X(BARE_SNAPSHOT, "I17", "a snapshot comes without its registrations")                          \
    X(NO_PULL, "I17", "what no push brought is not asked for")                                     \
    X(OLD_INSTANCE, "I18", "what a node hosted before its restart stays")                          \
    X(DEAD_SERVE, "I19", "a dead node's handlers are found as before")                             \
    X(SAME_ID, "I7", "session ids begin anew")                                                     \
    X(WRONG_REASON, "I9", "a session's end is told with another reason")                           \
    X(SILENT_TIMEOUT, "I1", "who waits too long is told nothing")                                  \
    X(LOSS_UNNOTICED, "I1", "who waits for a lost handler elsewhere is told nothing")              \
    X(OTHERS_ANSWER, "I2", "an answer is told to another request")                                 \
    X(HANDED_AGAIN, "I3", "a repeated frame is handed over again")                                 \
    X(FALSE_NO, "I4", "a lost handler is told as none")                                            \
    X(FAR_IGNORED, "I5", "handlers of other nodes are not chosen")                                 \
    X(MISSED_ONE, "I11", "a command by filter passes one session over")                            \
    X(FALSE_SUM, "I11", "what matched is added up wrongly")                                        \
    X(DRY_APPLIES, "I12", "a dry run is carried out")                                              \
    X(CLOSED_LIVES, "I8", "some sessions live on that a command closed")                           \
    X(CHANGE_LOST, "I15", "some changes are acknowledged and not made")                            \
    X(DEAD_AWAITED, "I14", "a command waits for a node that is gone")                              \
    X(TWO_OWNERS, "I6", "a node goes on with another's session, which keeps it")                   \
    X(RESUME_LOSES, "I10", "who resumes is not sent again what he missed")                         \
    X(RESUME_REPEATS, "I10", "who resumes is sent again what he has")                              \
    X(ROLE_KEPT, "I15", "what a session may do does not follow its roles")                         \
    X(APPLIED_AGAIN, "I13", "a command that comes twice is applied twice")                         \
    X(EVENT_MISSED, "I9", "listeners are not told that properties changed")                        \
    X(CLOSED_TWICE, "I9", "listeners are told of an end, and told again when they compare")        \
    X(LOST_UNTOLD, "I19", "listeners are not told that a node is lost")                            \
    X(ASKED_AGAIN, "I3", "what is not idempotent is asked again after a loss")                     \
    X(PART_TWICE, "I1", "of a filter's sessions the caller hears twice")                           \
    X(ALL_WELL, "I1", "a request to a filter that lost a node ends well")                          \
    X(SILENT_IN, "I25", "who is not decided about in time is as if nobody were asked")             \
    X(DENIED_IN, "I25", "a no is taken for an abstention")                                         \
    X(OVERTAKEN, "I3", "some requests are held back, and those behind them are not")               \
    X(NEAR_UNFOUND, "I5", "handlers here are not found while a log from elsewhere lags")           \
    X(MISSED_EACH, "I25", "who makes a missing topic is told each time that it is missed")         \
    X(MISSED_HERE, "I25", "and only by those who miss it on his own node")                         \
    X(REFUSED_MADE, "I23", "a SET whose condition is not met is refused, and made")                \
    X(SET_FORGOTTEN, "I23", "some SETs are acknowledged and not made")                             \
    X(SET_UNREAD, "I23", "a SET is acknowledged before its node has it")                           \
    X(DEAD_KEPT, "I23", "what a dead node wrote is taken over by nobody")                          \
    X(VERSION_BACK, "I22", "of two versions of a topic the later one heard stays")                 \
    X(UPDATE_MISSED, "I22", "some updates are not told to who selects the topic")                  \
    X(UPDATE_TWICE, "I22", "who selects a topic twice is told twice")                              \
    X(GAP_UNMARKED, "I22", "a gap between versions is not marked")                                 \
    X(MERGE_KEEPS_OLD, "I24", "of two merged updates the older value stays")                       \
    X(TWO_WAIT, "I24", "updates of a topic `always` wait side by side")                            \
    X(QUEUE_GROWS, "I28", "a session's queue holds more than it may")

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
