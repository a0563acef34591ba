/* ownership.h - the entries of the ownership log: the body of LOG_ENTRIES and LOG_SNAPSHOT of
 * stream LOG_OWNERSHIP. One million sessions are one million of these, so they have no tags:
 *
 *      0      1                 9          17
 *      +------+----------+------------+--------------------------------------+
 *      | type | serial   | [instance] | by type, see below                   |
 *      +------+----------+------------+--------------------------------------+
 *      SESSION_OPENED, SESSION_STATE      state u8
 *      SESSION_CLOSED                     nothing
 *      SESSION_CLAIMED                    state u8, claim u32
 *      HANDLER_REGISTERED                 kind u8, path bytes u16, value bytes u16, path, value
 *      HANDLER_REMOVED                    kind u8, path bytes u16, path
 *
 * The session's instance half is there only when it is not the log's writer: bit 7 of type says
 * so. An entry of a session takes 10 bytes, 18 with the instance.
 * A session that listens to sessions is HANDLER_REGISTERED with kind OWNERSHIP_KIND_LISTENER, path
 * `sessions` and, as its value, the u64 number of its LISTEN among all of that node.
 * What later versions register is HANDLER_REGISTERED with a kind that this one does not know: it is
 * kept, hashed and passed on like any other, so that a mesh of mixed versions loses nothing.
 * Memory: decoded paths point into the input. Thread: pure functions. */
#ifndef WEFT_PROTO_OWNERSHIP_H
#define WEFT_PROTO_OWNERSHIP_H

#include "proto/error.h"
#include "proto/span.h"
#include "proto/writer.h"

enum {
    OWNERSHIP_SESSION_ENTRY_BYTES_MAX = 18, /* opened, changed, closed */
    OWNERSHIP_VALUE_BYTES_MAX = 512,
    OWNERSHIP_KIND_LISTENER = 64, /* what is registered and is no handler begins here */
};

enum ownership_entry_type {
    OWNERSHIP_SESSION_OPENED = 1,
    OWNERSHIP_SESSION_STATE = 2,
    OWNERSHIP_SESSION_CLOSED = 3,
    OWNERSHIP_HANDLER_REGISTERED = 4,
    OWNERSHIP_HANDLER_REMOVED = 5,
    OWNERSHIP_SESSION_CLAIMED = 6, /* hosted here now, though created or hosted elsewhere before */
};

struct ownership_entry {
    enum ownership_entry_type type;
    struct session_id session;
    uint8_t state;        /* enum session_state; opened, state and claimed only */
    uint32_t claim;       /* claimed only, from 1: of two hosts, the one with the higher claim */
    uint8_t handler_kind; /* enum handler_kind or later; registered and removed only; not 0 */
    struct span path;     /* the same; 1..PATH_BYTES_MAX bytes; text, if the kind is known */
    struct span value;    /* registered only; up to OWNERSHIP_VALUE_BYTES_MAX bytes */
};

/* Bytes that ownership_entry_encode will write. writer_instance: whose log the entry is in. */
size_t ownership_entry_measure(const struct ownership_entry *entry, uint64_t writer_instance);

/* Appends the entry; the writer must have room for ownership_entry_measure bytes. */
void ownership_entry_encode(const struct ownership_entry *entry, uint64_t writer_instance,
                            struct writer *writer);

/* Decodes the next entry of a run and moves *rest behind it; members that the type does not have
 * are 0. Returns true when one was decoded; false at the end (*error is ERROR_OK) or when the run
 * is malformed (ERROR_INVALID_MESSAGE) or holds a type of a newer version
 * (ERROR_VERSION_MISMATCH); *rest is then unchanged. */
ERROR_MUST_CHECK
bool ownership_entry_next(struct span *rest, uint64_t writer_instance,
                          struct ownership_entry *entry, enum error *error);

#endif
