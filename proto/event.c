/* event.c - the tables of event.h. */
#include "proto/event.h"

#include "proto/envelope.h"
#include "proto/field.h"

FIELDS(listen) = {
    FIELD(listen, 1, what, UINT, REQUIRED, UINT8_MAX),
    FIELD(listen, 2, filter, TEXT, OPTIONAL, FILTER_BYTES_MAX),
    FIELD(listen, 3, keys, TEXT, OPTIONAL, KEYS_BYTES_MAX),
    FIELD(listen, 4, listener, ID, OPTIONAL, 0),
    FIELD(listen, 5, number, UINT, OPTIONAL, UINT64_MAX),
    FIELD(listen, 6, epoch, UINT, OPTIONAL, UINT32_MAX),
    FIELD(listen, 7, slice, UINT, OPTIONAL, UINT32_MAX),
};
SCHEMA(listen);

FIELDS(event) = {
    FIELD(event, 1, what, UINT, REQUIRED, UINT8_MAX),
    FIELD(event, 2, event, UINT, REQUIRED, UINT8_MAX),
    FIELD(event, 3, node, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(event, 4, zone, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(event, 5, instance, UINT, OPTIONAL, UINT64_MAX),
    FIELD(event, 6, sequence, UINT, OPTIONAL, UINT64_MAX),
    FIELD(event, 7, session, ID, OPTIONAL, 0),
    FIELD(event, 8, state, UINT, OPTIONAL, UINT8_MAX),
    FIELD(event, 9, reason, UINT, OPTIONAL, UINT8_MAX),
    FIELD(event, 10, is_resync, BOOL, OPTIONAL, 0),
    FIELD(event, 11, number, UINT, OPTIONAL, UINT64_MAX),
    FIELD(event, 12, epoch, UINT, OPTIONAL, UINT32_MAX),
    FIELD(event, 13, is_slice, BOOL, OPTIONAL, 0),
    FIELD(event, 14, is_last, BOOL, OPTIONAL, 0),
    FIELD(event, 15, code, UINT, OPTIONAL, UINT16_MAX),
};
SCHEMA(event);

FIELDS(session_item) = {
    FIELD(session_item, 1, id, ID, REQUIRED, 0),
    FIELD(session_item, 2, event, UINT, REQUIRED, UINT8_MAX),
    FIELD(session_item, 3, state, UINT, OPTIONAL, UINT8_MAX),
    FIELD(session_item, 4, reason, UINT, OPTIONAL, UINT8_MAX),
    FIELD(session_item, 5, properties, GROUPS, OPTIONAL, CLIENT_MESSAGE_BYTES_MAX),
};
SCHEMA(session_item);

const char *event_member_news_name(unsigned number)
{
    switch ((enum member_news)number) {
#define MEMBER_NEWS_NAME(value, name, text, what)                                                  \
    case MEMBER_NEWS_##name:                                                                       \
        return text;
        MEMBER_NEWS_LIST(MEMBER_NEWS_NAME)
#undef MEMBER_NEWS_NAME
    }
    return "unknown";
}

const char *event_session_news_name(unsigned number)
{
    switch ((enum session_news)number) {
#define SESSION_NEWS_NAME(value, name, text, what)                                                 \
    case SESSION_NEWS_##name:                                                                      \
        return text;
        SESSION_NEWS_LIST(SESSION_NEWS_NAME)
#undef SESSION_NEWS_NAME
    }
    return "unknown";
}
