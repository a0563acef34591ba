/* check_sets.h - judges what becomes of topics (I23): a SET or REMOVE is answered once, and truly;
 * a version has one value, wherever it is seen, and a value one version; what was answered as not
 * done is nowhere; who was told OK finds it at his node; in quiet all nodes have the same, and a
 * change that was acknowledged is missing only if its sequencer's node is gone.
 *
 * There are a few topics, two of each policy. A value is the number of the SET that gave it, so
 * whoever sees one knows whose it is.
 * Memory: check_sets_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_SETS_H
#define WEFT_TESTS_SIM_CHECK_SETS_H

#include "proto/topic.h"
#include "tests/sim/faults.h"
#include "tests/sim/people.h"

enum { CHECK_SETS_PATHS = 8, CHECK_SETS_FETCHES = 64 };

/* What a person may ask to be done. */
struct set {
    uint32_t who, visit, path;
    bool is_remove, is_told;
    bool goes_with_session, is_conditional; /* the topic, when this creates it; by its version */
    enum error code;
    struct topic_version version; /* it was given, as was told or seen; term 0: not known */
};

/* What has been seen of one topic. */
struct set_topic {
    struct set_version {
        struct topic_version version;
        uint32_t number; /* of its value */
    } * versions;
    uint32_t count, capacity;
    bool may_end;              /* somebody asked to remove it, or it goes with a session */
    uint32_t acknowledged[32]; /* of each node: the last SET that it sequenced and said OK to */
};

/* The topics as a node had them, asked in quiet. */
struct set_view {
    uint32_t round;                                  /* in which it answered */
    struct topic_version versions[CHECK_SETS_PATHS]; /* term 0: not there */
};

struct check_sets {
    const struct faults *faults;
    struct people *people;
    struct set *sets; /* [number - 1] */
    uint32_t count, capacity;
    struct set_topic topics[CHECK_SETS_PATHS];
    uint32_t fetches; /* asked so far; the last ones: */
    struct set_fetch {
        uint32_t who, visit, path; /* path CHECK_SETS_PATHS: in quiet, all */
        struct topic_version least;
    } asked[CHECK_SETS_FETCHES];
    struct set_view *views; /* by node */
    uint32_t round;
    uint64_t done, not_done, unknown; /* answers */
    uint64_t lost;                    /* acknowledged, and gone with their sequencer */
};

void check_sets_init(struct check_sets *check, struct world *world, const struct faults *faults,
                     struct people *people);
void check_sets_clear(struct check_sets *check);

/* The topics: a path, what a full queue does to it, which one a path is (CHECK_SETS_PATHS: none of
 * them), and a selector for all. */
const char *check_sets_path(uint32_t path);
enum topic_policy check_sets_policy(uint32_t path);
uint32_t check_sets_find(struct span path);
extern const char *const check_sets_all;

/* Makes a person set a topic, remove it, or set it only if it still has the last version seen.
 * Returns the number. */
enum set_way { SET_PLAINLY, SET_FOR_THE_SESSION, SET_CONDITIONALLY, SET_REMOVES };
uint32_t check_sets_ask(struct check_sets *check, struct world *world, uint32_t who, uint32_t path,
                        enum set_way way);

/* How many of its last SETs and REMOVEs a person has no answer to. */
uint32_t check_sets_open(const struct check_sets *check, uint32_t who);

/* Somebody is told that the topic has this value under this version. */
void check_sets_seen(struct check_sets *check, struct world *world, uint32_t path,
                     const struct topic_version *version, struct span value);

/* In quiet: asks every node for all topics. Then, a moment later: what is not as it must be, in
 * words; NULL: nothing. */
void check_sets_ask_all(struct check_sets *check, struct world *world);
const char *check_sets_difference(struct check_sets *check, struct world *world);

/* Counts what was acknowledged, and is gone with its sequencer; behind the same. */
void check_sets_count_lost(struct check_sets *check, const struct world *world);

/* The topic as all nodes have it, behind check_sets_difference without one; NULL: not there. */
const struct topic_version *check_sets_now(const struct check_sets *check, uint32_t path);

#endif
