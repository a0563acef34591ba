/* subject.h - keeps the properties of one session so that a test of a filter costs a few loads:
 * fixed keys by number, a client's own by hash, each value's hash beside it. A value that differs
 * is told by its hash without being read; one that is equal is compared.
 *
 *     | header | table | an entry each: the fixed keys by number, then the others | their bytes |
 *
 * Memory: one block, made by whoever stores properties. Thread: plain data. */
#ifndef WEFT_MESH_FILTER_SUBJECT_H
#define WEFT_MESH_FILTER_SUBJECT_H

#include "mesh/filter/keys.h"
#include "proto/client.h"

enum {
    SUBJECT_ENTRIES_MAX = PROPERTIES_MAX + KEYS,
    SUBJECT_TABLE_MIN = 8, /* bytes: entries are aligned behind it */
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
    uint16_t entries_at;  /* of the first entry, from the block's start */
    uint8_t count;        /* entries */
    uint8_t fixed_count;  /* of them: where the client's own begin */
    uint8_t mask;         /* the table's size - 1; the table is at most half full */
    uint8_t unused;       /* the table and the entries behind it are aligned */
    uint8_t places[KEYS]; /* of each fixed key's entry, from 1; 0: absent */
    uint8_t table[];      /* the same of a client's own keys, by their hash and linear probing */
};

_Static_assert(offsetof(struct subject, table) % 8 == 0, "entries are aligned");

/* How large the block for these properties must be; 0: one of the limits above. Keys come once;
 * unknown keys with a $ are left out; is_absent must be false. */
size_t subject_measure(const struct property *properties, size_t count);

/* Fills the block (aligned to 8). Order is kept, but that the fixed keys come first. $Roles is
 * written in its canonical form: role_set.h. */
void subject_write(struct subject *subject, const struct property *properties, size_t count);

/* The next property of the block, from *at == 0 on; false at the end, and for NULL. Spans into
 * the subject. */
bool subject_next(const struct subject *subject, unsigned *at, struct property *property);

/* The i-th entry, i < count. */
static inline const struct subject_entry *subject_entry_at(const struct subject *subject,
                                                           unsigned i)
{
    const void *first = (const uint8_t *)subject + subject->entries_at;
    return (const struct subject_entry *)first + i;
}

/* The entry of a key; NULL: absent. `hash` is subject_hash of a client's own key. */
static inline const struct subject_entry *subject_fixed(const struct subject *subject, enum key key)
{
    uint8_t place = subject->places[key];
    return place == 0 ? NULL : subject_entry_at(subject, place - 1U);
}

static inline const struct subject_entry *subject_find(const struct subject *subject,
                                                       struct span key, uint32_t hash)
{
    uint32_t at = hash & subject->mask;
    for (; subject->table[at] != 0; at = (at + 1) & subject->mask) {
        const struct subject_entry *entry = subject_entry_at(subject, subject->table[at] - 1U);
        if (entry->key_hash == hash && entry->key_bytes == key.bytes &&
            memcmp((const uint8_t *)subject + entry->at - key.bytes, key.data, key.bytes) == 0)
            return entry;
    }
    return NULL;
}

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
