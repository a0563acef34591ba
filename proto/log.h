/* log.h - the messages that spread single-writer logs between nodes.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_LOG_H
#define WEFT_PROTO_LOG_H

#include "proto/schema.h"

enum log_stream { LOG_OWNERSHIP = 1, LOG_TOPICS = 2 };

/* KIND_LOG_ENTRIES: versions first..last of the writer's log. Body: the entries, in the stream's
 * own encoding (ownership: proto/ownership.h). */
struct log_entries {
    uint64_t writer; /* instance id; its own, or one the sender has a replica of */
    uint8_t stream;  /* enum log_stream */
    uint64_t first, last;
};

/* KIND_LOG_PULL: "I have this writer up to `have`; send what follows, or a snapshot". */
struct log_pull {
    uint64_t writer;
    uint8_t stream;
    uint64_t have;
};

/* KIND_LOG_SNAPSHOT: one chunk of the state at version `head`. Chunks come in order from 0; the
 * receiver replaces its replica when it has the last. Body: entries. */
struct log_snapshot {
    uint64_t writer;
    uint8_t stream;
    uint64_t head;
    uint32_t chunk;
    bool is_last;
};

extern const struct schema log_entries_schema;
extern const struct schema log_pull_schema;
extern const struct schema log_snapshot_schema;

#endif
