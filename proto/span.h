/* span.h - a run of bytes that somebody else owns.
 * Memory: a span owns nothing; whoever hands one out says how long its bytes live.
 * Thread: plain data. */
#ifndef WEFT_PROTO_SPAN_H
#define WEFT_PROTO_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *data; /* may be NULL only when bytes is 0 */
    size_t bytes;
};

/* A session's id: unique for ever, over nodes and restarts. All zero means "none". */
struct session_id {
    uint64_t instance; /* of the node that created the session: a hint to its owner */
    uint64_t serial;   /* unpredictable, never repeated by that instance */
};

static inline struct span span_of(const void *data, size_t bytes)
{
    return (struct span){.data = data, .bytes = bytes};
}

/* The characters of a C string, without its NUL. The string must outlive the span. */
static inline struct span span_text(const char *text)
{
    return span_of(text, text == NULL ? 0 : strlen(text));
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

/* Below 0, 0 or above 0: as bytes compare, and the shorter first where one begins the other. */
static inline int span_order(struct span a, struct span b)
{
    size_t shorter = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

/* Whether the bytes are well-formed UTF-8 without NUL; an empty span is. O(bytes). */
bool span_is_text(struct span text);

static inline bool session_id_equal(struct session_id a, struct session_id b)
{
    return a.instance == b.instance && a.serial == b.serial;
}

static inline bool session_id_is_none(struct session_id id)
{
    return id.instance == 0 && id.serial == 0;
}

#endif
