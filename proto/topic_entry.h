/* topic_entry.h - the entries of the topics log: the body of LOG_ENTRIES and LOG_SNAPSHOT of stream
 * LOG_TOPICS.
 *
 *      0       4      5          13     21         29   37           39
 *      +-------+------+----------+------+----------+----+------------+------+---------+
 *      | bytes | type | position | term | instance | n  | path_bytes | path | by type |
 *      | u32   | u8   | u64      | u64  | u64      | u64| u16        |      |         |
 *      +-------+------+----------+------+----------+----+------------+------+---------+
 *      SET        value type u8, policy u8, has_creator u8, [creator: instance u64, serial u64],
 *                 value
 *      REMOVED    nothing
 *      SERVING    nothing, and no path: the first entry of every log
 *
 * `bytes` counts what follows it. `position` is the entry's version in its log, so that entries of
 * a snapshot, of which many are left out, have theirs. The topic's version is (term, instance, n);
 * instance is the log's writer, or a dead sequencer whose entry the writer took over as it was.
 * Types that this build does not know have the same head: they are kept and passed on.
 * Memory: spans point into the input. Thread: pure functions. */
#ifndef WEFT_PROTO_TOPIC_ENTRY_H
#define WEFT_PROTO_TOPIC_ENTRY_H

#include "proto/reader.h"
#include "proto/topic.h"
#include "proto/writer.h"

enum {
    TOPIC_ENTRY_HEAD_BYTES = 39,
    TOPIC_ENTRY_BYTES_MAX = TOPIC_ENTRY_HEAD_BYTES + PATH_BYTES_MAX + 3 + 16 + TOPIC_VALUE_BYTES_MAX
};

enum topic_entry_type {
    TOPIC_ENTRY_SET = 1,
    TOPIC_ENTRY_REMOVED = 2,
    TOPIC_ENTRY_SERVING = 3, /* the writer sequences topics from here on */
};

struct topic_entry {
    uint8_t type; /* enum topic_entry_type, or a later one */
    uint64_t position;
    uint64_t term, instance, n;
    struct span path;
    struct span rest; /* what the type has, encoded: passed on as it is */
    /* SET only, and what `rest` is made of when it is empty: */
    uint8_t value_type, policy;
    struct session_id creator; /* none: it stays when the session ends */
    struct span value;
};

/* Bytes that topic_entry_encode will write. */
size_t topic_entry_measure(const struct topic_entry *entry);

/* Appends the entry; the writer must have room for topic_entry_measure bytes. */
void topic_entry_encode(const struct topic_entry *entry, struct writer *writer);

/* Decodes the next entry of a run and moves *rest behind it. True when one was decoded; false at
 * the end (*error is ERROR_OK) or when the run is malformed (ERROR_INVALID_MESSAGE); *rest is then
 * unchanged. */
ERROR_MUST_CHECK
bool topic_entry_next(struct span *rest, struct topic_entry *entry, enum error *error);

#endif
