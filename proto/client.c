/* client.c - the tables of client.h. */
#include "proto/client.h"

#include "proto/field.h"

FIELDS(client_hello) = {
    FIELD(client_hello, 1, version_min, UINT, REQUIRED, UINT8_MAX),
    FIELD(client_hello, 2, version_max, UINT, REQUIRED, UINT8_MAX),
    FIELD(client_hello, 3, mesh, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(client_hello, 4, client_type, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(client_hello, 5, environment, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(client_hello, 6, principal, TEXT, OPTIONAL, PRINCIPAL_BYTES_MAX),
    FIELD(client_hello, 7, credentials, BYTES, OPTIONAL, CREDENTIALS_BYTES_MAX),
    FIELD(client_hello, 8, reconnect_ms, UINT, OPTIONAL, UINT32_MAX),
    FIELD(client_hello, 9, session, ID, OPTIONAL, 0),
    FIELD(client_hello, 10, token, BYTES, OPTIONAL, TOKEN_BYTES),
    FIELD(client_hello, 11, received_seq, UINT, OPTIONAL, UINT64_MAX),
};
SCHEMA(client_hello);

FIELDS(client_welcome) = {
    FIELD(client_welcome, 1, version, UINT, REQUIRED, UINT8_MAX),
    FIELD(client_welcome, 2, session, ID, REQUIRED, 0),
    FIELD(client_welcome, 3, token, BYTES, OPTIONAL, TOKEN_BYTES),
    FIELD(client_welcome, 4, node, TEXT, REQUIRED, NAME_BYTES_MAX),
    FIELD(client_welcome, 5, mesh, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(client_welcome, 6, instance, UINT, OPTIONAL, UINT64_MAX),
    FIELD(client_welcome, 7, reconnect_ms, UINT, OPTIONAL, UINT32_MAX),
    FIELD(client_welcome, 8, message_bytes_max, UINT, OPTIONAL, UINT32_MAX),
    FIELD(client_welcome, 9, recovered, BOOL, OPTIONAL, 0),
    FIELD(client_welcome, 10, received_seq, UINT, OPTIONAL, UINT64_MAX),
    FIELD(client_welcome, 11, resumed_seq, UINT, OPTIONAL, UINT64_MAX),
};
SCHEMA(client_welcome);

FIELDS(client_refused) = {
    FIELD(client_refused, 1, code, UINT, REQUIRED, UINT16_MAX),
    FIELD(client_refused, 2, text, TEXT, OPTIONAL, TEXT_BYTES_MAX),
};
SCHEMA(client_refused);

FIELDS(client_grant) = {
    FIELD(client_grant, 1, received_seq, UINT, OPTIONAL, UINT64_MAX),
    FIELD(client_grant, 2, messages_limit, UINT, REQUIRED, UINT32_MAX),
    FIELD(client_grant, 3, bytes_limit, UINT, REQUIRED, UINT32_MAX),
};
SCHEMA(client_grant);

FIELDS(client_goodbye) = {
    FIELD(client_goodbye, 1, reason, UINT, REQUIRED, UINT8_MAX),
    FIELD(client_goodbye, 2, text, TEXT, OPTIONAL, TEXT_BYTES_MAX),
};
SCHEMA(client_goodbye);

FIELDS(client_error) = {
    FIELD(client_error, 1, code, UINT, REQUIRED, UINT16_MAX),
    FIELD(client_error, 2, text, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(client_error, 3, line, UINT, OPTIONAL, UINT32_MAX),
    FIELD(client_error, 4, column, UINT, OPTIONAL, UINT32_MAX),
};
SCHEMA(client_error);

FIELDS(property) = {
    FIELD(property, 1, key, TEXT, REQUIRED, PROPERTY_KEY_BYTES_MAX),
    FIELD(property, 2, value, TEXT, OPTIONAL, PROPERTY_VALUE_BYTES_MAX),
    FIELD(property, 3, is_absent, BOOL, OPTIONAL, 0),
};
SCHEMA(property);

FIELDS(node_address) = {
    FIELD(node_address, 1, node, TEXT, REQUIRED, NAME_BYTES_MAX),
    FIELD(node_address, 2, address, TEXT, REQUIRED, ADDRESS_BYTES_MAX),
};
SCHEMA(node_address);
