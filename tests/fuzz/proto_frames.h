/* proto_frames.h - what the fuzz targets of proto/ and its unit tests share: which table belongs to
 * which kind, and a walk through a frame down to its last group, which traps when what was decoded
 * does not come back.
 * Memory: static buffers. Thread: one. */
#ifndef WEFT_TESTS_FUZZ_PROTO_FRAMES_H
#define WEFT_TESTS_FUZZ_PROTO_FRAMES_H

#include <stdalign.h>

#include "proto/authentication.h"
#include "proto/command.h"
#include "proto/envelope.h"
#include "proto/event.h"
#include "proto/gossip.h"
#include "proto/kinds.h"
#include "proto/log.h"
#include "proto/missing.h"
#include "proto/ownership.h"
#include "proto/topic_entry.h"

enum { FRAME_STRUCT_BYTES_MAX = 512, FRAME_FIELDS_BYTES_MAX = 1 << 20 };

/* The schema of a kind's fields; NULL for a kind without fields and for an unknown one. */
static inline const struct schema *frame_schema(unsigned kind)
{
    static const struct schema *const schemas[] = {
        [KIND_HELLO] = &client_hello_schema,
        [KIND_WELCOME] = &client_welcome_schema,
        [KIND_REFUSED] = &client_refused_schema,
        [KIND_GRANT] = &client_grant_schema,
        [KIND_GOODBYE] = &client_goodbye_schema,
        [KIND_ERROR] = &client_error_schema,
        [KIND_REQUEST] = &request_schema,
        [KIND_RESPONSE] = &response_schema,
        [KIND_REGISTER] = &registration_schema,
        [KIND_UNREGISTER] = &registration_schema,
        [KIND_LISTEN] = &listen_schema,
        [KIND_UNLISTEN] = &listen_schema,
        [KIND_EVENT] = &event_schema,
        [KIND_AUTHENTICATE] = &authenticate_schema,
        [KIND_DECISION] = &decision_schema,
        [KIND_REAUTHENTICATE] = &reauthenticate_schema,
        [KIND_MISSING_TOPIC] = &missing_topic_schema,
        [KIND_COMMAND] = &command_schema,
        [KIND_RESULT] = &result_schema,
        [KIND_SPREAD] = &spread_schema,
        [KIND_PART] = &part_schema,
        [KIND_LOG_ENTRIES] = &log_entries_schema,
        [KIND_LOG_PULL] = &log_pull_schema,
        [KIND_LOG_SNAPSHOT] = &log_snapshot_schema,
        [KIND_LOG_HEADS] = &log_heads_schema,
        [KIND_LOG_COLLECT] = &log_collect_schema,
        [KIND_LOG_COLLECTED] = &log_collected_schema,
        [KIND_JOIN] = &gossip_join_schema,
        [KIND_CHALLENGE] = &gossip_challenge_schema,
        [KIND_SWIM_PING] = &gossip_swim_schema,
        [KIND_SWIM_ACK] = &gossip_swim_schema,
        [KIND_SWIM_PING_REQUEST] = &gossip_swim_schema,
        [KIND_SWIM_NACK] = &gossip_swim_schema,
        [KIND_SWIM_NEWS] = &gossip_swim_schema,
        [KIND_SWIM_SYNC] = &gossip_swim_schema,
        [KIND_SUBSCRIBE] = &subscription_schema,
        [KIND_UNSUBSCRIBE] = &subscription_schema,
        [KIND_UPDATE] = &topic_update_schema,
        [KIND_UNSUBSCRIBED] = &unsubscribed_schema,
        [KIND_SET] = &topic_set_schema,
        [KIND_REMOVE] = &topic_remove_schema,
        [KIND_FETCH] = &topic_fetch_schema,
        [KIND_TOPIC] = &topic_result_schema,
        [KIND_TOPICS] = &topic_rows_schema,
    };
    return kind < sizeof schemas / sizeof schemas[0] ? schemas[kind] : NULL;
}

/* The schema of the groups in a kind's body; NULL: no groups, or of several sorts. */
static inline const struct schema *frame_body_schema(unsigned kind)
{
    if (kind == KIND_HELLO || kind == KIND_AUTHENTICATE || kind == KIND_DECISION ||
        kind == KIND_MISSING_TOPIC)
        return &property_schema;
    if (kind == KIND_LOG_HEADS || kind == KIND_LOG_COLLECTED)
        return &log_head_schema;
    if (kind == KIND_REMOVE)
        return &topic_path_schema;
    if (kind == KIND_TOPICS)
        return &topic_row_schema;
    return kind == KIND_WELCOME || kind == KIND_REFUSED ? &node_address_schema : NULL;
}

static inline bool frame_is_log(unsigned kind)
{
    return kind == KIND_LOG_ENTRIES || kind == KIND_LOG_SNAPSHOT;
}

/* Which log a decoded LOG_ENTRIES or LOG_SNAPSHOT speaks of. */
static inline uint8_t frame_log_stream(unsigned kind, const void *decoded)
{
    size_t offset = kind == KIND_LOG_ENTRIES ? offsetof(struct log_entries, stream)
                                             : offsetof(struct log_snapshot, stream);
    uint8_t stream;
    memcpy(&stream, reader_member(decoded, offset), sizeof stream);
    return stream;
}

