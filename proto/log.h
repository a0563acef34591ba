/* log.h - the messages that spread single-writer logs between nodes.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_LOG_H
#define WEFT_PROTO_LOG_H

#include "proto/schema.h"

enum log_stream { LOG_OWNERSHIP = 1, LOG_TOPICS = 2 };

enum { LOG_CURSOR_BYTES_MAX = 2048 };

/* KIND_LOG_ENTRIES: versions first..last of the writer's log. Body: the entries, in the stream's
 * own encoding (proto/ownership.h, proto/topic_entry.h). Without entries (last is first - 1) it
 * only says where the log stands. Pushed by the writer: correlation 0. The answer to a pull: the
 * pull's. */
struct log_entries {
    uint64_t writer; /* instance id; its own, or one the sender has a replica of */
    uint8_t stream;  /* enum log_stream */
    uint64_t first, last;
    uint64_t head; /* the log's, as the sender has it; last or more */
};

/* KIND_LOG_PULL: "I have this writer up to `have`; send what follows, or a piece of a snapshot".
 * Answered once, with entries or with one chunk, and asked again until nothing is missing: the
 * receiver sets the pace, and may go on with another peer wherever it stands. */
struct log_pull {
    uint64_t writer;
    uint8_t stream;
    uint64_t have;
    struct span cursor; /* in a snapshot: where it stands, in the stream's own encoding */
};

/* KIND_LOG_SNAPSHOT: one chunk of the state at version `head`, correlation as the pull's. Body:
 * entries in ascending order of their keys, all above the pull's cursor. After the last chunk the
 * receiver replaces its replica and pulls the entries above the lowest head it was told. */
struct log_snapshot {
    uint64_t writer;
    uint8_t stream;
    uint64_t head;
    bool is_last;
};

/* KIND_LOG_HEADS: what the sender has of all live writers' logs. Without a body: only the hash of
 * it; whoever has another hash answers with its own. Body: groups of log_head. */
struct log_heads {
    uint8_t stream;
    uint64_t hash; /* equal heads, equal hashes */
};

/* KIND_LOG_COLLECT: "I am about to write on behalf of others, whose log I may not have to the end;
 * how far have you come with everybody's, the dead included?" Answered once the receiver has the
 * asker's own log up to `head`; until then it is ignored, and asked again. KIND_LOG_COLLECTED: the
 * answer. Body: groups of log_head, all the sender knows of, itself first. */
struct log_collect {
    uint8_t stream;
    uint64_t head;
};

struct log_collected {
    uint8_t stream;
};

/* A group: how far the sender has come with one writer. */
struct log_head {
    uint64_t writer;
    uint64_t have;
};

extern const struct schema log_entries_schema;
extern const struct schema log_pull_schema;
extern const struct schema log_snapshot_schema;
extern const struct schema log_heads_schema;
extern const struct schema log_collect_schema;
extern const struct schema log_collected_schema;
extern const struct schema log_head_schema;

#endif
