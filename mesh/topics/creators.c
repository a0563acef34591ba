/* creators.c - see creators.h. */
#include "mesh/topics/creators.h"

#define MS_NS UINT64_C(1000000)

/* A session's end is known everywhere within some tens of milliseconds; its topics may stay a
 * little longer. */
#define LOOK_NS (250 * MS_NS)

/* The directory's news is paced and a topic's is not: a topic may be here before its creator is. */
#define MISSING_NS (1000 * MS_NS)

static struct hashmap_key session_key(struct session_id session)
{
    return (struct hashmap_key){.high = session.instance, .low = session.serial};
}

void creators_init(struct topics *topics)
{
    struct memory *memory = &topics->context->memory;
    slots_init(&topics->creators_slots, memory);
    hashmap_init(&topics->creators_by_id, memory, MEMORY_DIRECTORY,
                 random_u64(&topics->context->random));
    topics->creators_look = (struct deadline){.room = DEADLINE_TOPICS, .purpose = TOPICS_CREATORS};
}

void creators_clear(struct topics *topics)
{
    deadlines_cancel(topics->context->deadlines, &topics->creators_look);
    slots_clear(&topics->creators_slots);
    hashmap_clear(&topics->creators_by_id);
}

struct creator *creators_find(const struct topics *topics, struct session_id session)
{
    uint32_t slot = hashmap_get(&topics->creators_by_id, session_key(session));
    return slot == HASHMAP_NONE ? NULL : slots_get(&topics->creators_slots, slot);
}

struct creator *creators_next(const struct topics *topics, uint32_t *cursor)
{
    return slots_next(&topics->creators_slots, cursor);
}

static void look_later(struct topics *topics)
{
    struct context *context = topics->context;
    if (!deadline_is_set(&topics->creators_look))
        deadlines_set(context->deadlines, &topics->creators_look, context->now_ns + LOOK_NS);
}

static void creator_free(struct topics *topics, struct creator *creator)
{
    memory_free(&topics->context->memory, MEMORY_TOPICS, creator, sizeof *creator);
}

struct creator *creators_get(struct topics *topics, struct session_id session)
{
    struct creator *creator = creators_find(topics, session);
    if (creator != NULL)
        return creator;
    creator = memory_new(&topics->context->memory, MEMORY_TOPICS, sizeof *creator);
    if (creator == NULL)
        return NULL;
    creator->session = session;
    if (!slots_add(&topics->creators_slots, creator, &creator->slot)) {
        creator_free(topics, creator);
        return NULL;
    }
    if (!hashmap_put(&topics->creators_by_id, session_key(session), creator->slot)) {
        slots_remove(&topics->creators_slots, creator->slot);
        creator_free(topics, creator);
        return NULL;
    }
    look_later(topics);
    return creator;
}

void creators_drop_unused(struct topics *topics, struct creator *creator)
{
    if (creator->topics > 0)
        return;
    hashmap_remove(&topics->creators_by_id, session_key(creator->session));
    slots_remove(&topics->creators_slots, creator->slot);
    creator_free(topics, creator);
}

void creators_release(struct topics *topics, struct creator *creator)
{
    if (creator == NULL)
        return;
    creator->topics--;
    creators_drop_unused(topics, creator);
}

bool creators_seen(struct topics *topics, struct creator *creator, enum creator_state state)
{
    uint64_t now_ns = topics->context->now_ns;
    uint64_t resume_ns = topics->context->config->session_reconnect_ms * MS_NS;
    bool was_gone = creator->is_gone;
    look_later(topics);
    if (state == CREATOR_THERE)
        creator->missing_ns = 0;
    else if (creator->missing_ns == 0)
        creator->missing_ns = now_ns;
    creator->is_gone =
        creator->missing_ns != 0 &&
        now_ns - creator->missing_ns >= (state == CREATOR_GONE ? MISSING_NS : resume_ns);
    return creator->is_gone && !was_gone;
}

void creators_check(const struct topics *topics)
{
    const struct topic *topic = NULL;
    uint64_t tied = 0;
    while ((topic = tree_next(&topics->tree, topic)) != NULL)
        tied += topic->creator != NULL ? 1 : 0;
    const struct creator *creator;
    uint32_t cursor = 0;
    while ((creator = creators_next(topics, &cursor)) != NULL) {
        require(creator->topics > 0);
        tied -= creator->topics;
    }
    require(tied == 0);
}
