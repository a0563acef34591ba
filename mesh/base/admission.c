/* admission.c - see admission.h. A peer's record stays when its connections are gone, so that
 * hanging up and calling again wipes out no strike; when the table is full, the record that has
 * been without a connection for longest makes room.
 *
 *     frame --> struck? --> envelope well-formed? --> our mesh? --> for us? --> bound or bindable?
 *
 * Without keys a stranger may name any sender, and so bring a member into disrepute; with keys the
 * daemon lets a connection name only the member whose key it has.
 *
 * (A1) a binding's peer has at least that one binding; a peer without any is in the row of idle
 * (A2) a peer in use is the one in `by_instance` */
#include "mesh/base/admission.h"

#include "mesh/base/hashmap.h"

enum {
    /* Gossip and forward, each twice while a broken connection has not been noticed yet. */
    BINDINGS_PER_PEER = 4,
    PEERS_SPARE = 64,
    SOURCES = 1024, /* addresses of which we remember when they were last complained about */
};

#define PEER_NONE HASHMAP_NONE
#define MS_NS UINT64_C(1000000)

struct peer {
    uint64_t instance;
    uint64_t strike_ns[ADMISSION_STRIKES]; /* times of the last ones, a ring */
    uint64_t strikes;                      /* since the peer was last struck */
    uint64_t struck_until_ns;
    uint32_t bindings;
    uint32_t idle_next, idle_previous;
};

struct source {
    uint64_t quiet_until_ns;
};

struct admission {
    struct context *context;
    struct hashmap bindings; /* (channel, connection) -> peer */
    struct hashmap by_instance;
    struct source sources[SOURCES];
    uint32_t capacity, touched; /* peers; those below touched were ever used */
    uint32_t idle_first, idle_last;
    struct peer peers[];
};

static size_t table_bytes(uint32_t capacity)
{
    return sizeof(struct admission) + capacity * sizeof(struct peer);
}

struct admission *admission_new(struct context *context)
{
    struct memory *memory = &context->memory;
    uint32_t capacity = 2 * context->config->gossip.members_max + PEERS_SPARE;
    struct admission *admission = memory_new(memory, MEMORY_TABLES, table_bytes(capacity));
    if (admission == NULL)
        return NULL;
    admission->context = context;
    admission->capacity = capacity;
    admission->idle_first = PEER_NONE;
    admission->idle_last = PEER_NONE;
    hashmap_init(&admission->bindings, memory, MEMORY_TABLES, random_u64(&context->random));
    hashmap_init(&admission->by_instance, memory, MEMORY_TABLES, random_u64(&context->random));
    return admission;
}

void admission_destroy(struct admission **admission)
{
    struct admission *gone = *admission;
    if (gone == NULL)
        return;
    hashmap_clear(&gone->bindings);
    hashmap_clear(&gone->by_instance);
    memory_free(&gone->context->memory, MEMORY_TABLES, gone, table_bytes(gone->capacity));
    *admission = NULL;
}

static struct hashmap_key binding_key(enum channel channel, uint32_t connection)
{
    return (struct hashmap_key){.high = channel, .low = connection};
}

static struct hashmap_key instance_key(uint64_t instance)
{
    return (struct hashmap_key){.low = instance};
}

static struct peer *peer_at(struct admission *admission, uint32_t number)
{
    return number == PEER_NONE ? NULL : &admission->peers[number];
}

static struct peer *peer_bound(struct admission *admission, enum channel channel,
                               uint32_t connection)
{
    return peer_at(admission, hashmap_get(&admission->bindings, binding_key(channel, connection)));
}

static bool is_struck(const struct admission *admission, const struct peer *peer)
{
    return admission->context->now_ns < peer->struck_until_ns;
}

static void bad_count(struct context *context, enum channel channel)
{
    switch (channel) {
    case CHANNEL_CLIENT:
        count(context, COUNTER_client_frames_bad);
        return;
    case CHANNEL_GOSSIP:
        count(context, COUNTER_gossip_frames_bad);
        return;
    case CHANNEL_FORWARD:
        count(context, COUNTER_forward_frames_bad);
        return;
    }
}

/* The host of host:port: a source is a machine, whatever port it calls from. */
static struct span host_of(struct span address)
{
    size_t bytes = address.bytes;
    while (bytes > 0 && address.data[bytes - 1] != ':')
        bytes--;
    return bytes == 0 ? address : span_of(address.data, bytes - 1);
}

/* Whether a source may be complained about now. Sources that share a place in the table share its
 * quiet time: a flood from many addresses ends at SOURCES notices a minute. */
static bool source_is_noticed(struct admission *admission, struct span address)
{
    struct hashmap_key key = hashmap_key_of_bytes(&admission->bindings, host_of(address));
    struct source *source = &admission->sources[key.high % SOURCES];
    uint64_t now_ns = admission->context->now_ns;
    if (now_ns < source->quiet_until_ns)
        return false;
    source->quiet_until_ns = now_ns + ADMISSION_NOTICE_MS * MS_NS;
    return true;
}

static void bad_frame(struct admission *admission, enum channel channel, struct span address)
{
    bad_count(admission->context, channel);
    if (source_is_noticed(admission, address)) {
        outbox_notice(admission->context->outbox, NOTICE_BAD_FRAME, (uint64_t[4]){channel},
                      (struct span[3]){address});
    }
}

static void peer_strike(struct admission *admission, struct peer *peer)
{
    uint64_t now_ns = admission->context->now_ns;
    peer->strike_ns[peer->strikes++ % ADMISSION_STRIKES] = now_ns;
    if (peer->strikes < ADMISSION_STRIKES || is_struck(admission, peer))
        return;
    uint64_t oldest_ns = peer->strike_ns[peer->strikes % ADMISSION_STRIKES];
    if (now_ns - oldest_ns > ADMISSION_STRIKES_WITHIN_MS * MS_NS)
        return;
    peer->strikes = 0;
    peer->struck_until_ns = now_ns + ADMISSION_STRUCK_MS * MS_NS;
    outbox_notice(admission->context->outbox, NOTICE_PEER_STRUCK, (uint64_t[4]){peer->instance},
                  NULL);
}

