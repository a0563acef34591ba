/* selections.c - see selections.h.
 *
 *     a/b, a/+/c, a/two stars:    root -> a (rest) -> b (exact)
 *                                              \-> + -> c (exact)
 *
 * (N1) a node without children and selections is not there, but the root
 * (N2) a node is found by its parent and segment; the child `+` by a pointer too
 * (N3) a session has a selector once */
#include "mesh/topics/selections.h"

#include "mesh/base/require.h"
#include "proto/request.h"

static struct span segment_next(struct span *rest)
{
    const uint8_t *slash = rest->bytes == 0 ? NULL : memchr(rest->data, '/', rest->bytes);
    size_t bytes = slash == NULL ? rest->bytes : (size_t)(slash - rest->data);
    struct span segment = span_of(rest->data, bytes);
    size_t taken = slash == NULL ? bytes : bytes + 1;
    *rest = span_of(rest->data + taken, rest->bytes - taken);
    return segment;
}

static bool is_stars(struct span segment)
{
    return segment.bytes == 2 && memcmp(segment.data, "**", 2) == 0;
}

static bool is_plus(struct span segment)
{
    return segment.bytes == 1 && segment.data[0] == '+';
}

static struct span segment_of(const struct selection_node *node)
{
    return span_of(node->segment, node->bytes);
}

struct span selections_text(const struct selection *selection)
{
    return span_of(selection->text, selection->bytes);
}

static struct selection_node *node_new(struct selections *selections, struct span segment)
{
    struct selection_node *node =
        memory_new(selections->memory, MEMORY_TABLES, sizeof *node + segment.bytes);
    if (node == NULL)
        return NULL;
    if (!slots_add(&selections->nodes, node, &node->number)) {
        memory_free(selections->memory, MEMORY_TABLES, node, sizeof *node + segment.bytes);
        return NULL;
    }
    node->bytes = (uint8_t)segment.bytes;
    if (segment.bytes > 0)
        memcpy(node->segment, segment.data, segment.bytes);
    return node;
}

static void node_free(struct selections *selections, struct selection_node *node)
{
    slots_remove(&selections->nodes, node->number);
    memory_free(selections->memory, MEMORY_TABLES, node, sizeof *node + node->bytes);
}

bool selections_init(struct selections *selections, struct memory *memory, uint64_t salt)
{
    *selections = (struct selections){.memory = memory};
    slots_init(&selections->nodes, memory);
    slots_init(&selections->records, memory);
    hashmap_init(&selections->by_segment, memory, MEMORY_TABLES, salt);
    hashmap_init(&selections->by_owner, memory, MEMORY_TABLES, salt);
    selections->root = node_new(selections, (struct span){0});
    return selections->root != NULL;
}

/* Two segments of one parent have different keys but by the worst of luck: then the second one's
 * is the next key that is free. */
static struct hashmap_key child_key(const struct selections *selections,
                                    const struct selection_node *parent, struct span segment,
                                    uint32_t attempt)
{
    struct hashmap_key key = hashmap_key_of_bytes(&selections->by_segment, segment);
    key.high ^= (uint64_t)parent->number * UINT64_C(0x9e3779b97f4a7c15);
    key.low += attempt;
    return key;
}

static struct selection_node *child_find(const struct selections *selections,
                                         const struct selection_node *parent, struct span segment,
                                         struct hashmap_key *key)
{
    for (uint32_t attempt = 0;; attempt++) {
        *key = child_key(selections, parent, segment, attempt);
        uint32_t number = hashmap_get(&selections->by_segment, *key);
        if (number == HASHMAP_NONE)
            return NULL;
        struct selection_node *child = slots_get(&selections->nodes, number);
        if (child->parent == parent && span_equal(segment_of(child), segment))
            return child;
    }
}

static bool is_bare(const struct selection_node *node)
{
    return node->children == 0 && node->exact == NULL && node->rest == NULL;
}

