/* check_commands.h - judges what commands do: a node that says it applied one to N sessions had
 * exactly so many that match, sums are sums, who does not match is not touched, a dry or refused
 * command changes nothing, changes of one session have one order, every command has one result, in
 * time, and no closed session lives on (I8, I11, I12, I14, I15). Knows what persons said and heard,
 * when their lines began and ended, and evaluates filters by a table of its own.
 * Memory: check_commands_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_COMMANDS_H
#define WEFT_TESTS_SIM_CHECK_COMMANDS_H

#include "proto/command.h"
#include "tests/sim/faults.h"
#include "tests/sim/people.h"

enum { CHECK_COMMANDS_FILTERS = 8, CHECK_COMMANDS_VERBS = 32 };

/* A session as it is seen from outside. */
struct stay {
    struct session_id id; /* none until WELCOME */
    uint32_t who, connection, team;
    bool may_wait;                            /* for its client: its line's end is not its own */
    uint64_t instance;                        /* of its node */
    uint64_t called_ns, welcomed_ns, over_ns; /* the person's; UINT64_MAX: not yet */
    uint64_t gone_ns;                         /* its node knows of the end, at the latest */
    bool is_told;                             /* of the end: GOODBYE is under way */
};

struct order {
    enum command_verb verb;
    uint32_t asker, asker_visit;
    uint32_t filter;          /* CHECK_COMMANDS_FILTERS: by id */
    struct session_id target; /* by id */
    bool is_dry, is_over;
    bool adds; /* CHANGE_ROLES: adds WORLD_ROLE, or takes it away */
    uint32_t expect_max, timeout_ms;
    uint64_t said_ns, own_deadline_ns; /* the latter: as in check_outcomes.h */
    uint64_t told_ns;                  /* its result */
    enum error code;
    uint32_t done_at;  /* a bit for each node that says it did it */
    uint32_t previous; /* by id: which order set the value before; 0: none */
};

struct check_commands {
    const struct faults *faults;
    struct people *people;
    struct stay *stays;
    uint32_t stays_count, stays_capacity;
    struct order *orders; /* [number - 1] */
    uint32_t count, capacity;
    uint32_t settled;                      /* those below are over */
    uint64_t lists;                        /* listings heard in quiet */
    uint64_t done[CHECK_COMMANDS_VERBS];   /* results that said OK, by verb */
    uint64_t matched, refused, incomplete; /* sessions; by expect_max; not all answered */
};

void check_commands_init(struct check_commands *check, struct world *world,
                         const struct faults *faults, struct people *people);
void check_commands_clear(struct check_commands *check);

/* Makes a person give a command to those who match one of the filters, or (filter
 * CHECK_COMMANDS_FILTERS) to the session. SET_PROPERTIES leaves the command's number there. */
void check_commands_give(struct check_commands *check, struct world *world, uint32_t who,
                         const struct order *order);

/* The person's session as it is now; NULL: it never had one. Whether a command is about it, if it
 * was there; whether it has been carried out there for sure. */
const struct stay *check_commands_stay(const struct check_commands *check, uint32_t who);
bool check_commands_may_reach(const struct order *order, const struct stay *stay);
bool check_commands_has_reached(const struct world *world, const struct order *order,
                                const struct stay *stay);

/* Whether somebody gave a command that closes this person's session. */
bool check_commands_explain_end(const struct check_commands *check, uint32_t who);

/* Fails the world if a result is overdue. */
void check_commands_look(struct check_commands *check, struct world *world);

/* In quiet: no command waits for a dead node; every session has what was done to it, and nothing
 * else. Lets the world run for a moment. */
void check_commands_probe(struct check_commands *check, struct world *world);

#endif
