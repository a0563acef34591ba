/* ballots.c - see ballots.h. */
#include "mesh/routing/ballots.h"

enum { PART_BYTES_LEAST = 128 }; /* what a PART is taken to have before one has come */

struct ballots {
    uint32_t count;
    struct poll slots[BALLOTS_MAX];
};

bool ballots_init(struct routing *routing)
{
    routing->ballots = memory_new(&routing->context->memory, MEMORY_TABLES, sizeof(struct ballots));
    return routing->ballots != NULL;
}

static size_t heard_bytes(const struct poll_node *part)
{
    return (part->sent + 7) / 8;
}

void ballots_release(struct routing *routing, struct poll *poll)
{
    struct memory *memory = &routing->context->memory;
    deadlines_cancel(routing->context->deadlines, &poll->deadline);
    for (uint32_t i = 0; i < poll->nodes_count; i++)
        memory_free(memory, MEMORY_QUEUES, poll->nodes[i].heard, heard_bytes(&poll->nodes[i]));
    memory_free(memory, MEMORY_QUEUES, poll->nodes, poll->nodes_count * sizeof *poll->nodes);
    poll->nodes = NULL;
    poll->is_used = false;
    routing->ballots->count--;
}

void ballots_clear(struct routing *routing)
{
    if (routing->ballots == NULL)
        return;
    for (uint32_t slot = 0; slot < BALLOTS_MAX; slot++) {
        if (routing->ballots->slots[slot].is_used)
            ballots_release(routing, &routing->ballots->slots[slot]);
    }
    memory_free(&routing->context->memory, MEMORY_TABLES, routing->ballots, sizeof(struct ballots));
    routing->ballots = NULL;
}

uint64_t ballots_number(const struct poll *poll)
{
    return FLIGHT_NUMBER_FOREIGN | (uint64_t)poll->generation << 32 | poll->slot;
}

struct poll *ballots_of_number(struct routing *routing, uint64_t number)
{
    uint32_t slot = (uint32_t)number;
    if (slot >= BALLOTS_MAX)
        return NULL;
    struct poll *poll = &routing->ballots->slots[slot];
    return poll->is_used && ballots_number(poll) == number ? poll : NULL;
}

struct poll *ballots_at(struct routing *routing, uint32_t slot)
{
    require(slot < BALLOTS_MAX && routing->ballots->slots[slot].is_used);
    return &routing->ballots->slots[slot];
}

struct poll *ballots_of_session(const struct routing *routing, uint32_t asker, uint64_t correlation)
{
    for (uint32_t slot = 0; routing->ballots->count > 0 && slot < BALLOTS_MAX; slot++) {
        struct poll *poll = &routing->ballots->slots[slot];
        if (poll->is_used && poll->asker == asker && poll->correlation == correlation)
            return poll;
    }
    return NULL;
}

struct poll_node *ballots_part(struct poll *poll, uint64_t instance)
{
    for (uint32_t i = 0; i < poll->nodes_count; i++) {
        if (poll->nodes[i].instance == instance)
            return &poll->nodes[i];
    }
    return NULL;
}

struct span ballots_answers(struct routing *routing, const struct poll *poll)
{
    size_t room = poll->nodes_count * (NAME_BYTES_MAX + TEXT_BYTES_MAX / 4);
    void *memory = scratch_new(&routing->context->scratch, room);
    struct writer writer;
    if (memory == NULL)
        return (struct span){0};
    writer_init(&writer, memory, room);
    for (uint32_t i = 0; i < poll->nodes_count; i++) {
        const struct poll_node *node = &poll->nodes[i];
        struct node_answer answer = {
            .node = span_of(node->name, node->name_bytes),
            .instance = node->instance,
            .code = node->code,
            .text = span_text(node->why),
            .matched = node->sent,
            .applied = node->answered,
            .failed = node->failed,
        };
        if (4 + schema_measure(&node_answer_schema, &answer) <= writer.left)
            group_encode(&node_answer_schema, &answer, &writer);
    }
    return span_of(memory, room - writer.left);
}

uint32_t ballots_done(const struct poll *poll)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < poll->nodes_count; i++)
        done += poll->nodes[i].code == ERROR_OK;
    return done;
}

bool ballots_counted(struct routing *routing, struct poll *poll, struct poll_node *part,
                     uint32_t sent)
{
    struct poll_node counted = {.sent = sent};
    if (sent > 0)
        part->heard = memory_new(&routing->context->memory, MEMORY_QUEUES, heard_bytes(&counted));
    if (sent > 0 && part->heard == NULL)
        return false;
    part->state = PART_ASKING;
    part->sent = sent;
    poll->sent += sent;
    poll->counting--;
    return true;
}

