/* missing.c - the table of missing.h. */
#include "proto/missing.h"

#include "proto/field.h"
#include "proto/request.h"

FIELDS(missing_topic) = {
    FIELD(missing_topic, 1, selector, TEXT, REQUIRED, PATH_BYTES_MAX),
    FIELD(missing_topic, 2, session, ID, REQUIRED, 0),
    FIELD(missing_topic, 3, nodes, TEXT, OPTIONAL, MISSING_NODES_BYTES_MAX),
    FIELD(missing_topic, 4, coalesced, UINT, OPTIONAL, UINT32_MAX),
    FIELD(missing_topic, 5, handler, ID, OPTIONAL, 0),
};
SCHEMA(missing_topic);
