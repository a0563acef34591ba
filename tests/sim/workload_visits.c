#include "tests/sim/concern.h"

/* Coming and going: who is away calls a node, who waits too long gives up, who has said nothing for
 * long pings; visitors leave, or are gone without a word. An observer calls its own node again.
 *
 * Some visitors' sessions wait for them when the line breaks. Lines break at random, and more often
 * while something is under way: then it is lost. Who is apart comes back in time or late, calls
 * another node by mistake, or never comes. The times of those are short, so that in quiet whoever
 * does not come back is soon no more; who has long is patient, and comes back in the end. */

#include <stdlib.h>

#include "mesh/base/require.h"

static const uint64_t MS = 1000000;

enum {
    CALL_MS = 4000,  /* a HELLO that is not answered is given up */
    IDLE_MS = 20000, /* who says nothing for so long pings */
    TEAMS = 4,
    FRAGILE_PERCENT = 60,      /* of the seeds have lines that break */
    BREAKS_PERMILLE_MOST = 30, /* of what is said and heard */
    RECONNECT_LEAST_MS = 200,
    RECONNECT_SPREAD_MS = 2800,
    RECONNECT_LONG_MS = 60000,
    PATIENT_PERCENT = 30, /* of those whose sessions wait */
    ELSEWHERE_PERCENT = 10,
    GIVE_UP_PERCENT = 5,
    APART_MS = 8000, /* then everybody gives up */
};

struct visits {
    struct people *people;
    bool is_fragile;
    uint32_t waiting_percent; /* of the visitors ask their nodes to wait for them */
    uint32_t breaks_permille; /* of what is said and heard by them */
};

static void on_said(void *state, struct world *world, uint32_t who);
static void on_coming(void *state, struct world *world, uint32_t who);

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    struct random *random = &world->random[STREAM_VISITS];
    struct visits *visits = calloc(1, sizeof *visits);
    require(visits != NULL);
    (void)faults;
    *visits = (struct visits){
        .people = people,
        .is_fragile = random_below(random, 100) < FRAGILE_PERCENT,
        .waiting_percent = (uint32_t)random_below(random, 101),
        .breaks_permille = (uint32_t)random_below(random, BREAKS_PERMILLE_MOST + 1),
    };
    people_watch(people, (struct people_watcher){
                             .state = visits, .on_said = on_said, .on_coming = on_coming});
    return visits;
}

static void destroy(void *state)
{
    free(state);
}

/* ---- lines that break ------------------------------------------------------------------------*/

static bool is_fragile(const struct visits *visits, uint32_t who)
{
    const struct person *person = &visits->people->persons[who];
    return visits->is_fragile && !visits->people->is_quiet && person->state == PERSON_OPEN &&
           person->reconnect_ms > 0;
}

static void break_perhaps(struct visits *visits, struct world *world, uint32_t who,
                          enum line_break how)
{
    struct random *random = &world->random[STREAM_VISITS];
    if (is_fragile(visits, who) && random_below(random, 1000) < visits->breaks_permille)
        people_break(visits->people, world, who, how);
}

/* What was said is lost if the line is reset; otherwise it arrives, the answer does not. */
static void on_said(void *state, struct world *world, uint32_t who)
{
    enum line_break how = (enum line_break)random_below(&world->random[STREAM_VISITS], LINE_BREAKS);
    break_perhaps(state, world, who, how);
}

static void on_coming(void *state, struct world *world, uint32_t who)
{
    break_perhaps(state, world, who, LINE_CLOSED);
}

static void lose_line(void *state, struct world *world, uint32_t who)
{
    struct visits *visits = state;
    if (is_fragile(visits, who))
        people_break(visits->people, world, who,
                     (enum line_break)random_below(&world->random[STREAM_VISITS], LINE_BREAKS));
}

/* ---- coming ----------------------------------------------------------------------------------*/

