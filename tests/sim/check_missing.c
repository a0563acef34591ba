#include "tests/sim/check_missing.h"

/* Nobody sets topics below `gap`. When a node told a handler of something is not known here, only
 * that it can't have done so later than it is heard: so of one selector there are at most as many
 * notices as seconds, by the node's clock, since somebody first missed it. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "proto/missing.h"
#include "proto/request.h"
#include "proto/topic.h"
#include "tests/sim/clocks.h"

static const char *const selectors[CHECK_MISSING_SELECTORS] = {
    "gap/a/b/c", "gap/a/b/+", "gap/a/x", "gap/**", "gap/y", "gap/a/+/z"};

enum { QUIET_MS = 1000, PROBE_MS = 2000, SUBSCRIBED = 7 /* in place of a path's number */ };

static const uint64_t MS = 1000000;

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);

void check_missing_init(struct check_missing *check, struct world *world,
                        const struct faults *faults, struct people *people)
{
    size_t pairs = (size_t)world->nodes_count * CHECK_MISSING_SELECTORS;
    *check = (struct check_missing){
        .faults = faults,
        .people = people,
        .told = calloc(pairs, sizeof *check->told),
        .asked = calloc(people->count, sizeof *check->asked),
        .visits = calloc(people->count, sizeof *check->visits),
        .probes = calloc(people->observers, sizeof *check->probes),
    };
    require(check->told != NULL && check->asked != NULL && check->visits != NULL &&
            check->probes != NULL);
    people_watch(people, (struct people_watcher){.state = check, .on_heard = on_heard});
}

void check_missing_clear(struct check_missing *check)
{
    free(check->told);
    free(check->asked);
    free(check->visits);
    free(check->probes);
}

/* ---- saying ----------------------------------------------------------------------------------*/

static uint64_t correlation_of(struct check_missing *check, uint32_t what)
{
    return people_correlation(MATTER_MISSING, ++check->registrations << 3 | what);
}

void check_missing_register(struct check_missing *check, struct world *world, uint32_t who,
                            uint32_t path)
{
    struct registration registration = {.kind = HANDLER_MISSING_TOPIC,
                                        .path = span_text(people_gaps[path])};
    uint32_t visit = check->people->persons[who].visit;
    if (check->visits[who] != visit)
        check->asked[who] = 0;
    check->visits[who] = visit;
    if ((check->asked[who] >> path & 1) != 0)
        return; /* once will do */
    check->asked[who] |= UINT32_C(1) << path;
    people_say(check->people, world, who, KIND_REGISTER, correlation_of(check, path),
               &registration_schema, &registration, (struct span){0});
}

static void say(struct check_missing *check, struct world *world, uint32_t who,
                const char *selector)
{
    struct subscription subscription = {.selector = span_text(selector)};
    people_say(check->people, world, who, KIND_SUBSCRIBE, correlation_of(check, SUBSCRIBED),
               &subscription_schema, &subscription, (struct span){0});
}

static struct missing_told *told_at(const struct check_missing *check, const struct world *world,
                                    uint32_t node, uint32_t selector, uint64_t since_ns)
{
    struct missing_told *told = &check->told[node * CHECK_MISSING_SELECTORS + selector];
    if (told->life != world->nodes[node].life)
        *told = (struct missing_told){.life = world->nodes[node].life, .since_ns = since_ns};
    return told;
}

void check_missing_subscribe(struct check_missing *check, struct world *world, uint32_t who,
                             uint32_t selector)
{
    for (uint32_t node = 0; node < world->nodes_count; node++)
        (void)told_at(check, world, node, selector,
                      clocks_read_ns(&world->nodes[node].clock, world->now_ns));
    check->said[selector]++;
    say(check, world, who, selectors[selector]);
}

/* ---- hearing ---------------------------------------------------------------------------------*/

static void registered(struct check_missing *check, struct world *world, uint32_t who,
                       const struct message *message)
{
    uint32_t path = (uint32_t)message->correlation & 7;
    if (path == SUBSCRIBED)
        return;
    if (message->kind == KIND_DONE)
        check->people->persons[who].creates |= UINT32_C(1) << path;
    else
        world_fail(world, "missing", "client %u may not be told what is missed below %s", who,
                   people_gaps[path]);
}

/* Whether a path, or what stands before a selector's first wildcard, is at or below another. */
static bool is_below(const char *text, const char *above)
{
    size_t bytes = strlen(above);
    return strncmp(text, above, bytes) == 0 && (text[bytes] == '\0' || text[bytes] == '/');
}

/* Of the paths in a set of bits the longest that stands above the selector; UINT32_MAX: none.
 * Those of wildcards are no path's. */
static uint32_t best_of(uint32_t paths, const char *selector)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t path = 0; path < PEOPLE_GAPS; path++) {
        if ((paths >> path & 1) != 0 && is_below(selector, people_gaps[path]) &&
            (best == UINT32_MAX || strlen(people_gaps[path]) > strlen(people_gaps[best])))
            best = path;
    }
    return best;
}

static void judge_count(struct check_missing *check, struct world *world, uint32_t who,
                        uint32_t selector, const struct missing_topic *notice)
{
    uint32_t node = check->people->persons[who].node;
    struct missing_told *told = told_at(check, world, node, selector, 0);
    uint64_t now_ns = clocks_read_ns(&world->nodes[node].clock, world->now_ns);
    uint64_t most = 1 + (now_ns - told->since_ns) / (QUIET_MS * MS);
    check->heard[selector] += 1 + (uint64_t)notice->coalesced;
    told->heard++;
    bool may_repeat = faults_is_on(check->faults, FAULT_REPEAT); /* one frame is two notices then */
    if (check->heard[selector] > check->said[selector] && !may_repeat)
        world_fail(world, "missing",
                   "%s was subscribed %" PRIu64 " times, but %" PRIu64 " times is told of",
                   selectors[selector], check->said[selector], check->heard[selector]);
    if (told->heard > most)
        world_fail(world, "missing", "%s has told of %s %" PRIu64 " times in %" PRIu64 " s",
                   world->nodes[node].name, selectors[selector], told->heard, most);
}