/* Nodes that are of no use any more go, from this one upwards. */
static void prune(struct selections *selections, struct selection_node *node)
{
    struct hashmap_key key;
    while (node->parent != NULL && is_bare(node)) {
        struct selection_node *parent = node->parent;
        require(child_find(selections, parent, segment_of(node), &key) == node);
        hashmap_remove(&selections->by_segment, key);
        if (parent->any == node)
            parent->any = NULL;
        parent->children--;
        node_free(selections, node);
        node = parent;
    }
}

static struct selection_node *child_add(struct selections *selections,
                                        struct selection_node *parent, struct span segment)
{
    struct hashmap_key key;
    struct selection_node *child = child_find(selections, parent, segment, &key);
    if (child != NULL)
        return child;
    child = node_new(selections, segment);
    if (child == NULL)
        return NULL;
    if (!hashmap_put(&selections->by_segment, key, child->number)) {
        node_free(selections, child);
        return NULL;
    }
    child->parent = parent;
    parent->children++;
    if (is_plus(segment))
        parent->any = child;
    return child;
}

/* Where the selector leads; *is_rest: it ends in two stars behind that node. Without `adds` NULL
 * when the way is not there. */
static struct selection_node *way(struct selections *selections, struct span selector, bool adds,
                                  bool *is_rest)
{
    struct selection_node *node = selections->root;
    struct hashmap_key key;
    *is_rest = false;
    while (selector.bytes > 0) {
        struct span segment = segment_next(&selector);
        *is_rest = is_stars(segment);
        if (*is_rest)
            break;
        struct selection_node *child = adds ? child_add(selections, node, segment)
                                            : child_find(selections, node, segment, &key);
        if (child == NULL) {
            if (adds)
                prune(selections, node);
            return NULL;
        }
        node = child;
    }
    return node;
}

static struct hashmap_key owner_key(const struct selection_node *node, bool is_rest,
                                    uint32_t session)
{
    return (struct hashmap_key){.high = (uint64_t)node->number << 1 | (is_rest ? 1 : 0),
                                .low = session};
}

struct selection *selections_at(const struct selections *selections,
                                const struct selection_node *node, bool is_rest, uint32_t session)
{
    uint32_t number = hashmap_get(&selections->by_owner, owner_key(node, is_rest, session));
    return number == HASHMAP_NONE ? NULL : slots_get(&selections->records, number);
}

struct selection *selections_find(const struct selections *selections, uint32_t session,
                                  struct span selector)
{
    bool is_rest;
    const struct selection_node *node =
        way((struct selections *)(uintptr_t)selections, selector, false, &is_rest);
    return node == NULL ? NULL : selections_at(selections, node, is_rest, session);
}

static struct selection **list_of(struct selection_node *node, bool is_rest)
{
    return is_rest ? &node->rest : &node->exact;
}

static void enter(struct selections *selections, struct selection *selection)
{
    struct selection **list = list_of(selection->node, selection->is_rest);
    selection->next_here = *list;
    if (*list != NULL)
        (*list)->previous_here = selection;
    *list = selection;
    selections->count++;
}

static struct selection *record_new(struct selections *selections, uint32_t session,
                                    struct span selector)
{
    size_t bytes = sizeof(struct selection) + selector.bytes;
    struct selection *selection = memory_new(selections->memory, MEMORY_TABLES, bytes);
    if (selection == NULL)
        return NULL;
    if (!slots_add(&selections->records, selection, &selection->number)) {
        memory_free(selections->memory, MEMORY_TABLES, selection, bytes);
        return NULL;
    }
    selection->session = session;
    selection->bytes = (uint16_t)selector.bytes;
    memcpy(selection->text, selector.data, selector.bytes);
    return selection;
}

static void record_free(struct selections *selections, struct selection *selection)
{
    slots_remove(&selections->records, selection->number);
    memory_free(selections->memory, MEMORY_TABLES, selection, sizeof *selection + selection->bytes);
}

