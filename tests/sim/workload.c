#include "tests/sim/workload.h"

/* Each person has one alarm. When it rings each concern hears of it; then a visitor with a session
 * does one thing, drawn by the weights of this seed. */

#include <stdlib.h>

#include "mesh/base/require.h"

enum {
    VISITORS_MAX = 10,
    EMPTY_PERCENT = 20, /* of the seeds have no visitors */
    OBSERVER_MS = 400,
    READING_PERCENT = 40, /* of the seeds have readers of topics */
    READERS_MAX = 4,
    ACTS_MAX = 64,
};

/* In the order in which they hear of an alarm, and are probed. */
static const struct concern *const concerns[] = {
    &workload_visits, &workload_requests, &workload_commands, &workload_listeners,
    &workload_direct, &workload_logins,   &workload_missing,  &workload_topics};
enum { CONCERNS = sizeof concerns / sizeof concerns[0] };

struct workload {
    struct people *people;
    void *states[CONCERNS];
    uint32_t weights[ACTS_MAX], weights_sum; /* of all acts of all concerns, one after the other */
    uint32_t pause_ms;                       /* between two acts, on average */
};

static void on_due(void *state, struct world *world, uint32_t who);

static void draw_ways(struct workload *workload, struct random *random)
{
    uint32_t acts = 0;
    for (size_t i = 0; i < CONCERNS; i++) {
        require(acts + concerns[i]->acts_count <= ACTS_MAX);
        for (size_t j = 0; j < concerns[i]->acts_count; j++, acts++) {
            const struct concern_act *act = &concerns[i]->acts[j];
            uint64_t span = (uint64_t)act->weight_most - act->weight_least + 1;
            workload->weights[acts] = act->weight_least + (uint32_t)random_below(random, span);
            workload->weights_sum += workload->weights[acts];
        }
    }
    workload->pause_ms = 100u << random_below(random, 5);
}

struct workload *workload_new(struct world *world, const struct faults *faults)
{
    struct random *random = &world->random[STREAM_PEOPLE];
    struct workload *workload = calloc(1, sizeof *workload);
    require(workload != NULL);
    bool is_empty = random_below(random, 100) < EMPTY_PERCENT;
    uint32_t visitors = 1 + (uint32_t)random_below(random, VISITORS_MAX);
    draw_ways(workload, random);
    struct random *reading = &world->random[STREAM_TOPICS];
    bool has_readers = random_below(reading, 100) < READING_PERCENT;
    uint32_t readers = 1 + (uint32_t)random_below(reading, READERS_MAX);
    workload->people = people_new(world, is_empty ? 0 : visitors, has_readers ? readers : 0);
    for (size_t i = 0; i < CONCERNS; i++)
        workload->states[i] = concerns[i]->create(world, faults, workload->people);
    people_watch(workload->people, (struct people_watcher){.state = workload, .on_due = on_due});
    for (uint32_t who = 0; who < workload->people->count; who++)
        clients_wake_in(world, who, 1 + random_below(random, OBSERVER_MS));
    return workload;
}

void workload_destroy(struct workload **workload)
{
    if (*workload != NULL) {
        for (size_t i = 0; i < CONCERNS; i++)
            concerns[i]->destroy((*workload)->states[i]);
        people_destroy(&(*workload)->people);
    }
    free(*workload);
    *workload = NULL;
}

struct people *workload_people(struct workload *workload)
{
    return workload->people;
}

void workload_set_quiet(struct workload *workload, struct world *world, bool is_quiet)
{
    struct random *random = &world->random[STREAM_PEOPLE];
    workload->people->is_quiet = is_quiet;
    for (uint32_t who = 0; who < workload->people->count; who++)
        clients_wake_in(world, who, 1 + random_below(random, OBSERVER_MS));
}

/* ---- acting ----------------------------------------------------------------------------------*/

static void act(struct workload *workload, struct world *world, uint32_t who)
{
    uint64_t draw = random_below(&world->random[STREAM_PEOPLE], workload->weights_sum);
    const uint32_t *weight = workload->weights;
    for (size_t i = 0; i < CONCERNS; i++) {
        for (size_t j = 0; j < concerns[i]->acts_count; j++, weight++) {
            if (draw < *weight) {
                concerns[i]->acts[j].act(workload->states[i], world, who);
                return;
            }
            draw -= *weight;
        }
    }
}

static void on_due(void *state, struct world *world, uint32_t who)
{
    struct workload *workload = state;
    const struct people *people = workload->people;
    bool is_visitor = who >= people->observers && who < people->readers;
    bool is_free = is_visitor && !people->is_quiet;
    bool was_open = people->persons[who].state == PERSON_OPEN;
    for (size_t i = 0; i < CONCERNS; i++)
        if (concerns[i]->alarm != NULL)
            concerns[i]->alarm(workload->states[i], world, who);
    if (is_free && was_open && people->persons[who].state == PERSON_OPEN)
        act(workload, world, who);
    uint64_t pause_ms = OBSERVER_MS;
    if (is_free)
        pause_ms = 1 + random_below(&world->random[STREAM_PEOPLE], 2 * workload->pause_ms);
    clients_wake_in(world, who, pause_ms);
}

/* ---- all concerns ----------------------------------------------------------------------------*/

void workload_look(struct workload *workload, struct world *world)
{
    for (size_t i = 0; i < CONCERNS; i++)
        if (concerns[i]->look != NULL)
            concerns[i]->look(workload->states[i], world);
}

void workload_probe(struct workload *workload, struct world *world)
{
    for (size_t i = 0; i < CONCERNS && !world_has_failed(world); i++)
        if (concerns[i]->probe != NULL)
            concerns[i]->probe(workload->states[i], world);
}

bool workload_explains_end(const struct workload *workload, uint32_t who, enum close_reason reason)
{
    for (size_t i = 0; i < CONCERNS; i++)
        if (concerns[i]->explains_end != NULL &&
            concerns[i]->explains_end(workload->states[i], who, reason))
            return true;
    return false;
}

void workload_count(const struct workload *workload, struct tally *tally)
{
    for (size_t i = 0; i < CONCERNS; i++)
        if (concerns[i]->count != NULL)
            concerns[i]->count(workload->states[i], tally);
}
