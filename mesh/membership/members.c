/* members.c - see members.h.
 *
 * (M1) One known entry a name. (M2) The hash covers live entries only: tombstones come and go by
 * age, and two views that agree on who lives are equal. (M3) Every dead or left entry but our own
 * has exactly one valid tombstone in the ring. (M4) An entry's peer, if any, points back to it. */
#include "mesh/membership/members.h"

enum {
    ENTRIES_FIRST = 32,
    PEERS_CHUNK = 32,
    TOMBSTONES_FIRST = 64,
    RANDOM_TRIES = 32, /* then one walk; with mostly live entries the walk is never needed */
};

#define HOUR_NS UINT64_C(3600000000000)

void members_init(struct members *members, struct context *context, struct descriptors *descriptors)
{
    *members = (struct members){
        .context = context,
        .descriptors = descriptors,
        .self = WHO_NONE,
        .peers_free = WHO_NONE,
        .changes = 1,
    };
}

void members_clear(struct members *members)
{
    struct memory *memory = &members->context->memory;
    for (uint32_t who = 0; who < members->capacity; who++) {
        if (members->entries[who].state != MEMBER_UNKNOWN)
            descriptors_drop(members->descriptors, who);
    }
    memory_free(memory, MEMORY_MEMBERS, members->entries,
                members->capacity * sizeof members->entries[0]);
    for (uint32_t i = 0; i < members->peers_chunks; i++)
        memory_free(memory, MEMORY_MEMBERS, members->peers[i], PEERS_CHUNK * sizeof(struct peer));
    memory_free(memory, MEMORY_MEMBERS, members->peers,
                members->peers_chunks * sizeof members->peers[0]);
    memory_free(memory, MEMORY_MEMBERS, members->tombstones,
                members->tombstones_capacity * sizeof members->tombstones[0]);
}

/* Entries up to and including `who`. */
static bool entries_reserve(struct members *members, uint32_t who)
{
    if (who < members->capacity)
        return true;
    uint32_t capacity = who + who / 8 + ENTRIES_FIRST;
    struct entry *entries =
        memory_resize(&members->context->memory, MEMORY_MEMBERS, members->entries,
                      members->capacity * sizeof entries[0], capacity * sizeof entries[0]);
    if (entries == NULL)
        return false;
    members->entries = entries;
    members->capacity = capacity;
    return true;
}

uint32_t members_add(struct members *members, const struct member_record *record)
{
    if (!descriptors_is_complete(record))
        return WHO_NONE;
    uint32_t who = descriptors_hold(members->descriptors, record);
    if (who == WHO_NONE)
        return WHO_NONE;
    if (!entries_reserve(members, who)) {
        descriptors_drop(members->descriptors, who);
        return WHO_NONE;
    }
    require(members->entries[who].state == MEMBER_UNKNOWN);
    return who;
}

/* The splitmix64 finisher. */
uint64_t members_mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* Takes a live entry into the hash, or out again. */
static void hash_toggle(struct members *members, uint32_t who)
{
    uint64_t instance = descriptors_at(members->descriptors, who)->instance;
    uint64_t sum = members_mix(instance ^ members_mix(members->entries[who].incarnation));
    members->hash ^= sum;
    members->buckets[instance % VIEW_BUCKETS] ^= sum;
}

static bool is_live(uint8_t state)
{
    return state == MEMBER_ALIVE || state == MEMBER_SUSPECT;
}

/* Adds an entry to the counts and the hash, or takes it out. */
static void tally(struct members *members, uint32_t who, bool adds)
{
    uint8_t state = members->entries[who].state;
    uint32_t *counter = state == MEMBER_ALIVE     ? &members->alive
                        : state == MEMBER_SUSPECT ? &members->suspect
                                                  : &members->tombs;
    *counter = adds ? *counter + 1 : *counter - 1;
    if (is_live(state))
        hash_toggle(members, who);
}

static struct tombstone *tombstone_at(const struct members *members, uint32_t n)
{
    return &members->tombstones[(members->tombstones_first + n) % members->tombstones_capacity];
}

static bool tombstone_is_valid(const struct members *members, const struct tombstone *tombstone)
{
    const struct entry *entry = &members->entries[tombstone->who];
    return (entry->state == MEMBER_DEAD || entry->state == MEMBER_LEFT) &&
           entry->deaths == tombstone->deaths;
}

/* Takes the oldest tombstone off the ring, and its member with it if it is still dead. */
static void tombstones_pop(struct members *members)
{
    const struct tombstone oldest = *tombstone_at(members, 0);
    members->tombstones_first = (members->tombstones_first + 1) % members->tombstones_capacity;
    members->tombstones_count--;
    if (tombstone_is_valid(members, &oldest))
        members_remove(members, oldest.who);
}

