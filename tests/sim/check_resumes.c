#include "tests/sim/check_resumes.h"

/* A session's numbered messages are only counted: which one it is, is seen in what it says. What a
 * node sends is written down by number, also what never arrives. What it sends again under a number
 * must be the same, and so must be what the person hears under it. */

#include <inttypes.h>
#include <stdlib.h>

#include "mesh/base/require.h"
#include "proto/client.h"
#include "tests/sim/clocks.h"

static const uint64_t MS = 1000000;

enum {
    DRIFT_PERCENT = 6, /* of clocks, and a little more */
    LATE_MS = 1000,
    SENT_FIRST = 64,
};

struct check_resumes_of {
    uint32_t first_connection, connection; /* of its session; its last */
    bool is_gone;                          /* the node knows of its end */
    uint64_t gone_ns;                      /* by the node's clock */
    bool may_be_merged;                    /* what its session sends again */
    uint64_t *sent;                        /* hashes of its session's numbered messages */
    uint64_t sent_count, sent_capacity, next;
};

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);
static void on_called(void *state, struct world *world, uint32_t who);
static void on_gone(void *state, struct world *world, uint32_t connection);
static void on_client(void *state, struct world *world, uint32_t connection,
                      const struct message *message);

void check_resumes_init(struct check_resumes *check, struct world *world,
                        const struct faults *faults, struct workload *workload)
{
    struct people *people = workload_people(workload);
    *check = (struct check_resumes){.people = people,
                                    .workload = workload,
                                    .faults = faults,
                                    .persons = calloc(people->count, sizeof *check->persons)};
    require(check->persons != NULL);
    world_watch(world, (struct world_watcher){.state = check, .on_client = on_client});
    people_watch(people, (struct people_watcher){.state = check,
                                                 .on_heard = on_heard,
                                                 .on_called = on_called,
                                                 .on_gone = on_gone});
}

void check_resumes_clear(struct check_resumes *check)
{
    for (uint32_t who = 0; who < check->people->count; who++)
        free(check->persons[who].sent);
    free(check->persons);
}

static void on_called(void *state, struct world *world, uint32_t who)
{
    struct check_resumes *check = state;
    uint32_t connection = world->clients->lines[who].connection;
    free(check->persons[who].sent);
    check->persons[who] =
        (struct check_resumes_of){.first_connection = connection, .connection = connection};
}

static void on_gone(void *state, struct world *world, uint32_t connection)
{
    struct check_resumes *check = state;
    for (uint32_t who = 0; who < check->people->count; who++) {
        struct check_resumes_of *of = &check->persons[who];
        if (of->connection != connection)
            continue;
        of->is_gone = true;
        of->gone_ns =
            clocks_read_ns(&world->nodes[check->people->persons[who].node].clock, world->now_ns);
    }
}

/* Nobody has taken it away, and its time has not passed by any clock. */
static void judge_refusal(struct check_resumes *check, struct world *world, uint32_t who)
{
    const struct person *person = &check->people->persons[who];
    const struct world_node *node = &world->nodes[person->node];
    uint64_t apart_ms = (world->now_ns - person->apart_ns) / MS;
    bool is_late = apart_ms * (100 + DRIFT_PERCENT) / 100 >= person->reconnect_ms;
    bool is_over = is_late || node->life != person->life || node->was_told_to_stop ||
                   node->has_stopped ||
                   workload_explains_end(check->workload, who, CLOSE_REASON_CLOSED_BY_CONTROLLER) ||
                   workload_explains_end(check->workload, who, CLOSE_REASON_QUEUE_LIMIT_REACHED);
    check->expired += is_late && person->dialled == person->node;
    if (person->dialled == person->node && !is_over && !faults_can_forge(check->faults))
        world_fail(world, "resumes",
                   "client %u comes back to %s after %" PRIu64 " of %u ms: refused", who,
                   node->name, apart_ms, person->reconnect_ms);
}

