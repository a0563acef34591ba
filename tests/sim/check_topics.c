#include "tests/sim/check_topics.h"

/* What leaves for a session in one step of the world was in its queue at once. So it is seen from
 * outside what waits: how much, and whether two updates of one topic do that should be one. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mesh/base/require.h"
#include "proto/command.h"

/* Selectors, and the topics that they mean, a bit each. */
static const struct {
    const char *text;
    uint32_t topics;
} selectors[CHECK_TOPICS_SELECTORS] = {{"t/**", 0xff},
                                       {"t/+/x", 0x0f},
                                       {"t/always/y", 0x20},
                                       {"t/unsubscribe/**", 0x88},
                                       {"+/off/+", 0x44}};

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);
static void on_client(void *state, struct world *world, uint32_t connection,
                      const struct message *message);

void check_topics_init(struct check_topics *check, struct world *world, struct check_sets *sets)
{
    struct people *people = sets->people;
    *check = (struct check_topics){.faults = sets->faults,
                                   .people = people,
                                   .sets = sets,
                                   .readers = calloc(people->count, sizeof *check->readers)};
    require(check->readers != NULL);
    if (people->readers == people->count)
        return;
    world_watch(world, (struct world_watcher){.state = check, .on_client = on_client});
    people_watch(people, (struct people_watcher){.state = check, .on_heard = on_heard});
}

void check_topics_clear(struct check_topics *check)
{
    free(check->readers);
}

