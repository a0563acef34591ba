/* descriptors.c - see descriptors.h. Names are strangers' strings: the map finds a hash, and the
 * string is compared. Two names of one hash share a chain; that is slow and right. */
#include "mesh/membership/descriptors.h"

#include "mesh/base/require.h"
#include "proto/envelope.h"

void descriptors_init(struct descriptors *store, struct memory *memory, uint64_t salt)
{
    *store = (struct descriptors){.memory = memory, .first_free = WHO_NONE};
    hashmap_init(&store->by_instance, memory, MEMORY_MEMBERS, salt);
    hashmap_init(&store->by_name, memory, MEMORY_MEMBERS, salt);
}

static struct descriptor *row(const struct descriptors *store, uint32_t who)
{
    require(who < store->count);
    return &store->chunks[who / DESCRIPTORS_CHUNK][who % DESCRIPTORS_CHUNK];
}

static void text_free(struct descriptors *store, struct descriptor *descriptor)
{
    memory_free(store->memory, MEMORY_MEMBERS, descriptor->text, descriptor->text_bytes);
}

void descriptors_clear(struct descriptors *store)
{
    for (uint32_t who = 0; who < store->count; who++) {
        if (row(store, who)->instance != 0)
            text_free(store, row(store, who));
    }
    for (uint32_t i = 0; i < DESCRIPTORS_MAX / DESCRIPTORS_CHUNK; i++)
        memory_free(store->memory, MEMORY_MEMBERS, store->chunks[i],
                    DESCRIPTORS_CHUNK * sizeof(struct descriptor));
    hashmap_clear(&store->by_instance);
    hashmap_clear(&store->by_name);
    *store = (struct descriptors){.first_free = WHO_NONE};
}

static size_t metadata_bytes(const struct member_record *record)
{
    return record->gossip_address.bytes + record->forward_address.bytes +
           record->client_address.bytes + record->zone.bytes + record->version.bytes;
}

bool descriptors_is_complete(const struct member_record *record)
{
    return record->instance != 0 && record->name.bytes > 0 && record->gossip_address.bytes > 0 &&
           record->forward_address.bytes > 0 && metadata_bytes(record) <= METADATA_BYTES_MAX &&
           mesh_name_is_good(record->name) && mesh_name_is_good(record->zone) &&
           mesh_name_is_good(record->version) && mesh_name_is_good(record->gossip_address) &&
           mesh_name_is_good(record->forward_address) && mesh_name_is_good(record->client_address);
}

/* Copies the six strings, NUL-terminated, into one block. */
static bool text_new(struct descriptors *store, struct descriptor *descriptor,
                     const struct member_record *record)
{
    const struct span parts[DESCRIPTOR_STRINGS] = {
        record->name,           record->gossip_address, record->forward_address,
        record->client_address, record->zone,           record->version,
    };
    const char **strings[DESCRIPTOR_STRINGS] = {
        &descriptor->name,           &descriptor->gossip_address, &descriptor->forward_address,
        &descriptor->client_address, &descriptor->zone,           &descriptor->version,
    };
    size_t bytes = record->name.bytes + metadata_bytes(record) + DESCRIPTOR_STRINGS;
    char *text = memory_new(store->memory, MEMORY_MEMBERS, bytes);
    if (text == NULL)
        return false;
    descriptor->text = text;
    descriptor->text_bytes = (uint32_t)bytes;
    for (size_t i = 0; i < DESCRIPTOR_STRINGS; i++) {
        *strings[i] = text;
        descriptor->lengths[i] = (uint16_t)parts[i].bytes;
        if (parts[i].bytes > 0)
            memcpy(text, parts[i].data, parts[i].bytes);
        text += parts[i].bytes + 1;
    }
    return true;
}

/* A row to fill in: a free one, or a new one behind the last. */
static uint32_t row_new(struct descriptors *store)
{
    if (store->first_free != WHO_NONE) {
        uint32_t who = store->first_free;
        store->first_free = row(store, who)->next_of_name;
        return who;
    }
    if (store->count == DESCRIPTORS_MAX)
        return WHO_NONE;
    struct descriptor **chunk = &store->chunks[store->count / DESCRIPTORS_CHUNK];
    if (*chunk == NULL)
        *chunk = memory_new(store->memory, MEMORY_MEMBERS,
                            DESCRIPTORS_CHUNK * sizeof(struct descriptor));
    if (*chunk == NULL)
        return WHO_NONE;
    return store->count++;
}

