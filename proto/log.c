/* log.c - the tables of log.h. */
#include "proto/log.h"

#include "proto/field.h"

FIELDS(log_entries) = {
    FIELD(log_entries, 1, writer, UINT, REQUIRED, UINT64_MAX),
    FIELD(log_entries, 2, stream, UINT, REQUIRED, UINT8_MAX),
    FIELD(log_entries, 3, first, UINT, REQUIRED, UINT64_MAX),
    FIELD(log_entries, 4, last, UINT, REQUIRED, UINT64_MAX),
    FIELD(log_entries, 5, head, UINT, REQUIRED, UINT64_MAX),
};
SCHEMA(log_entries);

FIELDS(log_pull) = {
    FIELD(log_pull, 1, writer, UINT, REQUIRED, UINT64_MAX),
    FIELD(log_pull, 2, stream, UINT, REQUIRED, UINT8_MAX),
    FIELD(log_pull, 3, have, UINT, OPTIONAL, UINT64_MAX),
    FIELD(log_pull, 4, cursor, BYTES, OPTIONAL, LOG_CURSOR_BYTES_MAX),
};
SCHEMA(log_pull);

FIELDS(log_snapshot) = {
    FIELD(log_snapshot, 1, writer, UINT, REQUIRED, UINT64_MAX),
    FIELD(log_snapshot, 2, stream, UINT, REQUIRED, UINT8_MAX),
    FIELD(log_snapshot, 3, head, UINT, OPTIONAL, UINT64_MAX),
    FIELD(log_snapshot, 4, is_last, BOOL, OPTIONAL, 0),
};
SCHEMA(log_snapshot);

FIELDS(log_heads) = {
    FIELD(log_heads, 1, stream, UINT, REQUIRED, UINT8_MAX),
    FIELD(log_heads, 2, hash, UINT, REQUIRED, UINT64_MAX),
};
SCHEMA(log_heads);

FIELDS(log_collect) = {
    FIELD(log_collect, 1, stream, UINT, REQUIRED, UINT8_MAX),
    FIELD(log_collect, 2, head, UINT, OPTIONAL, UINT64_MAX),
};
SCHEMA(log_collect);

FIELDS(log_collected) = {
    FIELD(log_collected, 1, stream, UINT, REQUIRED, UINT8_MAX),
};
SCHEMA(log_collected);

FIELDS(log_head) = {
    FIELD(log_head, 1, writer, UINT, REQUIRED, UINT64_MAX),
    FIELD(log_head, 2, have, UINT, OPTIONAL, UINT64_MAX),
};
SCHEMA(log_head);