static void no(const struct check_topics *check, struct world *world, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says no about the world, unless forged bytes may be why. */
static void no(const struct check_topics *check, struct world *world, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (!faults_can_forge(check->faults))
        world_fail(world, "topics", "%s", line);
}

/* ---- saying ----------------------------------------------------------------------------------*/

void check_topics_select(struct check_topics *check, struct world *world, uint32_t who,
                         uint32_t selector)
{
    struct reading *reader = &check->readers[who];
    struct subscription subscription = {.selector = span_text(selectors[selector].text)};
    if (reader->asked.number != 0)
        return;
    /* What stands is said again as often as it is ended. */
    bool ends = (reader->stands >> selector & 1) != 0 && check->numbers % 2 == 0;
    reader->asked = (struct reading_ask){
        .selector = selector,
        .kind = ends ? KIND_UNSUBSCRIBE : KIND_SUBSCRIBE,
        .number = ++check->numbers,
    };
    for (uint32_t path = 0; path < CHECK_SETS_PATHS; path++)
        reader->topics[path].snapshots += !ends && (selectors[selector].topics >> path & 1) != 0;
    world_note(world, "client %u says %s %s", who, kind_name(reader->asked.kind),
               selectors[selector].text);
    people_say(check->people, world, who, reader->asked.kind,
               people_correlation(MATTER_TOPIC_READING, reader->asked.number), &subscription_schema,
               &subscription, (struct span){0});
}

void check_topics_switch(struct check_topics *check, struct world *world, uint32_t who,
                         uint32_t other, bool is_on)
{
    struct reading *reader = &check->readers[other];
    struct person *person = &check->people->persons[other];
    struct command command = {.verb = COMMAND_SET_CONFLATED,
                              .session = person->session,
                              .is_conflated = is_on,
                              .timeout_ms = 2000};
    if (reader->switched != 0)
        return; /* of two under way nobody knows which comes last */
    reader->is_merged = reader->is_plain = reader->will_be_plain = false;
    person->may_conflate = true;
    reader->switched = ++check->numbers;
    reader->switched_on = is_on;
    world_note(world, "client %u turns the switch of client %u %s", who, other,
               is_on ? "on" : "off");
    people_say(check->people, world, who, KIND_COMMAND,
               people_correlation(MATTER_TOPIC_SWITCH, reader->switched), &command_schema, &command,
               (struct span){0});
}

/* ---- hearing ---------------------------------------------------------------------------------*/

static bool is_meant(uint32_t some, uint32_t path)
{
    for (uint32_t i = 0; i < CHECK_TOPICS_SELECTORS; i++)
        if ((some >> i & 1) != 0 && (selectors[i].topics >> path & 1) != 0)
            return true;
    return false;
}

static bool may_select(const struct reading *reader, uint32_t path)
{
    return is_meant(reader->stands | reader->doubted, path);
}

static void told_done(struct check_topics *check, struct world *world, uint32_t who,
                      const struct message *message)
{
    struct reading *reader = &check->readers[who];
    uint32_t number = (uint32_t)message->correlation;
    struct reading_ask *ask = number == reader->asked.number ? &reader->asked : &reader->vague;
    uint32_t bit = UINT32_C(1) << ask->selector;
    /* What may have been ended before cannot be ended again. */
    bool may_fail = ask->kind == KIND_UNSUBSCRIBE && (reader->doubted & bit) != 0;
    bool is_done = message->kind == KIND_DONE || (message->kind == KIND_ERROR && may_fail);
    if (!is_done || number != ask->number) {
        no(check, world, "client %u is told %s to what it asked about topics", who,
           kind_name(message->kind));
        return;
    }
    if (reader->will_be_plain && number > reader->plain_behind)
        reader->is_plain = true;
    check->people->persons[who].may_conflate = !reader->is_plain;
    reader->stands = ask->kind == KIND_SUBSCRIBE ? reader->stands | bit : reader->stands & ~bit;
    reader->doubted &= ~bit;
    ask->number = 0;
    for (uint32_t path = 0; path < CHECK_SETS_PATHS; path++) {
        struct known *known = &reader->topics[path];
        if (may_select(reader, path))
            continue;
        known->what = KNOWN_NOTHING;
        known->snapshots = 0;
    }
}

/* Whether nothing is missing between what the reader knows and an update that is not marked. */
static bool follows(const struct known *known, const struct topic_version *version)
{
    if (known->what == KNOWN_VALUE)
        return known->version.term == version->term &&
               known->version.instance == version->instance && known->version.n + 1 == version->n;
    return known->what == KNOWN_VAGUELY || version->n == 1;
}

static void judge_update(struct check_topics *check, struct world *world, uint32_t who,
                         uint32_t path, const struct topic_update *update)
{
    struct reading *reader = &check->readers[who];
    struct known *known = &reader->topics[path];
    struct topic_version version = {update->term, update->instance, update->n};
    int order = topic_version_order(&version, &known->version);
    bool is_marked = update->is_snapshot || update->is_resync;
    const char *name = check_sets_path(path);
    if (!may_select(reader, path))
        no(check, world, "client %u hears of %s, which it does not select", who, name);
    if (order < 0 || (order == 0 && !update->is_snapshot))
        no(check, world, "client %u is told n %" PRIu64 " of %s behind n %" PRIu64, who, version.n,
           name, known->version.n);
    if (update->is_snapshot && known->snapshots == 0)
        no(check, world, "client %u is told a snapshot of %s that it did not ask for", who, name);
    if (!is_marked && reader->is_plain && !follows(known, &version))
        no(check, world, "client %u is told n %" PRIu64 " of %s behind n %" PRIu64 ": a hole", who,
           version.n, name, known->version.n);
    if (known->what == KNOWN_LOST && !is_marked && version.n != 1)
        no(check, world, "client %u hears of %s, which it lost", who, name);
    check->skipped += !is_marked && !follows(known, &version);
    check->resynced += update->is_resync;
    known->snapshots -= update->is_snapshot && known->snapshots > 0;
    known->what = KNOWN_VALUE;
    known->version = version;
}

static void heard_update(struct check_topics *check, struct world *world, uint32_t who,
                         const struct message *message)
{
    struct topic_update update;
    uint32_t path = CHECK_SETS_PATHS;
    if (schema_decode(&topic_update_schema, message->fields, &update) == ERROR_OK)
        path = check_sets_find(update.path);
    if (path == CHECK_SETS_PATHS) {
        no(check, world, "client %u hears of a topic that nobody made", who);
        return;
    }
    struct topic_version version = {update.term, update.instance, update.n};
    check->heard++;
    world_note(world, "client %u hears of %s: term %" PRIu64 " n %" PRIu64 "%s%s", who,
               check_sets_path(path), update.term, update.n, update.is_snapshot ? ", snapshot" : "",
               update.is_resync ? ", resync" : "");
    check_sets_seen(check->sets, world, path, &version, message->body);
    judge_update(check, world, who, path, &update);
}

static void heard_end(struct check_topics *check, struct world *world, uint32_t who,
                      const struct message *message)
{
    struct reading *reader = &check->readers[who];
    struct unsubscribed ended;
    uint32_t path = CHECK_SETS_PATHS;
    if (schema_decode(&unsubscribed_schema, message->fields, &ended) == ERROR_OK)
        path = check_sets_find(ended.path);
    if (path == CHECK_SETS_PATHS) {
        no(check, world, "client %u is told the end of what it never knew", who);
        return;
    }
    struct known *known = &reader->topics[path];
    struct topic_version version = {ended.term, ended.instance, ended.n};
    world_note(world, "client %u is told the end of %s: %s", who, check_sets_path(path),
               topic_unsubscribed_name(ended.reason));
    bool is_pressed = ended.reason == UNSUBSCRIBED_BACK_PRESSURE;
    bool is_known = known->what == KNOWN_VALUE || known->what == KNOWN_VAGUELY;
    if (!is_pressed && ended.reason != UNSUBSCRIBED_REMOVED)
        no(check, world, "client %u is told %s of %s", who, topic_unsubscribed_name(ended.reason),
           check_sets_path(path));
    if (is_pressed && (reader->is_plain || check_sets_policy(path) != TOPIC_POLICY_UNSUBSCRIBE))
        no(check, world, "client %u loses %s by back pressure", who, check_sets_path(path));
    if (!is_pressed && topic_version_order(&version, &known->version) <= 0)
        no(check, world, "client %u is told that %s was removed at n %" PRIu64 ", behind %" PRIu64,
           who, check_sets_path(path), version.n, known->version.n);
    /* Of what it selects anew every end is told, until its snapshot comes. */
    if (!is_pressed && !is_known && reader->is_plain && known->snapshots == 0)
        no(check, world, "client %u is told that %s was removed, which it did not know", who,
           check_sets_path(path));
    check->dropped += is_pressed;
    check->ended += !is_pressed;
    known->what = is_pressed ? KNOWN_LOST : KNOWN_NOTHING;
    if (!is_pressed)
        known->version = version;
}

/* A session begins with its switch on. In one that goes on messages may be lost: whatever comes
 * next may be anything, but not older. */
static void welcomed(struct check_topics *check, uint32_t who, const struct message *message)
{
    struct reading *reader = &check->readers[who];
    struct client_welcome welcome;
    if (check->people->persons[who].state == PERSON_CALLING) {
        *reader = (struct reading){.is_merged = true};
        check->people->persons[who].may_conflate = true;
        return;
    }
    if (schema_decode(&client_welcome_schema, message->fields, &welcome) != ERROR_OK ||
        welcome.recovered)
        return;
    if (reader->asked.number != 0) { /* its answer may be among them */
        reader->vague = reader->asked;
        reader->doubted |= UINT32_C(1) << reader->asked.selector;
    }
    reader->asked.number = 0;
    for (uint32_t path = 0; path < CHECK_SETS_PATHS; path++)
        reader->topics[path].what = KNOWN_VAGUELY;
}

static void said_goodbye(struct check_topics *check, const struct message *message)
{
    struct client_goodbye goodbye;
    check->closed += schema_decode(&client_goodbye_schema, message->fields, &goodbye) == ERROR_OK &&
                     goodbye.reason == CLOSE_REASON_QUEUE_LIMIT_REACHED;
}

/* What waits may have been merged before it was turned off; what is answered later, comes later. */
static void switch_settled(const struct check_topics *check, struct reading *reader)
{
    reader->is_merged = reader->switched_on;
    reader->will_be_plain = !reader->switched_on;
    reader->plain_behind = check->numbers;
    reader->switched = 0;
}

static void switched(struct check_topics *check, const struct message *message)
{
    struct result result;
    uint32_t number = (uint32_t)message->correlation;
    if (schema_decode(&result_schema, message->fields, &result) != ERROR_OK ||
        result.code != ERROR_OK)
        return;
    for (uint32_t who = check->people->readers; who < check->people->count; who++)
        if (check->readers[who].switched == number)
            switch_settled(check, &check->readers[who]);
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_topics *check = state;
    enum people_matter matter = people_matter(message->correlation);
    if (message->kind == KIND_RESULT && matter == MATTER_TOPIC_SWITCH)
        switched(check, message);
    if (who < check->people->readers)
        return;
    if (message->kind == KIND_UPDATE)
        heard_update(check, world, who, message);
    else if (message->kind == KIND_UNSUBSCRIBED)
        heard_end(check, world, who, message);
    else if (matter == MATTER_TOPIC_READING)
        told_done(check, world, who, message);
    else if (message->kind == KIND_GOODBYE)
        said_goodbye(check, message);
    else if (message->kind == KIND_WELCOME)
        welcomed(check, who, message);
}

/* ---- what waits ------------------------------------------------------------------------------*/

/* How many messages were in a queue at once. */
static void judge_bound(struct check_topics *check, struct world *world, uint32_t connection)
{
    if (check->step != world->steps || check->step_connection != connection)
        check->step_messages = 0;
    check->step = world->steps;
    check->step_connection = connection;
    if (world->queue_messages > 0 && ++check->step_messages > world->queue_messages)
        no(check, world, "more than %u messages wait for a client", world->queue_messages);
}

static void judge_together(struct check_topics *check, struct world *world, uint32_t who,
                           const struct message *message)
{
    struct reading *reader = &check->readers[who];
    struct topic_update update;
    if (reader->step != world->steps)
        reader->together = 0;
    reader->step = world->steps;
    if (message->kind != KIND_UPDATE) {
        reader->together = message->kind == KIND_UNSUBSCRIBED ? 0 : reader->together;
        return;
    }
    if (schema_decode(&topic_update_schema, message->fields, &update) != ERROR_OK)
        return; /* who hears it says so */
    uint32_t path = check_sets_find(update.path);
    uint32_t bit = UINT32_C(1) << path;
    bool is_merged = path < CHECK_SETS_PATHS && check_sets_policy(path) == TOPIC_POLICY_ALWAYS &&
                     reader->is_merged;
    if (is_merged && !update.is_snapshot && (reader->together & bit) != 0)
        no(check, world, "two updates of %s wait for client %u", check_sets_path(path), who);
    reader->together |= is_merged ? bit : 0;
}

static void on_client(void *state, struct world *world, uint32_t connection,
                      const struct message *message)
{
    struct check_topics *check = state;
    uint32_t who = connections_dialler(&world->connections, connection)->node;
    if (!kind_is_numbered(message->kind))
        return;
    judge_bound(check, world, connection);
    if (who >= check->people->readers && world->clients->lines[who].connection == connection)
        judge_together(check, world, who, message);
}

/* ---- in quiet --------------------------------------------------------------------------------*/

bool check_topics_is_current(const struct check_topics *check, uint32_t who)
{
    const struct reading *reader = &check->readers[who];
    if (reader->asked.number != 0)
        return false;
    for (uint32_t path = 0; path < CHECK_SETS_PATHS; path++) {
        const struct known *known = &reader->topics[path];
        const struct topic_version *now = check_sets_now(check->sets, path);
        bool is_selected = is_meant(reader->stands & ~reader->doubted, path);
        if (!is_selected || known->what == KNOWN_LOST || known->what == KNOWN_VAGUELY)
            continue;
        bool is_right = now == NULL ? known->what == KNOWN_NOTHING
                                    : known->what == KNOWN_VALUE &&
                                          topic_version_order(now, &known->version) == 0;
        if (!is_right)
            return false;
    }
    return true;
}
