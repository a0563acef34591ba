/* test_vectors.c - holds the code to proto/vectors.json, both ways. The file is made by an encoder
 * that knows the tables from proto/README.md alone, so this also holds code and page together. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/proto_frames.h"
#include "tests/unit/proto/messages.h"

enum { FILE_BYTES_MAX = 1 << 20, FRAME_BYTES_MAX = 1 << 16, POOL_BYTES = 1 << 16 };

static uint8_t pool[POOL_BYTES];
static size_t pool_used;
static cJSON *vectors;

static void vectors_load(void)
{
    static char text[FILE_BYTES_MAX];
    FILE *file = fopen(WEFT_SOURCE_DIR "/proto/vectors.json", "rb");
    cr_assert_not_null(file);
    size_t bytes = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[bytes] = '\0';
    vectors = cJSON_Parse(text);
    cr_assert_not_null(vectors);
}

static void vectors_unload(void)
{
    cJSON_Delete(vectors);
}

TestSuite(vectors, .init = vectors_load, .fini = vectors_unload);

static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    cr_assert_not_null(item, "a vector lacks %s", name);
    return item;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = member(object, name);
    cr_assert(cJSON_IsString(item), "%s is no string", name);
    return item->valuestring;
}

/* A number, or a string that holds one. */
static uint64_t number_of(const cJSON *item)
{
    return cJSON_IsString(item) ? strtoull(item->valuestring, NULL, 0)
                                : (uint64_t)cJSON_GetNumberValue(item);
}

static unsigned nibble(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* The bytes that a hexadecimal string means, in the pool until the next vector. */
static struct span from_hex(const char *hex)
{
    size_t bytes = strlen(hex) / 2;
    uint8_t *out = &pool[pool_used];
    cr_assert_leq(bytes, sizeof pool - pool_used);
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    pool_used += bytes;
    return span_of(out, bytes);
}

static struct session_id id_of(const char *text)
{
    struct session_id id;
    cr_assert_eq(sscanf(text, "%16" SCNx64 "-%16" SCNx64, &id.instance, &id.serial), 2);
    return id;
}

static const struct field *field_named(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->fields_count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    }
    cr_assert(false, "%s has no field %s", schema->name, name);
    return NULL;
}

static void field_fill(const struct field *field, const cJSON *item, void *message)
{
    void *place = writer_member(message, field->offset);
    struct session_id id;
    struct span run;
    bool flag;
    switch (field->type) {
    case FIELD_UINT:
        message_uint_set(field, message, number_of(item));
        break;
    case FIELD_BOOL:
        flag = cJSON_IsTrue(item);
        memcpy(place, &flag, sizeof flag);
        break;
    case FIELD_ID:
        id = id_of(item->valuestring);
        memcpy(place, &id, sizeof id);
        break;
    case FIELD_TEXT:
        run = span_text(item->valuestring);
        memcpy(place, &run, sizeof run);
        break;
    case FIELD_BYTES:
    case FIELD_GROUPS:
        run = from_hex(item->valuestring);
        memcpy(place, &run, sizeof run);
        break;
    }
}

/* The struct that a vector's fields speak of. */
static void message_fill(const struct schema *schema, const cJSON *fields, void *message)
{
    const cJSON *item;
    memset(message, 0, schema->struct_bytes);
    cJSON_ArrayForEach(item, fields)
    {
        field_fill(field_named(schema, item->string), item, message);
    }
}

static enum channel channel_named(const char *name)
{
    if (strcmp(name, "client") == 0)
        return CHANNEL_CLIENT;
    return strcmp(name, "gossip") == 0 ? CHANNEL_GOSSIP : CHANNEL_FORWARD;
}

static uint8_t kind_named(const char *name)
{
    for (uint8_t kind = 1; kind < UINT8_MAX; kind++) {
        if (strcmp(kind_name(kind), name) == 0)
            return kind;
    }
    cr_assert(false, "there is no kind %s", name);
    return 0;
}

static struct envelope envelope_of(const cJSON *vector)
{
    const cJSON *json = member(vector, "envelope");
    struct envelope envelope = {.version = (uint8_t)number_of(member(json, "version")),
                                .channel = channel_named(text_of(vector, "channel"))};
    if (envelope.channel != CHANNEL_CLIENT) {
        envelope.mesh = number_of(member(json, "mesh"));
        envelope.sender = number_of(member(json, "sender"));
        envelope.receiver = number_of(member(json, "receiver"));
        envelope.sequence = number_of(member(json, "sequence"));
    }
    return envelope;
}

