/* suspicion.c - see suspicion.h.
 *
 *     timeout(n) = max - (max - min) ln(n + 1) / ln(k + 1)       n confirmations, k = min(3, N - 2)
 *
 * Where we differ from the paper: min does not grow with log N below 100 nodes (three periods are
 * what a refutation needs), and k is 3 because confirmations are asked for. Integers only: the same
 * on every machine, and no mathematics library in the core. */
#include "mesh/membership/suspicion.h"

#define MS_NS UINT64_C(1000000)

enum { MIN_PERIODS_MILLI = 3000 };

uint32_t suspicion_log10_milli(uint32_t number)
{
    if (number < 2)
        return 0;
    uint32_t whole = 0; /* of the logarithm to base 2 */
    while (number >> whole > 1)
        whole++;
    /* x in [1, 2) with 31 bits behind the point; squaring it shifts out the next bit. */
    uint64_t x = ((uint64_t)number << 31) >> whole;
    uint32_t log2 = whole << 16;
    for (uint32_t bit = UINT32_C(1) << 15; bit > 0; bit >>= 1) {
        x = (x * x) >> 31;
        if (x >> 32 != 0) {
            log2 |= bit;
            x >>= 1;
        }
    }
    return (uint32_t)(((uint64_t)log2 * 30103) / (UINT64_C(100) << 16)); /* log10(2) = 0.30103 */
}

uint64_t suspicion_min_ns(const struct gossip_config *config, uint32_t members)
{
    uint64_t factor_milli = (uint64_t)(config->suspicion_factor * 1000.0);
    uint64_t periods_milli = factor_milli * suspicion_log10_milli(members) / 1000;
    if (periods_milli < MIN_PERIODS_MILLI)
        periods_milli = MIN_PERIODS_MILLI;
    return config->period_ms * MS_NS * periods_milli / 1000;
}

/* 1,000 x ln(n + 1) / ln(k + 1), by k and n; n is at most k. */
static const uint32_t shortening_milli[SUSPICION_CONFIRMATIONS + 1][SUSPICION_CONFIRMATIONS + 1] = {
    {1000, 0, 0, 0},
    {0, 1000, 0, 0},
    {0, 631, 1000, 0},
    {0, 500, 792, 1000},
};

uint64_t suspicion_ends_ns(const struct suspicion *suspicion, const struct gossip_config *config,
                           uint32_t members)
{
    uint32_t k = members < 2 ? 0 : members - 2;
    k = k < SUSPICION_CONFIRMATIONS ? k : SUSPICION_CONFIRMATIONS;
    uint32_t n = suspicion->accusers.count > 0 ? suspicion->accusers.count - 1 : 0;
    n = n < k ? n : k;
    uint64_t min_ns = suspicion_min_ns(config, members);
    uint64_t max_ns = min_ns * config->suspicion_max;
    uint64_t timeout_ns = max_ns - (max_ns - min_ns) / 1000 * shortening_milli[k][n];
    return suspicion->started_ns + suspicion->slept_ns + timeout_ns;
}
