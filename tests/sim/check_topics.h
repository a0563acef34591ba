/* check_topics.h - judges what readers hear of topics: a topic's versions ascend, whoever tells
 * them; where nothing is merged each follows the one before, or is marked; snapshot and stream meet
 * without a hole, and nothing comes twice; nothing comes of what is not selected; one update of an
 * `always` topic waits at most; no queue passes its bound; in quiet everybody has the last value
 * (I22, I24, I28). Knows what readers said and heard, and what was sent to them, step by step.
 * Memory: check_topics_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_TOPICS_H
#define WEFT_TESTS_SIM_CHECK_TOPICS_H

#include "tests/sim/check_sets.h"

enum { CHECK_TOPICS_SELECTORS = 5 };

/* What a reader knows of a topic. */
struct known {
    enum {
        KNOWN_NOTHING, /* not there, or not selected */
        KNOWN_VALUE,
        KNOWN_LOST,   /* by back pressure */
        KNOWN_VAGUELY /* messages were lost */
    } what;
    struct topic_version version; /* the last one, also of what it is not told any more */
    uint32_t snapshots;           /* that may still come */
};

/* What a reader asked of a selector, and by which number; 0: nothing. */
struct reading_ask {
    uint32_t selector;
    enum kind kind;
    uint32_t number;
};

struct reading {
    uint32_t stands;          /* selectors that it was told DONE of, a bit each */
    struct reading_ask asked; /* under way */
    struct reading_ask vague; /* was under way when messages were lost: it may be answered still */
    uint32_t doubted; /* selectors of which an answer may have been lost: they stand or not */
    struct known topics[CHECK_SETS_PATHS];
    /* Its session's switch, which is on at first. */
    uint32_t switched; /* the command under way that turns it; 0: none */
    bool switched_on;  /* by that one */
    bool is_merged;    /* it is on for sure */
    bool will_be_plain;
    uint32_t plain_behind; /* it is off, and what is asked behind this number is answered behind all
                              that was merged */
    bool is_plain;         /* nothing comes merged any more */
    /* What was sent in one step of the world: it had waited together. */
    uint64_t step;
    uint32_t connection;
    uint32_t together; /* `always` topics of which an update is among it, a bit each */
};

struct check_topics {
    const struct faults *faults;
    struct people *people;
    struct check_sets *sets;
    struct reading *readers; /* by person */
    uint32_t numbers;
    uint64_t step;
    uint32_t step_connection, step_messages;
    uint64_t heard, skipped, resynced, dropped, ended, closed; /* how often */
};

void check_topics_init(struct check_topics *check, struct world *world, struct check_sets *sets);
void check_topics_clear(struct check_topics *check);

/* Makes a reader subscribe by a selector, or unsubscribe; not while another answer is awaited. */
void check_topics_select(struct check_topics *check, struct world *world, uint32_t who,
                         uint32_t selector);

/* Makes a person turn a reader's switch. */
void check_topics_switch(struct check_topics *check, struct world *world, uint32_t who,
                         uint32_t reader, bool is_on);

/* In quiet, when all nodes have the same: whether this reader, who is present, has heard it. */
bool check_topics_is_current(const struct check_topics *check, uint32_t who);

#endif
