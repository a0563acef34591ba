/* admission.c - see admission.h. Strikes are a connection's, not its sender's: without keys a
 * stranger may name any member as sender, and sixteen bad frames must not silence that member's own
 * connections for a minute. Who hangs up and calls again begins anew; that buys him only that his
 * next sixteen frames are looked at before they are dropped.
 *
 *     frame --> struck? --> envelope well-formed? --> our mesh? --> for us? --> bound or bindable?
 *
 * With keys the daemon lets a connection name only the member whose key it has.
 *
 * (A1) a binding is under its connection in `by_connection`, or in the row of free ones */
#include "mesh/base/admission.h"

#include "mesh/base/hashmap.h"

enum {
    /* Gossip and forward, each twice while a broken connection has not been noticed yet. */
    BINDINGS_PER_PEER = 4,
    PEERS_SPARE = 64,
    SOURCES = 1024, /* addresses of which we remember when they were last complained about */
};

#define BINDING_NONE HASHMAP_NONE
#define MS_NS UINT64_C(1000000)

/* A connection and the instance that speaks on it. */
struct binding {
    uint64_t instance;
    uint64_t strike_ns[ADMISSION_STRIKES]; /* times of the last ones, a ring */
    uint64_t strikes;                      /* since the connection was last struck */
    uint64_t struck_until_ns;
    uint32_t next_free;
};

struct source {
    uint64_t quiet_until_ns;
};

struct admission {
    struct context *context;
    struct hashmap by_connection; /* (channel, connection) -> binding */
    struct source sources[SOURCES];
    uint32_t capacity, touched; /* bindings; those below touched were ever used */
    uint32_t first_free;
    struct binding bindings[];
};

static size_t table_bytes(uint32_t capacity)
{
    return sizeof(struct admission) + capacity * sizeof(struct binding);
}

struct admission *admission_new(struct context *context)
{
    struct memory *memory = &context->memory;
    uint32_t peers = 2 * context->config->gossip.members_max + PEERS_SPARE;
    uint32_t capacity = BINDINGS_PER_PEER * peers;
    struct admission *admission = memory_new(memory, MEMORY_TABLES, table_bytes(capacity));
    if (admission == NULL)
        return NULL;
    admission->context = context;
    admission->capacity = capacity;
    admission->first_free = BINDING_NONE;
    hashmap_init_dealt(&admission->by_connection, memory, MEMORY_TABLES,
                       random_u64(&context->random));
    return admission;
}

void admission_destroy(struct admission **admission)
{
    struct admission *gone = *admission;
    if (gone == NULL)
        return;
    hashmap_clear(&gone->by_connection);
    memory_free(&gone->context->memory, MEMORY_TABLES, gone, table_bytes(gone->capacity));
    *admission = NULL;
}

static struct hashmap_key connection_key(enum channel channel, uint32_t connection)
{
    return (struct hashmap_key){.high = channel, .low = connection};
}

static struct binding *binding_of(struct admission *admission, enum channel channel,
                                  uint32_t connection)
{
    uint32_t number = hashmap_get(&admission->by_connection, connection_key(channel, connection));
    return number == BINDING_NONE ? NULL : &admission->bindings[number];
}

static bool is_struck(const struct admission *admission, const struct binding *binding)
{
    return admission->context->now_ns < binding->struck_until_ns;
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
    struct hashmap_key key = hashmap_key_of_bytes(&admission->by_connection, host_of(address));
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

static void strike(struct admission *admission, struct binding *binding)
{
    uint64_t now_ns = admission->context->now_ns;
    binding->strike_ns[binding->strikes++ % ADMISSION_STRIKES] = now_ns;
    if (binding->strikes < ADMISSION_STRIKES || is_struck(admission, binding))
        return;
    uint64_t oldest_ns = binding->strike_ns[binding->strikes % ADMISSION_STRIKES];
    if (now_ns - oldest_ns > ADMISSION_STRIKES_WITHIN_MS * MS_NS)
        return;
    binding->strikes = 0;
    binding->struck_until_ns = now_ns + ADMISSION_STRUCK_MS * MS_NS;
    outbox_notice(admission->context->outbox, NOTICE_PEER_STRUCK, (uint64_t[4]){binding->instance},
                  NULL);
}

void admission_strike(struct admission *admission, enum channel channel, uint32_t connection)
{
    count(admission->context, COUNTER_peer_strikes);
    struct binding *binding = binding_of(admission, channel, connection);
    if (binding != NULL)
        strike(admission, binding);
}

void admission_bad_frame(struct admission *admission, enum channel channel, uint32_t connection,
                         struct span address)
{
    bad_frame(admission, channel, address);
    if (binding_of(admission, channel, connection) != NULL)
        admission_strike(admission, channel, connection);
}

/* Binds the connection to the sender; false when there is no room. */
static bool bind_sender(struct admission *admission, enum channel channel, uint32_t connection,
                        uint64_t sender)
{
    bool is_untouched = admission->first_free == BINDING_NONE;
    uint32_t number = is_untouched ? admission->touched : admission->first_free;
    if (number == admission->capacity ||
        !hashmap_put(&admission->by_connection, connection_key(channel, connection), number))
        return false;
    struct binding *binding = &admission->bindings[number];
    if (is_untouched)
        admission->touched++;
    else
        admission->first_free = binding->next_free;
    *binding = (struct binding){.instance = sender};
    return true;
}

/* A well-formed frame of our mesh and for us: whose connection is it? */
static enum admission_verdict sender_judge(struct admission *admission, enum channel channel,
                                           uint32_t connection, uint64_t sender,
                                           const struct binding *binding)
{
    if (binding == NULL) {
        bool is_bound = bind_sender(admission, channel, connection, sender);
        return is_bound ? ADMISSION_TAKEN : ADMISSION_FULL;
    }
    if (binding->instance == sender)
        return ADMISSION_TAKEN;
    admission_strike(admission, channel, connection);
    return ADMISSION_IMPOSTOR;
}

enum admission_verdict admission_judge(struct admission *admission, enum channel channel,
                                       uint32_t connection, struct span address,
                                       struct reader *frame, struct envelope *envelope)
{
    struct context *context = admission->context;
    const struct binding *binding = binding_of(admission, channel, connection);
    if (binding != NULL && is_struck(admission, binding)) {
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
    return sender_judge(admission, channel, connection, envelope->sender, binding);
}

void admission_connection_lost(struct admission *admission, enum channel channel,
                               uint32_t connection)
{
    struct binding *binding = binding_of(admission, channel, connection);
    if (binding == NULL)
        return;
    hashmap_remove(&admission->by_connection, connection_key(channel, connection));
    binding->next_free = admission->first_free;
    admission->first_free = (uint32_t)(binding - admission->bindings);
}
