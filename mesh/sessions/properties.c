/* properties.c - see properties.h. Properties are kept as filters read them, and encoded when
 * somebody lists them: filters look at every session, listings at a page of them. */
#include "mesh/sessions/properties.h"

#include "mesh/base/require.h"

static bool is_fixed(struct span key)
{
    return key.bytes > 0 && key.data[0] == '$';
}

bool property_key_is_good(struct span key)
{
    static const char refused[] = " \t\r\n\"'()[],";
    if (key.bytes == 0 || key.bytes > PROPERTY_KEY_BYTES_MAX || is_fixed(key))
        return false;
    for (size_t i = 0; i < key.bytes; i++) {
        if (memchr(refused, key.data[i], sizeof refused - 1) != NULL)
            return false;
    }
    return true;
}

/* Where the key is, or where it belongs: the items are kept sorted. */
static size_t set_place(const struct property_set *set, struct span key, bool *is_there)
{
    size_t low = 0, high = set->count;
    *is_there = false;
    while (low < high && !*is_there) {
        size_t middle = low + (high - low) / 2;
        int order = span_order(set->items[middle].key, key);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
        *is_there = order == 0;
    }
    return high;
}

bool property_set_add(struct property_set *set, const struct property *property)
{
    bool is_there;
    size_t place = set_place(set, property->key, &is_there);
    if (is_there || set->count == PROPERTIES_ALL_MAX)
        return false;
    memmove(&set->items[place + 1], &set->items[place],
            (set->count - place) * sizeof set->items[0]);
    set->items[place] = *property;
    set->count++;
    return true;
}

enum error property_set_offer(struct property_set *set, struct span groups, struct span *culprit)
{
    struct property property;
    enum error error;
    *culprit = (struct span){0};
    while (group_next(&property_schema, &groups, &property, &error)) {
        if (is_fixed(property.key))
            continue;
        *culprit = property.key;
        if (!property_key_is_good(property.key) || property.is_absent ||
            set->user_count == PROPERTIES_MAX || !property_set_add(set, &property))
            return ERROR_INVALID_ARGUMENT;
        set->user_count++;
    }
    return error;
}

void property_set_put(struct property_set *set, const char *key, struct span value)
{
    struct property property = {.key = span_text(key), .value = value};
    require(property_set_add(set, &property));
}

static size_t group_bytes(const struct property *property)
{
    return 4 + schema_measure(&property_schema, property);
}

size_t property_set_measure(const struct property_set *set)
{
    size_t bytes = 0;
    for (size_t i = 0; i < set->count; i++)
        bytes += group_bytes(&set->items[i]);
    return bytes;
}

void property_set_encode(const struct property_set *set, struct writer *writer)
{
    for (size_t i = 0; i < set->count; i++)
        group_encode(&property_schema, &set->items[i], writer);
}

enum error properties_store(struct properties *properties, struct memory *memory,
                            const struct property_set *set)
{
    size_t bytes = subject_measure(set->items, set->count);
    require(bytes > 0); /* a set has no more than a session may have */
    struct subject *subject = memory_new(memory, MEMORY_PROPERTIES, bytes);
    if (subject == NULL)
        return ERROR_LIMIT_REACHED;
    subject_write(subject, set->items, set->count);
    properties->subject = subject;
    properties->bytes = bytes;
    return ERROR_OK;
}

void properties_clear(struct properties *properties, struct memory *memory)
{
    memory_free(memory, MEMORY_PROPERTIES, properties->subject, properties->bytes);
    *properties = (struct properties){0};
}

void properties_compare(const struct properties *properties, const struct property_set *changes,
                        struct property_set *previous)
{
    previous->count = previous->user_count = 0;
    for (size_t i = 0; i < changes->count; i++) {
        const struct property *change = &changes->items[i];
        struct property now = {.key = change->key};
        now.is_absent = !properties_find(properties, now.key, &now.value);
        bool is_same = now.is_absent == change->is_absent &&
                       (now.is_absent || span_equal(now.value, change->value));
        if (!is_same)
            require(property_set_add(previous, &now));
    }
}

/* What there is and the changes, as one set; false: more than a session may have. */
static bool set_merge(struct property_set *set, const struct properties *properties,
                      const struct property_set *changes)
{
    struct property property;
    unsigned at = 0;
    bool is_named, is_whole = true;
    set->count = set->user_count = 0;
    for (size_t i = 0; i < changes->count; i++) {
        if (!changes->items[i].is_absent)
            is_whole = property_set_add(set, &changes->items[i]) && is_whole;
    }
    while (subject_next(properties->subject, &at, &property)) {
        (void)set_place(changes, property.key, &is_named);
        if (!is_named)
            is_whole = property_set_add(set, &property) && is_whole;
    }
    for (size_t i = 0; i < set->count; i++)
        set->user_count += !is_fixed(set->items[i].key);
    return is_whole && set->user_count <= PROPERTIES_MAX;
}