static void row_free(struct descriptors *store, uint32_t who)
{
    *row(store, who) = (struct descriptor){.next_of_name = store->first_free};
    store->first_free = who;
}

static bool row_index(struct descriptors *store, uint32_t who)
{
    struct descriptor *descriptor = row(store, who);
    struct hashmap_key name = hashmap_key_of_bytes(&store->by_name, descriptors_name(descriptor));
    descriptor->next_of_name = hashmap_get(&store->by_name, name); /* HASHMAP_NONE is WHO_NONE */
    if (!hashmap_put(&store->by_instance, (struct hashmap_key){0, descriptor->instance}, who))
        return false;
    if (hashmap_put(&store->by_name, name, who))
        return true;
    hashmap_remove(&store->by_instance, (struct hashmap_key){0, descriptor->instance});
    return false;
}

uint32_t descriptors_hold(struct descriptors *store, const struct member_record *record)
{
    require(descriptors_is_complete(record));
    uint32_t who = descriptors_find(store, record->instance);
    if (who != WHO_NONE) {
        if (!span_equal(record->name, descriptors_name(row(store, who))))
            return WHO_NONE;
        row(store, who)->holders++;
        return who;
    }
    who = row_new(store);
    if (who == WHO_NONE)
        return WHO_NONE;
    struct descriptor *descriptor = row(store, who);
    *descriptor = (struct descriptor){
        .instance = record->instance,
        .holders = 1,
        .wire_min = record->wire_min,
        .wire_max = record->wire_max,
    };
    if (!text_new(store, descriptor, record)) {
        row_free(store, who);
        return WHO_NONE;
    }
    if (!row_index(store, who)) {
        text_free(store, descriptor);
        row_free(store, who);
        return WHO_NONE;
    }
    return who;
}

/* Takes the row out of the chain of its name. */
static void row_unchain(struct descriptors *store, uint32_t who)
{
    struct descriptor *gone = row(store, who);
    struct hashmap_key name = hashmap_key_of_bytes(&store->by_name, descriptors_name(gone));
    uint32_t first = hashmap_get(&store->by_name, name);
    if (first == who && gone->next_of_name == WHO_NONE) {
        hashmap_remove(&store->by_name, name);
        return;
    }
    if (first == who) {
        require(hashmap_put(&store->by_name, name, gone->next_of_name)); /* the key is there */
        return;
    }
    struct descriptor *before = row(store, first);
    while (before->next_of_name != who)
        before = row(store, before->next_of_name);
    before->next_of_name = gone->next_of_name;
}

void descriptors_drop(struct descriptors *store, uint32_t who)
{
    struct descriptor *descriptor = row(store, who);
    require(descriptor->holders > 0);
    if (--descriptor->holders > 0)
        return;
    row_unchain(store, who);
    hashmap_remove(&store->by_instance, (struct hashmap_key){0, descriptor->instance});
    text_free(store, descriptor);
    row_free(store, who);
}

uint32_t descriptors_find(const struct descriptors *store, uint64_t instance)
{
    return hashmap_get(&store->by_instance, (struct hashmap_key){0, instance});
}

uint32_t descriptors_named(const struct descriptors *store, struct span name)
{
    return hashmap_get(&store->by_name, hashmap_key_of_bytes(&store->by_name, name));
}

struct span descriptors_name(const struct descriptor *descriptor)
{
    return span_of(descriptor->name, descriptor->lengths[0]);
}

const struct descriptor *descriptors_at(const struct descriptors *store, uint32_t who)
{
    return row(store, who);
}

void descriptors_describe(const struct descriptors *store, uint32_t who, bool is_full,
                          struct member_record *record)
{
    const struct descriptor *descriptor = row(store, who);
    *record = (struct member_record){
        .name = descriptors_name(descriptor),
        .instance = descriptor->instance,
    };
    if (!is_full)
        return;
    const uint16_t *lengths = descriptor->lengths;
    record->gossip_address = span_of(descriptor->gossip_address, lengths[1]);
    record->forward_address = span_of(descriptor->forward_address, lengths[2]);
    record->client_address = span_of(descriptor->client_address, lengths[3]);
    record->zone = span_of(descriptor->zone, lengths[4]);
    record->version = span_of(descriptor->version, lengths[5]);
    record->wire_min = descriptor->wire_min;
    record->wire_max = descriptor->wire_max;
}
