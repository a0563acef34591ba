/* hosts.c - see hosts.h. */
#include "mesh/ownership/hosts.h"

void hosts_init(struct hosts *hosts, struct directory *directory, struct log *log, uint64_t salt)
{
    *hosts = (struct hosts){.directory = directory, .log = log};
    slots_init(&hosts->slots, directory->memory);
    hashmap_init(&hosts->by_instance, directory->memory, MEMORY_DIRECTORY, salt);
}

void hosts_clear(struct hosts *hosts)
{
    struct host *host;
    uint32_t number = 0;
    while ((host = hosts_next(hosts, &number)) != NULL)
        host_destroy(&host, hosts->log, &hosts->slots);
    slots_clear(&hosts->slots);
    hashmap_clear(&hosts->by_instance);
}

static struct hashmap_key key_of(uint64_t instance)
{
    return (struct hashmap_key){.high = instance};
}

struct host *hosts_at(const struct hosts *hosts, uint32_t number)
{
    return slots_get(&hosts->slots, number);
}

struct host *hosts_find(const struct hosts *hosts, uint64_t instance)
{
    uint32_t number = hashmap_get(&hosts->by_instance, key_of(instance));
    return number == HASHMAP_NONE ? NULL : hosts_at(hosts, number);
}

struct host *hosts_add(struct hosts *hosts, uint64_t instance)
{
    struct host *host = host_new(hosts->directory, hosts->log, &hosts->slots, instance);
    if (host == NULL)
        return NULL;
    if (!hashmap_put(&hosts->by_instance, key_of(instance), host->number))
        host_destroy(&host, hosts->log, &hosts->slots);
    return host;
}

void hosts_remove(struct hosts *hosts, struct host *host)
{
    hashmap_remove(&hosts->by_instance, key_of(host->replica.writer));
    host_destroy(&host, hosts->log, &hosts->slots);
}

struct host *hosts_next(const struct hosts *hosts, uint32_t *number)
{
    return slots_next(&hosts->slots, number);
}