bool ballots_hear(struct poll_node *part, uint32_t number)
{
    if (part->state != PART_ASKING || number == 0 || number > part->allowed)
        return false;
    uint8_t *byte = &part->heard[(number - 1) / 8], bit = (uint8_t)(1u << (number - 1) % 8);
    bool is_new = (*byte & bit) == 0;
    *byte |= bit;
    return is_new;
}

void ballots_give_up(struct routing *routing, struct poll *poll, struct poll_node *part,
                     enum error code, const char *why)
{
    uint32_t ended = part->answered + part->failed;
    if (part->state == PART_COUNTING)
        poll->counting--;
    else
        poll->may_answer -= part->allowed > ended ? part->allowed - ended : 0;
    if (poll->is_asking)
        routing->context->counters[COUNTER_parts_failed] += part->sent - ended;
    part->failed += part->sent - ended;
    poll->ended += part->sent - ended;
    part->state = PART_OVER;
    part->code = (uint16_t)code;
    part->why = why;
}

enum error ballots_outcome(const struct poll *poll)
{
    enum error outcome = ERROR_OK;
    for (uint32_t i = 0; i < poll->nodes_count; i++) {
        enum error code = (enum error)poll->nodes[i].code;
        if (code == ERROR_HANDLER_LOST)
            code = ERROR_CLUSTER_ROUTING;
        if (outcome == ERROR_OK)
            outcome = code;
    }
    return outcome;
}

static void part_init(struct poll_node *part, const struct node *node)
{
    *part = (struct poll_node){.instance = node->instance, .name_bytes = node->name_bytes};
    memcpy(part->name, node->name, node->name_bytes);
}

struct poll *ballots_take(struct routing *routing, const struct session *session, uint64_t number)
{
    struct context *context = routing->context;
    struct poll *poll = NULL;
    uint32_t share = 0, nodes = routing->nodes.count;
    for (uint32_t slot = 0; slot < BALLOTS_MAX; slot++) {
        struct poll *at = &routing->ballots->slots[slot];
        share += at->is_used && at->asker == session->slot;
        if (!at->is_used)
            poll = at;
    }
    if (poll == NULL || share >= BALLOTS_OF_ONE_MAX)
        return NULL;
    uint32_t slot = (uint32_t)(poll - routing->ballots->slots);
    uint32_t generation = (poll->generation + 1) & (UINT32_MAX >> 1);
    *poll = (struct poll){
        .is_used = true,
        .slot = slot,
        .generation = generation == 0 ? 1 : generation,
        .asker = session->slot,
        .correlation = number,
        .deadline = {.room = DEADLINE_ROUTING, .purpose = ROUTING_POLL_DUE, .slot = slot},
        .nodes_count = nodes,
        .counting = nodes,
        .nodes = memory_new(&context->memory, MEMORY_QUEUES, nodes * sizeof *poll->nodes),
        .largest_bytes = PART_BYTES_LEAST,
    };
    routing->ballots->count++;
    if (poll->nodes == NULL) {
        poll->nodes_count = 0;
        ballots_release(routing, poll);
        return NULL;
    }
    const struct node *node = NULL;
    for (uint32_t i = 0; (node = nodes_next(&routing->nodes, node)) != NULL; i++)
        part_init(&poll->nodes[i], node);
    return poll;
}

struct poll *ballots_next(const struct routing *routing, const struct poll *after)
{
    if (routing->ballots->count == 0)
        return NULL;
    for (uint32_t slot = after == NULL ? 0 : after->slot + 1; slot < BALLOTS_MAX; slot++) {
        if (routing->ballots->slots[slot].is_used)
            return &routing->ballots->slots[slot];
    }
    return NULL;
}

uint32_t ballots_count(const struct routing *routing)
{
    return routing->ballots->count;
}

void ballots_check(const struct routing *routing)
{
    const uint64_t *counters = routing->context->counters;
    uint64_t open = 0;
    uint32_t used = 0;
    for (uint32_t slot = 0; slot < BALLOTS_MAX; slot++) {
        const struct poll *poll = &routing->ballots->slots[slot];
        uint32_t sent = 0, ended = 0, may_answer = 0;
        used += poll->is_used;
        for (uint32_t i = 0; poll->is_used && i < poll->nodes_count; i++) {
            const struct poll_node *part = &poll->nodes[i];
            uint32_t part_ended = part->answered + part->failed;
            require(part_ended <= part->sent && part->allowed <= part->sent);
            sent += part->sent;
            ended += part_ended;
            may_answer += part->allowed > part_ended ? part->allowed - part_ended : 0;
        }
        if (!poll->is_used)
            continue;
        require(sent == poll->sent && ended == poll->ended && may_answer == poll->may_answer);
        require(deadline_is_set(&poll->deadline));
        open += poll->is_asking ? sent - ended : 0;
    }
    require(used == routing->ballots->count);
    require(counters[COUNTER_parts_sent] ==
            counters[COUNTER_parts_answered] + counters[COUNTER_parts_failed] + open);
}
