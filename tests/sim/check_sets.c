#include "tests/sim/check_sets.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"

static const char *const paths[CHECK_SETS_PATHS] = {
    "t/conflate/x", "t/always/x", "t/off/x", "t/unsubscribe/x",
    "t/conflate/y", "t/always/y", "t/off/y", "t/unsubscribe/y"};
const char *const check_sets_all = "t/**";

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);

void check_sets_init(struct check_sets *check, struct world *world, const struct faults *faults,
                     struct people *people)
{
    *check = (struct check_sets){.faults = faults,
                                 .people = people,
                                 .views = calloc(world->nodes_count, sizeof *check->views)};
    require(check->views != NULL);
    people_watch(people, (struct people_watcher){.state = check, .on_heard = on_heard});
}

void check_sets_clear(struct check_sets *check)
{
    for (uint32_t path = 0; path < CHECK_SETS_PATHS; path++)
        free(check->topics[path].versions);
    free(check->sets);
    free(check->views);
}

const char *check_sets_path(uint32_t path)
{
    return paths[path];
}

enum topic_policy check_sets_policy(uint32_t path)
{
    return (enum topic_policy)(path % TOPIC_POLICIES);
}

uint32_t check_sets_find(struct span path)
{
    uint32_t at = 0;
    while (at < CHECK_SETS_PATHS && !span_equal(path, span_text(paths[at])))
        at++;
    return at;
}

