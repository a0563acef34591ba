/* tally.h - counts what came about in a run: faults, rare branches, kinds of messages. Of them each
 * must come about in some run of a set: a branch that no seed reaches is one that no seed tests.
 * Memory: plain data. Thread: one. */
#ifndef WEFT_TESTS_SIM_TALLY_H
#define WEFT_TESTS_SIM_TALLY_H

#include "tests/sim/faults.h"
#include "tests/sim/world.h"

/* X(NAME, where it is seen, what) */
#define TALLY_LIST(X)                                                                              \
    X(STALLED, "network", "segments lost")                                                         \
    X(REPEATED, "network", "frames repeated")                                                      \
    X(FLIPPED, "network", "bytes flipped")                                                         \
    X(RESET, "network", "links reset")                                                             \
    X(LINK_LOST, "links", "lost")                                                                  \
    X(LINK_FULL, "links", "full")                                                                  \
    X(JOINED, "notice", "joined")                                                                  \
    X(ALONE, "notice", "alone")                                                                    \
    X(PAUSED, "notice", "a pause noticed")                                                         \
    X(LEFT, "end", "left as asked")                                                                \
    X(NAME_REFUSED, "end", "name refused at the door")                                             \
    X(NAME_LOST, "end", "name lost to another")                                                    \
    X(SUSPECTED, "verdict", "suspected")                                                           \
    X(REFUTED, "verdict", "refuted")                                                               \
    X(DIED, "verdict", "dead of silence")                                                          \
    X(CRASHED, "verdict", "dead of refused connections")                                           \
    X(REPLACED, "verdict", "replaced by a newer instance")                                         \
    X(REVIVED, "verdict", "alive after death: a merge")                                            \
    X(GONE, "verdict", "left")                                                                     \
    X(HELP_ASKED, "message", "ping request")                                                       \
    X(HELP_GIVEN, "message", "ack for another's ping")                                             \
    X(NACKED, "message", "early \"no answer yet\"")                                                \
    X(CONFIRMED, "message", "a suspicion with two accusers")                                       \
    X(REFUSAL_SEEN, "message", "a witness of a refused connection")                                \
    X(CHALLENGED, "message", "asked to greet anew")                                                \
    X(TABLE_SENT, "message", "a table, or part of one")                                            \
    X(BUCKETS_SENT, "message", "hashes of a view")                                                 \
    X(LOG_RANGE, "log", "entries that were asked for")                                             \
    X(LOG_WITNESS, "log", "entries of another than the sender")                                    \
    X(LOG_GAP, "log", "a gap in what was pushed")                                                  \
    X(LOG_SNAPSHOT, "log", "a snapshot received")                                                  \
    X(HANDED_FAR, "request", "handed over at another node")                                        \
    X(REROUTED, "request", "routed again")                                                         \
    X(RETRIED, "request", "asked again after a loss")                                              \
    X(ANSWERED_LATE, "request", "answered too late")                                               \
    X(OUTCOME_OK, "outcome", "ok")                                                                 \
    X(OUTCOME_REJECTED, "outcome", "rejected")                                                     \
    X(OUTCOME_HANDLER_ERROR, "outcome", "handler error")                                           \
    X(OUTCOME_NO_HANDLER, "outcome", "no handler")                                                 \
    X(OUTCOME_HANDLER_LOST, "outcome", "handler lost")                                             \
    X(OUTCOME_TIMEOUT, "outcome", "timeout")                                                       \
    X(OUTCOME_CANCELLED, "outcome", "cancelled")                                                   \
    X(DISCONNECTED, "session", "left by its client's line")                                        \
    X(RESUMED, "session", "resumed")                                                               \
    X(SAID_AGAIN, "session", "said again after it was resumed")                                    \
    X(EXPIRED, "session", "waited for its client in vain")                                         \
    X(NOT_RESUMED, "session", "not to be resumed: over, or elsewhere")                             \
    X(DIRECT_SPREAD, "direct", "spread over those that match")                                     \
    X(DIRECT_PART, "direct", "told of one of them")                                                \
    X(DIRECT_UNHANDLED, "direct", "unhandled")                                                     \
    X(DIRECT_INCOMPLETE, "direct", "not all answered")                                             \
    X(LOGIN_ALLOWED, "login", "let in")                                                            \
    X(LOGIN_DENIED, "login", "turned away")                                                        \
    X(LOGIN_SILENT, "login", "a handler that was silent, or late")                                 \
    X(LOGIN_TWICE, "login", "a second handler asked")                                              \
    X(MISSING_TOLD, "missing", "a missing topic told of")                                          \
    X(MISSING_COALESCED, "missing", "the same again within a second")                              \
    X(TOPIC_DONE, "topic", "set")                                                                  \
    X(TOPIC_NOT_DONE, "topic", "not set, and said so")                                             \
    X(TOPIC_UNKNOWN, "topic", "nobody knows whether set")                                          \
    X(TOPIC_LOST, "topic", "set, and gone with its sequencer")                                     \
    X(TOPIC_ADOPTED, "topic", "taken over from the dead")                                          \
    X(TOPIC_HEARD, "topic", "an update heard")                                                     \
    X(TOPIC_SKIPPED, "topic", "updates merged away")                                               \
    X(TOPIC_RESYNC, "topic", "a gap that is marked")                                               \
    X(TOPIC_ENDED, "topic", "a removal heard")                                                     \
    X(TOPIC_DROPPED, "topic", "lost by back pressure")                                             \
    X(TOPIC_STALLED, "topic", "a reader that takes nothing")                                       \
    X(TOPIC_CLOSED, "topic", "a reader too slow for its queue")                                    \
    X(EVENT_OPENED, "event", "opened")                                                             \
    X(EVENT_UPDATED, "event", "updated")                                                           \
    X(EVENT_DISCONNECTED, "event", "disconnected")                                                 \
    X(EVENT_RECONNECTED, "event", "reconnected")                                                   \
    X(EVENT_CLOSED, "event", "closed")                                                             \
    X(EVENT_ENTERED, "event", "entered")                                                           \
    X(EVENT_LEFT, "event", "left")                                                                 \
    X(EVENT_UNREACHABLE, "event", "unreachable")                                                   \
    X(EVENT_REACHABLE, "event", "reachable")                                                       \
    X(EVENT_GONE, "event", "gone")                                                                 \
    X(EVENT_RESYNC, "event", "found by a comparison")                                              \
    X(OUTCOME_DENIED, "outcome", "denied")                                                         \
    X(ROLE_CERTAIN, "outcome", "decided by a role that changed, or none")                          \
    X(COMMAND_ROLES, "command", "roles changed")                                                   \
    X(COMMAND_REPEATED, "command", "come twice, answered twice")                                   \
    X(COMMAND_CHANGED, "command", "properties set")                                                \
    X(COMMAND_CLOSED, "command", "closed")                                                         \
    X(COMMAND_CONFLATED, "command", "conflation switched")                                         \
    X(COMMAND_LISTED, "command", "sessions listed")                                                \
    X(COMMAND_REFUSED, "command", "more than were expected")                                       \
    X(COMMAND_INCOMPLETE, "command", "not all answered")

enum tally_item {
#define TALLY_ENUM(name, where, what) TALLY_##name,
    TALLY_LIST(TALLY_ENUM)
#undef TALLY_ENUM
        TALLY_ITEMS
};

struct tally {
    uint64_t items[TALLY_ITEMS];
    uint64_t struck[FAULTS]; /* by kind */
};

/* Watches a world from now on. */
void tally_init(struct tally *tally, struct world *world);

/* Adds what the world and the schedule know at the end; concerns add theirs (concern.h). */
void tally_finish(struct tally *tally, const struct world *world, const struct faults *faults);

void tally_add(struct tally *sum, const struct tally *tally);

/* Prints the sums; false if something never came about. With `faults` the kinds that were allowed:
 * only if all were, rare branches are asked for. */
bool tally_report(const struct tally *sum, uint32_t faults);

#endif
