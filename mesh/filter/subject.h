/* subject.h - keeps the properties of one session so that a test of a filter costs a few loads:
 * fixed keys by number, a client's own by hash, each value's hash beside it. A value that differs
 * is told by its hash without being read; one that is equal is compared.
 *
 *     | header | an entry each: the fixed keys by number, then the others | their bytes |
 *
 * Memory: one block, made by whoever stores properties. Thread: plain data. */
#ifndef WEFT_MESH_FILTER_SUBJECT_H
#define WEFT_MESH_FILTER_SUBJECT_H

#include "mesh/filter/keys.h"
#include "proto/client.h"

enum {
    SUBJECT_ENTRIES_MAX = PROPERTIES_MAX + KEYS,
};

struct subject_entry {
    uint32_t key_hash;    /* 0 for a fixed key */
    uint32_t value_hash;  /* of the whole value */
    uint32_t at;          /* of the value, from the block's start; a client's key ends there */
    uint16_t value_bytes; /* <= PROPERTY_VALUE_BYTES_MAX */
    uint8_t key_bytes;    /* 0 for a fixed key */
    uint8_t key;          /* enum key */
};

struct subject {
    uint64_t roles;       /* a bit for each role held: subject_role_bit */
    uint32_t bytes;       /* of the whole block */
    uint8_t count;        /* entries */
    uint8_t fixed_count;  /* of them: where the client's own begin */
    uint8_t places[KEYS]; /* of each fixed key's entry, from 1; 0: absent */
    struct subject_entry entries[];
};

/* How large the block for these properties must be; 0: one of the limits above. Keys come once;
 * unknown keys with a $ are left out; is_absent must be false. */
size_t subject_measure(const struct property *properties, size_t count);

/* Fills the block (aligned to 8). Order is kept, but that the fixed keys come first. $Roles is
 * written in its canonical form: role_set.h. */
void subject_write(struct subject *subject, const struct property *properties, size_t count);

/* The next property of the block, from *at == 0 on; false at the end, and for NULL. Spans into
 * the subject. */
bool subject_next(const struct subject *subject, unsigned *at, struct property *property);

/* The entry of a key; NULL: absent. `hash` is subject_hash of a client's own key. */
static inline const struct subject_entry *subject_fixed(const struct subject *subject, enum key key)
{
    uint8_t place = subject->places[key];
    return place == 0 ? NULL : &subject->entries[place - 1];
}

const struct subject_entry *subject_find(const struct subject *subject, struct span key,
                                         uint32_t hash);

/* The value under a key; false: absent. */
bool subject_get(const struct subject *subject, struct span key, struct span *value);

static inline struct span subject_value(const struct subject *subject,
                                        const struct subject_entry *entry)
{
    return span_of((const uint8_t *)subject + entry->at, entry->value_bytes);
}

struct span subject_key(const struct subject *subject, const struct subject_entry *entry);

/* A hash of bytes for what stays in this process. Who makes values collide makes one session a few
 * compares slower. */
uint32_t subject_hash(struct span bytes);

/* The bit that stands for a role (as written between quotes) in struct subject. */
uint64_t subject_role_bit(struct span role);

#endif
