/* check_roles.h - judges whether what sessions may do follows their roles: after an acknowledged
 * removal nothing that needs the role is accepted, until somebody gives it back; and who has it is
 * not denied (I15). Persons ask a path that is for those with the role, and that nobody serves.
 * Memory: check_roles_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_ROLES_H
#define WEFT_TESTS_SIM_CHECK_ROLES_H

#include "tests/sim/check_commands.h"

struct role_ask {
    uint32_t who, visit;
    uint64_t said_ns;
};

struct check_roles {
    const struct check_commands *commands;
    struct role_ask *asks; /* [number - 1] */
    uint32_t count, capacity;
    uint64_t denied, accepted, certain; /* answers; of them those that had to be what they were */
};

void check_roles_init(struct check_roles *check, const struct check_commands *commands);
void check_roles_clear(struct check_roles *check);

/* Makes a person ask. */
void check_roles_ask(struct check_roles *check, struct world *world, uint32_t who);

#endif
