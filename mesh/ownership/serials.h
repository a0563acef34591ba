/* serials.h - finds the state of a session by its serial, among those that one node created and one
 * node hosts. Sorted by serial, so that it can be read in pieces while it changes.
 * Memory: 9 bytes a slot of MEMORY_DIRECTORY; 12 to 18 bytes a session beyond the first few.
 * Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_SERIALS_H
#define WEFT_MESH_OWNERSHIP_SERIALS_H

#include "mesh/base/memory.h"

struct serials {
    struct memory *memory;
    uint64_t *serials;
    uint8_t *states;   /* 0: the slot is empty */
    uint32_t capacity; /* of home slots; `slots` are that many and some to spill over. 0: a row */
    uint32_t slots;
    uint32_t count;
};

void serials_init(struct serials *table, struct memory *memory);
void serials_clear(struct serials *table); /* frees all; the table is empty and usable */

/* The state under the serial, 0 when it is not there. O(1). */
uint8_t serials_get(const struct serials *table, uint64_t serial);

/* Sets the state (not 0) under the serial; *before is what it was. O(1) on average. Returns false
 * when no memory is to be had, or when serials are crowded on purpose: unchanged then. */
bool serials_put(struct serials *table, uint64_t serial, uint8_t state, uint8_t *before);

/* Removes the serial; returns the state it had, 0: it was not there. */
uint8_t serials_remove(struct serials *table, uint64_t serial);

/* Puts a serial above all others behind them, into an empty table or one that was only appended to:
 * a row without gaps, which can only be walked until it is settled. Otherwise as serials_put. */
bool serials_append(struct serials *table, uint64_t serial, uint8_t state);

/* Makes a table of a row. False: no memory, or crowded on purpose; it is still a row. */
bool serials_settle(struct serials *table);

/* Walks in ascending order of serials: from *position (0 at first). False: the end. The position
 * is good until the table changes; serials_seek finds it again. */
bool serials_next(const struct serials *table, uint32_t *position, uint64_t *serial,
                  uint8_t *state);

/* The position of the first serial above this one. */
uint32_t serials_seek(const struct serials *table, uint64_t above);

#endif
