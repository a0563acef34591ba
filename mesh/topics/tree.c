/* tree.c - see tree.h. A skip list: ordered, so that selectors with wildcards, pages of FETCH and
 * snapshots for subscribers are walks that can stop anywhere and go on by a path; one index for all
 * of that and for exact paths too.
 *
 * The order compares '/' below every other byte. No other byte of a path is below it then, because
 * paths have no NUL; so all that is below a path follows it at once, and a whole subtree is skipped
 * by looking for the path, a '/', and a byte that no UTF-8 has.
 *
 * (T1) each level ascends, and holds those of the level below that reach so high
 * (T2) topics come first, then what later versions write, by type */
#include "mesh/topics/tree.h"

#include "mesh/base/require.h"
#include "mesh/base/selector.h"

enum { BOUND_BYTES = PATH_BYTES_MAX + PATH_SEGMENT_BYTES_MAX + 2 };

struct key {
    uint8_t group; /* 0: topics; else the later type */
    struct span path;
};

/* A place to go on from: behind all that is smaller. */
struct bound {
    size_t bytes;
    uint8_t path[BOUND_BYTES];
};

void tree_init(struct tree *tree, struct memory *memory, uint64_t salt)
{
    *tree = (struct tree){.memory = memory, .salt = salt};
    slots_init(&tree->slots, memory);
}

void tree_clear(struct tree *tree)
{
    require(tree->count == 0);
    slots_clear(&tree->slots);
}

/* The slot finds the topic, the count behind it tells its lives apart. */
void tree_rekey(struct tree *tree, struct topic *topic)
{
    topic->key = ++tree->keys << TREE_SLOT_BITS | topic->slot;
}

struct topic *tree_of_key(const struct tree *tree, uint32_t key)
{
    struct topic *topic = slots_get(&tree->slots, key & ((1U << TREE_SLOT_BITS) - 1));
    return topic != NULL && topic->key == key ? topic : NULL;
}

static const uint8_t *path_of(const struct topic *topic)
{
    return (const uint8_t *)&topic->next[topic->levels];
}

struct span tree_path(const struct topic *topic)
{
    return span_of(path_of(topic), topic->path_bytes);
}

struct span tree_value(const struct topic *topic)
{
    if (topic->rest == NULL)
        return span_of(NULL, 0);
    return span_of(topic->rest + topic->value_at, topic->rest_bytes - topic->value_at);
}

static int rank(uint8_t byte)
{
    return byte == '/' ? 0 : byte;
}

