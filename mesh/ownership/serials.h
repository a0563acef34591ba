/* serials.h - finds the state of a session by its serial, among those that one node created and one
 * node hosts. Sorted by serial, so that it can be read in pieces while it changes.
 * Memory: 9 bytes a slot of MEMORY_DIRECTORY, 12 to 18 a session beyond the first few; 13 bytes a
 * slot in a table that has a session with a claim.
 * Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_SERIALS_H
#define WEFT_MESH_OWNERSHIP_SERIALS_H

#include "mesh/base/memory.h"

struct serials_value {
    uint8_t state;  /* not 0; 0: there is no such session */
    uint32_t claim; /* 0: where it was created */
};

struct serials {
    struct memory *memory;
    uint64_t *serials;
    uint32_t *claims;  /* NULL while all are 0 */
    uint8_t *states;   /* 0: the slot is empty */
    uint32_t capacity; /* of home slots; `slots` are that many and some to spill over. 0: a row */
    uint32_t slots;
    uint32_t count;
};

void serials_init(struct serials *table, struct memory *memory);
void serials_clear(struct serials *table); /* frees all; the table is empty and usable */

/* The value under the serial. O(1). */
struct serials_value serials_get(const struct serials *table, uint64_t serial);

/* Sets the value under the serial; *before is what it was. O(1) on average. Returns false when no
 * memory is to be had, or when serials are crowded on purpose: unchanged then. */
bool serials_put(struct serials *table, uint64_t serial, struct serials_value value,
                 struct serials_value *before);

/* Removes the serial; returns the value it had. */
struct serials_value serials_remove(struct serials *table, uint64_t serial);

/* Puts a serial above all others behind them, into an empty table or one that was only appended to:
 * a row without gaps, which can only be walked until it is settled. Otherwise as serials_put. */
bool serials_append(struct serials *table, uint64_t serial, struct serials_value value);

/* Makes a table of a row. False: no memory, or crowded on purpose; it is still a row. */
bool serials_settle(struct serials *table);

/* Walks in ascending order of serials: from *position (0 at first). False: the end. The position
 * is good until the table changes; serials_seek finds it again. */
bool serials_next(const struct serials *table, uint32_t *position, uint64_t *serial,
                  struct serials_value *value);

/* The position of the first serial above this one. */
uint32_t serials_seek(const struct serials *table, uint64_t above);

#endif
