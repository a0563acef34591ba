#include "tests/sim/check_sessions.h"

#include <inttypes.h>
#include <stdlib.h>

#include "mesh/base/require.h"
#include "proto/client.h"

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);

enum { CAPACITY_FIRST = 1024 };

void check_sessions_init(struct check_sessions *check, struct workload *workload)
{
    *check = (struct check_sessions){.people = workload_people(workload), .workload = workload};
    people_watch(check->people, (struct people_watcher){.state = check, .on_heard = on_heard});
}

void check_sessions_clear(struct check_sessions *check)
{
    free(check->ids);
    check->ids = NULL;
}

/* The slot of an id, or the free one where it belongs. */
static struct session_id *slot_of(struct session_id *ids, uint32_t capacity, struct session_id id)
{
    uint64_t mixed = (id.instance ^ id.serial * 3) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(mixed >> 32) & (capacity - 1);
    while (!session_id_is_none(ids[at]) && !session_id_equal(ids[at], id))
        at = (at + 1) & (capacity - 1);
    return &ids[at];
}

static void grow(struct check_sessions *check)
{
    uint32_t capacity = check->capacity == 0 ? CAPACITY_FIRST : 2 * check->capacity;
    struct session_id *ids = calloc(capacity, sizeof *ids);
    require(ids != NULL);
    for (uint32_t i = 0; i < check->capacity; i++)
        if (!session_id_is_none(check->ids[i]))
            *slot_of(ids, capacity, check->ids[i]) = check->ids[i];
    free(check->ids);
    check->ids = ids;
    check->capacity = capacity;
}

static void opened(struct check_sessions *check, struct world *world, struct session_id id)
{
    if (check->count * 2 >= check->capacity)
        grow(check);
    struct session_id *slot = slot_of(check->ids, check->capacity, id);
    if (session_id_equal(*slot, id))
        world_fail(world, "sessions", "the id %016" PRIx64 "-%016" PRIx64 " is given twice",
                   id.instance, id.serial);
    check->count += session_id_is_none(*slot);
    *slot = id;
}

/* Whether something happened that is such a reason. */
static bool is_true(const struct check_sessions *check, const struct world *world, uint32_t who,
                    enum close_reason reason)
{
    const struct person *person = &check->people->persons[who];
    const struct world_node *node = &world->nodes[person->node];
    bool is_other_life = node->life != person->life;
    if (reason == CLOSE_REASON_CLOSED_BY_CLIENT)
        return person->state == PERSON_LEAVING;
    /* A node that stops by itself has check_ends to answer to. */
    if (reason == CLOSE_REASON_NODE_STOPPING)
        return node->was_told_to_stop || node->has_stopped || is_other_life;
    return workload_explains_end(check->workload, who, reason);
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_sessions *check = state;
    const struct person *person = &check->people->persons[who];
    struct client_welcome welcome;
    struct client_goodbye goodbye;
    if (message->kind == KIND_WELCOME && person->state == PERSON_CALLING &&
        schema_decode(&client_welcome_schema, message->fields, &welcome) == ERROR_OK)
        opened(check, world, welcome.session);
    if (message->kind != KIND_GOODBYE ||
        schema_decode(&client_goodbye_schema, message->fields, &goodbye) != ERROR_OK)
        return;
    check->told[goodbye.reason & 15]++;
    if (!is_true(check, world, who, (enum close_reason)goodbye.reason))
        world_fail(world, "sessions", "client %u at %s is told %s: %.*s", who,
                   world->nodes[person->node].name, close_reason_name(goodbye.reason),
                   (int)goodbye.text.bytes, (const char *)goodbye.text.data);
}
