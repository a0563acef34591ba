#include "tests/sim/clocks.h"

uint64_t clocks_read_ns(const struct sim_clock *clock, uint64_t world_ns)
{
    if (world_ns <= clock->since_ns)
        return clock->base_ns;
    uint64_t passed_ns = world_ns - clock->since_ns;
    return clock->base_ns + passed_ns * (uint64_t)(1000 + clock->drift_permille) / 1000;
}

uint64_t clocks_reach_ns(const struct sim_clock *clock, uint64_t own_ns)
{
    if (own_ns <= clock->base_ns)
        return clock->since_ns;
    uint64_t speed = (uint64_t)((int64_t)1000 + clock->drift_permille);
    return clock->since_ns + ((own_ns - clock->base_ns) * 1000 + speed - 1) / speed;
}

void clocks_drift(struct sim_clock *clock, uint64_t world_ns, int32_t drift_permille)
{
    if (world_ns > clock->since_ns) { /* else it stands, and starts at the new speed */
        clock->base_ns = clocks_read_ns(clock, world_ns);
        clock->since_ns = world_ns;
    }
    clock->drift_permille = drift_permille;
}

void clocks_stand(struct sim_clock *clock, uint64_t from_ns, uint64_t to_ns)
{
    clock->base_ns = clocks_read_ns(clock, from_ns);
    clock->since_ns = to_ns;
}