enum error properties_change(struct properties *properties, struct memory *memory,
                             const struct property_set *changes)
{
    struct property_set set;
    struct properties changed = {0};
    if (!set_merge(&set, properties, changes) ||
        properties_store(&changed, memory, &set) != ERROR_OK)
        return ERROR_LIMIT_REACHED;
    properties_clear(properties, memory);
    *properties = changed;
    return ERROR_OK;
}

bool properties_find(const struct properties *properties, struct span key, struct span *value)
{
    return properties->subject != NULL && subject_get(properties->subject, key, value);
}

/* Takes the part before the next comma off the text. */
static struct span key_next(struct span *text)
{
    const uint8_t *comma = memchr(text->data, ',', text->bytes);
    size_t bytes = comma == NULL ? text->bytes : (size_t)(comma - text->data);
    struct span key = span_of(text->data, bytes);
    size_t taken = comma == NULL ? bytes : bytes + 1;
    *text = span_of(text->data + taken, text->bytes - taken);
    return key;
}

/* Insertion keeps the few keys sorted; one that is there already is left out. */
static bool keys_insert(struct property_keys *keys, struct span key)
{
    size_t place = keys->count;
    while (place > 0 && span_order(keys->keys[place - 1], key) > 0)
        place--;
    if (place > 0 && span_equal(keys->keys[place - 1], key))
        return true;
    if (keys->count == PROPERTY_KEYS_MAX)
        return false;
    memmove(&keys->keys[place + 1], &keys->keys[place],
            (keys->count - place) * sizeof keys->keys[0]);
    keys->keys[place] = key;
    keys->count++;
    return true;
}

enum error property_keys_parse(struct property_keys *keys, struct span text)
{
    bool has_none = text.bytes == 0;
    keys->count = 0;
    keys->has_all_fixed = has_none;
    keys->has_all_user = has_none;
    while (text.bytes > 0) {
        struct span key = key_next(&text);
        if (span_equal(key, span_text("*F")))
            keys->has_all_fixed = true;
        else if (span_equal(key, span_text("*U")))
            keys->has_all_user = true;
        else if (key.bytes > 0 && !keys_insert(keys, key))
            return ERROR_INVALID_ARGUMENT;
    }
    return ERROR_OK;
}

bool property_keys_have(const struct property_keys *keys, struct span key)
{
    if (is_fixed(key) ? keys->has_all_fixed : keys->has_all_user)
        return true;
    for (size_t i = 0; i < keys->count; i++) {
        if (span_equal(keys->keys[i], key))
            return true;
    }
    return false;
}

/* A walk along the properties and, beside it, along the sorted keys: once for the fixed ones, and
 * once again for the others, as each are sorted by themselves. */
struct walk {
    const struct subject *subject;
    const struct property_keys *keys;
    unsigned at;
    size_t row;
};

/* Takes the next property that was asked for. */
static bool walk_next(struct walk *walk, struct property *property)
{
    const struct property_keys *keys = walk->keys;
    while (subject_next(walk->subject, &walk->at, property)) {
        if (is_fixed(property->key) ? keys->has_all_fixed : keys->has_all_user)
            return true;
        if (walk->at == walk->subject->fixed_count + 1U)
            walk->row = 0;
        while (walk->row < keys->count && span_order(keys->keys[walk->row], property->key) < 0)
            walk->row++;
        if (walk->row < keys->count && span_equal(keys->keys[walk->row], property->key))
            return true;
    }
    return false;
}

size_t properties_measure(const struct properties *properties, const struct property_keys *keys)
{
    struct walk walk = {.subject = properties->subject, .keys = keys};
    struct property property;
    size_t bytes = 0;
    while (walk_next(&walk, &property))
        bytes += group_bytes(&property);
    return bytes;
}

void properties_encode(const struct properties *properties, const struct property_keys *keys,
                       struct writer *writer)
{
    struct walk walk = {.subject = properties->subject, .keys = keys};
    struct property property;
    while (walk_next(&walk, &property)) {
        if (group_bytes(&property) <= writer->left)
            group_encode(&property_schema, &property, writer);
    }
}