static bool tombstones_grow(struct members *members)
{
    uint32_t most = members->context->config->gossip.tombstones_max;
    uint32_t capacity =
        members->tombstones_capacity == 0 ? TOMBSTONES_FIRST : members->tombstones_capacity * 2;
    capacity = capacity < most ? capacity : most;
    if (capacity <= members->tombstones_capacity)
        return false;
    struct memory *memory = &members->context->memory;
    struct tombstone *ring = memory_new(memory, MEMORY_MEMBERS, capacity * sizeof ring[0]);
    if (ring == NULL)
        return false;
    for (uint32_t n = 0; n < members->tombstones_count; n++)
        ring[n] = *tombstone_at(members, n);
    memory_free(memory, MEMORY_MEMBERS, members->tombstones,
                members->tombstones_capacity * sizeof ring[0]);
    members->tombstones = ring;
    members->tombstones_capacity = capacity;
    members->tombstones_first = 0;
    return true;
}

/* Without memory for the ring the dead are forgotten at once. */
static void tombstones_push(struct members *members, uint32_t who)
{
    if (members->tombstones_count == members->tombstones_capacity && !tombstones_grow(members)) {
        if (members->tombstones_capacity == 0) {
            members_remove(members, who);
            return;
        }
        tombstones_pop(members);
    }
    members->tombstones_count++;
    *tombstone_at(members, members->tombstones_count - 1) = (struct tombstone){
        .at_ns = members->context->now_ns,
        .who = who,
        .deaths = ++members->entries[who].deaths,
    };
}

void members_set(struct members *members, uint32_t who, enum member_state state,
                 uint64_t incarnation)
{
    struct entry *entry = &members->entries[who];
    bool was_dead = entry->state == MEMBER_DEAD || entry->state == MEMBER_LEFT;
    if (entry->state != MEMBER_UNKNOWN)
        tally(members, who, false);
    entry->state = (uint8_t)state;
    entry->incarnation = incarnation;
    tally(members, who, true);
    members->changes++;
    if (!was_dead && !is_live(entry->state) && who != members->self)
        tombstones_push(members, who);
}

static void peer_free(struct members *members, uint32_t number)
{
    struct peer *peer = &members->peers[number / PEERS_CHUNK][number % PEERS_CHUNK];
    *peer = (struct peer){.who = members->peers_free};
    members->peers_free = number;
}

void members_remove(struct members *members, uint32_t who)
{
    struct entry *entry = &members->entries[who];
    require(entry->state != MEMBER_UNKNOWN && who != members->self);
    tally(members, who, false);
    if (entry->peer != 0)
        peer_free(members, entry->peer - 1);
    *entry = (struct entry){.deaths = entry->deaths};
    members->changes++;
    descriptors_drop(members->descriptors, who);
}

void members_expire(struct members *members)
{
    uint64_t age_ns = members->context->config->gossip.tombstone_h * HOUR_NS;
    while (members->tombstones_count > 0) {
        const struct tombstone *oldest = tombstone_at(members, 0);
        if (tombstone_is_valid(members, oldest) &&
            members->context->now_ns - oldest->at_ns < age_ns)
            return;
        tombstones_pop(members);
    }
}

struct entry members_entry(const struct members *members, uint32_t who)
{
    return who < members->capacity ? members->entries[who] : (struct entry){0};
}

static bool is_known(const struct members *members, uint32_t who)
{
    return who < members->capacity && members->entries[who].state != MEMBER_UNKNOWN;
}

uint32_t members_find(const struct members *members, uint64_t instance)
{
    uint32_t who = descriptors_find(members->descriptors, instance);
    return is_known(members, who) ? who : WHO_NONE;
}

uint32_t members_named(const struct members *members, struct span name)
{
    uint32_t who = descriptors_named(members->descriptors, name);
    for (; who != WHO_NONE; who = descriptors_at(members->descriptors, who)->next_of_name) {
        const char *known = descriptors_at(members->descriptors, who)->name;
        if (is_known(members, who) && span_equal(name, span_text(known)))
            return who;
    }
    return WHO_NONE;
}

bool members_is_live(const struct members *members, uint32_t who)
{
    return who < members->capacity && is_live(members->entries[who].state);
}

uint32_t members_live(const struct members *members)
{
    return members->alive + members->suspect;
}

const struct descriptor *members_descriptor(const struct members *members, uint32_t who)
{
    return descriptors_at(members->descriptors, who);
}

uint32_t members_next(const struct members *members, uint32_t after)
{
    uint32_t who = after == WHO_NONE ? 0 : after + 1;
    while (who < members->capacity && members->entries[who].state == MEMBER_UNKNOWN)
        who++;
    return who < members->capacity ? who : WHO_NONE;
}

uint32_t members_random(const struct members *members, struct random *random)
{
    if (members_live(members) < 2)
        return WHO_NONE;
    uint32_t who = 0;
    for (int i = 0; i < RANDOM_TRIES; i++) {
        who = (uint32_t)random_below(random, members->capacity);
        if (who != members->self && is_live(members->entries[who].state))
            return who;
    }
    while (who == members->self || !is_live(members->entries[who].state))
        who = (who + 1) % members->capacity;
    return who;
}

