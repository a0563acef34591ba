/* keys.h - knows the keys that are weft's own: a fixed list, each a number, so that nothing
 * searches for them. They are in the order of their names.
 * Memory: constant. Thread: plain data. */
#ifndef WEFT_MESH_FILTER_KEYS_H
#define WEFT_MESH_FILTER_KEYS_H

#include "proto/span.h"

/* X(NAME, as written) */
#define KEY_LIST(X)                                                                                \
    X(CLIENT_IP, "$ClientIP")                                                                      \
    X(CLIENT_TYPE, "$ClientType")                                                                  \
    X(CONNECTOR, "$Connector")                                                                     \
    X(COUNTRY, "$Country")                                                                         \
    X(ENVIRONMENT, "$Environment")                                                                 \
    X(LANGUAGE, "$Language")                                                                       \
    X(LATITUDE, "$Latitude")                                                                       \
    X(LONGITUDE, "$Longitude")                                                                     \
    X(PRINCIPAL, "$Principal")                                                                     \
    X(ROLES, "$Roles")                                                                             \
    X(SERVER_NAME, "$ServerName")                                                                  \
    X(SESSION_ID, "$SessionId")                                                                    \
    X(START_TIME, "$StartTime")                                                                    \
    X(TRANSPORT, "$Transport")

enum key {
#define KEY_ENUM(name, text) KEY_##name,
    KEY_LIST(KEY_ENUM)
#undef KEY_ENUM
        KEYS,
    KEY_USER = KEYS, /* none of them: a client's own, or an unknown one with a $ */
};

/* The number of a key; KEY_USER for any other text. */
enum key key_of(struct span text);

/* As it is written; key < KEYS. */
struct span key_text(enum key key);

#endif
