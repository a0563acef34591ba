/* answers.c - see answers.h. Rows are measured first and then written into exactly as much memory:
 * a listing holds what it needs, and a full memory is an answer, not a crash. */
#include "mesh/routing/answers.h"

#include "mesh/routing/flights.h"
#include "mesh/routing/listing.h"
#include "mesh/routing/served.h"

/* Rows that are first measured, then written. */
struct rows {
    const struct schema *schema;
    bool is_writing;
    size_t bytes; /* measured */
    uint32_t shown;
    struct writer writer;
};

void answers_refuse(struct answer *answer, enum error code, const char *text)
{
    *answer = (struct answer){.result = {.code = (uint16_t)code, .text = span_text(text)}};
}

/* Adds a row; false: it would not fit, and nothing has changed. */
static bool rows_add(struct rows *rows, const void *row)
{
    if (rows->is_writing) {
        group_encode(rows->schema, row, &rows->writer);
        return true;
    }
    size_t bytes = 4 + schema_measure(rows->schema, row);
    if (rows->bytes + bytes > ANSWERS_ROWS_BYTES_MAX)
        return false;
    rows->bytes += bytes;
    rows->shown++;
    return true;
}

/* The measuring is over; false: no memory for what was measured. */
static bool rows_start_writing(struct routing *routing, struct rows *rows, struct answer *answer)
{
    void *memory = scratch_new(&routing->context->scratch, rows->bytes);
    if (memory == NULL) {
        answers_refuse(answer, ERROR_LIMIT_REACHED, "no memory for the answer (memory.queues)");
        return false;
    }
    writer_init(&rows->writer, memory, rows->bytes);
    answer->rows = span_of(memory, rows->bytes);
    rows->is_writing = true;
    return true;
}

static struct span own_name(const struct routing *routing)
{
    return span_text(routing->context->config->name);
}

/* The properties asked for, as a span; while only measuring its bytes do not matter. */
static bool properties_pick(struct routing *routing, const struct session *session,
                            const struct property_keys *keys, bool is_writing, struct span *picked)
{
    size_t bytes = properties_measure(&session->properties, keys);
    *picked = span_of(session->properties.subject, bytes);
    if (!is_writing)
        return true;
    void *memory = scratch_new(&routing->context->scratch, bytes);
    if (memory == NULL)
        return false;
    struct writer writer;
    writer_init(&writer, memory, bytes);
    properties_encode(&session->properties, keys, &writer);
    *picked = span_of(memory, bytes);
    return true;
}

static bool session_add(struct routing *routing, const struct session *session,
                        const struct property_keys *keys, struct rows *rows)
{
    struct session_row row = {
        .id = session->id,
        .state = (uint8_t)sessions_state(session),
        .node = own_name(routing),
        .is_conflated = session->outbound.is_conflated,
        .queue_messages = session->outbound.messages,
        .queue_bytes = session->outbound.bytes,
        .conflated_total = session->outbound.conflated_total,
        .lag_ms = outbound_lag_ms(&session->outbound),
    };
    if (!properties_pick(routing, session, keys, rows->is_writing, &row.properties))
        row.properties = (struct span){0};
    return rows_add(rows, &row);
}

void answers_page(struct routing *routing, const struct command *command,
                  const struct session_id *ids, uint32_t count, struct answer *answer)
{
    struct property_keys keys;
    struct rows rows = {.schema = &session_row_schema};
    if (property_keys_parse(&keys, command->keys) != ERROR_OK) {
        answers_refuse(answer, ERROR_INVALID_ARGUMENT,
                       "more property keys than a session can have");
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!session_add(routing, sessions_find(routing->sessions, ids[i]), &keys, &rows))
            break;
    }
    if (!rows_start_writing(routing, &rows, answer))
        return;
    for (uint32_t i = 0; i < rows.shown; i++)
        session_add(routing, sessions_find(routing->sessions, ids[i]), &keys, &rows);
    /* Where memory ran out in between, properties are missing and the rest stays unwritten. */
    answer->rows.bytes -= rows.writer.left;
}

void answers_session(struct routing *routing, const struct session *session,
                     const struct command *command, struct answer *answer)
{
    struct property_keys keys;
    struct rows rows = {.schema = &session_row_schema};
    *answer = (struct answer){
        .result = {.session = session->id, .node = own_name(routing), .matched = 1, .total = 1},
    };
    if (property_keys_parse(&keys, command->keys) != ERROR_OK) {
        answers_refuse(answer, ERROR_INVALID_ARGUMENT,
                       "more property keys than a session can have");
        return;
    }
    session_add(routing, session, &keys, &rows);
    if (!rows_start_writing(routing, &rows, answer))
        return;
    session_add(routing, session, &keys, &rows);
    answer->rows.bytes -= rows.writer.left;
}

