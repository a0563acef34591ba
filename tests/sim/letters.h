/* letters.h - what a person has said in its session and its node may not have: kept until the node
 * says how far it came, so that it can be said again over another line.
 * Memory: letters_clear frees all. Thread: one. */
#ifndef WEFT_TESTS_SIM_LETTERS_H
#define WEFT_TESTS_SIM_LETTERS_H

#include <stdbool.h>

#include "proto/span.h"

struct letter {
    uint64_t asked; /* as in people_ask; 0: plainly said */
    uint8_t *bytes; /* header, fields and body */
    size_t size;
};

struct letters {
    struct letter *kept;
    uint32_t count, capacity;
    uint64_t acknowledged; /* numbered messages that the node has: kept[0] is the next one */
};

void letters_keep(struct letters *letters, uint64_t asked, struct span message);

/* The node has so many; false: more than were ever said, or less than it said before. */
bool letters_acknowledge(struct letters *letters, uint64_t received);

void letters_clear(struct letters *letters); /* nothing was ever said */

#endif