static void groups_check(const cJSON *groups, struct span run)
{
    const struct schema *schema = message_schema_named(text_of(groups, "of"));
    const cJSON *item;
    struct any_message decoded;
    struct any_message expected;
    struct writer writer;
    enum error error;
    static uint8_t encoded[FRAME_BYTES_MAX];
    struct span rest = run;
    cr_assert_not_null(schema);
    writer_init(&writer, encoded, sizeof encoded);
    cJSON_ArrayForEach(item, member(groups, "list"))
    {
        message_fill(schema, item, &expected);
        cr_assert(group_next(schema, &rest, &decoded, &error), "%s", schema->name);
        cr_assert(message_equal(schema, &expected, &decoded), "%s", schema->name);
        group_encode(schema, &expected, &writer);
    }
    cr_assert(!group_next(schema, &rest, &decoded, &error));
    cr_assert_eq(error, ERROR_OK);
    cr_assert(span_equal(run, span_of(encoded, sizeof encoded - writer.left)), "%s", schema->name);
}

static void groups_in_check(const struct schema *schema, const cJSON *groups_in,
                            const void *message)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, groups_in)
    {
        struct span run;
        memcpy(&run, reader_member(message, field_named(schema, item->string)->offset), sizeof run);
        groups_check(item, run);
    }
}

static uint64_t number_or_0(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return item == NULL ? 0 : number_of(item);
}

static struct ownership_entry entry_of(const cJSON *json)
{
    const cJSON *path = cJSON_GetObjectItemCaseSensitive(json, "path");
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");
    return (struct ownership_entry){
        .type = (enum ownership_entry_type)number_of(member(json, "type")),
        .session = id_of(text_of(json, "session")),
        .state = (uint8_t)number_or_0(json, "state"),
        .claim = (uint32_t)number_or_0(json, "claim"),
        .handler_kind = (uint8_t)number_or_0(json, "handler_kind"),
        .path = path == NULL ? (struct span){0} : span_text(path->valuestring),
        .value = value == NULL ? (struct span){0} : span_text(value->valuestring),
    };
}

static void entries_check(const cJSON *entries, struct span run)
{
    static uint8_t encoded[FRAME_BYTES_MAX];
    uint64_t writer_instance = number_of(member(entries, "writer"));
    const cJSON *item;
    struct ownership_entry decoded;
    struct writer writer;
    enum error error;
    struct span rest = run;
    writer_init(&writer, encoded, sizeof encoded);
    cJSON_ArrayForEach(item, member(entries, "list"))
    {
        struct ownership_entry expected = entry_of(item);
        cr_assert(ownership_entry_next(&rest, writer_instance, &decoded, &error));
        cr_assert_eq(decoded.type, expected.type);
        cr_assert(session_id_equal(decoded.session, expected.session));
        cr_assert_eq(decoded.state, expected.state);
        cr_assert_eq(decoded.handler_kind, expected.handler_kind);
        cr_assert_eq(decoded.claim, expected.claim);
        cr_assert(span_equal(decoded.path, expected.path));
        cr_assert(span_equal(decoded.value, expected.value));
        ownership_entry_encode(&expected, writer_instance, &writer);
    }
    cr_assert(!ownership_entry_next(&rest, writer_instance, &decoded, &error));
    cr_assert(span_equal(run, span_of(encoded, sizeof encoded - writer.left)));
}

static struct topic_entry topic_entry_of(const cJSON *json)
{
    const cJSON *path = cJSON_GetObjectItemCaseSensitive(json, "path");
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");
    const cJSON *rest = cJSON_GetObjectItemCaseSensitive(json, "rest");
    const cJSON *creator = cJSON_GetObjectItemCaseSensitive(json, "creator");
    return (struct topic_entry){
        .type = (uint8_t)number_of(member(json, "type")),
        .position = number_of(member(json, "position")),
        .term = number_or_0(json, "term"),
        .instance = number_or_0(json, "instance"),
        .n = number_or_0(json, "n"),
        .path = path == NULL ? (struct span){0} : span_text(path->valuestring),
        .rest = rest == NULL ? (struct span){0} : from_hex(rest->valuestring),
        .value_type = (uint8_t)number_or_0(json, "value_type"),
        .policy = (uint8_t)number_or_0(json, "policy"),
        .creator = creator == NULL ? (struct session_id){0} : id_of(creator->valuestring),
        .value = value == NULL ? (struct span){0} : from_hex(value->valuestring),
    };
}

