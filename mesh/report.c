/* report.c - see report.h. */
#include "mesh/report.h"

#include "mesh/routing/commands.h"

enum {
    /* As many addresses as a client can make use of when its node is lost; a mesh of the planned
     * size fits in. */
    ADDRESSES_BYTES_MAX = 64 * 1024,
};

static bool is_here(const struct member *member)
{
    return member->state == MEMBER_ALIVE || member->state == MEMBER_SUSPECT;
}

static struct node_address address_of(const struct member *member)
{
    return (struct node_address){
        .node = span_text(member->name),
        .address = span_text(member->client_address),
    };
}

static bool has_address(const struct member *member)
{
    return is_here(member) && member->client_address[0] != '\0';
}

/* Bytes of all addresses that fit; this node comes first in membership_next. */
static size_t addresses_measure(const struct mesh *mesh)
{
    const struct member *member = NULL;
    size_t bytes = 0;
    while ((member = membership_next(mesh->membership, member)) != NULL) {
        struct node_address address = address_of(member);
        size_t more = 4 + schema_measure(&node_address_schema, &address);
        if (has_address(member) && bytes + more <= ADDRESSES_BYTES_MAX)
            bytes += more;
    }
    return bytes;
}

void report_addresses(struct mesh *mesh)
{
    if (!mesh->has_new_addresses)
        return;
    size_t bytes = addresses_measure(mesh), own_bytes = 0;
    void *groups = scratch_new(&mesh->context.scratch, bytes);
    if (groups == NULL)
        return; /* the old ones are still mostly right; the next HELLO tries again */
    struct writer writer;
    writer_init(&writer, groups, bytes);
    const struct member *member = NULL;
    while ((member = membership_next(mesh->membership, member)) != NULL) {
        struct node_address address = address_of(member);
        if (has_address(member) &&
            4 + schema_measure(&node_address_schema, &address) <= writer.left)
            group_encode(&node_address_schema, &address, &writer);
        if (member->is_self)
            own_bytes = bytes - writer.left;
    }
    struct span told = span_of(groups, bytes - writer.left);
    if (sessions_set_addresses(mesh->sessions, told, own_bytes) == ERROR_OK)
        mesh->has_new_addresses = false;
}

void report_status(struct mesh *mesh)
{
    struct routing_status status = {
        .is_synced = mesh->stage > MESH_SYNCING,
        .is_ready = mesh->stage == MESH_READY,
        .members = membership_alive(mesh->membership),
        .members_hash = membership_hash(mesh->membership),
        .topics = topics_count(mesh->topics),
        .topics_hash = topics_hash(mesh->topics),
        .topics_behind = topics_behind(mesh->topics),
    };
    routing_set_status(mesh->routing, &status);
}

static struct member_row row_of(const struct member *member)
{
    return (struct member_row){
        .name = span_text(member->name),
        .zone = span_text(member->zone),
        .version = span_text(member->version),
        .address = span_text(member->gossip_address),
        .instance = member->instance,
        .incarnation = member->incarnation,
        .state = (uint8_t)member->state,
        .sessions = member->sessions,
        .lag_us = member->lag_us,
        .rtt_us = member->rtt_us,
        .is_self = member->is_self,
    };
}

/* Room for rows, and the writer for them; false: the answer says that there is none. */
static bool rows_start(struct mesh *mesh, size_t bytes, struct writer *writer,
                       struct answer *answer)
{
    if (bytes > ANSWERS_ROWS_BYTES_MAX)
        bytes = ANSWERS_ROWS_BYTES_MAX;
    void *rows = scratch_new(&mesh->context.scratch, bytes);
    if (rows == NULL) {
        answers_refuse(answer, ERROR_LIMIT_REACHED, "no memory for the answer (memory.queues)");
        return false;
    }
    writer_init(writer, rows, bytes);
    answer->rows = span_of(rows, bytes);
    return true;
}

static void members_answer(struct mesh *mesh, bool includes_gone, struct answer *answer)
{
    size_t bytes = 0;
    uint32_t total = 0;
    struct writer writer;
    const struct member *member = NULL;
    while ((member = membership_next(mesh->membership, member)) != NULL) {
        struct member_row row = row_of(member);
        if (includes_gone || is_here(member)) {
            bytes += 4 + schema_measure(&member_row_schema, &row);
            total++;
        }
    }
    answer->result.matched = answer->result.total = total;
    if (!rows_start(mesh, bytes, &writer, answer))
        return;
    while ((member = membership_next(mesh->membership, member)) != NULL) {
        struct member_row row = row_of(member);
        bool fits = 4 + schema_measure(&member_row_schema, &row) <= writer.left;
        if (fits && (includes_gone || is_here(member)))
            group_encode(&member_row_schema, &row, &writer);
    }
    answer->rows.bytes -= writer.left;
}