struct selection *selections_add(struct selections *selections, uint32_t session,
                                 struct span selector)
{
    bool is_rest;
    require(selector.bytes > 0 && selector.bytes <= PATH_BYTES_MAX);
    if (selections->count >= SELECTIONS_MAX)
        return NULL;
    struct selection_node *node = way(selections, selector, true, &is_rest);
    if (node == NULL)
        return NULL;
    struct hashmap_key key = owner_key(node, is_rest, session);
    require(hashmap_get(&selections->by_owner, key) == HASHMAP_NONE);
    struct selection *selection = record_new(selections, session, selector);
    if (selection == NULL || !hashmap_put(&selections->by_owner, key, selection->number)) {
        if (selection != NULL)
            record_free(selections, selection);
        prune(selections, node);
        return NULL;
    }
    selection->node = node;
    selection->is_rest = is_rest;
    enter(selections, selection);
    return selection;
}

void selections_remove(struct selections *selections, struct selection *selection)
{
    struct selection_node *node = selection->node;
    struct selection **list = list_of(node, selection->is_rest);
    *(selection->previous_here == NULL ? list : &selection->previous_here->next_here) =
        selection->next_here;
    if (selection->next_here != NULL)
        selection->next_here->previous_here = selection->previous_here;
    hashmap_remove(&selections->by_owner, owner_key(node, selection->is_rest, selection->session));
    record_free(selections, selection);
    selections->count--;
    prune(selections, node);
}

static void found_add(struct selection_node *node, struct selection_node **found)
{
    if (node->is_found)
        return;
    node->is_found = true;
    node->next_found = *found;
    *found = node;
}

/* The nodes of the next segment, from those of the one before. */
static struct selection_node *front_move(const struct selections *selections,
                                         const struct selection_node *front, struct span segment)
{
    struct selection_node *next = NULL;
    struct hashmap_key key;
    for (; front != NULL; front = front->next_front) {
        struct selection_node *child =
            is_plus(segment) ? NULL : child_find(selections, front, segment, &key);
        if (child != NULL) {
            child->next_front = next;
            next = child;
        }
        if (front->any != NULL) {
            front->any->next_front = next;
            next = front->any;
        }
    }
    return next;
}

static void rests_collect(struct selection_node *front, struct selection_node **found)
{
    for (; front != NULL; front = front->next_front) {
        front->is_found = front->is_exact = false;
        if (front->rest != NULL)
            found_add(front, found);
    }
}

struct selection_node *selections_of_path(struct selections *selections, struct span path)
{
    struct selection_node *found = NULL;
    struct selection_node *front = selections->root;
    front->next_front = NULL;
    rests_collect(front, &found);
    while (path.bytes > 0 && front != NULL) {
        struct span segment = segment_next(&path);
        front = front_move(selections, front, segment);
        rests_collect(front, &found);
    }
    for (; front != NULL; front = front->next_front) {
        front->is_exact = front->exact != NULL;
        if (front->is_exact)
            found_add(front, &found);
    }
    return found;
}

void selections_clear(struct selections *selections)
{
    struct selection *selection;
    uint32_t number = 0;
    while ((selection = slots_next(&selections->records, &number)) != NULL)
        selections_remove(selections, selection);
    if (selections->root != NULL)
        node_free(selections, selections->root);
    slots_clear(&selections->nodes);
    slots_clear(&selections->records);
    hashmap_clear(&selections->by_segment);
    hashmap_clear(&selections->by_owner);
}

void selections_check(const struct selections *selections)
{
    const struct selection_node *node;
    uint32_t number = 0;
    uint32_t listed = 0;
    while ((node = slots_next(&selections->nodes, &number)) != NULL) {
        require(node->parent == NULL || !is_bare(node));
        for (const struct selection *at = node->exact; at != NULL; at = at->next_here)
            listed += at->node == node && !at->is_rest ? 1 : 0;
        for (const struct selection *at = node->rest; at != NULL; at = at->next_here)
            listed += at->node == node && at->is_rest ? 1 : 0;
    }
    require(listed == selections->count && selections->records.count == selections->count);
}
