/* messages.c - see messages.h. */
#include "tests/unit/proto/messages.h"

#include "proto/authentication.h"
#include "proto/command.h"
#include "proto/event.h"
#include "proto/gossip.h"
#include "proto/log.h"
#include "proto/missing.h"
#include "proto/topic.h"

enum { POOL_BYTES = 1 << 20, RANDOM_RUN_BYTES_MAX = 70000 };

static uint8_t pool[POOL_BYTES];

const struct schema *const message_schemas[] = {
    &client_hello_schema,  &client_welcome_schema, &client_refused_schema,
    &client_grant_schema,  &client_goodbye_schema, &client_error_schema,
    &property_schema,      &node_address_schema,   &request_schema,
    &response_schema,      &registration_schema,   &command_schema,
    &result_schema,        &node_answer_schema,    &session_row_schema,
    &member_row_schema,    &handler_row_schema,    &status_row_schema,
    &counter_row_schema,   &log_entries_schema,    &log_pull_schema,
    &log_snapshot_schema,  &log_heads_schema,      &log_head_schema,
    &member_record_schema, &gossip_join_schema,    &gossip_challenge_schema,
    &gossip_swim_schema,   &listen_schema,         &event_schema,
    &session_item_schema,  &verdict_row_schema,    &role_schema,
    &log_collect_schema,   &log_collected_schema,  &subscription_schema,
    &topic_update_schema,  &unsubscribed_schema,   &topic_set_schema,
    &topic_remove_schema,  &topic_path_schema,     &topic_result_schema,
    &topic_fetch_schema,   &topic_rows_schema,     &topic_row_schema,
    &spread_schema,        &part_schema,           &authenticate_schema,
    &decision_schema,      &reauthenticate_schema, &missing_topic_schema,
};
const size_t message_schemas_count = sizeof message_schemas / sizeof message_schemas[0];

const struct schema *message_schema_named(const char *name)
{
    for (size_t i = 0; i < message_schemas_count; i++) {
        if (strcmp(message_schemas[i]->name, name) == 0)
            return message_schemas[i];
    }
    return NULL;
}

uint64_t random_next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t message_uint(const struct field *field, const void *message)
{
    const uint8_t *member = reader_member(message, field->offset);
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (field->width) {
    case 1:
        memcpy(&u8, member, sizeof u8);
        return u8;
    case 2:
        memcpy(&u16, member, sizeof u16);
        return u16;
    case 4:
        memcpy(&u32, member, sizeof u32);
        return u32;
    default:
        memcpy(&u64, member, sizeof u64);
        return u64;
    }
}

void message_uint_set(const struct field *field, void *message, uint64_t value)
{
    uint8_t *member = writer_member(message, field->offset);
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    switch (field->width) {
    case 1:
        memcpy(member, &u8, sizeof u8);
        break;
    case 2:
        memcpy(member, &u16, sizeof u16);
        break;
    case 4:
        memcpy(member, &u32, sizeof u32);
        break;
    default:
        memcpy(member, &value, sizeof value);
        break;
    }
}

/* Integers of every length on the wire, and the ends of the range. */
static uint64_t random_uint(uint64_t *seed, uint64_t max)
{
    uint64_t value = random_next(seed) >> (random_next(seed) % 64);
    return random_next(seed) % 8 == 0 ? max : value > max ? value % max : value;
}

/* Lengths on both sides of each step in the encoding of lengths. */
static size_t random_length(uint64_t *seed, uint64_t max)
{
    static const size_t lengths[] = {1, 7, 8, 9, 20, 253, 254, 255, 256, 65535, 65536};
    size_t most = max < RANDOM_RUN_BYTES_MAX ? (size_t)max : RANDOM_RUN_BYTES_MAX;
    uint64_t draw = random_next(seed);
    size_t length = draw % 4 == 0 ? most : lengths[draw / 4 % (sizeof lengths / sizeof lengths[0])];
    return length < most ? length : most;
}

static struct span random_run(const struct field *field, uint64_t *seed, size_t *pool_used)
{
    static const char characters[] = "weft/\xc3\xa9\xe2\x82\xac\xf0\x9f\xa7\xb5";
    size_t length = random_length(seed, field->max);
    if (length > POOL_BYTES - *pool_used)
        length = POOL_BYTES - *pool_used;
    uint8_t *run = &pool[*pool_used];
    *pool_used += length;
    for (size_t i = 0; i < length; i++)
        run[i] = field->type == FIELD_TEXT ? (uint8_t)('a' + i % 26) : (uint8_t)random_next(seed);
    if (field->type == FIELD_TEXT && length >= sizeof characters)
        memcpy(run, characters, sizeof characters - 1);
    return span_of(run, length);
}

void message_random(const struct schema *schema, uint64_t *seed, void *message)
{
    size_t pool_used = 0;
    memset(message, 0, schema->struct_bytes);
    for (size_t i = 0; i < schema->fields_count; i++) {
        const struct field *field = &schema->fields[i];
        void *member = writer_member(message, field->offset);
        struct session_id id;
        struct span run;
        bool flag = true;
        if (random_next(seed) % 2 == 0)
            continue;
        switch (field->type) {
        case FIELD_UINT:
            message_uint_set(field, message, random_uint(seed, field->max));
            break;
        case FIELD_BOOL:
            memcpy(member, &flag, sizeof flag);
            break;
        case FIELD_ID:
            id.instance = random_next(seed);
            id.serial = random_next(seed);
            memcpy(member, &id, sizeof id);
            break;
        case FIELD_TEXT:
        case FIELD_BYTES:
        case FIELD_GROUPS:
            run = random_run(field, seed, &pool_used);
            memcpy(member, &run, sizeof run);
            break;
        }
    }
}

static bool member_equal(const struct field *field, const void *a, const void *b)
{
    const void *member_a = reader_member(a, field->offset);
    const void *member_b = reader_member(b, field->offset);
    struct span run_a;
    struct span run_b;
    switch (field->type) {
    case FIELD_UINT:
        return message_uint(field, a) == message_uint(field, b);
    case FIELD_BOOL:
        return memcmp(member_a, member_b, sizeof(bool)) == 0;
    case FIELD_ID:
        return memcmp(member_a, member_b, sizeof(struct session_id)) == 0;
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_GROUPS:
        memcpy(&run_a, member_a, sizeof run_a);
        memcpy(&run_b, member_b, sizeof run_b);
        return span_equal(run_a, run_b);
    }
    return false;
}

bool message_equal(const struct schema *schema, const void *a, const void *b)
{
    for (size_t i = 0; i < schema->fields_count; i++) {
        if (!member_equal(&schema->fields[i], a, b))
            return false;
    }
    return true;
}

size_t message_fields_encode(const struct schema *schema, const void *message, void *buffer,
                             size_t bytes_max)
{
    struct writer writer;
    size_t bytes = schema_measure(schema, message);
    writer_init(&writer, buffer, bytes <= bytes_max ? bytes : 0);
    schema_encode(schema, message, &writer);
    return writer.is_bad || writer.left != 0 ? SIZE_MAX : bytes;
}
