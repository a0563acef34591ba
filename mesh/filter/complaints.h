/* complaints.h - what is wrong with a filter's text, and where.
 * Memory: fixed size, the caller's. Thread: plain data. */
#ifndef WEFT_MESH_FILTER_COMPLAINTS_H
#define WEFT_MESH_FILTER_COMPLAINTS_H

#include "mesh/base/sentence.h"

enum { COMPLAINTS_MAX = 8 }; /* who reads more? a reader stops at the first */

struct complaint {
    uint32_t line, column;   /* from 1; columns count characters */
    struct sentence message; /* without the place */
};

struct complaints {
    uint32_t count;
    struct complaint items[COMPLAINTS_MAX];
};

/* Adds one about byte `at` of the text (0..text.bytes) and returns its message for the caller to
 * write; NULL when there are enough. O(at). */
struct sentence *complaints_add(struct complaints *complaints, struct span text, size_t at);

#endif
