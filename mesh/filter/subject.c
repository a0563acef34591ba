/* subject.c - see subject.h. */
#include "mesh/filter/subject.h"

#include "mesh/filter/role_set.h"

/* Eight bytes at a time, each multiplied into the rest; not for what strangers must not foresee. */
uint32_t subject_hash(struct span bytes)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = bytes.bytes * odd;
    size_t at = 0;
    for (; bytes.bytes - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.data + at, sizeof word);
        hash = (hash ^ word) * odd;
        hash ^= hash >> 29;
    }
    if (at < bytes.bytes) {
        uint64_t word = 0;
        memcpy(&word, bytes.data + at, bytes.bytes - at);
        hash = (hash ^ word) * odd;
    }
    hash ^= hash >> 32;
    return (uint32_t)hash;
}

uint64_t subject_role_bit(struct span role)
{
    return UINT64_C(1) << (subject_hash(role) & 63);
}

/* A $Roles that names too many roles stays as it is, and counts as none. */
static size_t value_bytes(enum key key, struct span value, struct role_set *roles)
{
    return key == KEY_ROLES && role_set_parse(roles, value) ? role_set_measure(roles) : value.bytes;
}

/* An unknown key with a $ is nobody's. */
static bool is_kept(const struct property *property)
{
    return key_of(property->key) != KEY_USER || property->key.bytes == 0 ||
           property->key.data[0] != '$';
}

/* A power of two, and never more than half full, so that a search ends. */
static size_t table_bytes(size_t user_count)
{
    size_t bytes = SUBJECT_TABLE_MIN;
    while (bytes < 2 * user_count)
        bytes *= 2;
    return bytes;
}

size_t subject_measure(const struct property *properties, size_t count)
{
    struct role_set roles;
    size_t bytes = offsetof(struct subject, table), user_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct property *property = &properties[i];
        enum key key = key_of(property->key);
        if (!is_kept(property))
            continue;
        bytes += sizeof(struct subject_entry) + value_bytes(key, property->value, &roles);
        if (key == KEY_USER) {
            bytes += property->key.bytes;
            user_count++;
        }
        if (property->key.bytes == 0 || property->key.bytes > PROPERTY_KEY_BYTES_MAX ||
            property->value.bytes > PROPERTY_VALUE_BYTES_MAX || user_count > PROPERTIES_MAX)
            return 0;
    }
    return bytes + table_bytes(user_count);
}

/* Appends bytes to the block. */
static void bytes_add(struct subject *subject, struct span bytes)
{
    if (bytes.bytes > 0)
        memcpy((uint8_t *)subject + subject->bytes, bytes.data, bytes.bytes);
    subject->bytes += (uint32_t)bytes.bytes;
}

/* The next entry, whose value begins at the block's present end. */
static struct subject_entry *entry_add(struct subject *subject, enum key key)
{
    void *first = (uint8_t *)subject + subject->entries_at;
    struct subject_entry *entry = (struct subject_entry *)first + subject->count++;
    *entry = (struct subject_entry){.at = subject->bytes, .key = (uint8_t)key};
    return entry;
}

static void entry_end(struct subject *subject, struct subject_entry *entry)
{
    entry->value_bytes = (uint16_t)(subject->bytes - entry->at);
    entry->value_hash = subject_hash(subject_value(subject, entry));
}

static void fixed_write(struct subject *subject, enum key key, struct span value)
{
    struct role_set roles;
    struct subject_entry *entry = entry_add(subject, key);
    subject->places[key] = ++subject->fixed_count;
    if (key == KEY_ROLES && role_set_parse(&roles, value)) {
        role_set_write(&roles, (uint8_t *)subject + subject->bytes);
        subject->bytes += (uint32_t)role_set_measure(&roles);
        for (uint32_t i = 0; i < roles.count; i++)
            subject->roles |= subject_role_bit(roles.items[i]);
    } else {
        bytes_add(subject, value);
    }
    entry_end(subject, entry);
}

static void user_write(struct subject *subject, const struct property *property)
{
    uint32_t hash = subject_hash(property->key), at = hash & subject->mask;
    bytes_add(subject, property->key);
    struct subject_entry *entry = entry_add(subject, KEY_USER);
    entry->key_bytes = (uint8_t)property->key.bytes;
    entry->key_hash = hash;
    while (subject->table[at] != 0)
        at = (at + 1) & subject->mask;
    subject->table[at] = subject->count;
    bytes_add(subject, property->value);
    entry_end(subject, entry);
}

/* Header, an empty table, and room for the entries. */
static void block_begin(struct subject *subject, size_t fixed_count, size_t user_count)
{
    size_t table = table_bytes(user_count);
    size_t entries_at = offsetof(struct subject, table) + table;
    *subject = (struct subject){
        .bytes = (uint32_t)(entries_at + (fixed_count + user_count) * sizeof(struct subject_entry)),
        .entries_at = (uint16_t)entries_at,
        .mask = (uint8_t)(table - 1),
    };
    memset(subject->table, 0, table);
}

void subject_write(struct subject *subject, const struct property *properties, size_t count)
{
    const struct property *fixed[KEYS] = {NULL};
    size_t fixed_count = 0, user_count = 0;
    for (size_t i = 0; i < count; i++) {
        enum key key = key_of(properties[i].key);
        fixed_count += key != KEY_USER;
        user_count += key == KEY_USER && is_kept(&properties[i]);
        if (key != KEY_USER)
            fixed[key] = &properties[i];
    }
    block_begin(subject, fixed_count, user_count);
    for (unsigned i = 0; i < KEYS; i++) {
        if (fixed[i] != NULL)
            fixed_write(subject, (enum key)i, fixed[i]->value);
    }
    for (size_t i = 0; i < count; i++) {
        if (is_kept(&properties[i]) && key_of(properties[i].key) == KEY_USER)
            user_write(subject, &properties[i]);
    }
}

bool subject_next(const struct subject *subject, unsigned *at, struct property *property)
{
    if (subject == NULL || *at == subject->count)
        return false;
    const struct subject_entry *entry = subject_entry_at(subject, (*at)++);
    *property = (struct property){.key = subject_key(subject, entry),
                                  .value = subject_value(subject, entry)};
    return true;
}

bool subject_get(const struct subject *subject, struct span key, struct span *value)
{
    enum key number = key_of(key);
    const struct subject_entry *entry = number != KEY_USER
                                            ? subject_fixed(subject, number)
                                            : subject_find(subject, key, subject_hash(key));
    if (entry != NULL)
        *value = subject_value(subject, entry);
    return entry != NULL;
}

struct span subject_key(const struct subject *subject, const struct subject_entry *entry)
{
    if (entry->key != KEY_USER)
        return key_text((enum key)entry->key);
    return span_of((const uint8_t *)subject + entry->at - entry->key_bytes, entry->key_bytes);
}
