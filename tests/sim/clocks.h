/* clocks.h - the monotonic clocks of the nodes: where one stood at an instant of the world, and how
 * fast it runs. Thread: pure functions. */
#ifndef WEFT_TESTS_SIM_CLOCKS_H
#define WEFT_TESTS_SIM_CLOCKS_H

#include <stdint.h>

struct sim_clock {
    uint64_t base_ns, since_ns; /* its own time, and the world's, when it was last set */
    int32_t drift_permille;     /* above -1000 */
};

/* What it shows at an instant of the world, not before it was set. */
uint64_t clocks_read_ns(const struct sim_clock *clock, uint64_t world_ns);

/* When, in the world's time, it will show at least that. */
uint64_t clocks_reach_ns(const struct sim_clock *clock, uint64_t own_ns);

/* From that instant on it runs at another speed. */
void clocks_drift(struct sim_clock *clock, uint64_t world_ns, int32_t drift_permille);

/* It stands still between two instants of the world, the first of them now. */
void clocks_stand(struct sim_clock *clock, uint64_t from_ns, uint64_t to_ns);

#endif