static void topic_entries_check(const cJSON *entries, struct span run)
{
    static uint8_t encoded[FRAME_BYTES_MAX];
    const cJSON *item;
    struct topic_entry decoded;
    struct writer writer;
    enum error error;
    struct span rest = run;
    writer_init(&writer, encoded, sizeof encoded);
    cJSON_ArrayForEach(item, entries)
    {
        struct topic_entry expected = topic_entry_of(item);
        cr_assert(topic_entry_next(&rest, &decoded, &error));
        cr_assert_eq(decoded.type, expected.type);
        cr_assert_eq(decoded.position, expected.position);
        cr_assert_eq(decoded.term, expected.term);
        cr_assert_eq(decoded.instance, expected.instance);
        cr_assert_eq(decoded.n, expected.n);
        cr_assert_eq(decoded.value_type, expected.value_type);
        cr_assert_eq(decoded.policy, expected.policy);
        cr_assert(session_id_equal(decoded.creator, expected.creator));
        cr_assert(span_equal(decoded.path, expected.path));
        cr_assert(span_equal(decoded.value, expected.value));
        topic_entry_encode(&expected, &writer);
    }
    cr_assert(!topic_entry_next(&rest, &decoded, &error));
    cr_assert(span_equal(run, span_of(encoded, sizeof encoded - writer.left)));
}

/* Takes the one message of a vector's frame. */
static struct message frame_open(const cJSON *vector, struct span frame)
{
    const char *name = text_of(vector, "name");
    struct envelope expected = envelope_of(vector);
    struct envelope envelope;
    struct reader reader;
    struct message message;
    struct message none;
    enum error error;
    reader_init(&reader, frame);
    cr_assert_eq(envelope_decode(&reader, expected.channel, &envelope), ERROR_OK, "%s", name);
    cr_assert_eq(envelope.version, expected.version, "%s", name);
    cr_assert_eq(envelope.mesh, expected.mesh, "%s", name);
    cr_assert_eq(envelope.sender, expected.sender, "%s", name);
    cr_assert_eq(envelope.receiver, expected.receiver, "%s", name);
    cr_assert_eq(envelope.sequence, expected.sequence, "%s", name);
    cr_assert(message_next(&reader, &message, &error), "%s", name);
    cr_assert(!message_next(&reader, &none, &error), "%s", name);
    cr_assert_eq(error, ERROR_OK, "%s", name);
    return message;
}

/* Holds a decoded frame to what the vector says; `expected` becomes the struct it speaks of. */
static void decode_check(const cJSON *vector, struct span frame, struct any_message *expected)
{
    const char *name = text_of(vector, "name");
    struct message message = frame_open(vector, frame);
    const struct schema *schema = frame_schema(message.kind);
    const cJSON *groups = cJSON_GetObjectItemCaseSensitive(vector, "groups");
    const cJSON *groups_in = cJSON_GetObjectItemCaseSensitive(vector, "groups_in");
    const cJSON *entries = cJSON_GetObjectItemCaseSensitive(vector, "entries");
    const cJSON *topics = cJSON_GetObjectItemCaseSensitive(vector, "topic_entries");
    struct any_message decoded;
    cr_assert_eq(message.kind, kind_named(text_of(vector, "kind")), "%s", name);
    cr_assert_eq(message.flags, number_of(member(vector, "flags")), "%s", name);
    cr_assert_eq(message.correlation, number_of(member(vector, "correlation")), "%s", name);
    cr_assert(span_equal(message.body, from_hex(text_of(vector, "body_hex"))), "%s", name);
    if (groups != NULL)
        groups_check(groups, message.body);
    if (entries != NULL)
        entries_check(entries, message.body);
    if (topics != NULL)
        topic_entries_check(topics, message.body);
    if (schema == NULL) {
        cr_assert_eq(cJSON_GetArraySize(member(vector, "fields")), 0);
        return;
    }
    message_fill(schema, member(vector, "fields"), expected);
    cr_assert_eq(schema_decode(schema, message.fields, &decoded), ERROR_OK, "%s", name);
    cr_assert(message_equal(schema, expected, &decoded), "%s", name);
    groups_in_check(schema, groups_in, &decoded);
}

static void encode_check(const cJSON *vector, struct span frame, const struct any_message *fields)
{
    static uint8_t encoded[FRAME_BYTES_MAX];
    const char *name = text_of(vector, "name");
    uint8_t kind = kind_named(text_of(vector, "kind"));
    struct envelope envelope = envelope_of(vector);
    struct span body = from_hex(text_of(vector, "body_hex"));
    struct writer writer;
    size_t bytes =
        envelope_bytes(envelope.channel) + message_measure(frame_schema(kind), fields) + body.bytes;
    cr_assert_eq(bytes, frame.bytes, "%s", name);
    writer_init(&writer, encoded, bytes);
    envelope_encode(&envelope, &writer);
    message_encode(frame_schema(kind), fields, kind, (uint8_t)number_of(member(vector, "flags")),
                   number_of(member(vector, "correlation")), body.bytes, &writer);
    writer_span(&writer, body);
    cr_assert(!writer.is_bad, "%s", name);
    cr_assert(memcmp(encoded, frame.data, bytes) == 0, "%s", name);
}

