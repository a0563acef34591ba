/* links.c - see links.h.
 *
 *     links_open --> down, blocked --up--> up --full--> up, blocked --writable--> up
 *                      ^                   |                |
 *                      +-------lost--------+------lost------+     for each channel by itself
 *
 * Freed numbers are used again in the order in which they were freed: a fact about the old link
 * that is still under way then meets, as a rule, an empty slot.
 *
 * (L1) a link in use has an open gossip channel
 * (L2) a channel's queue is unblocked only while the channel is up
 * (L3) a bound link is the one in `by_instance`; a link in use is in the row of its address */
#include "mesh/base/links.h"

#include "mesh/base/context.h"
#include "mesh/base/hashmap.h"

enum {
    /* Gossip that could not leave is soon stale: enough for a joiner's first messages and one
     * table, and little to throw away. */
    GOSSIP_MESSAGES_MAX = 1024,
    GOSSIP_BYTES_MAX = 1024 * 1024,
    /* Four times the frame limit, so that the largest message never waits for an empty queue; and
     * more small messages than one node's sessions have in flight. */
    FORWARD_MESSAGES_MAX = 256 * 1024,
    FORWARD_BYTES_MAX = 4 * FORWARD_FRAME_BYTES_MAX,
};

#define NUMBER_NONE MESH_LINK_NONE

struct links {
    struct context *context;
    uint32_t capacity;
    uint32_t touched;               /* slots ever used: those below this number */
    uint32_t free_first, free_last; /* freed slots, oldest first */
    struct hashmap by_instance;
    struct hashmap by_address; /* the youngest; the row goes on by next_at_address */
    struct link table[];
};

static size_t table_bytes(uint32_t capacity)
{
    return sizeof(struct links) + capacity * sizeof(struct link);
}

struct links *links_new(struct context *context, uint32_t capacity)
{
    struct memory *memory = &context->memory;
    struct links *links = memory_new(memory, MEMORY_TABLES, table_bytes(capacity));
    if (links == NULL)
        return NULL;
    links->context = context;
    links->capacity = capacity;
    links->free_first = NUMBER_NONE;
    links->free_last = NUMBER_NONE;
    hashmap_init_dealt(&links->by_instance, memory, MEMORY_TABLES, random_u64(&context->random));
    hashmap_init(&links->by_address, memory, MEMORY_TABLES, random_u64(&context->random));
    if (!hashmap_reserve(&links->by_instance, capacity) ||
        !hashmap_reserve(&links->by_address, capacity))
        links_destroy(&links);
    return links;
}

void links_destroy(struct links **links)
{
    struct links *gone = *links;
    if (gone == NULL)
        return;
    for (uint32_t i = 0; i < gone->touched; i++) {
        outbound_clear(&gone->table[i].gossip);
        outbound_clear(&gone->table[i].forward);
    }
    hashmap_clear(&gone->by_instance);
    hashmap_clear(&gone->by_address);
    memory_free(&gone->context->memory, MEMORY_TABLES, gone, table_bytes(gone->capacity));
    *links = NULL;
}

static struct hashmap_key instance_key(uint64_t instance)
{
    return (struct hashmap_key){.low = instance};
}

/* An address is usable when it is there and fits with its NUL. */
static bool is_address(struct span address)
{
    return address.bytes > 0 && address.bytes < LINK_ADDRESS_BYTES;
}

static void text_copy(char *to, struct span text)
{
    if (text.bytes > 0)
        memcpy(to, text.data, text.bytes);
    to[text.bytes] = '\0';
}

static struct link *slot_take(struct links *links)
{
    uint32_t number = links->free_first;
    if (number != NUMBER_NONE) {
        links->free_first = links->table[number].next_free;
        if (links->free_first == NUMBER_NONE)
            links->free_last = NUMBER_NONE;
    } else if (links->touched < links->capacity) {
        number = links->touched++;
    } else {
        return NULL;
    }
    struct link *link = &links->table[number];
    *link =
        (struct link){.number = number, .next_free = NUMBER_NONE, .next_at_address = NUMBER_NONE};
    return link;
}