int tree_order(struct span a, struct span b)
{
    size_t shorter = a.bytes < b.bytes ? a.bytes : b.bytes;
    size_t at = 0;
    while (at < shorter && a.data[at] == b.data[at])
        at++;
    if (at < shorter)
        return rank(a.data[at]) - rank(b.data[at]);
    return (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

static uint8_t group_of(uint8_t type)
{
    return type == TOPIC_ENTRY_SET || type == TOPIC_ENTRY_REMOVED ? 0 : type;
}

static int compare(const struct topic *topic, struct key key)
{
    int order = group_of(topic->type) - key.group;
    return order != 0 ? order : tree_order(tree_path(topic), key.path);
}

/* The first one at or behind the key; links (if wanted): what leads there, on each level. */
static struct topic *seek(const struct tree *tree, struct key key, struct topic **links[])
{
    struct topic *const *level = tree->first;
    struct topic *found = NULL;
    const struct topic *below = NULL;
    for (int i = TREE_LEVELS - 1; i >= 0; i--) {
        while (level[i] != NULL && level[i] != below && compare(level[i], key) < 0)
            level = level[i]->next;
        below = level[i]; /* compared already: it is not before the key */
        if (links != NULL)
            links[i] = (struct topic **)(uintptr_t)&level[i];
    }
    found = level[0];
    return found;
}

struct topic *tree_find(const struct tree *tree, uint8_t type, struct span path)
{
    struct key key = {.group = group_of(type), .path = path};
    struct topic *topic = seek(tree, key, NULL);
    return topic != NULL && compare(topic, key) == 0 ? topic : NULL;
}

/* A level more with a chance of one in four. */
static uint8_t height_of(const struct tree *tree, uint64_t hash)
{
    uint64_t bits = topic_weight(hash, tree->salt);
    uint8_t levels = 1;
    for (; levels < TREE_LEVELS && (bits & 3) == 0; bits >>= 2)
        levels++;
    return levels;
}

static size_t bytes_of(size_t levels, size_t path_bytes)
{
    return sizeof(struct topic) + levels * sizeof(struct topic *) + path_bytes;
}

struct topic *tree_add(struct tree *tree, uint8_t type, struct span path)
{
    struct topic **links[TREE_LEVELS];
    struct key key = {.group = group_of(type), .path = path};
    uint64_t hash = topic_path_hash(path);
    uint8_t levels = height_of(tree, hash);
    const struct topic *behind = seek(tree, key, links);
    require(behind == NULL || compare(behind, key) != 0);
    struct topic *topic = memory_new(tree->memory, MEMORY_TOPICS, bytes_of(levels, path.bytes));
    if (topic == NULL)
        return NULL;
    if (!slots_add(&tree->slots, topic, &topic->slot)) {
        memory_free(tree->memory, MEMORY_TOPICS, topic, bytes_of(levels, path.bytes));
        return NULL;
    }
    topic->type = type;
    topic->levels = levels;
    topic->path_hash = hash;
    topic->path_bytes = (uint16_t)path.bytes;
    memcpy(&topic->next[levels], path.data, path.bytes);
    for (int i = 0; i < levels; i++) {
        topic->next[i] = *links[i];
        *links[i] = topic;
    }
    tree->count++;
    return topic;
}

void tree_remove(struct tree *tree, struct topic *topic)
{
    struct topic **links[TREE_LEVELS];
    struct key key = {.group = group_of(topic->type), .path = tree_path(topic)};
    require(seek(tree, key, links) == topic);
    for (int i = 0; i < topic->levels; i++)
        *links[i] = topic->next[i];
    tree->count--;
    slots_remove(&tree->slots, topic->slot);
    memory_free(tree->memory, MEMORY_TOPICS, topic, bytes_of(topic->levels, topic->path_bytes));
}

struct topic *tree_next(const struct tree *tree, const struct topic *topic)
{
    return topic == NULL ? tree->first[0] : topic->next[0];
}

struct topic *tree_next_behind(const struct tree *tree, uint8_t type, struct span path)
{
    struct key key = {.group = path.bytes == 0 ? 0 : group_of(type), .path = path};
    struct topic *topic = seek(tree, key, NULL);
    bool is_itself = topic != NULL && path.bytes > 0 && compare(topic, key) == 0;
    return is_itself ? topic->next[0] : topic;
}

static void bound_set(struct bound *bound, struct span path, struct span tail)
{
    require(path.bytes + tail.bytes <= sizeof bound->path);
    if (path.bytes > 0)
        memcpy(bound->path, path.data, path.bytes);
    if (tail.bytes > 0)
        memcpy(bound->path + path.bytes, tail.data, tail.bytes);
    bound->bytes = path.bytes + tail.bytes;
}

/* Behind all that is below the path. */
static void bound_skip(struct bound *bound, struct span path)
{
    bound_set(bound, path, span_text("/\xff"));
}

static struct span segment_at(struct span text, size_t at)
{
    const uint8_t *slash = memchr(text.data + at, '/', text.bytes - at);
    return span_of(text.data + at,
                   slash == NULL ? text.bytes - at : (size_t)(slash - text.data) - at);
}

static bool is_rest(struct span segment)
{
    return segment.bytes == 2 && memcmp(segment.data, "**", 2) == 0;
}

static bool is_any(struct span segment)
{
    return segment.bytes == 1 && segment.data[0] == '+';
}

enum fit { FIT, FIT_LATER, FIT_NEVER };

/* Whether the selector means the path; if not, where those begin that it may mean (LATER). */
static enum fit fit_judge(struct span selector, struct span path, struct bound *bound)
{
    size_t in_selector = 0;
    size_t at = 0;
    bool is_literal = true; /* so far: then what is before the path can't come any more */
    while (in_selector <= selector.bytes) {
        struct span wanted = segment_at(selector, in_selector);
        if (is_rest(wanted))
            return FIT;
        is_literal = is_literal && !is_any(wanted);
        if (at > path.bytes) { /* the path ends above what is wanted: what is below it follows */
            bound_set(bound, path, span_text("/"));
            return FIT_LATER;
        }
        struct span found = segment_at(path, at);
        int order = is_any(wanted) ? 0 : tree_order(found, wanted);
        if (order < 0) {
            bound_set(bound, span_of(path.data, at), wanted);
            return FIT_LATER;
        }
        if (order > 0 && is_literal)
            return FIT_NEVER;
        if (order > 0) {
            bound_skip(bound, span_of(path.data, at - 1));
            return FIT_LATER;
        }
        in_selector += wanted.bytes + 1;
        at += found.bytes + 1;
    }
    if (at > path.bytes)
        return FIT;
    bound_skip(bound, span_of(path.data, at - 1));
    return FIT_LATER;
}

bool tree_is_selected(const struct tree *tree, struct span selector, const struct topic *topic,
                      struct topic **next)
{
    struct bound bound;
    *next = NULL;
    if (group_of(topic->type) != 0)
        return false; /* so are all behind it */
    switch (fit_judge(selector, tree_path(topic), &bound)) {
    case FIT:
        *next = topic->next[0];
        return true;
    case FIT_NEVER:
        return false;
    case FIT_LATER:
        break;
    }
    *next = seek(tree, (struct key){.path = span_of(bound.path, bound.bytes)}, NULL);
    return false;
}

/* The first from this one on that the selector means. */
static struct topic *selected_from(const struct tree *tree, struct span selector,
                                   struct topic *topic)
{
    struct topic *next;
    while (topic != NULL && !tree_is_selected(tree, selector, topic, &next))
        topic = next;
    return topic;
}

struct topic *tree_next_selected(const struct tree *tree, struct span selector, struct span after)
{
    return selected_from(tree, selector, tree_next_behind(tree, TOPIC_ENTRY_SET, after));
}

struct topic *tree_next_selected_behind(const struct tree *tree, struct span selector,
                                        const struct topic *topic)
{
    return selected_from(tree, selector, topic->next[0]);
}

void tree_check(const struct tree *tree)
{
    uint32_t count = 0;
    for (int i = 0; i < TREE_LEVELS; i++) {
        const struct topic *topic = tree->first[i];
        for (; topic != NULL; topic = topic->next[i]) {
            const struct topic *next = topic->next[i];
            require(topic->levels > i);
            count += i == 0 ? 1 : 0;
            if (next != NULL) {
                struct key key = {.group = group_of(next->type), .path = tree_path(next)};
                require(compare(topic, key) < 0);
            }
        }
    }
    require(count == tree->count);
}
