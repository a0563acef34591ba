/* command.c - the tables of command.h. */
#include "proto/command.h"

#include "proto/envelope.h"
#include "proto/field.h"

/* As many roles as a session may hold, each with the head of its group and of its name. */
enum { ROLES_BYTES_MAX = ROLES_MAX * (ROLE_BYTES_MAX + 8) };

FIELDS(command) = {
    FIELD(command, 1, verb, UINT, REQUIRED, UINT8_MAX),
    FIELD(command, 2, session, ID, OPTIONAL, 0),
    FIELD(command, 3, filter, TEXT, OPTIONAL, FILTER_BYTES_MAX),
    FIELD(command, 4, text, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(command, 5, keys, TEXT, OPTIONAL, KEYS_BYTES_MAX),
    FIELD(command, 6, node, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(command, 7, limit, UINT, OPTIONAL, UINT32_MAX),
    FIELD(command, 8, timeout_ms, UINT, OPTIONAL, REQUEST_TIMEOUT_MS_MAX),
    FIELD(command, 9, includes_gone, BOOL, OPTIONAL, 0),
    FIELD(command, 10, id, BYTES, OPTIONAL, COMMAND_ID_BYTES),
    FIELD(command, 11, asker, ID, OPTIONAL, 0),
    FIELD(command, 12, add_roles, GROUPS, OPTIONAL, ROLES_BYTES_MAX),
    FIELD(command, 13, remove_roles, GROUPS, OPTIONAL, ROLES_BYTES_MAX),
    FIELD(command, 14, is_conflated, BOOL, OPTIONAL, 0),
    FIELD(command, 15, dry_run, BOOL, MUST_UNDERSTAND, 0),
    FIELD(command, 16, expect_max, UINT, MUST_UNDERSTAND, UINT32_MAX),
    FIELD(command, 17, sort, TEXT, OPTIONAL, PROPERTY_KEY_BYTES_MAX),
    FIELD(command, 18, phase, UINT, MUST_UNDERSTAND, UINT8_MAX),
    FIELD(command, 19, selector, TEXT, OPTIONAL, PATH_BYTES_MAX),
};
SCHEMA(command);

FIELDS(result) = {
    FIELD(result, 1, code, UINT, REQUIRED, UINT16_MAX),
    FIELD(result, 2, text, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(result, 3, session, ID, OPTIONAL, 0),
    FIELD(result, 4, node, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(result, 5, matched, UINT, OPTIONAL, UINT32_MAX),
    FIELD(result, 6, applied, UINT, OPTIONAL, UINT32_MAX),
    FIELD(result, 7, failed, UINT, OPTIONAL, UINT32_MAX),
    FIELD(result, 8, total, UINT, OPTIONAL, UINT32_MAX),
    FIELD(result, 9, nodes_asked, UINT, OPTIONAL, UINT32_MAX),
    FIELD(result, 10, nodes_answered, UINT, OPTIONAL, UINT32_MAX),
    FIELD(result, 11, is_complete, BOOL, OPTIONAL, 0),
    FIELD(result, 12, took_us, UINT, OPTIONAL, UINT64_MAX),
    FIELD(result, 13, owner, UINT, OPTIONAL, UINT64_MAX),
    FIELD(result, 14, state, UINT, OPTIONAL, UINT8_MAX),
    FIELD(result, 15, removed, UINT, OPTIONAL, UINT32_MAX),
    FIELD(result, 16, id, BYTES, OPTIONAL, COMMAND_ID_BYTES),
};
SCHEMA(result);

FIELDS(node_answer) = {
    FIELD(node_answer, 1, node, TEXT, REQUIRED, NAME_BYTES_MAX),
    FIELD(node_answer, 2, instance, UINT, OPTIONAL, UINT64_MAX),
    FIELD(node_answer, 3, code, UINT, REQUIRED, UINT16_MAX),
    FIELD(node_answer, 4, text, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(node_answer, 5, matched, UINT, OPTIONAL, UINT32_MAX),
    FIELD(node_answer, 6, applied, UINT, OPTIONAL, UINT32_MAX),
    FIELD(node_answer, 7, failed, UINT, OPTIONAL, UINT32_MAX),
    FIELD(node_answer, 8, total, UINT, OPTIONAL, UINT32_MAX),
    FIELD(node_answer, 9, took_us, UINT, OPTIONAL, UINT64_MAX),
    FIELD(node_answer, 10, rows, GROUPS, OPTIONAL, CLIENT_MESSAGE_BYTES_MAX),
    FIELD(node_answer, 11, removed, UINT, OPTIONAL, UINT32_MAX),
};
SCHEMA(node_answer);

FIELDS(role) = {
    FIELD(role, 1, name, TEXT, REQUIRED, ROLE_BYTES_MAX),
};
SCHEMA(role);

FIELDS(session_row) = {
    FIELD(session_row, 1, id, ID, REQUIRED, 0),
    FIELD(session_row, 2, state, UINT, REQUIRED, UINT8_MAX),
    FIELD(session_row, 3, node, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(session_row, 4, properties, GROUPS, OPTIONAL, CLIENT_MESSAGE_BYTES_MAX),
    FIELD(session_row, 5, is_conflated, BOOL, OPTIONAL, 0),
    FIELD(session_row, 6, queue_messages, UINT, OPTIONAL, UINT32_MAX),
    FIELD(session_row, 7, queue_bytes, UINT, OPTIONAL, UINT64_MAX),
    FIELD(session_row, 8, conflated_total, UINT, OPTIONAL, UINT64_MAX),
    FIELD(session_row, 9, lag_ms, UINT, OPTIONAL, UINT32_MAX),
};
SCHEMA(session_row);

FIELDS(member_row) = {
    FIELD(member_row, 1, name, TEXT, REQUIRED, NAME_BYTES_MAX),
    FIELD(member_row, 2, zone, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(member_row, 3, version, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(member_row, 4, address, TEXT, OPTIONAL, ADDRESS_BYTES_MAX),
    FIELD(member_row, 5, instance, UINT, OPTIONAL, UINT64_MAX),
    FIELD(member_row, 6, incarnation, UINT, OPTIONAL, UINT64_MAX),
    FIELD(member_row, 7, state, UINT, REQUIRED, UINT8_MAX),
    FIELD(member_row, 8, sessions, UINT, OPTIONAL, UINT32_MAX),
    FIELD(member_row, 9, lag_us, UINT, OPTIONAL, UINT64_MAX),
    FIELD(member_row, 10, rtt_us, UINT, OPTIONAL, UINT64_MAX),
    FIELD(member_row, 11, is_self, BOOL, OPTIONAL, 0),
};
SCHEMA(member_row);

FIELDS(handler_row) = {
    FIELD(handler_row, 1, kind, UINT, REQUIRED, UINT8_MAX),
    FIELD(handler_row, 2, path, TEXT, REQUIRED, PATH_BYTES_MAX),
    FIELD(handler_row, 3, node, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(handler_row, 4, session, ID, REQUIRED, 0),
    FIELD(handler_row, 5, state, UINT, OPTIONAL, UINT8_MAX),
    FIELD(handler_row, 6, in_flight, UINT, OPTIONAL, UINT32_MAX),
    FIELD(handler_row, 7, requests, UINT, OPTIONAL, UINT64_MAX),
    FIELD(handler_row, 8, errors, UINT, OPTIONAL, UINT64_MAX),
    FIELD(handler_row, 9, mean_us, UINT, OPTIONAL, UINT64_MAX),
    FIELD(handler_row, 10, p99_us, UINT, OPTIONAL, UINT64_MAX),
    FIELD(handler_row, 11, last_error, TEXT, OPTIONAL, TEXT_BYTES_MAX),
};
SCHEMA(handler_row);

FIELDS(status_row) = {
    FIELD(status_row, 1, is_ready, BOOL, OPTIONAL, 0),
    FIELD(status_row, 2, members, UINT, OPTIONAL, UINT32_MAX),
    FIELD(status_row, 3, sessions, UINT, OPTIONAL, UINT32_MAX),
    FIELD(status_row, 4, handlers, UINT, OPTIONAL, UINT32_MAX),
    FIELD(status_row, 5, sessions_here, UINT, OPTIONAL, UINT32_MAX),
    FIELD(status_row, 6, members_hash, UINT, OPTIONAL, UINT64_MAX),
    FIELD(status_row, 7, directory_hash, UINT, OPTIONAL, UINT64_MAX),
    FIELD(status_row, 8, topics_hash, UINT, OPTIONAL, UINT64_MAX),
    FIELD(status_row, 9, behind, UINT, OPTIONAL, UINT64_MAX),
    FIELD(status_row, 10, topics, UINT, OPTIONAL, UINT32_MAX),
};
SCHEMA(status_row);

FIELDS(counter_row) = {
    FIELD(counter_row, 1, name, TEXT, REQUIRED, NAME_BYTES_MAX),
    FIELD(counter_row, 2, value, UINT, OPTIONAL, UINT64_MAX),
};
SCHEMA(counter_row);

FIELDS(verdict_row) = {
    FIELD(verdict_row, 1, at_ms, UINT, OPTIONAL, UINT64_MAX),
    FIELD(verdict_row, 2, by, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(verdict_row, 3, event, TEXT, REQUIRED, NAME_BYTES_MAX),
    FIELD(verdict_row, 4, helpers, TEXT, OPTIONAL, VERDICT_HELPERS_BYTES_MAX),
    FIELD(verdict_row, 5, rtt_us, UINT, OPTIONAL, UINT32_MAX),
    FIELD(verdict_row, 6, confirmations, UINT, OPTIONAL, UINT32_MAX),
    FIELD(verdict_row, 7, incarnation, UINT, OPTIONAL, UINT64_MAX),
};
SCHEMA(verdict_row);
