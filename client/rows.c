/* rows.c - the rows inside results, one function of weft.h for each kind: proto's groups in the
 * public structs' clothes. */
#include "client/calls.h"
#include "client/client.h"
#include "proto/command.h"
#include "proto/topic.h"

static bool next(const struct schema *schema, struct weft_rows *rows, void *row)
{
    struct span rest = span_of(rows->data, rows->bytes);
    enum error error = ERROR_OK;
    bool is_row = group_next(schema, &rest, row, &error);
    rows->data = rest.data;
    rows->bytes = is_row ? rest.bytes : 0;
    return is_row;
}

static struct weft_rows rows_of(struct span span)
{
    return (struct weft_rows){.data = span.data, .bytes = span.bytes};
}

bool weft_next_node(struct weft_rows *nodes, struct weft_node_answer *answer)
{
    struct node_answer row;
    if (!next(&node_answer_schema, nodes, &row))
        return false;
    *answer = (struct weft_node_answer){
        .node = client_text(row.node),
        .instance = row.instance,
        .error = (enum weft_error)row.code,
        .text = client_text(row.text),
        .matched = row.matched,
        .applied = row.applied,
        .failed = row.failed,
        .total = row.total,
        .removed = row.removed,
        .took_us = row.took_us,
        .rows = rows_of(row.rows),
    };
    return true;
}

bool weft_next_session(struct weft_rows *rows, struct weft_session_row *session)
{
    struct session_row row;
    if (!next(&session_row_schema, rows, &row))
        return false;
    *session = (struct weft_session_row){
        .id = client_id(row.id),
        .state = (enum weft_session_state)row.state,
        .node = client_text(row.node),
        .properties = rows_of(row.properties),
        .is_conflated = row.is_conflated,
        .queue_messages = row.queue_messages,
        .queue_bytes = row.queue_bytes,
        .conflated_total = row.conflated_total,
        .lag_ms = row.lag_ms,
    };
    return true;
}

bool weft_next_property(struct weft_rows *rows, struct weft_property_row *property)
{
    struct property row;
    if (!next(&property_schema, rows, &row))
        return false;
    *property = (struct weft_property_row){
        .key = client_text(row.key),
        .value = client_text(row.value),
        .is_absent = row.is_absent,
    };
    return true;
}

bool weft_next_member(struct weft_rows *rows, struct weft_member_row *member)
{
    struct member_row row;
    if (!next(&member_row_schema, rows, &row))
        return false;
    *member = (struct weft_member_row){
        .name = client_text(row.name),
        .zone = client_text(row.zone),
        .version = client_text(row.version),
        .address = client_text(row.address),
        .instance = row.instance,
        .incarnation = row.incarnation,
        .state = (enum weft_member_state)row.state,
        .sessions = row.sessions,
        .lag_us = row.lag_us,
        .rtt_us = row.rtt_us,
        .is_self = row.is_self,
    };
    return true;
}

bool weft_next_handler(struct weft_rows *rows, struct weft_handler_row *handler)
{
    struct handler_row row;
    if (!next(&handler_row_schema, rows, &row))
        return false;
    *handler = (struct weft_handler_row){
        .kind = (enum weft_handler_kind)row.kind,
        .path = client_text(row.path),
        .node = client_text(row.node),
        .session = client_id(row.session),
        .state = (enum weft_session_state)row.state,
        .in_flight = row.in_flight,
        .requests = row.requests,
        .errors = row.errors,
        .mean_us = row.mean_us,
        .p99_us = row.p99_us,
        .last_error = client_text(row.last_error),
    };
    return true;
}

bool weft_next_status(struct weft_rows *rows, struct weft_status_row *status)
{
    struct status_row row;
    if (!next(&status_row_schema, rows, &row))
        return false;
    *status = (struct weft_status_row){
        .is_ready = row.is_ready,
        .members = row.members,
        .sessions = row.sessions,
        .handlers = row.handlers,
        .topics = row.topics,
        .sessions_here = row.sessions_here,
        .members_hash = row.members_hash,
        .directory_hash = row.directory_hash,
        .topics_hash = row.topics_hash,
        .behind = row.behind,
    };
    return true;
}

bool weft_next_counter(struct weft_rows *rows, struct weft_counter_row *counter)
{
    struct counter_row row;
    if (!next(&counter_row_schema, rows, &row))
        return false;
    *counter = (struct weft_counter_row){.name = client_text(row.name), .value = row.value};
    return true;
}

bool weft_next_verdict(struct weft_rows *rows, struct weft_verdict_row *verdict)
{
    struct verdict_row row;
    if (!next(&verdict_row_schema, rows, &row))
        return false;
    *verdict = (struct weft_verdict_row){
        .at_ms = row.at_ms,
        .by = client_text(row.by),
        .event = client_text(row.event),
        .helpers = client_text(row.helpers),
        .rtt_us = row.rtt_us,
        .confirmations = row.confirmations,
        .incarnation = row.incarnation,
    };
    return true;
}

bool weft_next_topic(struct weft_rows *rows, struct weft_topic_row *topic)
{
    struct topic_row row;
    if (!next(&topic_row_schema, rows, &row))
        return false;
    *topic = (struct weft_topic_row){
        .path = client_text(row.path),
        .value = calls_value_decode(row.type, row.value),
        .value_bytes = row.value_bytes,
        .policy = (enum weft_policy)row.policy,
        .version = {row.term, row.instance, row.n},
        .creator = client_id(row.creator),
    };
    bool is_number = row.type == VALUE_INT64 || row.type == VALUE_DOUBLE;
    if (is_number && row.value.bytes == 0) /* without_values: its type stands alone */
        topic->value.type = (enum weft_value_type)row.type;
    return true;
}
