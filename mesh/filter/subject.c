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

size_t subject_measure(const struct property *properties, size_t count)
{
    struct role_set roles;
    size_t bytes = sizeof(struct subject), user_count = 0;
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
    return bytes;
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
    struct subject_entry *entry = &subject->entries[subject->count++];
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
    bytes_add(subject, property->key);
    struct subject_entry *entry = entry_add(subject, KEY_USER);
    entry->key_bytes = (uint8_t)property->key.bytes;
    entry->key_hash = subject_hash(property->key);
    bytes_add(subject, property->value);
    entry_end(subject, entry);
}

void subject_write(struct subject *subject, const struct property *properties, size_t count)
{
    const struct property *fixed[KEYS] = {NULL};
    size_t entries = 0;
    for (size_t i = 0; i < count; i++) {
        enum key key = key_of(properties[i].key);
        entries += is_kept(&properties[i]);
        if (key != KEY_USER)
            fixed[key] = &properties[i];
    }
    *subject = (struct subject){0};
    subject->bytes = (uint32_t)(sizeof *subject + entries * sizeof(struct subject_entry));
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
    const struct subject_entry *entry = &subject->entries[(*at)++];
    *property = (struct property){.key = subject_key(subject, entry),
                                  .value = subject_value(subject, entry)};
    return true;
}

const struct subject_entry *subject_find(const struct subject *subject, struct span key,
                                         uint32_t hash)
{
    for (unsigned i = subject->fixed_count; i < subject->count; i++) {
        const struct subject_entry *entry = &subject->entries[i];
        if (entry->key_hash == hash && span_equal(subject_key(subject, entry), key))
            return entry;
    }
    return NULL;
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
