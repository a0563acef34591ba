#include "tests/sim/sometimes.h"

#include <inttypes.h>
#include <stdio.h>

/* Counters of the core that stand for a branch of membership. */
static const enum counter branches[] = {
    COUNTER_probes_failed, COUNTER_suspicions, COUNTER_deaths,   COUNTER_refutations,
    COUNTER_joins_refused, COUNTER_links_lost, COUNTER_links_up,
};

static const struct {
    enum mesh_notice_code code;
    const char *what;
} ends[] = {
    {NOTICE_JOINED, "joined"},
    {NOTICE_ALONE, "alone"},
    {NOTICE_LEFT, "left"},
    {NOTICE_MESH_REFUSED, "name refused at the door"},
    {NOTICE_NAME_LOST, "name lost after a split"},
};

static void add(uint64_t *sums, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += numbers[i];
}

void sometimes_add(struct sometimes *sometimes, const struct run_tally *tally)
{
    struct run_tally *sum = &sometimes->sum;
    sometimes->runs++;
    add(sum->counters, tally->counters, COUNTERS);
    add(sum->struck, tally->struck, FAULTS);
    add(sum->notices, tally->notices, sizeof sum->notices / sizeof sum->notices[0]);
    sum->frames_stalled += tally->frames_stalled;
    sum->frames_repeated += tally->frames_repeated;
    sum->frames_flipped += tally->frames_flipped;
    sum->links_reset += tally->links_reset;
}

static bool tell(const char *kind, const char *what, uint64_t times)
{
    printf("sometimes: %s %s %" PRIu64 "%s\n", kind, what, times, times == 0 ? " NEVER" : "");
    return times > 0;
}

bool sometimes_report(const struct sometimes *sometimes, uint32_t faults)
{
    const struct run_tally *sum = &sometimes->sum;
    bool is_complete = true;
    for (uint32_t fault = 1; fault < FAULTS; fault++)
        if (faults_is_known(fault) && (faults >> fault & 1) != 0)
            is_complete &= tell("fault", faults_name((enum fault)fault), sum->struck[fault]);
    if (faults != FAULTS_ALL)
        return is_complete; /* a few kinds alone reach few branches */
    is_complete &= tell("network", "stalls", sum->frames_stalled);
    is_complete &= tell("network", "repeats", sum->frames_repeated);
    is_complete &= tell("network", "flips", sum->frames_flipped);
    is_complete &= tell("network", "resets", sum->links_reset);
    for (size_t i = 0; i < sizeof branches / sizeof branches[0]; i++)
        is_complete &= tell("branch", mesh_counter_name(branches[i]), sum->counters[branches[i]]);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        is_complete &= tell("notice", ends[i].what, sum->notices[ends[i].code]);
    if (!is_complete)
        fprintf(stderr, "sometimes: in %" PRIu32 " runs, what is marked NEVER did not come about\n",
                sometimes->runs);
    return is_complete;
}
