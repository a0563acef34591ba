/* nodes.c - see nodes.h. */
#include "mesh/routing/nodes.h"

static struct hashmap_key instance_key(uint64_t instance)
{
    return (struct hashmap_key){.high = 0, .low = instance};
}

bool nodes_init(struct nodes *nodes, struct context *context)
{
    uint32_t capacity = context->config->gossip.members_max + 1;
    *nodes = (struct nodes){
        .context = context,
        .slots = memory_new(&context->memory, MEMORY_TABLES, capacity * sizeof(struct node)),
        .capacity = capacity,
        .first_free = NODE_NONE,
    };
    hashmap_init_dealt(&nodes->by_instance, &context->memory, MEMORY_TABLES,
                       random_u64(&context->random));
    return nodes->slots != NULL &&
           nodes_joined(nodes, context->instance, span_text(context->config->name),
                        span_text(context->config->zone));
}

void nodes_clear(struct nodes *nodes)
{
    if (nodes->context == NULL)
        return;
    hashmap_clear(&nodes->by_instance);
    memory_free(&nodes->context->memory, MEMORY_TABLES, nodes->slots,
                nodes->capacity * sizeof(struct node));
    *nodes = (struct nodes){0};
}

static struct node *slot_take(struct nodes *nodes)
{
    uint32_t slot = nodes->first_free;
    if (slot == NODE_NONE && nodes->used == nodes->capacity)
        return NULL;
    if (slot == NODE_NONE)
        slot = nodes->used++;
    else
        nodes->first_free = nodes->slots[slot].next_free;
    nodes->slots[slot].slot = slot;
    return &nodes->slots[slot];
}

static void slot_give(struct nodes *nodes, struct node *node)
{
    node->instance = 0;
    node->next_free = nodes->first_free;
    nodes->first_free = node->slot;
}

static uint8_t text_copy(char text[NAME_BYTES_MAX], struct span from)
{
    size_t bytes = from.bytes < NAME_BYTES_MAX ? from.bytes : NAME_BYTES_MAX;
    if (bytes > 0)
        memcpy(text, from.data, bytes);
    return (uint8_t)bytes;
}

bool nodes_joined(struct nodes *nodes, uint64_t instance, struct span name, struct span zone)
{
    struct node *node = nodes_find(nodes, instance);
    if (node == NULL) {
        node = slot_take(nodes);
        if (node == NULL)
            return false;
        if (!hashmap_put(&nodes->by_instance, instance_key(instance), node->slot)) {
            slot_give(nodes, node);
            return false;
        }
        node->instance = instance;
        nodes->count++;
    }
    struct span own_zone = span_text(nodes->context->config->zone);
    node->is_in_zone = own_zone.bytes > 0 && span_equal(zone, own_zone);
    node->is_suspected = false;
    node->name_bytes = text_copy(node->name, name);
    node->zone_bytes = text_copy(node->zone, zone);
    return true;
}

void nodes_gone(struct nodes *nodes, uint64_t instance)
{
    struct node *node = nodes_find(nodes, instance);
    if (node == NULL)
        return;
    hashmap_remove(&nodes->by_instance, instance_key(instance));
    slot_give(nodes, node);
    nodes->count--;
}

struct node *nodes_find(const struct nodes *nodes, uint64_t instance)
{
    uint32_t slot = hashmap_get(&nodes->by_instance, instance_key(instance));
    return slot == HASHMAP_NONE ? NULL : &nodes->slots[slot];
}

struct node *nodes_named(const struct nodes *nodes, struct span name)
{
    struct node *node = NULL;
    while ((node = nodes_next(nodes, node)) != NULL) {
        if (span_equal(nodes_name(node), name))
            return node;
    }
    return NULL;
}

struct node *nodes_next(const struct nodes *nodes, const struct node *after)
{
    for (uint32_t slot = after == NULL ? 0 : after->slot + 1; slot < nodes->used; slot++) {
        if (nodes->slots[slot].instance != 0)
            return &nodes->slots[slot];
    }
    return NULL;
}

struct outbound *nodes_queue(const struct nodes *nodes, const struct node *node)
{
    struct link *link = links_of_instance(nodes->context->links, node->instance);
    return link == NULL || !link->forward_open ? NULL : &link->forward;
}

struct span nodes_name(const struct node *node)
{
    return span_of(node->name, node->name_bytes);
}

struct span nodes_zone(const struct node *node)
{
    return span_of(node->zone, node->zone_bytes);
}
