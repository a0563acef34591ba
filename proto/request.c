/* request.c - the tables of request.h. */
#include "proto/request.h"

#include "proto/client.h"
#include "proto/field.h"

FIELDS(request) = {
    FIELD(request, 1, path, TEXT, REQUIRED, PATH_BYTES_MAX),
    FIELD(request, 2, type, UINT, REQUIRED, UINT8_MAX),
    FIELD(request, 3, timeout_ms, UINT, OPTIONAL, REQUEST_TIMEOUT_MS_MAX),
    FIELD(request, 4, is_idempotent, BOOL, OPTIONAL, 0),
    FIELD(request, 5, sender, ID, OPTIONAL, 0),
    FIELD(request, 6, handler, ID, OPTIONAL, 0),
};
SCHEMA(request);

FIELDS(response) = {
    FIELD(response, 1, outcome, UINT, REQUIRED, UINT16_MAX),
    FIELD(response, 2, type, UINT, OPTIONAL, UINT8_MAX),
    FIELD(response, 3, message, TEXT, OPTIONAL, TEXT_BYTES_MAX),
};
SCHEMA(response);

FIELDS(registration) = {
    FIELD(registration, 1, kind, UINT, REQUIRED, UINT8_MAX),
    FIELD(registration, 2, path, TEXT, REQUIRED, PATH_BYTES_MAX),
};
SCHEMA(registration);
