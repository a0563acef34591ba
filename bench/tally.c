#include "bench/tally.h"

enum { WINDOW_SEQUENCES = 64 };

void tally_add(struct tally *tally, const struct tally *from)
{
    tally->sent += from->sent;
    for (uint32_t i = 0; i < BENCH_OUTCOMES; i++)
        tally->outcomes[i] += from->outcomes[i];
    for (uint32_t i = 0; i < BENCH_NODES_MAX; i++)
        tally->answered[i] += from->answered[i];
    histogram_merge(&tally->latency, &from->latency);
    tally->checks.lost += from->checks.lost;
    tally->checks.duplicate += from->checks.duplicate;
    tally->checks.reordered += from->checks.reordered;
    tally->checks.corrupt += from->checks.corrupt;
    tally->checks.no_outcome += from->checks.no_outcome;
}

void tally_outcome(struct tally *tally, uint32_t outcome)
{
    tally->outcomes[outcome < BENCH_OUTCOMES ? outcome : BENCH_OUTCOMES - 1]++;
}

bool tally_has_held(const struct tally *tally)
{
    const struct bench_checks *checks = &tally->checks;
    return tally->sent > 0 && checks->lost + checks->duplicate + checks->reordered +
                                      checks->corrupt + checks->no_outcome ==
                                  0;
}

enum tally_verdict tally_window_admit(struct tally_window *window, uint64_t sequence)
{
    if (sequence > window->highest) {
        uint64_t ahead = sequence - window->highest;
        window->seen = (ahead >= WINDOW_SEQUENCES ? 0 : window->seen << ahead) | 1;
        window->highest = sequence;
        return TALLY_FRESH;
    }
    uint64_t behind = window->highest - sequence;
    uint64_t bit = behind >= WINDOW_SEQUENCES ? 0 : UINT64_C(1) << behind;
    if ((window->seen & bit) != 0)
        return TALLY_DUPLICATE;
    window->seen |= bit;
    return TALLY_REORDERED;
}

uint64_t tally_lost(const struct tally_marks *marks, size_t cells)
{
    uint64_t lost = 0;
    for (size_t i = 0; i < cells; i++)
        if (marks->answered[i] > marks->seen[i])
            lost += marks->answered[i] - marks->seen[i];
    return lost;
}
