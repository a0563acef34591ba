/* check_logins.h - judges who is let in where authentication handlers decide: nobody without an
 * "allow", nobody past a "deny" or a silence that is one; each login is decided once and in time;
 * in quiet a handler anywhere decides for all nodes (I25). Knows what persons claimed, what those
 * who decide were asked and what they said first, and how it ended.
 * Memory: check_logins_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_LOGINS_H
#define WEFT_TESTS_SIM_CHECK_LOGINS_H

#include "proto/authentication.h"
#include "tests/sim/faults.h"
#include "tests/sim/people.h"

enum { CHECK_LOGINS_ASKED_MAX = 8, CHECK_LOGINS_STEP_MS = 1000 };

struct login_asked {
    uint32_t who, visit;
    uint64_t correlation;
    uint64_t ends_ns;          /* by the clock of the handler's node */
    enum decision_code answer; /* the first, in time; DECISION_LOST: none yet */
};

struct sim_login {
    uint32_t who, visit;
    bool is_opening, is_over; /* HELLO, or REAUTHENTICATE */
    uint64_t delivered_ns;
    uint32_t asked_count;
    struct login_asked asked[CHECK_LOGINS_ASKED_MAX];
};

/* What all nodes are told of who may enter. */
struct login_rules {
    bool ends_open;        /* who is not decided about is let in */
    bool silence_abstains; /* a handler that says nothing has abstained, else denied */
};

struct check_logins {
    const struct faults *faults;
    struct people *people;
    struct login_rules rules;
    struct sim_login *logins; /* [number - 1] */
    uint32_t count, capacity, settled;
    uint64_t allowed, denied, silent, twice; /* logins; of the asked: said nothing; asked two */
};

void check_logins_init(struct check_logins *check, struct world *world, const struct faults *faults,
                       struct people *people, struct login_rules rules);
void check_logins_clear(struct check_logins *check);

/* A person that calls claims to be somebody: the credentials to send, valid until the next call. */
struct span check_logins_claim(struct check_logins *check, uint32_t who, bool is_opening);

/* Makes a person say anew who it is. */
void check_logins_reauthenticate(struct check_logins *check, struct world *world, uint32_t who);

/* Makes a handler answer what it was asked under that correlation. */
void check_logins_decide(struct check_logins *check, struct world *world, uint32_t who,
                         uint64_t correlation, enum decision_code code);

void check_logins_look(struct check_logins *check, struct world *world); /* overdue? */

/* In quiet, where whoever is asked allows: observers are who they claim, if anybody decides. */
void check_logins_probe(struct check_logins *check, struct world *world);

#endif