static void judge_welcome(struct check_resumes *check, struct world *world, uint32_t who,
                          const struct message *message)
{
    const struct person *person = &check->people->persons[who];
    struct check_resumes_of *of = &check->persons[who];
    const struct world_node *node = &world->nodes[person->dialled];
    struct client_welcome welcome;
    if (schema_decode(&client_welcome_schema, message->fields, &welcome) != ERROR_OK)
        return; /* people say so */
    if (person->dialled == person->node && node->life == person->life) {
        /* A node that is slow hears late who came in time. */
        uint64_t waited_ns = clocks_read_ns(&node->clock, world->now_ns) - of->gone_ns;
        bool is_slow = node->slow_until_ns >= world->now_ns;
        if (of->is_gone && !is_slow && waited_ns > (person->reconnect_ms + LATE_MS) * MS)
            world_fail(world, "resumes", "%s has waited for client %u for %" PRIu64 " of %u ms",
                       node->name, who, waited_ns / MS, person->reconnect_ms);
        /* Nobody here is so slow that his node could not hold what he has not received, unless it
         * has room for a few messages only. */
        bool may_lose = world->queue_messages > 0 && !welcome.recovered &&
                        welcome.resumed_seq > person->received;
        if ((!welcome.recovered || welcome.resumed_seq != person->received) && !may_lose)
            world_fail(world, "resumes",
                       "client %u has received %" PRIu64 " messages, %s goes on behind %" PRIu64,
                       who, person->received, node->name, welcome.resumed_seq);
    }
    of->connection = world->clients->lines[who].connection;
    of->is_gone = false;
}

static uint64_t hash_of(const struct message *message)
{
    uint64_t hash = message->correlation * 64 + message->kind;
    for (size_t i = 0; i < message->fields.bytes; i++)
        hash = (hash ^ message->fields.data[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < message->body.bytes; i++)
        hash = (hash ^ message->body.data[i]) * UINT64_C(0x100000001b3);
    return hash | 1;
}

/* Where something merged, all that lies behind has come forward: it is not sent again under its old
 * number, also when nothing may merge any more by then. */
static void judge_sent(struct check_resumes_of *of, struct world *world, uint32_t who,
                       const struct message *message)
{
    uint64_t hash = hash_of(message), at = of->next++;
    bool is_another = at < of->sent_count && of->sent[at] != hash;
    if (is_another && !of->may_be_merged)
        world_fail(world, "resumes", "client %u is sent %s %" PRIu64 " instead of what was lost",
                   who, kind_name(message->kind), message->correlation);
    of->sent[at] = hash;
    if (is_another || of->next > of->sent_count)
        of->sent_count = of->next;
}

static void on_client(void *state, struct world *world, uint32_t connection,
                      const struct message *message)
{
    struct check_resumes *check = state;
    uint32_t who = connections_dialler(&world->connections, connection)->node;
    struct check_resumes_of *of = &check->persons[who];
    struct client_welcome welcome;
    if (check->people->persons[who].reconnect_ms == 0 || connection < of->first_connection)
        return;
    if (message->kind == KIND_WELCOME &&
        schema_decode(&client_welcome_schema, message->fields, &welcome) == ERROR_OK) {
        of->next = welcome.resumed_seq;
        of->may_be_merged = false;
        of->sent_count = welcome.recovered ? of->sent_count : of->next;
    }
    if (!kind_is_numbered(message->kind))
        return;
    if (of->next == of->sent_capacity) {
        of->sent_capacity = of->sent_capacity == 0 ? SENT_FIRST : 2 * of->sent_capacity;
        of->sent = realloc(of->sent, of->sent_capacity * sizeof *of->sent);
        require(of->sent != NULL);
    }
    of->may_be_merged |= check->people->persons[who].may_conflate;
    judge_sent(of, world, who, message);
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_resumes *check = state;
    const struct check_resumes_of *of = &check->persons[who];
    const struct person *person = &check->people->persons[who];
    bool is_resuming = person->state == PERSON_RESUMING;
    if (is_resuming && message->kind == KIND_REFUSED)
        judge_refusal(check, world, who);
    else if (is_resuming && message->kind == KIND_WELCOME)
        judge_welcome(check, world, who, message);
    if (person->reconnect_ms == 0 || !kind_is_numbered(message->kind))
        return;
    uint64_t number = person->received; /* this one included */
    if (number > of->sent_count || of->sent[number - 1] != hash_of(message))
        world_fail(world, "resumes",
                   "client %u hears %s %" PRIu64 " as number %" PRIu64 ", which was another", who,
                   kind_name(message->kind), message->correlation, number);
}
