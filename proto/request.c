/* request.c - the tables of request.h. */
#include "proto/request.h"

#include "proto/client.h"
#include "proto/command.h"
#include "proto/compiled.h"

FIELDS(request) = {
    FIELD(request, 1, path, TEXT, REQUIRED, PATH_BYTES_MAX),
    FIELD(request, 2, type, UINT, REQUIRED, UINT8_MAX),
    FIELD(request, 3, timeout_ms, UINT, OPTIONAL, REQUEST_TIMEOUT_MS_MAX),
    FIELD(request, 4, is_idempotent, BOOL, OPTIONAL, 0),
    FIELD(request, 5, sender, ID, OPTIONAL, 0),
    FIELD(request, 6, handler, ID, OPTIONAL, 0),
    FIELD(request, 7, to, ID, MUST_UNDERSTAND, 0),
    FIELD(request, 8, filter, TEXT, MUST_UNDERSTAND, FILTER_BYTES_MAX),
    FIELD(request, 9, properties, GROUPS, OPTIONAL, REQUEST_PROPERTIES_BYTES_MAX),
};
SCHEMA_COMPILED(request);

FIELDS(response) = {
    FIELD(response, 1, outcome, UINT, REQUIRED, UINT16_MAX),
    FIELD(response, 2, type, UINT, OPTIONAL, UINT8_MAX),
    FIELD(response, 3, message, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(response, 4, owner, UINT, OPTIONAL, UINT64_MAX),
    FIELD(response, 5, sent, UINT, OPTIONAL, UINT32_MAX),
    FIELD(response, 6, answered, UINT, OPTIONAL, UINT32_MAX),
    FIELD(response, 7, nodes_asked, UINT, OPTIONAL, UINT32_MAX),
    FIELD(response, 8, nodes_answered, UINT, OPTIONAL, UINT32_MAX),
};
SCHEMA_COMPILED(response);

FIELDS(registration) = {
    FIELD(registration, 1, kind, UINT, REQUIRED, UINT8_MAX),
    FIELD(registration, 2, path, TEXT, REQUIRED, PATH_BYTES_MAX),
    FIELD(registration, 3, keys, TEXT, OPTIONAL, REGISTRATION_KEYS_BYTES_MAX),
};
SCHEMA(registration);

FIELDS(spread) = {
    FIELD(spread, 1, code, UINT, OPTIONAL, UINT16_MAX),
    FIELD(spread, 2, text, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(spread, 3, sent, UINT, OPTIONAL, UINT32_MAX),
    FIELD(spread, 4, allowed, UINT, OPTIONAL, UINT32_MAX),
    FIELD(spread, 5, nodes_asked, UINT, OPTIONAL, UINT32_MAX),
    FIELD(spread, 6, nodes_answered, UINT, OPTIONAL, UINT32_MAX),
};
SCHEMA(spread);

FIELDS(part) = {
    FIELD(part, 1, session, ID, REQUIRED, 0),
    FIELD(part, 2, outcome, UINT, REQUIRED, UINT16_MAX),
    FIELD(part, 3, type, UINT, OPTIONAL, UINT8_MAX),
    FIELD(part, 4, message, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(part, 5, number, UINT, OPTIONAL, UINT32_MAX),
};
SCHEMA(part);
