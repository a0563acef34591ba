/* seeds.c - see seeds.h. A seed is looked up anew each time it is called: names move. What is found
 * is kept by address, because an address may be another text than the one its node advertises. */
#include "mesh/membership/seeds.h"

#include "mesh/membership/room.h"

uint32_t seeds_count(const struct membership *room)
{
    uint32_t count = room->context->config->seeds;
    return count < MESH_SEEDS_MAX ? count : MESH_SEEDS_MAX;
}

static void call(struct membership *room, uint32_t seed)
{
    const struct mesh_output order = {.order = MESH_RESOLVE_SEED, .seed = seed};
    outbox_order(room->context->outbox, &order);
}

void seeds_call_all(struct membership *room)
{
    for (uint32_t seed = 0; seed < seeds_count(room); seed++) {
        if (!room->seeds.list[seed].is_complete)
            call(room, seed);
    }
}

bool seeds_call_one(struct membership *room)
{
    uint32_t count = seeds_count(room);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t seed = (room->seeds.next + i) % count;
        if (room->seeds.list[seed].is_complete)
            continue;
        room->seeds.next = seed + 1;
        call(room, seed);
        return true;
    }
    return false;
}

static bool lives(const struct membership *room, uint64_t instance)
{
    uint32_t who = members_find(&room->members, instance);
    return instance != 0 && who != WHO_NONE && members_is_live(&room->members, who);
}

/* Whether a live member, or this node, is known to be at that address. */
static bool is_found(const struct membership *room, const struct seed *seed, struct span address)
{
    if (span_equal(address, span_text(room->context->config->gossip_address)))
        return true;
    const struct link *link = links_at_address(room->context->links, address);
    if (link != NULL && lives(room, link->instance))
        return true;
    uint64_t hash = mesh_name_hash(address);
    for (uint32_t i = 0; i < seed->places_count; i++) {
        if (seed->places[i].address == hash && lives(room, seed->places[i].instance))
            return true;
    }
    return false;
}

void seeds_resolved(struct membership *room, uint32_t number, struct span addresses)
{
    if (number >= seeds_count(room) || leave_has_begun(room))
        return;
    struct seed *seed = &room->seeds.list[number];
    seed->is_complete = addresses.bytes > 0;
    uint32_t count = 0;
    size_t start = 0;
    for (size_t end = 0; end <= addresses.bytes && count < MESH_ADDRESSES_PER_SEED_MAX; end++) {
        if (end < addresses.bytes && addresses.data[end] != '\n')
            continue;
        struct span address = span_of(addresses.data + start, end - start);
        start = end + 1;
        count++;
        if (address.bytes == 0 || is_found(room, seed, address))
            continue;
        seed->is_complete = false;
        calls_start(room, address, number);
    }
}

void seeds_found(struct membership *room, uint32_t number, struct span address, uint64_t instance)
{
    if (number >= seeds_count(room))
        return;
    struct seed *seed = &room->seeds.list[number];
    uint64_t hash = mesh_name_hash(address);
    uint32_t place = 0;
    while (place < seed->places_count && seed->places[place].address != hash)
        place++;
    if (place == MESH_ADDRESSES_PER_SEED_MAX)
        place = (uint32_t)(hash % MESH_ADDRESSES_PER_SEED_MAX); /* the name has moved often */
    else if (place == seed->places_count)
        seed->places_count++;
    seed->places[place] = (struct seed_place){.address = hash, .instance = instance};
}

void seeds_member_lost(struct membership *room)
{
    for (uint32_t seed = 0; seed < seeds_count(room); seed++)
        room->seeds.list[seed].is_complete = false;
}
