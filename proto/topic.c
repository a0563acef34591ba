/* topic.c - the tables of topic.h. */
#include "proto/topic.h"

#include "proto/client.h"
#include "proto/field.h"

FIELDS(subscription) = {
    FIELD(subscription, 1, selector, TEXT, REQUIRED, PATH_BYTES_MAX),
};
SCHEMA(subscription);

FIELDS(topic_update) = {
    FIELD(topic_update, 1, path, TEXT, REQUIRED, PATH_BYTES_MAX),
    FIELD(topic_update, 2, type, UINT, REQUIRED, UINT8_MAX),
    FIELD(topic_update, 3, term, UINT, REQUIRED, UINT64_MAX),
    FIELD(topic_update, 4, instance, UINT, REQUIRED, UINT64_MAX),
    FIELD(topic_update, 5, n, UINT, REQUIRED, UINT64_MAX),
    FIELD(topic_update, 6, is_snapshot, BOOL, OPTIONAL, 0),
    FIELD(topic_update, 7, is_resync, BOOL, OPTIONAL, 0),
};
SCHEMA(topic_update);

FIELDS(unsubscribed) = {
    FIELD(unsubscribed, 1, path, TEXT, OPTIONAL, PATH_BYTES_MAX),
    FIELD(unsubscribed, 2, selector, TEXT, OPTIONAL, PATH_BYTES_MAX),
    FIELD(unsubscribed, 3, reason, UINT, REQUIRED, UINT8_MAX),
    FIELD(unsubscribed, 4, term, UINT, OPTIONAL, UINT64_MAX),
    FIELD(unsubscribed, 5, instance, UINT, OPTIONAL, UINT64_MAX),
    FIELD(unsubscribed, 6, n, UINT, OPTIONAL, UINT64_MAX),
};
SCHEMA(unsubscribed);

FIELDS(topic_set) = {
    FIELD(topic_set, 1, path, TEXT, REQUIRED, PATH_BYTES_MAX),
    FIELD(topic_set, 2, type, UINT, REQUIRED, UINT8_MAX),
    FIELD(topic_set, 3, policy, UINT, OPTIONAL, UINT8_MAX),
    FIELD(topic_set, 4, mode, UINT, OPTIONAL, UINT8_MAX),
    FIELD(topic_set, 5, constraint, UINT, OPTIONAL, UINT8_MAX),
    FIELD(topic_set, 6, term, UINT, OPTIONAL, UINT64_MAX),
    FIELD(topic_set, 7, instance, UINT, OPTIONAL, UINT64_MAX),
    FIELD(topic_set, 8, n, UINT, OPTIONAL, UINT64_MAX),
    FIELD(topic_set, 9, expected_bytes, UINT, OPTIONAL, UINT32_MAX),
    FIELD(topic_set, 10, remove_with_session, BOOL, OPTIONAL, 0),
    FIELD(topic_set, 11, asker, ID, OPTIONAL, 0),
    FIELD(topic_set, 12, rights, UINT, OPTIONAL, UINT8_MAX),
};
SCHEMA(topic_set);

FIELDS(topic_remove) = {
    FIELD(topic_remove, 1, selector, TEXT, OPTIONAL, PATH_BYTES_MAX),
};
SCHEMA(topic_remove);

FIELDS(topic_path) = {
    FIELD(topic_path, 1, path, TEXT, REQUIRED, PATH_BYTES_MAX),
};
SCHEMA(topic_path);

