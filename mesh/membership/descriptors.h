/* descriptors.h - knows who the instances are: name, addresses and what else does not change while
 * a node runs. Each has a small number, `who`, by which all tables of the room are indexed.
 * One store can serve several memberships (a simulator's nodes), so holders are counted: a
 * descriptor lives while somebody holds it.
 * Memory: MEMORY_MEMBERS, rows in chunks that never move. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_DESCRIPTORS_H
#define WEFT_MESH_MEMBERSHIP_DESCRIPTORS_H

#include "mesh/base/hashmap.h"
#include "proto/gossip.h"

#define WHO_NONE UINT32_MAX

enum { DESCRIPTORS_MAX = 1 << 20, DESCRIPTORS_CHUNK = 256, DESCRIPTOR_STRINGS = 6 };

struct descriptor {
    uint64_t instance; /* 0: a free row */
    const char *name, *gossip_address, *forward_address, *client_address, *zone, *version;
    uint16_t lengths[DESCRIPTOR_STRINGS]; /* of the strings, in that order */
    char *text;                           /* the block that they are in */
    uint32_t text_bytes;
    uint32_t holders;
    uint32_t next_of_name; /* another instance with the same name; free rows: the next free one */
    uint8_t wire_min, wire_max;
};

struct descriptors {
    struct memory *memory;
    struct descriptor *chunks[DESCRIPTORS_MAX / DESCRIPTORS_CHUNK];
    uint32_t count;      /* rows ever used */
    uint32_t first_free; /* WHO_NONE: none */
    struct hashmap by_instance;
    struct hashmap by_name; /* the first of each name */
};

void descriptors_init(struct descriptors *store, struct memory *memory, uint64_t salt);
void descriptors_clear(struct descriptors *store);

/* Whether a record says enough, and not too much, for a descriptor: name, gossip and forward
 * address are there, the metadata is within METADATA_BYTES_MAX, and all of it can stand in a table
 * (mesh_name_is_good). */
bool descriptors_is_complete(const struct member_record *record);

/* Finds or makes the descriptor of a complete record and holds it once more. WHO_NONE when there is
 * no room, or when that instance is known under another name. */
uint32_t descriptors_hold(struct descriptors *store, const struct member_record *record);

/* Holds it once less; the last one frees it. */
void descriptors_drop(struct descriptors *store, uint32_t who);

uint32_t descriptors_find(const struct descriptors *store, uint64_t instance); /* or WHO_NONE */

/* The first instance of a name; descriptors_at(...)->next_of_name leads on. WHO_NONE: none. */
uint32_t descriptors_named(const struct descriptors *store, struct span name);

const struct descriptor *descriptors_at(const struct descriptors *store, uint32_t who);

struct span descriptors_name(const struct descriptor *descriptor);

/* Fills all of a record but incarnation, state and witnesses. Spans point into the store. */
void descriptors_describe(const struct descriptors *store, uint32_t who, bool is_full,
                          struct member_record *record);

#endif