static void slot_give(struct links *links, struct link *link)
{
    link->next_free = NUMBER_NONE;
    if (links->free_last == NUMBER_NONE)
        links->free_first = link->number;
    else
        links->table[links->free_last].next_free = link->number;
    links->free_last = link->number;
}

static struct outbound *queue_of(struct link *link, enum channel channel)
{
    return channel == CHANNEL_GOSSIP ? &link->gossip : &link->forward;
}

/* Orders the channel to be dialled and gives it an empty queue, blocked until it is up. */
static void channel_open(struct links *links, struct link *link, enum channel channel)
{
    bool is_gossip = channel == CHANNEL_GOSSIP;
    const struct envelope envelope = {
        .version = WIRE_VERSION_MAX,
        .channel = channel,
        .mesh = links->context->mesh_hash,
        .sender = links->context->instance,
        .receiver = link->instance,
    };
    struct outbound *queue = queue_of(link, channel);
    outbound_init(queue, links->context->outbox, MESH_SEND, link->number, &envelope,
                  is_gossip ? GOSSIP_MESSAGES_MAX : FORWARD_MESSAGES_MAX,
                  is_gossip ? GOSSIP_BYTES_MAX : FORWARD_BYTES_MAX);
    outbound_block(queue);
    outbox_order(links->context->outbox,
                 &(struct mesh_output){
                     .order = MESH_OPEN_LINK,
                     .channel = channel,
                     .link = link->number,
                     .address = span_text(is_gossip ? link->gossip_address : link->forward_address),
                     .name = span_text(link->name),
                 });
}

static void channel_close(struct links *links, struct link *link, enum channel channel)
{
    outbound_clear(queue_of(link, channel));
    outbox_order(links->context->outbox, &(struct mesh_output){
                                             .order = MESH_CLOSE_LINK,
                                             .channel = channel,
                                             .link = link->number,
                                         });
}

void links_name(struct link *link, struct span name)
{
    if (name.bytes < sizeof link->name)
        text_copy(link->name, name);
}

struct link *links_open(struct links *links, struct span gossip_address)
{
    return links_open_to(links, gossip_address, (struct span){0});
}

struct link *links_open_to(struct links *links, struct span gossip_address, struct span name)
{
    if (!is_address(gossip_address))
        return NULL;
    struct link *link = slot_take(links);
    if (link == NULL)
        return NULL;
    text_copy(link->gossip_address, gossip_address);
    links_name(link, name);
    struct hashmap_key key = hashmap_key_of_bytes(&links->by_address, gossip_address);
    link->next_at_address = hashmap_get(&links->by_address, key);
    bool is_put = hashmap_put(&links->by_address, key, link->number);
    require(is_put); /* room was reserved for the whole table */
    link->gossip_open = true;
    channel_open(links, link, CHANNEL_GOSSIP);
    return link;
}

bool links_open_forward(struct links *links, struct link *link, struct span forward_address)
{
    if (!is_address(forward_address))
        return false;
    if (link->forward_open) {
        if (span_equal(span_text(link->forward_address), forward_address))
            return true;
        channel_close(links, link, CHANNEL_FORWARD);
        link->forward_up = false;
    }
    text_copy(link->forward_address, forward_address);
    link->forward_open = true;
    channel_open(links, link, CHANNEL_FORWARD);
    return true;
}

void links_bind(struct links *links, struct link *link, uint64_t instance)
{
    if (link->instance == instance)
        return;
    require(instance != 0 && links_of_instance(links, instance) == NULL);
    if (link->instance != 0)
        hashmap_remove(&links->by_instance, instance_key(link->instance));
    bool is_put = hashmap_put(&links->by_instance, instance_key(instance), link->number);
    require(is_put);
    link->instance = instance;
    link->gossip.envelope.receiver = instance;
    link->forward.envelope.receiver = instance;
}