FIELDS(topic_result) = {
    FIELD(topic_result, 1, code, UINT, REQUIRED, UINT16_MAX),
    FIELD(topic_result, 2, text, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(topic_result, 3, term, UINT, OPTIONAL, UINT64_MAX),
    FIELD(topic_result, 4, instance, UINT, OPTIONAL, UINT64_MAX),
    FIELD(topic_result, 5, n, UINT, OPTIONAL, UINT64_MAX),
    FIELD(topic_result, 6, count, UINT, OPTIONAL, UINT32_MAX),
    FIELD(topic_result, 7, position, UINT, OPTIONAL, UINT64_MAX),
};
SCHEMA(topic_result);

FIELDS(topic_fetch) = {
    FIELD(topic_fetch, 1, selector, TEXT, REQUIRED, PATH_BYTES_MAX),
    FIELD(topic_fetch, 2, limit, UINT, OPTIONAL, UINT32_MAX),
    FIELD(topic_fetch, 3, after, TEXT, OPTIONAL, PATH_BYTES_MAX),
    FIELD(topic_fetch, 4, without_values, BOOL, OPTIONAL, 0),
};
SCHEMA(topic_fetch);

FIELDS(topic_rows) = {
    FIELD(topic_rows, 1, code, UINT, REQUIRED, UINT16_MAX),
    FIELD(topic_rows, 2, text, TEXT, OPTIONAL, TEXT_BYTES_MAX),
    FIELD(topic_rows, 3, total, UINT, OPTIONAL, UINT32_MAX),
};
SCHEMA(topic_rows);

FIELDS(topic_row) = {
    FIELD(topic_row, 1, path, TEXT, REQUIRED, PATH_BYTES_MAX),
    FIELD(topic_row, 2, type, UINT, REQUIRED, UINT8_MAX),
    FIELD(topic_row, 3, policy, UINT, OPTIONAL, UINT8_MAX),
    FIELD(topic_row, 4, term, UINT, REQUIRED, UINT64_MAX),
    FIELD(topic_row, 5, instance, UINT, REQUIRED, UINT64_MAX),
    FIELD(topic_row, 6, n, UINT, REQUIRED, UINT64_MAX),
    FIELD(topic_row, 7, value, BYTES, OPTIONAL, TOPIC_VALUE_BYTES_MAX),
    FIELD(topic_row, 8, value_bytes, UINT, OPTIONAL, UINT32_MAX),
    FIELD(topic_row, 9, creator, ID, OPTIONAL, 0),
};
SCHEMA(topic_row);

const char *topic_policy_name(unsigned number)
{
    switch ((enum topic_policy)number) {
#define POLICY_NAME(value, name, text, what)                                                       \
    case TOPIC_POLICY_##name:                                                                      \
        return text;
        TOPIC_POLICY_LIST(POLICY_NAME)
#undef POLICY_NAME
    case TOPIC_POLICIES:
        break;
    }
    return "unknown";
}

const char *topic_unsubscribed_name(unsigned number)
{
    switch ((enum unsubscribed_reason)number) {
#define REASON_NAME(value, name, text)                                                             \
    case UNSUBSCRIBED_##name:                                                                      \
        return text;
        UNSUBSCRIBED_LIST(REASON_NAME)
#undef REASON_NAME
    }
    return "unknown";
}

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

struct span topic_marks_encoded(unsigned marks)
{
    /* Tag, length, value: the fields 6 and 7 of topic_update. */
    static const uint8_t both[] = {6, 1, 1, 7, 1, 1};
    static const struct {
        uint8_t from, bytes;
    } runs[TOPIC_MARKS] = {{0, 0}, {0, 3}, {3, 3}, {0, 6}};
    marks %= TOPIC_MARKS;
    return span_of(&both[runs[marks].from], runs[marks].bytes);
}

int topic_version_order(const struct topic_version *a, const struct topic_version *b)
{
    if (a->term != b->term)
        return order(a->term, b->term);
    return a->instance != b->instance ? order(a->instance, b->instance) : order(a->n, b->n);
}

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t topic_path_hash(struct span path)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < path.bytes; i++)
        hash = (hash ^ path.data[i]) * UINT64_C(0x100000001b3);
    return mix(hash);
}

uint64_t topic_weight(uint64_t path_hash, uint64_t instance)
{
    return mix(path_hash ^ mix(instance));
}
