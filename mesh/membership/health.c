/* health.c - see health.h. */
#include "mesh/membership/health.h"

void health_init(struct health *health, uint32_t max)
{
    *health = (struct health){.max = max};
}

void health_worsened(struct health *health, uint32_t by)
{
    health->score = by < health->max - health->score ? health->score + by : health->max;
}

void health_improved(struct health *health)
{
    if (health->score > 0)
        health->score--;
}

void health_reset(struct health *health)
{
    health->score = 0;
}

uint64_t health_stretch_ns(const struct health *health, uint64_t time_ns)
{
    return time_ns * (health->score + 1);
}