/* A place in the ring of tombstones is drawn and the walk goes on from there, older first. */
uint32_t members_dead(const struct members *members, struct random *random, uint32_t newest)
{
    uint32_t count = members->tombstones_count;
    uint32_t among = newest < count ? newest : count;
    if (among == 0)
        return WHO_NONE;
    uint32_t start = (uint32_t)random_below(random, among);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t back = (start + i) % count;
        const struct tombstone *tombstone = tombstone_at(members, count - 1 - back);
        if (tombstone_is_valid(members, tombstone) &&
            members->entries[tombstone->who].state == MEMBER_DEAD)
            return tombstone->who;
    }
    return WHO_NONE;
}

static struct peer *peer_at(const struct members *members, uint32_t number)
{
    return &members->peers[number / PEERS_CHUNK][number % PEERS_CHUNK];
}

/* One more chunk of free peers. */
static bool peers_grow(struct members *members)
{
    struct memory *memory = &members->context->memory;
    struct peer *chunk = memory_new(memory, MEMORY_MEMBERS, PEERS_CHUNK * sizeof chunk[0]);
    size_t bytes = members->peers_chunks * sizeof members->peers[0];
    struct peer **peers = chunk == NULL ? NULL
                                        : memory_resize(memory, MEMORY_MEMBERS, members->peers,
                                                        bytes, bytes + sizeof peers[0]);
    if (peers == NULL) {
        memory_free(memory, MEMORY_MEMBERS, chunk, PEERS_CHUNK * sizeof chunk[0]);
        return false;
    }
    members->peers = peers;
    members->peers[members->peers_chunks++] = chunk;
    for (uint32_t i = PEERS_CHUNK; i > 0; i--)
        peer_free(members, (members->peers_chunks - 1) * PEERS_CHUNK + i - 1);
    return true;
}

struct peer *members_peer_if_any(const struct members *members, uint32_t who)
{
    uint32_t peer = members_entry(members, who).peer;
    return peer == 0 ? NULL : peer_at(members, peer - 1);
}

struct peer *members_peer(struct members *members, uint32_t who)
{
    require(is_known(members, who));
    if (members->entries[who].peer != 0)
        return peer_at(members, members->entries[who].peer - 1);
    if (members->peers_free == WHO_NONE && !peers_grow(members))
        return NULL;
    uint32_t number = members->peers_free;
    struct peer *peer = peer_at(members, number);
    members->peers_free = peer->who;
    members->entries[who].peer = number + 1;
    *peer = (struct peer){.who = who};
    return peer;
}

const struct member *members_view(struct members *members, uint32_t who)
{
    struct peer *peer = members_peer(members, who);
    if (peer == NULL)
        return NULL;
    const struct descriptor *descriptor = descriptors_at(members->descriptors, who);
    const struct link *link =
        who == members->self ? NULL
                             : links_of_instance(members->context->links, descriptor->instance);
    peer->view = (struct member){
        .instance = descriptor->instance,
        .incarnation = members->entries[who].incarnation,
        .state = (enum member_state)members->entries[who].state,
        .name = descriptor->name,
        .zone = descriptor->zone,
        .version = descriptor->version,
        .gossip_address = descriptor->gossip_address,
        .forward_address = descriptor->forward_address,
        .client_address = descriptor->client_address,
        .link = link == NULL ? MESH_LINK_NONE : link->number,
        .sessions = peer->sessions,
        .lag_us = peer->lag_us,
        .rtt_us = peer->rtt_us,
        .health = peer->health,
        .forward_up = peer->forward_up,
        .is_self = who == members->self,
    };
    return &peer->view;
}

void members_describe(const struct members *members, uint32_t who, bool is_full,
                      struct member_record *record)
{
    descriptors_describe(members->descriptors, who, is_full, record);
    record->incarnation = members->entries[who].incarnation;
    record->state = members->entries[who].state;
}

void members_check(const struct members *members)
{
    uint32_t counts[MEMBER_LEFT + 1] = {0};
    uint64_t hash = 0;
    for (uint32_t who = 0; who < members->capacity; who++) {
        const struct entry *entry = &members->entries[who];
        require(entry->state <= MEMBER_LEFT);
        counts[entry->state]++;
        if (entry->state == MEMBER_UNKNOWN)
            continue;
        const struct descriptor *descriptor = descriptors_at(members->descriptors, who);
        require(descriptor->instance != 0);
        require(members_named(members, span_text(descriptor->name)) == who); /* (M1) */
        if (is_live(entry->state))
            hash ^= members_mix(descriptor->instance ^ members_mix(entry->incarnation));
        require(entry->peer == 0 || peer_at(members, entry->peer - 1)->who == who); /* (M4) */
    }
    require(hash == members->hash); /* (M2) */
    require(counts[MEMBER_ALIVE] == members->alive && counts[MEMBER_SUSPECT] == members->suspect);
    require(counts[MEMBER_DEAD] + counts[MEMBER_LEFT] == members->tombs);
    uint32_t valid = 0;
    for (uint32_t n = 0; n < members->tombstones_count; n++)
        valid += tombstone_is_valid(members, tombstone_at(members, n)) ? 1 : 0;
    uint8_t self = members->entries[members->self].state;
    require(self == MEMBER_ALIVE || self == MEMBER_LEFT);
    require(valid + (self == MEMBER_LEFT ? 1 : 0) == members->tombs); /* (M3) */
}