/* Takes the link out of the row of its address. */
static void address_leave(struct links *links, struct link *link)
{
    struct hashmap_key key =
        hashmap_key_of_bytes(&links->by_address, span_text(link->gossip_address));
    uint32_t first = hashmap_get(&links->by_address, key);
    if (first != link->number) {
        struct link *before = &links->table[first];
        while (before->next_at_address != link->number)
            before = &links->table[before->next_at_address];
        before->next_at_address = link->next_at_address;
    } else if (link->next_at_address == NUMBER_NONE) {
        hashmap_remove(&links->by_address, key);
    } else {
        hashmap_put(&links->by_address, key, link->next_at_address);
    }
}

void links_close(struct links *links, struct link *link)
{
    require(link->gossip_open);
    if (link->forward_open)
        channel_close(links, link, CHANNEL_FORWARD);
    channel_close(links, link, CHANNEL_GOSSIP);
    if (link->instance != 0)
        hashmap_remove(&links->by_instance, instance_key(link->instance));
    address_leave(links, link);
    *link = (struct link){.number = link->number};
    slot_give(links, link);
}

struct link *links_find(struct links *links, uint32_t number)
{
    if (number >= links->touched || !links->table[number].gossip_open)
        return NULL;
    return &links->table[number];
}

struct link *links_of_instance(struct links *links, uint64_t instance)
{
    return links_find(links, hashmap_get(&links->by_instance, instance_key(instance)));
}

struct link *links_at_address(struct links *links, struct span gossip_address)
{
    struct hashmap_key key = hashmap_key_of_bytes(&links->by_address, gossip_address);
    struct link *link = links_find(links, hashmap_get(&links->by_address, key));
    /* Two addresses of one 128-bit hash: nobody will live to see it, but strangers choose some. */
    if (link == NULL || !span_equal(span_text(link->gossip_address), gossip_address))
        return NULL;
    return link;
}

/* The link whose channel a fact speaks of; NULL when it is not ours. */
static struct link *channel_find(struct links *links, uint32_t number, enum channel channel)
{
    struct link *link = links_find(links, number);
    if (link == NULL || channel == CHANNEL_CLIENT)
        return NULL;
    return channel == CHANNEL_GOSSIP || link->forward_open ? link : NULL;
}

static bool *up_of(struct link *link, enum channel channel)
{
    return channel == CHANNEL_GOSSIP ? &link->gossip_up : &link->forward_up;
}

bool links_up(struct links *links, uint32_t number, enum channel channel)
{
    struct link *link = channel_find(links, number, channel);
    if (link == NULL)
        return false;
    *up_of(link, channel) = true;
    queue_of(link, channel)->envelope.sequence = 0;
    outbound_unblock(queue_of(link, channel));
    count(links->context, COUNTER_links_up);
    return true;
}

bool links_lost(struct links *links, uint32_t number, enum channel channel)
{
    struct link *link = channel_find(links, number, channel);
    if (link == NULL)
        return false;
    *up_of(link, channel) = false;
    outbound_block(queue_of(link, channel));
    if (channel == CHANNEL_GOSSIP)
        outbound_drop_all(&link->gossip);
    count(links->context, COUNTER_links_lost);
    return true;
}

bool links_full(struct links *links, uint32_t number, enum channel channel)
{
    struct link *link = channel_find(links, number, channel);
    if (link == NULL)
        return false;
    outbound_block(queue_of(link, channel));
    count(links->context, COUNTER_links_full);
    return true;
}

bool links_writable(struct links *links, uint32_t number, enum channel channel)
{
    struct link *link = channel_find(links, number, channel);
    if (link == NULL)
        return false;
    if (*up_of(link, channel))
        outbound_unblock(queue_of(link, channel));
    return true;
}

struct link *links_next(struct links *links, const struct link *after)
{
    for (uint32_t i = after == NULL ? 0 : after->number + 1; i < links->touched; i++) {
        if (links->table[i].gossip_open)
            return &links->table[i];
    }
    return NULL;
}
