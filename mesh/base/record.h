/* record.h - what lies in the chain of a queue: in front of each message a record that says where
 * its bytes are and whose they are. For outbound.c, updates.c and merging.c only.
 * Memory: a run of the queue's chain. Thread: one owner. */
#ifndef WEFT_MESH_BASE_RECORD_H
#define WEFT_MESH_BASE_RECORD_H

#include "mesh/base/outbound.h"
#include "mesh/base/require.h"
#include "mesh/base/shared.h"

enum record_body {
    RECORD_REFERENCED, /* the body is where it came in, until the pull ends */
    RECORD_KEPT,       /* a copy of its own */
    RECORD_WHOLE,      /* behind the head, in the chain */
    RECORD_SHARED,     /* head and body are others' as well: an update of a topic */
};

struct record {
    union {
        const uint8_t *body;   /* REFERENCED */
        uint8_t *kept;         /* KEPT */
        struct shared *shared; /* SHARED; one of its holders */
    };
    struct record *next; /* SHARED: in its bucket of an index, see merging.h */
    uint32_t head_bytes, body_bytes;
    uint32_t queued_ms; /* when its place in the queue was taken, on the outbox's clock */
    uint32_t key;       /* SHARED, as all that follows */
    uint8_t where;      /* enum record_body */
    bool consumes_credit;
    bool is_secret; /* the head holds credentials */
    uint8_t marks;  /* bits of enum topic_mark, written behind the shared fields */
    uint8_t policy; /* enum topic_policy */
    bool is_start;  /* merges into none that is older */
    bool is_end;    /* none that is younger merges into it */
    bool is_closed; /* nor into this one: a start came behind it */
    bool is_indexed;
    uint8_t head[]; /* but SHARED */
};

static inline size_t record_bytes(const struct record *record)
{
    return (size_t)record->head_bytes + record->body_bytes;
}

static inline struct span record_body(const struct record *record)
{
    switch ((enum record_body)record->where) {
    case RECORD_REFERENCED:
        return span_of(record->body, record->body_bytes);
    case RECORD_KEPT:
        return span_of(record->kept, record->body_bytes);
    case RECORD_WHOLE:
        return span_of(record->head + record->head_bytes, record->body_bytes);
    case RECORD_SHARED:
        return span_of(record->shared->content + record->shared->head_bytes, record->body_bytes);
    }
    require(false);
    return (struct span){0};
}

#endif