static struct span name_of(const struct mesh *mesh, uint64_t instance)
{
    const struct member *member = membership_find(mesh->membership, instance);
    return span_text(member == NULL ? "?" : member->name);
}

/* The names of a verdict's helpers, joined by ','. */
static struct span helpers_join(const struct mesh *mesh, const struct member_verdict *verdict,
                                uint8_t text[VERDICT_HELPERS_BYTES_MAX])
{
    struct writer writer;
    writer_init(&writer, text, VERDICT_HELPERS_BYTES_MAX);
    for (uint32_t i = 0; i < verdict->helpers_count && i < VERDICT_HELPERS_MAX; i++) {
        if (i > 0)
            writer_u8(&writer, ',');
        writer_span(&writer, name_of(mesh, verdict->helpers[i]));
    }
    return span_of(text, VERDICT_HELPERS_BYTES_MAX - writer.left);
}

static struct verdict_row verdict_row_of(const struct mesh *mesh,
                                         const struct member_verdict *verdict,
                                         uint8_t helpers[VERDICT_HELPERS_BYTES_MAX])
{
    return (struct verdict_row){
        .at_ms = verdict->at_ms,
        .by = name_of(mesh, verdict->by),
        .event = span_text(membership_verdict_name(verdict->event)),
        .helpers = helpers_join(mesh, verdict, helpers),
        .rtt_us = verdict->rtt_us,
        .confirmations = verdict->confirmations,
        .incarnation = verdict->incarnation,
    };
}

static void verdicts_answer(struct mesh *mesh, struct span name, struct answer *answer)
{
    uint8_t helpers[VERDICT_HELPERS_BYTES_MAX];
    const struct member_verdict *verdict;
    struct writer writer;
    size_t bytes = 0;
    uint32_t count = 0;
    const struct member *member = membership_named(mesh->membership, name);
    if (member == NULL) {
        answers_refuse(answer, ERROR_INVALID_ARGUMENT,
                       "no member of that name is known; MEMBERS with includes_gone lists them");
        return;
    }
    answer->result.state = (uint8_t)member->state;
    uint64_t instance = member->instance; /* `member` lives until the next one is looked at */
    while ((verdict = membership_verdict(mesh->membership, instance, count)) != NULL) {
        struct verdict_row row = verdict_row_of(mesh, verdict, helpers);
        bytes += 4 + schema_measure(&verdict_row_schema, &row);
        count++;
    }
    answer->result.matched = answer->result.total = count;
    if (!rows_start(mesh, bytes, &writer, answer))
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct verdict_row row =
            verdict_row_of(mesh, membership_verdict(mesh->membership, instance, i), helpers);
        group_encode(&verdict_row_schema, &row, &writer);
    }
    answer->rows.bytes -= writer.left;
}

void report_answer(struct mesh *mesh)
{
    const struct command *command = commands_question(mesh->routing);
    struct answer answer = {0};
    if (command == NULL)
        return;
    if (command->verb == COMMAND_VERDICTS)
        verdicts_answer(mesh, command->node, &answer);
    else
        members_answer(mesh, command->includes_gone, &answer);
    commands_tell(mesh->routing, &answer);
}

void report_totals(struct mesh *mesh)
{
    const struct outbox_totals *totals = outbox_totals(mesh->context.outbox);
    uint64_t *counters = mesh->context.counters;
    counters[COUNTER_client_frames_out] = totals->frames[CHANNEL_CLIENT];
    counters[COUNTER_client_messages_out] = totals->messages[CHANNEL_CLIENT];
    counters[COUNTER_client_bytes_out] = totals->bytes[CHANNEL_CLIENT];
    counters[COUNTER_gossip_frames_out] = totals->frames[CHANNEL_GOSSIP];
    counters[COUNTER_gossip_messages_out] = totals->messages[CHANNEL_GOSSIP];
    counters[COUNTER_gossip_bytes_out] = totals->bytes[CHANNEL_GOSSIP];
    counters[COUNTER_forward_frames_out] = totals->frames[CHANNEL_FORWARD];
    counters[COUNTER_forward_messages_out] = totals->messages[CHANNEL_FORWARD];
    counters[COUNTER_forward_bytes_out] = totals->bytes[CHANNEL_FORWARD];
    const struct outbox_relief *relief = outbox_relief(mesh->context.outbox);
    counters[COUNTER_updates_merged] = relief->merged;
    counters[COUNTER_subscriptions_ended] = relief->ended;
    counters[COUNTER_queues_given_up] = relief->given_up;
}
