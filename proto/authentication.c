/* authentication.c - the tables of authentication.h. */
#include "proto/authentication.h"

#include "proto/client.h"
#include "proto/field.h"
#include "proto/request.h"

FIELDS(authenticate) = {
    FIELD(authenticate, 1, name, TEXT, REQUIRED, NAME_BYTES_MAX),
    FIELD(authenticate, 2, principal, TEXT, OPTIONAL, PRINCIPAL_BYTES_MAX),
    FIELD(authenticate, 3, credentials, BYTES, OPTIONAL, CREDENTIALS_BYTES_MAX),
    FIELD(authenticate, 4, timeout_ms, UINT, REQUIRED, REQUEST_TIMEOUT_MS_MAX),
    FIELD(authenticate, 5, session, ID, OPTIONAL, 0),
    FIELD(authenticate, 6, handler, ID, OPTIONAL, 0),
};
SCHEMA(authenticate);

FIELDS(decision) = {
    FIELD(decision, 1, code, UINT, REQUIRED, UINT8_MAX),
};
SCHEMA(decision);

FIELDS(reauthenticate) = {
    FIELD(reauthenticate, 1, principal, TEXT, OPTIONAL, PRINCIPAL_BYTES_MAX),
    FIELD(reauthenticate, 2, credentials, BYTES, OPTIONAL, CREDENTIALS_BYTES_MAX),
};
SCHEMA(reauthenticate);