static void status_answer(struct routing *routing, struct answer *answer)
{
    struct rows rows = {.schema = &status_row_schema};
    struct status_row row = {
        .is_ready = routing->status.is_ready,
        .members = routing->status.members,
        .sessions = ownership_sessions(routing->ownership),
        .handlers = ownership_handlers(routing->ownership),
        .sessions_here = sessions_open(routing->sessions),
        .members_hash = routing->status.members_hash,
        .directory_hash = ownership_hash(routing->ownership),
        .topics_hash = routing->status.topics_hash,
        .behind = ownership_behind(routing->ownership) + routing->status.topics_behind,
        .topics = routing->status.topics,
    };
    rows_add(&rows, &row);
    if (rows_start_writing(routing, &rows, answer))
        rows_add(&rows, &row);
}

static void counters_add(const struct routing *routing, struct rows *rows)
{
    for (int i = 0; i < COUNTERS; i++) {
        struct counter_row row = {
            .name = span_text(counters_name((enum counter)i)),
            .value = routing->context->counters[i],
        };
        rows_add(rows, &row);
    }
}

static void counters_answer(struct routing *routing, struct answer *answer)
{
    struct rows rows = {.schema = &counter_row_schema};
    counters_add(routing, &rows);
    if (rows_start_writing(routing, &rows, answer))
        counters_add(routing, &rows);
}

/* Adds up to `most` registrations; returns how many there are. */
static uint32_t handlers_add(const struct routing *routing, struct rows *rows, uint32_t most)
{
    uint64_t cursor = 0;
    uint32_t there = 0;
    bool is_full = false;
    enum handler_kind kind;
    struct handler_entry entry;
    while (ownership_next_handler(routing->ownership, &cursor, &kind, &entry)) {
        const struct node *node = nodes_find(&routing->nodes, entry.instance);
        struct handler_row row = {
            .kind = (uint8_t)kind,
            .path = entry.path,
            .node = node == NULL ? span_text("?") : nodes_name(node),
            .session = entry.session,
            .state = (uint8_t)entry.state,
        };
        is_full = is_full || there == most || !rows_add(rows, &row);
        there++;
    }
    return there;
}

static void handlers_answer(struct routing *routing, struct answer *answer)
{
    struct rows rows = {.schema = &handler_row_schema};
    answer->result.total = handlers_add(routing, &rows, UINT32_MAX);
    answer->result.matched = answer->result.total;
    answer->result.is_complete =
        routing->status.is_synced && ownership_behind(routing->ownership) == 0;
    if (rows_start_writing(routing, &rows, answer))
        handlers_add(routing, &rows, rows.shown);
}

/* "REJECTED: out of stock" */
static struct span last_error_of(const struct served *served, struct sentence *text)
{
    if (served->last_error == ERROR_OK)
        return (struct span){0};
    sentence_start(text, error_name((enum error)served->last_error));
    if (served->last_bytes > 0)
        sentence_add(text, ": ");
    sentence_add_span(text, span_of(served->last_words, served->last_bytes));
    return sentence_span(text);
}

/* Adds up to `most` of what sessions here serve, and what became of it; returns how many there
 * are. */
static uint32_t served_rows_add(const struct routing *routing, struct rows *rows, uint32_t most)
{
    const struct served *served = NULL;
    uint32_t there = 0;
    bool is_full = false;
    while ((served = served_next(routing->served, served)) != NULL) {
        struct sentence text;
        const struct session *session = sessions_at(routing->sessions, served->session);
        struct handler_row row = {
            .kind = served->kind,
            .path = served_path(served),
            .node = own_name(routing),
            .session = session->id,
            .state = (uint8_t)sessions_state(session),
            .in_flight = served->in_flight,
            .requests = served->requests,
            .errors = served->errors,
            .mean_us = served_mean_us(served),
            .p99_us = served_p99_us(served),
            .last_error = last_error_of(served, &text),
        };
        is_full = is_full || there == most || !rows_add(rows, &row);
        there++;
    }
    return there;
}

static void handler_stats_answer(struct routing *routing, struct answer *answer)
{
    struct rows rows = {.schema = &handler_row_schema};
    answer->result.total = served_rows_add(routing, &rows, UINT32_MAX);
    answer->result.matched = answer->result.total;
    if (rows_start_writing(routing, &rows, answer))
        served_rows_add(routing, &rows, rows.shown);
}

void answers_make(struct routing *routing, const struct command *command, struct answer *answer)
{
    *answer = (struct answer){.result = {.node = own_name(routing)}};
    switch (command->verb) {
    case COMMAND_LIST_SESSIONS:
        listing_make(routing, command, answer);
        break;
    case COMMAND_STATUS:
        status_answer(routing, answer);
        break;
    case COMMAND_COUNTERS:
        counters_answer(routing, answer);
        break;
    case COMMAND_HANDLERS:
        handlers_answer(routing, answer);
        break;
    case COMMAND_HANDLER_STATS:
        handler_stats_answer(routing, answer);
        break;
    default: /* a number from outside */
        answers_refuse(answer, ERROR_VERSION_MISMATCH, "this node does not know the command");
        break;
    }
}