void admission_strike(struct admission *admission, uint64_t instance)
{
    count(admission->context, COUNTER_peer_strikes);
    uint32_t number = hashmap_get(&admission->by_instance, instance_key(instance));
    if (number != PEER_NONE)
        peer_strike(admission, &admission->peers[number]);
}

void admission_bad_frame(struct admission *admission, enum channel channel, uint32_t connection,
                         struct span address)
{
    bad_frame(admission, channel, address);
    const struct peer *peer = peer_bound(admission, channel, connection);
    if (peer != NULL)
        admission_strike(admission, peer->instance);
}

static uint32_t peer_number(const struct admission *admission, const struct peer *peer)
{
    return (uint32_t)(peer - admission->peers);
}

static void idle_append(struct admission *admission, struct peer *peer)
{
    uint32_t number = peer_number(admission, peer);
    peer->idle_next = PEER_NONE;
    peer->idle_previous = admission->idle_last;
    if (admission->idle_last == PEER_NONE)
        admission->idle_first = number;
    else
        admission->peers[admission->idle_last].idle_next = number;
    admission->idle_last = number;
}

static void idle_remove(struct admission *admission, const struct peer *peer)
{
    if (peer->idle_previous == PEER_NONE)
        admission->idle_first = peer->idle_next;
    else
        admission->peers[peer->idle_previous].idle_next = peer->idle_next;
    if (peer->idle_next == PEER_NONE)
        admission->idle_last = peer->idle_previous;
    else
        admission->peers[peer->idle_next].idle_previous = peer->idle_previous;
}

/* The record of an instance, idle when it is new. NULL when all records have connections, or there
 * is no memory. */
static struct peer *peer_find_or_new(struct admission *admission, uint64_t instance)
{
    uint32_t number = hashmap_get(&admission->by_instance, instance_key(instance));
    if (number != PEER_NONE)
        return &admission->peers[number];
    bool is_untouched = admission->touched < admission->capacity;
    number = is_untouched ? admission->touched : admission->idle_first;
    if (number == PEER_NONE ||
        !hashmap_put(&admission->by_instance, instance_key(instance), number))
        return NULL;
    struct peer *peer = &admission->peers[number];
    if (is_untouched) {
        admission->touched++;
    } else {
        hashmap_remove(&admission->by_instance, instance_key(peer->instance));
        idle_remove(admission, peer);
    }
    *peer = (struct peer){.instance = instance};
    idle_append(admission, peer);
    return peer;
}

/* Binds the connection to the sender; NULL when that is not possible. */
static struct peer *peer_bind(struct admission *admission, enum channel channel,
                              uint32_t connection, uint64_t sender)
{
    if (admission->bindings.count >= BINDINGS_PER_PEER * admission->capacity)
        return NULL;
    struct peer *peer = peer_find_or_new(admission, sender);
    if (peer == NULL || !hashmap_put(&admission->bindings, binding_key(channel, connection),
                                     peer_number(admission, peer)))
        return NULL;
    if (peer->bindings++ == 0)
        idle_remove(admission, peer);
    return peer;
}

/* A well-formed frame of our mesh and for us: whose connection is it? */
static enum admission_verdict sender_judge(struct admission *admission, enum channel channel,
                                           uint32_t connection, uint64_t sender, struct peer *peer)
{
    if (peer == NULL) {
        peer = peer_bind(admission, channel, connection, sender);
        if (peer == NULL)
            return ADMISSION_FULL;
    } else if (peer->instance != sender) {
        admission_strike(admission, peer->instance);
        return ADMISSION_IMPOSTOR;
    }
    if (!is_struck(admission, peer))
        return ADMISSION_TAKEN;
    count(admission->context, COUNTER_peer_frames_struck);
    return ADMISSION_STRUCK;
}

enum admission_verdict admission_judge(struct admission *admission, enum channel channel,
                                       uint32_t connection, struct span address,
                                       struct reader *frame, struct envelope *envelope)
{
    struct context *context = admission->context;
    struct peer *peer = peer_bound(admission, channel, connection);
    if (peer != NULL && is_struck(admission, peer)) {
        count(context, COUNTER_peer_frames_struck);
        return ADMISSION_STRUCK;
    }
    enum error error = envelope_decode(frame, channel, envelope);
    if (error == ERROR_VERSION_MISMATCH)
        return ADMISSION_OTHER_VERSION;
    if (error != ERROR_OK || envelope->sender == 0) {
        admission_bad_frame(admission, channel, connection, address);
        return ADMISSION_BAD;
    }
    if (envelope->mesh != context->mesh_hash) {
        count(context, COUNTER_frames_wrong_mesh);
        return ADMISSION_WRONG_MESH;
    }
    bool may_be_join = envelope->receiver == 0 && channel == CHANNEL_GOSSIP;
    if (envelope->receiver != context->instance && !may_be_join) {
        count(context, COUNTER_frames_not_ours);
        return ADMISSION_NOT_OURS;
    }
    return sender_judge(admission, channel, connection, envelope->sender, peer);
}

void admission_connection_lost(struct admission *admission, enum channel channel,
                               uint32_t connection)
{
    struct peer *peer = peer_bound(admission, channel, connection);
    if (peer == NULL)
        return;
    hashmap_remove(&admission->bindings, binding_key(channel, connection));
    if (--peer->bindings == 0)
        idle_append(admission, peer);
}