static void probe_heard(struct check_missing *check, struct span selector, uint32_t who)
{
    for (uint32_t i = 0; i < check->probes_count; i++) {
        struct missing_probe *probe = &check->probes[i];
        if (!span_equal(selector, span_text(probe->selector)))
            continue;
        probe->heard++;
        probe->handler = who;
    }
}

static void noticed(struct check_missing *check, struct world *world, uint32_t who,
                    const struct message *message)
{
    struct missing_topic notice;
    char text[CHECK_MISSING_TEXT_BYTES];
    if (faults_can_forge(check->faults))
        return;
    if (schema_decode(&missing_topic_schema, message->fields, &notice) != ERROR_OK ||
        notice.selector.bytes >= sizeof text) {
        world_fail(world, "missing", "client %u is sent a notice that can't be read", who);
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)notice.selector.bytes,
             (const char *)notice.selector.data);
    check->notices++;
    check->coalesced += notice.coalesced;
    bool is_asked = check->visits[who] == check->people->persons[who].visit;
    if (!is_asked || best_of(check->asked[who], text) == UINT32_MAX)
        world_fail(world, "missing", "client %u is told of %s, which it did not ask for", who,
                   text);
    for (uint32_t i = 0; i < CHECK_MISSING_SELECTORS; i++) {
        if (strcmp(text, selectors[i]) == 0)
            judge_count(check, world, who, i, &notice);
    }
    probe_heard(check, notice.selector, who);
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_missing *check = state;
    if (message->kind == KIND_MISSING_TOPIC)
        noticed(check, world, who, message);
    else if ((message->kind == KIND_DONE || message->kind == KIND_ERROR) &&
             people_matter(message->correlation) == MATTER_MISSING)
        registered(check, world, who, message);
}

/* ---- quiet -----------------------------------------------------------------------------------*/

/* Who is to be told of what somebody at that node misses. */
struct audience {
    uint32_t path; /* UINT32_MAX: nobody */
    bool is_here;  /* one at that node */
    uint32_t count;
};

static struct audience audience_of(const struct check_missing *check, const struct world *world,
                                   const struct missing_probe *probe)
{
    const struct people *people = check->people;
    struct audience audience = {.path = UINT32_MAX};
    uint32_t paths = 0;
    for (uint32_t who = 0; who < people->count; who++)
        paths |= people_is_present(people, world, who) ? people->persons[who].creates : 0;
    audience.path = best_of(paths, probe->selector);
    if (audience.path == UINT32_MAX)
        return audience;
    for (uint32_t who = 0; who < people->count; who++) {
        const struct person *person = &people->persons[who];
        if (!people_is_present(people, world, who) || (person->creates >> audience.path & 1) == 0)
            continue;
        audience.count++;
        audience.is_here |= person->node == people->persons[probe->subscriber].node;
    }
    return audience;
}

static void judge_probe(const struct check_missing *check, struct world *world,
                        const struct missing_probe *probe, struct audience audience)
{
    const struct person *handler = &check->people->persons[probe->handler];
    const struct world_node *node = &world->nodes[check->people->persons[probe->subscriber].node];
    uint32_t expected = audience.path == UINT32_MAX ? 0 : 1;
    if (probe->heard != expected)
        world_fail(world, "missing", "%s was missed at %s: told %u times instead of %u",
                   probe->selector, node->name, probe->heard, expected);
    else if (expected == 1 && (handler->creates >> audience.path & 1) == 0)
        world_fail(world, "missing", "%s was missed: client %u was told, not one at %s",
                   probe->selector, probe->handler, people_gaps[audience.path]);
    else if (expected == 1 && audience.is_here && &world->nodes[handler->node] != node)
        world_fail(world, "missing", "%s was missed at %s, which has a handler: one at %s was told",
                   probe->selector, node->name, world->nodes[handler->node].name);
}

void check_missing_probe(struct check_missing *check, struct world *world)
{
    static const char *const above[] = {"gap", "gap/a", "gap/a/b/c"};
    struct people *people = check->people;
    struct audience before[64];
    check->probes_count = 0;
    for (uint32_t who = 0; who < people->observers && check->probes_count < 64; who++) {
        if (!people_is_present(people, world, who))
            continue;
        struct missing_probe *probe = &check->probes[check->probes_count];
        *probe = (struct missing_probe){.subscriber = who};
        snprintf(probe->selector, sizeof probe->selector, "%s/q%" PRIu32,
                 above[random_below(&world->random[STREAM_CHECKERS], 3)], ++check->probes_made);
        before[check->probes_count++] = audience_of(check, world, probe);
        say(check, world, who, probe->selector);
    }
    world_run_ms(world, PROBE_MS);
    for (uint32_t i = 0; i < check->probes_count && !faults_can_forge(check->faults); i++) {
        struct audience after = audience_of(check, world, &check->probes[i]);
        if (people_is_present(people, world, check->probes[i].subscriber) &&
            after.path == before[i].path && after.is_here == before[i].is_here &&
            after.count == before[i].count)
            judge_probe(check, world, &check->probes[i], after);
    }
    check->probes_count = 0;
}