static void no(const struct check_sets *check, struct world *world, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says no about the world, unless forged bytes may be why. */
static void no(const struct check_sets *check, struct world *world, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (!faults_can_forge(check->faults))
        world_fail(world, "sets", "%s", line);
}

/* ---- asking ----------------------------------------------------------------------------------*/

static struct set *set_at(const struct check_sets *check, uint32_t number)
{
    return number == 0 || number > check->count ? NULL : &check->sets[number - 1];
}

static uint32_t set_new(struct check_sets *check, uint32_t who, uint32_t path)
{
    if (check->count == check->capacity) {
        check->capacity = check->capacity == 0 ? 256 : 2 * check->capacity;
        check->sets = realloc(check->sets, check->capacity * sizeof *check->sets);
        require(check->sets != NULL);
    }
    check->sets[check->count++] =
        (struct set){.who = who, .visit = check->people->persons[who].visit, .path = path};
    return check->count;
}

static void remove_say(struct check_sets *check, struct world *world, uint32_t who, uint32_t number,
                       uint32_t path)
{
    struct topic_remove remove = {.selector = span_text(paths[path])};
    people_say(check->people, world, who, KIND_REMOVE, people_correlation(MATTER_TOPIC, number),
               &topic_remove_schema, &remove, (struct span){0});
}

uint32_t check_sets_ask(struct check_sets *check, struct world *world, uint32_t who, uint32_t path,
                        enum set_way way)
{
    struct set_topic *topic = &check->topics[path];
    uint32_t number = set_new(check, who, path);
    struct set *set = &check->sets[number - 1];
    set->is_remove = way == SET_REMOVES;
    set->goes_with_session = way == SET_FOR_THE_SESSION;
    set->is_conditional = way == SET_CONDITIONALLY && topic->count > 0;
    topic->may_end = topic->may_end || set->is_remove || set->goes_with_session;
    if (set->is_remove) {
        remove_say(check, world, who, number, path);
        return number;
    }
    struct topic_set fields = {.path = span_text(paths[path]),
                               .type = VALUE_BINARY,
                               .policy = (uint8_t)check_sets_policy(path),
                               .remove_with_session = set->goes_with_session};
    if (set->is_conditional) {
        struct topic_version last = topic->versions[topic->count - 1].version;
        fields.constraint = TOPIC_CONSTRAINT_VERSION_IS;
        fields.term = last.term;
        fields.instance = last.instance;
        fields.n = last.n;
    }
    people_say(check->people, world, who, KIND_SET, people_correlation(MATTER_TOPIC, number),
               &topic_set_schema, &fields, span_of(&number, sizeof number));
    return number;
}

uint32_t check_sets_open(const struct check_sets *check, uint32_t who)
{
    enum { LAST = 256 };
    uint32_t open = 0;
    for (uint32_t i = check->count < LAST ? 0 : check->count - LAST; i < check->count; i++)
        open += !check->sets[i].is_told && check->sets[i].who == who &&
                check->sets[i].visit == check->people->persons[who].visit;
    return open;
}

static void fetch_say(struct check_sets *check, struct world *world, uint32_t who,
                      const char *selector, struct set_fetch fetch)
{
    struct topic_fetch fields = {.selector = span_text(selector)};
    check->asked[++check->fetches % CHECK_SETS_FETCHES] = fetch;
    people_say(check->people, world, who, KIND_FETCH,
               people_correlation(MATTER_TOPIC_FETCH, check->fetches), &topic_fetch_schema, &fields,
               (struct span){0});
}

/* ---- versions and values ---------------------------------------------------------------------*/

static bool is_same(const struct topic_version *a, const struct topic_version *b)
{
    return topic_version_order(a, b) == 0;
}

/* The number that the version's value is; 0: it was never seen. */
static uint32_t number_of(const struct set_topic *topic, const struct topic_version *version)
{
    for (uint32_t i = topic->count; i > 0; i--)
        if (is_same(&topic->versions[i - 1].version, version))
            return topic->versions[i - 1].number;
    return 0;
}

/* Nobody but who was told so, or was not told, may see it. */
static bool was_refused(const struct set *set)
{
    return set->is_told && set->code != ERROR_OK && set->code != ERROR_OUTCOME_UNKNOWN;
}

static void believe(struct check_sets *check, struct world *world, uint32_t number,
                    const struct topic_version *version)
{
    struct set *set = set_at(check, number);
    struct set_topic *topic = &check->topics[set->path];
    if (set->version.term != 0 && !is_same(&set->version, version))
        no(check, world, "SET %u of %s was done twice, at n %" PRIu64 " and %" PRIu64, number,
           paths[set->path], set->version.n, version->n);
    if (was_refused(set))
        no(check, world, "SET %u of %s was answered %s, and done", number, paths[set->path],
           error_name(set->code));
    set->version = *version;
    uint32_t before = number_of(topic, version);
    if (before != 0 && before != number)
        no(check, world, "%s has two values of one version, of SET %u and %u", paths[set->path],
           before, number);
    if (before != 0)
        return;
    if (topic->count == topic->capacity) {
        topic->capacity = topic->capacity == 0 ? 64 : 2 * topic->capacity;
        topic->versions = realloc(topic->versions, topic->capacity * sizeof *topic->versions);
        require(topic->versions != NULL);
    }
    topic->versions[topic->count++] = (struct set_version){*version, number};
}

static uint32_t value_of(struct span value)
{
    uint32_t number = 0;
    if (value.bytes == sizeof number)
        memcpy(&number, value.data, sizeof number);
    return number;
}

void check_sets_seen(struct check_sets *check, struct world *world, uint32_t path,
                     const struct topic_version *version, struct span value)
{
    uint32_t number = value_of(value);
    const struct set *set = set_at(check, number);
    if (set == NULL || set->is_remove || set->path != path)
        no(check, world, "%s has a value that nobody gave it", paths[path]);
    else
        believe(check, world, number, version);
}

/* ---- answers ---------------------------------------------------------------------------------*/

/* The node of that instance that runs now, and is not set apart; 32: none. */
static uint32_t node_of(const struct world *world, uint64_t instance)
{
    for (uint32_t node = 0; node < world->nodes_count && node < 32; node++)
        if (world_is_running(world, node) && !world->nodes[node].is_apart &&
            world->nodes[node].instance == instance)
            return node;
    return 32;
}

static void acknowledged(struct check_sets *check, struct world *world, uint32_t number,
                         const struct topic_version *version)
{
    struct set *set = set_at(check, number);
    const struct person *person = &check->people->persons[set->who];
    if (version->term == 0)
        no(check, world, "SET %u is answered OK, and no version", number);
    else
        believe(check, world, number, version);
    for (uint32_t node = 0; node < world->nodes_count && node < 32; node++) {
        uint32_t *last = &check->topics[set->path].acknowledged[node];
        const struct set *before = set_at(check, *last);
        bool is_its = world->nodes[node].instance == version->instance;
        if (is_its && (before == NULL || before->version.instance != version->instance ||
                       topic_version_order(&before->version, version) < 0))
            *last = number;
    }
    if (person->credit > 0)
        fetch_say(check, world, set->who, paths[set->path],
                  (struct set_fetch){set->who, set->visit, set->path, *version});
}

static void answered(struct check_sets *check, struct world *world, uint32_t who,
                     const struct message *message)
{
    uint32_t number = (uint32_t)message->correlation;
    struct set *set = set_at(check, number);
    struct topic_result result;
    if (set == NULL || set->who != who || set->visit != check->people->persons[who].visit ||
        schema_decode(&topic_result_schema, message->fields, &result) != ERROR_OK) {
        no(check, world, "client %u is told of a SET that it never said", who);
        return;
    }
    struct topic_version version = {result.term, result.instance, result.n};
    if (set->is_told)
        no(check, world, "client %u is answered twice to SET %u", who, number);
    set->is_told = true;
    set->code = (enum error)result.code;
    check->done += result.code == ERROR_OK;
    check->unknown += result.code == ERROR_OUTCOME_UNKNOWN;
    check->not_done += was_refused(set);
    if (set->is_remove)
        return;
    if (result.code == ERROR_OK)
        acknowledged(check, world, number, &version);
    else if (was_refused(set) && set->version.term != 0)
        no(check, world, "SET %u of %s was done, and is answered %s", number, paths[set->path],
           error_name(set->code));
    bool may_be = result.code == ERROR_OK || result.code == ERROR_OUTCOME_UNKNOWN ||
                  result.code == ERROR_CLUSTER_REPARTITION ||
                  (result.code == ERROR_UNSATISFIED_CONSTRAINT && set->is_conditional);
    if (!may_be)
        no(check, world, "SET %u of %s is answered %s: %.*s", number, paths[set->path],
           error_name(set->code), (int)result.text.bytes, (const char *)result.text.data);
}

static void row_take(struct check_sets *check, struct world *world, struct set_view *view,
                     const struct topic_row *row)
{
    uint32_t path = check_sets_find(row->path);
    struct topic_version version = {row->term, row->instance, row->n};
    if (path == CHECK_SETS_PATHS) {
        no(check, world, "there is a topic that nobody made");
        return;
    }
    check_sets_seen(check, world, path, &version, row->value);
    view->versions[path] = version;
    if (row->policy != check_sets_policy(path))
        no(check, world, "%s has another policy than it was made with", paths[path]);
}

/* Who was told OK finds at his node what he set, or what came behind it. */
static void judge_fetch(const struct check_sets *check, struct world *world,
                        const struct set_fetch *fetch, const struct set_view *view)
{
    const struct topic_version *found = &view->versions[fetch->path];
    bool is_gone = found->term == 0 && check->topics[fetch->path].may_end;
    if (!is_gone && topic_version_order(found, &fetch->least) < 0)
        no(check, world, "client %u has set %s to n %" PRIu64 ", and its node has n %" PRIu64,
           fetch->who, paths[fetch->path], fetch->least.n, found->n);
}

static void fetched(struct check_sets *check, struct world *world, uint32_t who,
                    const struct message *message)
{
    uint32_t number = (uint32_t)message->correlation;
    const struct set_fetch *fetch = &check->asked[number % CHECK_SETS_FETCHES];
    struct set_view view = {.round = check->round};
    struct span body = message->body;
    struct topic_row row;
    enum error error = ERROR_OK;
    if (number + CHECK_SETS_FETCHES <= check->fetches || fetch->who != who ||
        fetch->visit != check->people->persons[who].visit)
        return; /* long ago */
    while (group_next(&topic_row_schema, &body, &row, &error))
        row_take(check, world, &view, &row);
    if (fetch->path < CHECK_SETS_PATHS)
        judge_fetch(check, world, fetch, &view);
    else
        check->views[check->people->persons[who].node] = view;
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    enum people_matter matter = people_matter(message->correlation);
    if (message->kind == KIND_TOPIC && matter == MATTER_TOPIC)
        answered(state, world, who, message);
    else if (message->kind == KIND_TOPICS && matter == MATTER_TOPIC_FETCH)
        fetched(state, world, who, message);
}

/* ---- in quiet --------------------------------------------------------------------------------*/

void check_sets_ask_all(struct check_sets *check, struct world *world)
{
    check->round++;
    for (uint32_t who = 0; who < check->people->observers; who++)
        if (people_is_present(check->people, world, who))
            fetch_say(check, world, who, check_sets_all,
                      (struct set_fetch){.who = who,
                                         .visit = check->people->persons[who].visit,
                                         .path = CHECK_SETS_PATHS});
}

/* What it sequenced and said OK to is there, or what came behind that, while its node lives. */
static bool is_kept(const struct check_sets *check, const struct world *world,
                    const struct set_view *view, uint32_t path)
{
    const struct set_topic *topic = &check->topics[path];
    for (uint32_t node = 0; node < world->nodes_count && node < 32; node++) {
        const struct set *set = set_at(check, topic->acknowledged[node]);
        if (set == NULL || node_of(world, set->version.instance) == 32)
            continue;
        bool is_gone = view->versions[path].term == 0 && topic->may_end;
        if (!is_gone && topic_version_order(&view->versions[path], &set->version) < 0)
            return false;
    }
    return true;
}

static const struct set_view *first_view(const struct check_sets *check)
{
    for (uint32_t who = 0; who < check->people->observers; who++) {
        const struct set_view *view = &check->views[who];
        if (check->round != 0 && view->round == check->round)
            return view;
    }
    return NULL;
}

const struct topic_version *check_sets_now(const struct check_sets *check, uint32_t path)
{
    const struct set_view *view = first_view(check);
    return view == NULL || view->versions[path].term == 0 ? NULL : &view->versions[path];
}

void check_sets_count_lost(struct check_sets *check, const struct world *world)
{
    const struct set_view *view = first_view(check);
    for (uint32_t path = 0; view != NULL && path < CHECK_SETS_PATHS; path++) {
        for (uint32_t node = 0; node < world->nodes_count && node < 32; node++) {
            uint32_t *last = &check->topics[path].acknowledged[node];
            const struct set *set = set_at(check, *last);
            if (set == NULL || node_of(world, set->version.instance) != 32)
                continue;
            check->lost += topic_version_order(&view->versions[path], &set->version) < 0;
            *last = 0;
        }
    }
}

static const char *unanswered(const struct check_sets *check, const struct world *world, char *line,
                              size_t bytes)
{
    for (uint32_t i = 0; i < check->count; i++) {
        const struct set *set = &check->sets[i];
        if (set->is_told || check->people->persons[set->who].visit != set->visit ||
            !people_is_present(check->people, world, set->who))
            continue;
        snprintf(line, bytes, "client %u has no answer to SET %u", set->who, i + 1);
        return line;
    }
    return NULL;
}

const char *check_sets_difference(struct check_sets *check, struct world *world)
{
    static char line[160];
    const struct set_view *first = first_view(check);
    for (uint32_t node = 0; node < check->people->observers; node++) {
        const struct set_view *view = &check->views[node];
        if (!people_is_present(check->people, world, node))
            continue;
        if (first == NULL || view->round != check->round) {
            snprintf(line, sizeof line, "%s is asked for all topics, and does not answer",
                     world->nodes[node].name);
            return line;
        }
        for (uint32_t path = 0; path < CHECK_SETS_PATHS; path++) {
            bool is_like = is_same(&view->versions[path], &first->versions[path]);
            if (is_like && is_kept(check, world, view, path))
                continue;
            snprintf(line, sizeof line, "%s has %s at %" PRIu64 ".%" PRIu64 ", %s",
                     world->nodes[node].name, paths[path], view->versions[path].term,
                     view->versions[path].n,
                     is_like ? "behind what was acknowledged" : "not as others have it");
            return line;
        }
    }
    return unanswered(check, world, line, sizeof line);
}