Test(vectors, valid_frames_mean_what_is_written_and_are_written_so)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(vectors, "valid"))
    {
        struct any_message fields;
        pool_used = 0;
        struct span frame = from_hex(text_of(vector, "hex"));
        decode_check(vector, frame, &fields);
        encode_check(vector, frame, &fields);
    }
}

Test(vectors, accepted_frames_mean_what_is_written)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(vectors, "accepted"))
    {
        struct any_message fields;
        pool_used = 0;
        decode_check(vector, from_hex(text_of(vector, "hex")), &fields);
    }
}

Test(vectors, batches_hold_their_messages_in_order)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(vectors, "batches"))
    {
        struct reader reader;
        struct envelope envelope;
        struct message message;
        enum error error;
        int count = 0;
        pool_used = 0;
        reader_init(&reader, from_hex(text_of(vector, "hex")));
        cr_assert_eq(envelope_decode(&reader, channel_named(text_of(vector, "channel")), &envelope),
                     ERROR_OK);
        while (message_next(&reader, &message, &error)) {
            const cJSON *kind = cJSON_GetArrayItem(member(vector, "kinds"), count);
            const cJSON *correlation = cJSON_GetArrayItem(member(vector, "correlations"), count);
            cr_assert_str_eq(kind_name(message.kind), kind->valuestring);
            cr_assert_eq(message.correlation, number_of(correlation));
            count++;
        }
        cr_assert_eq(error, ERROR_OK);
        cr_assert_eq(count, cJSON_GetArraySize(member(vector, "kinds")));
    }
}

Test(vectors, invalid_frames_are_refused_where_and_as_written)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(vectors, "invalid"))
    {
        const char *part;
        pool_used = 0;
        struct span frame = from_hex(text_of(vector, "hex"));
        /* A block of exactly that size: one byte too far is seen. */
        uint8_t *copy = malloc(frame.bytes + 1);
        memcpy(copy, frame.data, frame.bytes);
        enum error error = frame_walk(span_of(copy, frame.bytes),
                                      channel_named(text_of(vector, "channel")), &part);
        free(copy);
        cr_assert_str_eq(error_name(error), text_of(vector, "error"), "%s: %s",
                         text_of(vector, "name"), error_name(error));
        cr_assert_str_eq(part, text_of(vector, "part"), "%s: in the %s", text_of(vector, "name"),
                         part);
    }
}

/* Whether some list of groups, or the fields of some vector of that schema, name the field. */
static bool is_field_shown(const struct schema *schema, const char *field)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(vectors, "valid"))
    {
        const cJSON *runs[] = {cJSON_GetObjectItemCaseSensitive(vector, "groups"), NULL};
        const cJSON *inside = cJSON_GetObjectItemCaseSensitive(vector, "groups_in");
        runs[1] = inside == NULL ? NULL : inside->child;
        for (size_t i = 0; i < 2; i++) {
            const cJSON *item;
            if (runs[i] == NULL || strcmp(text_of(runs[i], "of"), schema->name) != 0)
                continue;
            cJSON_ArrayForEach(item, member(runs[i], "list"))
            {
                if (cJSON_HasObjectItem(item, field))
                    return true;
            }
        }
        if (frame_schema(kind_named(text_of(vector, "kind"))) == schema &&
            cJSON_HasObjectItem(member(vector, "fields"), field))
            return true;
    }
    return false;
}

Test(vectors, show_every_field_of_every_message)
{
    for (size_t i = 0; i < message_schemas_count; i++) {
        const struct schema *schema = message_schemas[i];
        for (size_t j = 0; j < schema->fields_count; j++)
            cr_expect(is_field_shown(schema, schema->fields[j].name), "no vector has %s.%s",
                      schema->name, schema->fields[j].name);
    }
}

Test(vectors, show_every_kind)
{
    for (unsigned kind = 1; kind < 256; kind++) {
        const cJSON *vector;
        bool is_shown = strcmp(kind_name(kind), "UNKNOWN_KIND") == 0;
        cJSON_ArrayForEach(vector, member(vectors, "valid"))
        {
            is_shown = is_shown || strcmp(text_of(vector, "kind"), kind_name(kind)) == 0;
        }
        cr_expect(is_shown, "no vector of %s", kind_name(kind));
    }
}
