/* replicas.c - see replicas.h. */
#include "mesh/log/replicas.h"

void replicas_init(struct replicas *replicas, struct log *log, uint64_t salt)
{
    struct memory *memory = &log->context->memory;
    *replicas = (struct replicas){.log = log};
    slots_init(&replicas->slots, memory);
    hashmap_init(&replicas->by_writer, memory, MEMORY_DIRECTORY, salt);
}

void replicas_clear(struct replicas *replicas)
{
    require(replicas->slots.count == 0);
    slots_clear(&replicas->slots);
    hashmap_clear(&replicas->by_writer);
}

static struct hashmap_key key_of(uint64_t writer)
{
    return (struct hashmap_key){.high = writer};
}

bool replicas_add(struct replicas *replicas, struct replica *replica, uint64_t writer)
{
    uint32_t number;
    if (!slots_add(&replicas->slots, replica, &number))
        return false;
    if (!hashmap_put(&replicas->by_writer, key_of(writer), number)) {
        slots_remove(&replicas->slots, number);
        return false;
    }
    replica_init(replica, replicas->log, writer, number);
    replica->number = number;
    return true;
}

void replicas_remove(struct replicas *replicas, struct replica *replica)
{
    replica_unfollow(replica, replicas->log);
    hashmap_remove(&replicas->by_writer, key_of(replica->writer));
    slots_remove(&replicas->slots, replica->number);
}

struct replica *replicas_find(const struct replicas *replicas, uint64_t writer)
{
    uint32_t number = hashmap_get(&replicas->by_writer, key_of(writer));
    return number == HASHMAP_NONE ? NULL : replicas_at(replicas, number);
}

struct replica *replicas_at(const struct replicas *replicas, uint32_t number)
{
    return slots_get(&replicas->slots, number);
}

struct replica *replicas_next(const struct replicas *replicas, uint32_t *number)
{
    return slots_next(&replicas->slots, number);
}

void replicas_peer_lost(const struct replicas *replicas, uint64_t peer)
{
    struct replica *replica;
    uint32_t number = 0;
    while ((replica = replicas_next(replicas, &number)) != NULL)
        replica_peer_lost(replica, replicas->log, peer);
}

bool replicas_are_synced(const struct replicas *replicas)
{
    const struct replica *replica;
    uint32_t number = 0;
    while ((replica = replicas_next(replicas, &number)) != NULL) {
        if (replica->is_followed && !replica->is_complete)
            return false;
    }
    return true;
}

uint64_t replicas_behind(const struct replicas *replicas)
{
    const struct replica *replica;
    uint32_t number = 0;
    uint64_t entries = 0;
    while ((replica = replicas_next(replicas, &number)) != NULL) {
        if (replica->is_followed)
            entries += replica->heard - replica->have;
    }
    return entries;
}

static struct log_head own_head(const struct replicas *replicas)
{
    return (struct log_head){.writer = replicas->log->context->instance,
                             .have = log_head(replicas->log)};
}

static struct log_head head_of(const struct replica *replica)
{
    return (struct log_head){.writer = replica->writer, .have = replica->have};
}

static uint64_t hash_all(const struct replicas *replicas)
{
    uint64_t hash = heads_hash(own_head(replicas));
    const struct replica *replica;
    uint32_t number = 0;
    while ((replica = replicas_next(replicas, &number)) != NULL) {
        if (replica->is_followed)
            hash += heads_hash(head_of(replica));
    }
    return hash;
}

uint32_t replicas_heads(const struct replicas *replicas, bool with_dead, struct log_head **heads)
{
    uint32_t all = replicas->slots.count + 1;
    uint32_t most = all < HEADS_MAX ? all : HEADS_MAX;
    *heads = scratch_new(&replicas->log->context->scratch, most * sizeof(struct log_head));
    if (*heads == NULL)
        return 0;
    uint32_t filled = 0;
    (*heads)[filled++] = own_head(replicas);
    const struct replica *replica;
    uint32_t number = 0;
    while (filled < most && (replica = replicas_next(replicas, &number)) != NULL) {
        if (replica->is_followed || with_dead)
            (*heads)[filled++] = head_of(replica);
    }
    return filled;
}

static void heads_answer(const struct replicas *replicas, uint64_t peer, uint64_t hash)
{
    struct log_head *heads;
    if (!log_can_answer(replicas->log, peer))
        return;
    uint32_t count = replicas_heads(replicas, false, &heads);
    if (count > 0)
        heads_send(replicas->log, peer, hash, heads, count);
}

void replicas_compare(const struct replicas *replicas)
{
    uint64_t hash = hash_all(replicas);
    log_compare_later(replicas->log);
    uint64_t peer = log_shall_compare(replicas->log, hash) ? log_any_peer(replicas->log, 0) : 0;
    if (peer != 0)
        heads_compare(replicas->log, peer, hash);
}

enum error replicas_heads_received(const struct replicas *replicas, uint64_t peer,
                                   const struct message *message)
{
    struct log_heads fields;
    if (schema_decode(&log_heads_schema, message->fields, &fields) != ERROR_OK ||
        fields.stream != replicas->log->stream)
        return ERROR_INVALID_MESSAGE;
    if (message->body.bytes == 0) {
        uint64_t hash = hash_all(replicas);
        if (hash != fields.hash)
            heads_answer(replicas, peer, hash);
        return ERROR_OK;
    }
    struct log_head head;
    struct span body = message->body;
    enum error error;
    while (heads_next(&body, &head, &error)) {
        struct replica *replica = replicas_find(replicas, head.writer);
        if (replica != NULL)
            replica_witnessed(replica, replicas->log, peer, head.have);
    }
    return error == ERROR_OK ? ERROR_OK : ERROR_INVALID_MESSAGE;
}

enum pull_verdict replicas_pull_received(const struct replicas *replicas, uint64_t peer,
                                         const struct message *message, struct log_pull *pull,
                                         struct replica **replica)
{
    struct log *log = replicas->log;
    if (schema_decode(&log_pull_schema, message->fields, pull) != ERROR_OK ||
        pull->stream != log->stream || message->correlation == 0)
        return PULL_REFUSED;
    bool is_own = pull->writer == log->context->instance;
    *replica = is_own ? NULL : replicas_find(replicas, pull->writer);
    if (!is_own && *replica == NULL) {
        log_answer_head(log, peer, message->correlation, pull->writer, 0);
        return PULL_DONE;
    }
    const struct ring *ring = is_own ? &log->ring : (*replica)->recent;
    if (ring != NULL)
        return log_answer(log, ring, peer, message->correlation, pull) ? PULL_DONE : PULL_CHUNK;
    if (pull->have < (*replica)->have)
        return PULL_CHUNK;
    log_answer_head(log, peer, message->correlation, pull->writer, (*replica)->have);
    return PULL_DONE;
}