/* Whose log a decoded LOG_ENTRIES or LOG_SNAPSHOT speaks of. */
static inline uint64_t frame_log_writer(unsigned kind, const void *decoded)
{
    size_t offset = kind == KIND_LOG_ENTRIES ? offsetof(struct log_entries, writer)
                                             : offsetof(struct log_snapshot, writer);
    uint64_t writer;
    memcpy(&writer, reader_member(decoded, offset), sizeof writer);
    return writer;
}

/* What was decoded once is encoded in no more bytes, and is the same when decoded again. */
static inline void frame_check_back(const struct schema *schema, const void *message, size_t bytes)
{
    static uint8_t once[FRAME_FIELDS_BYTES_MAX];
    static uint8_t twice[FRAME_FIELDS_BYTES_MAX];
    alignas(16) uint8_t again[FRAME_STRUCT_BYTES_MAX];
    struct writer writer;
    size_t once_bytes = schema_measure(schema, message);
    if (once_bytes > bytes)
        __builtin_trap();
    if (once_bytes > sizeof once)
        return;
    writer_init(&writer, once, once_bytes);
    schema_encode(schema, message, &writer);
    if (writer.is_bad || writer.left != 0 || schema->struct_bytes > sizeof again ||
        schema_decode(schema, span_of(once, once_bytes), again) != ERROR_OK)
        __builtin_trap();
    writer_init(&writer, twice, once_bytes);
    schema_encode(schema, again, &writer);
    if (writer.is_bad || writer.left != 0 ||
        (once_bytes > 0 && memcmp(once, twice, once_bytes) != 0))
        __builtin_trap();
}

/* Walks a run of groups of one sort. */
static inline enum error frame_walk_groups(const struct schema *schema, struct span run)
{
    alignas(16) uint8_t message[FRAME_STRUCT_BYTES_MAX];
    enum error error;
    size_t before = run.bytes;
    while (group_next(schema, &run, message, &error)) {
        frame_check_back(schema, message, before - run.bytes);
        before = run.bytes;
    }
    return error;
}

/* Walks a run of entries of the ownership log. */
static inline enum error frame_walk_entries(struct span run, uint64_t writer_instance)
{
    struct ownership_entry entry;
    struct writer writer;
    uint8_t again[64 + PATH_BYTES_MAX + OWNERSHIP_VALUE_BYTES_MAX];
    enum error error;
    struct span before = run;
    while (ownership_entry_next(&run, writer_instance, &entry, &error)) {
        size_t bytes = ownership_entry_measure(&entry, writer_instance);
        writer_init(&writer, again, sizeof again);
        ownership_entry_encode(&entry, writer_instance, &writer);
        if (writer.is_bad || bytes != sizeof again - writer.left ||
            bytes > before.bytes - run.bytes)
            __builtin_trap();
        before = run;
    }
    return error;
}

/* Walks a run of entries of the topics log. */
static inline enum error frame_walk_topic_entries(struct span run)
{
    static uint8_t again[TOPIC_ENTRY_BYTES_MAX];
    struct topic_entry entry;
    struct writer writer;
    enum error error;
    struct span before = run;
    while (topic_entry_next(&run, &entry, &error)) {
        size_t bytes = topic_entry_measure(&entry);
        writer_init(&writer, again, sizeof again);
        topic_entry_encode(&entry, &writer);
        if (writer.is_bad || bytes != sizeof again - writer.left ||
            bytes != before.bytes - run.bytes || memcmp(again, before.data, bytes) != 0)
            __builtin_trap();
        before = run;
    }
    return error;
}

/* Walks one message: fields, groups in fields, groups or entries in the body. Returns the first
 * error and says in *part where: "fields" or "body". */
static inline enum error frame_walk_message(const struct message *message, const char **part)
{
    alignas(16) uint8_t decoded[FRAME_STRUCT_BYTES_MAX];
    const struct schema *schema = frame_schema(message->kind);
    const struct schema *body = frame_body_schema(message->kind);
    enum error error = ERROR_OK;
    *part = "fields";
    if (schema == NULL)
        return ERROR_OK;
    error = schema_decode(schema, message->fields, decoded);
    if (error != ERROR_OK)
        return error;
    frame_check_back(schema, decoded, message->fields.bytes);
    *part = "body";
    for (size_t i = 0; i < schema->fields_count && error == ERROR_OK; i++) {
        struct span run = {0};
        if (schema->fields[i].type == FIELD_GROUPS)
            memcpy(&run, reader_member(decoded, schema->fields[i].offset), sizeof run);
        error = frame_walk_groups(&member_record_schema, run);
    }
    if (error == ERROR_OK && body != NULL)
        error = frame_walk_groups(body, message->body);
    if (error != ERROR_OK || !frame_is_log(message->kind))
        return error;
    if (frame_log_stream(message->kind, decoded) == LOG_TOPICS)
        error = frame_walk_topic_entries(message->body);
    else
        error = frame_walk_entries(message->body, frame_log_writer(message->kind, decoded));
    return error;
}

/* Walks a whole frame; the first error, and where. */
static inline enum error frame_walk(struct span frame, enum channel channel, const char **part)
{
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error;
    *part = "envelope";
    reader_init(&reader, frame);
    error = envelope_decode(&reader, channel, &envelope);
    if (error != ERROR_OK)
        return error;
    while (message_next(&reader, &message, &error)) {
        enum error walked = frame_walk_message(&message, part);
        if (walked != ERROR_OK)
            return walked;
    }
    *part = "message";
    return error;
}

#endif