static void call(struct visits *visits, struct world *world, uint32_t who)
{
    struct people *people = visits->people;
    struct random *random = &world->random[STREAM_PEOPLE];
    struct random *own = &world->random[STREAM_VISITS];
    bool is_observer = who < people->observers;
    if (people->is_quiet && !is_observer)
        return;
    uint32_t node = is_observer ? who : (uint32_t)random_below(random, world->nodes_count);
    bool has_team = !is_observer && who < people->readers;
    uint32_t team = has_team ? (uint32_t)random_below(random, TEAMS) : 0;
    bool waits = !is_observer && random_below(own, 100) < visits->waiting_percent;
    uint32_t reconnect_ms =
        waits ? RECONNECT_LEAST_MS + (uint32_t)random_below(own, RECONNECT_SPREAD_MS) : 0;
    if (waits && random_below(own, 100) < PATIENT_PERCENT)
        reconnect_ms = RECONNECT_LONG_MS;
    if (world_is_running(world, node))
        people_call(people, world, who, node, team, reconnect_ms);
}

static bool is_patient(const struct person *person)
{
    return person->reconnect_ms == RECONNECT_LONG_MS;
}

/* In quiet at once, if its session can still be. */
static void come_back(struct visits *visits, struct world *world, uint32_t who)
{
    struct people *people = visits->people;
    struct random *random = &world->random[STREAM_VISITS];
    const struct person *person = &people->persons[who];
    const struct world_node *home = &world->nodes[person->node];
    bool is_there = world_is_running(world, person->node) && home->life == person->life;
    uint64_t draw = people->is_quiet ? 100 : random_below(random, 100);
    uint32_t elsewhere = (uint32_t)random_below(random, world->nodes_count);
    bool is_tired = draw < GIVE_UP_PERCENT || world->now_ns - person->apart_ns > APART_MS * MS;
    if (!is_there && (people->is_quiet || is_tired))
        people_vanish(people, world, who);
    else if (is_tired && !is_patient(person))
        people_vanish(people, world, who);
    else if (draw < GIVE_UP_PERCENT + ELSEWHERE_PERCENT && elsewhere != person->node)
        people_resume(people, world, who, elsewhere);
    else
        people_resume(people, world, who, person->node);
}

static void alarm(void *state, struct world *world, uint32_t who)
{
    struct visits *visits = state;
    struct people *people = visits->people;
    const struct person *person = &people->persons[who];
    bool is_long = world->now_ns - person->since_ns > CALL_MS * MS;
    switch (person->state) {
    case PERSON_AWAY:
        call(visits, world, who);
        break;
    case PERSON_CALLING:
    case PERSON_LEAVING:
        if (is_long && (person->state == PERSON_LEAVING || !is_patient(person)))
            people_vanish(people, world, who);
        break;
    case PERSON_OPEN:
        if (world->now_ns - person->said_ns > IDLE_MS * MS)
            people_say(people, world, who, KIND_PING, 0, NULL, NULL, (struct span){0});
        break;
    case PERSON_APART:
        come_back(visits, world, who);
        break;
    case PERSON_RESUMING:
        if (is_long)
            people_break(people, world, who, LINE_CLOSED);
        break;
    }
}

/* ---- going -----------------------------------------------------------------------------------*/

static void leave(void *state, struct world *world, uint32_t who)
{
    people_leave(((struct visits *)state)->people, world, who);
}

static void vanish(void *state, struct world *world, uint32_t who)
{
    struct people *people = ((struct visits *)state)->people;
    if (!is_patient(&people->persons[who]))
        people_vanish(people, world, who);
}

static void count(const void *state, struct tally *tally)
{
    const struct visits *visits = state;
    tally->items[TALLY_SAID_AGAIN] += visits->people->said_again;
}

static const struct concern_act acts[] = {
    {"says goodbye", 0, 7, leave},
    {"is gone without a word", 0, 7, vanish},
    {"loses its line", 0, 7, lose_line},
};

const struct concern workload_visits = {
    .acts = acts,
    .acts_count = sizeof acts / sizeof acts[0],
    .create = create,
    .destroy = destroy,
    .alarm = alarm,
    .count = count,
};
