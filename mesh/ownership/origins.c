/* origins.c - see origins.h. */
#include "mesh/ownership/origins.h"

#include "mesh/base/require.h"

struct origin {
    struct hosted *first;
    uint32_t number;
};

void origins_init(struct origins *origins, struct memory *memory, uint64_t salt)
{
    *origins = (struct origins){.memory = memory};
    hashmap_init(&origins->map, memory, MEMORY_DIRECTORY, salt);
    slots_init(&origins->slots, memory);
}

void origins_clear(struct origins *origins)
{
    require(origins->slots.count == 0);
    hashmap_clear(&origins->map);
    slots_clear(&origins->slots);
}

static struct hashmap_key key_of(uint64_t instance)
{
    return (struct hashmap_key){.high = instance};
}

static struct origin *find(const struct origins *origins, uint64_t instance)
{
    uint32_t number = hashmap_get(&origins->map, key_of(instance));
    return number == HASHMAP_NONE ? NULL : slots_get(&origins->slots, number);
}

static struct origin *add(struct origins *origins, uint64_t instance)
{
    struct origin *origin = memory_new(origins->memory, MEMORY_DIRECTORY, sizeof *origin);
    if (origin == NULL)
        return NULL;
    if (!slots_add(&origins->slots, origin, &origin->number)) {
        memory_free(origins->memory, MEMORY_DIRECTORY, origin, sizeof *origin);
        return NULL;
    }
    if (!hashmap_put(&origins->map, key_of(instance), origin->number)) {
        slots_remove(&origins->slots, origin->number);
        memory_free(origins->memory, MEMORY_DIRECTORY, origin, sizeof *origin);
        return NULL;
    }
    return origin;
}

struct hosted *origins_add(struct origins *origins, uint64_t instance, struct content *content)
{
    struct hosted *hosted = memory_new(origins->memory, MEMORY_DIRECTORY, sizeof *hosted);
    if (hosted == NULL)
        return NULL;
    struct origin *origin = find(origins, instance);
    if (origin == NULL)
        origin = add(origins, instance);
    if (origin == NULL) {
        memory_free(origins->memory, MEMORY_DIRECTORY, hosted, sizeof *hosted);
        return NULL;
    }
    *hosted = (struct hosted){.origin = instance, .content = content, .next = origin->first};
    serials_init(&hosted->serials, origins->memory);
    origin->first = hosted;
    return hosted;
}

void origins_remove(struct origins *origins, struct hosted *hosted)
{
    struct origin *origin = find(origins, hosted->origin);
    require(origin != NULL);
    struct hosted **link = &origin->first;
    while (*link != hosted) {
        require(*link != NULL);
        link = &(*link)->next;
    }
    *link = hosted->next;
    if (origin->first == NULL) {
        hashmap_remove(&origins->map, key_of(hosted->origin));
        slots_remove(&origins->slots, origin->number);
        memory_free(origins->memory, MEMORY_DIRECTORY, origin, sizeof *origin);
    }
    serials_clear(&hosted->serials);
    memory_free(origins->memory, MEMORY_DIRECTORY, hosted, sizeof *hosted);
}

struct hosted *origins_first(const struct origins *origins, uint64_t instance)
{
    const struct origin *origin = find(origins, instance);
    return origin == NULL ? NULL : origin->first;
}
