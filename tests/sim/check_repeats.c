#include "tests/sim/check_repeats.h"

/* Frames between nodes come twice (F2), commands in them too. Applied again, a change of one
 * session's value would find its own value before it, and a close nobody to close: the second
 * result would be another than the first. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "proto/command.h"
#include "proto/kinds.h"

enum { CAPACITY_FIRST = 256 };

struct repeat {
    uint64_t asker, node, correlation; /* instances; asker 0: free */
    uint8_t id[COMMAND_ID_BYTES];
    bool is_question; /* the number's last one changes nothing: asked twice, looked at twice */
    uint64_t answer;  /* a hash; 0: none yet */
};

static void on_forward(void *state, struct world *world, uint32_t node,
                       const struct envelope *envelope, const struct message *message);

void check_repeats_init(struct check_repeats *check, struct world *world,
                        const struct faults *faults)
{
    *check = (struct check_repeats){.faults = faults};
    world_watch(world, (struct world_watcher){.state = check, .on_forward = on_forward});
}

void check_repeats_clear(struct check_repeats *check)
{
    free(check->commands);
}

static struct repeat *slot_of(struct repeat *commands, uint32_t capacity, uint64_t asker,
                              uint64_t node, uint64_t correlation)
{
    uint64_t mixed = (asker ^ node * 3 ^ correlation * 5) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(mixed >> 32) & (capacity - 1);
    while (commands[at].asker != 0 && (commands[at].asker != asker || commands[at].node != node ||
                                       commands[at].correlation != correlation))
        at = (at + 1) & (capacity - 1);
    return &commands[at];
}

static void grow(struct check_repeats *check)
{
    uint32_t capacity = check->capacity == 0 ? CAPACITY_FIRST : 2 * check->capacity;
    struct repeat *commands = calloc(capacity, sizeof *commands);
    require(commands != NULL);
    for (uint32_t i = 0; i < check->capacity; i++) {
        const struct repeat *old = &check->commands[i];
        if (old->asker != 0)
            *slot_of(commands, capacity, old->asker, old->node, old->correlation) = *old;
    }
    free(check->commands);
    check->commands = commands;
    check->capacity = capacity;
}

static void asked(struct check_repeats *check, const struct envelope *envelope,
                  const struct message *message)
{
    struct command command;
    if (schema_decode(&command_schema, message->fields, &command) != ERROR_OK)
        return;
    if (2 * check->count >= check->capacity)
        grow(check);
    struct repeat *slot = slot_of(check->commands, check->capacity, envelope->sender,
                                  envelope->receiver, message->correlation);
    bool changes = command.verb != COMMAND_LIST_SESSIONS && !command.dry_run;
    if (command.id.bytes != COMMAND_ID_BYTES || !changes) {
        slot->is_question = true;
        return;
    }
    check->count += slot->asker == 0;
    if (slot->asker != 0 && !slot->is_question &&
        memcmp(slot->id, command.id.data, COMMAND_ID_BYTES) == 0)
        return;
    *slot = (struct repeat){
        .asker = envelope->sender, .node = envelope->receiver, .correlation = message->correlation};
    memcpy(slot->id, command.id.data, COMMAND_ID_BYTES);
}

static uint64_t hash_of(const struct result *result, struct span rows)
{
    uint64_t hash = result->code;
    hash = hash * 31 + result->matched;
    hash = hash * 31 + result->applied;
    hash = hash * 31 + result->failed;
    for (size_t i = 0; i < rows.bytes; i++)
        hash = (hash ^ rows.data[i]) * UINT64_C(0x100000001b3);
    return hash * 2 + 1;
}

static void on_forward(void *state, struct world *world, uint32_t node,
                       const struct envelope *envelope, const struct message *message)
{
    struct check_repeats *check = state;
    struct result result;
    if (message->kind == KIND_COMMAND)
        asked(check, envelope, message);
    if (message->kind != KIND_RESULT || check->capacity == 0 ||
        schema_decode(&result_schema, message->fields, &result) != ERROR_OK)
        return;
    struct repeat *slot = slot_of(check->commands, check->capacity, envelope->receiver,
                                  envelope->sender, message->correlation);
    uint64_t hash = hash_of(&result, message->body);
    if (slot->asker == 0 || slot->is_question)
        return; /* to a question */
    check->repeated += slot->answer != 0;
    if (slot->answer != 0 && slot->answer != hash && !faults_can_forge(check->faults))
        world_fail(world, "repeats", "%s answers a command for the second time, otherwise: %s",
                   world->nodes[node].name, error_name(result.code));
    slot->answer = hash;
}
