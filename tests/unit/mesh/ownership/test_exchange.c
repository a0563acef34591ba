/* test_exchange.c - transfers between nodes that change while they last. */
#include <criterion/criterion.h>

#include "tests/unit/mesh/ownership/lab.h"

enum { SESSIONS = 100000, UNDER_WAY_MS = 300 }; /* some twenty chunks, 40 ms each */

Test(exchange, of_an_owner_that_restarts_in_a_snapshot_leaves_only_its_new_life)
{
    struct lab *lab = lab_new(1);
    for (uint32_t i = 0; i < 3; i++) {
        lab_add(lab);
        lab_meet(lab, i);
    }
    for (int i = 0; i < SESSIONS; i++) {
        lab_open(lab, 0);
        if (i % 64 == 0)
            lab_run(lab, 1);
    }
    lab_run(lab, 1000);
    lab->delay_ms_min = lab->delay_ms_max = 20;
    uint32_t joiner = lab_add(lab);
    lab_meet(lab, joiner);
    lab_run(lab, UNDER_WAY_MS);
    const struct ownership *ownership = lab->nodes[joiner].ownership;
    cr_assert(!ownership_is_synced(ownership), "the test needs a snapshot that is under way");
    cr_assert_eq(lab_counter(lab, joiner, COUNTER_log_snapshots_in), 0);
    lab_restart(lab, 0);
    lab_meet(lab, 0);
    for (int i = 0; i < 5; i++)
        lab_open(lab, 0);
    lab_run(lab, 3000);
    cr_assert(ownership_is_synced(ownership));
    cr_assert_eq(ownership_sessions(ownership), 5);
    lab_check_all(lab);
    lab_destroy(&lab);
}
