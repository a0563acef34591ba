/* event.c - the tables of event.h. */
#include "proto/event.h"

#include "proto/field.h"

FIELDS(listen) = {
    FIELD(listen, 1, what, UINT, REQUIRED, UINT8_MAX),
};
SCHEMA(listen);

FIELDS(event) = {
    FIELD(event, 1, what, UINT, REQUIRED, UINT8_MAX),
    FIELD(event, 2, event, UINT, REQUIRED, UINT8_MAX),
    FIELD(event, 3, node, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(event, 4, zone, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(event, 5, instance, UINT, OPTIONAL, UINT64_MAX),
    FIELD(event, 6, sequence, UINT, OPTIONAL, UINT64_MAX),
};
SCHEMA(event);

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
