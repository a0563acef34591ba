/* joiners.c - see joiners.h.
 *
 *     JOIN ---> refused (mesh, version, name, limit)
 *          \--> no nonce, or too low an incarnation: CHALLENGE --> JOIN again
 *          \--> name's holder lives?: ask the holder, say nothing; JOIN comes again
 *          \--> dialled back --link up--> member, gets the table
 *                            \--too long--> refused: not reachable
 *
 * The nonce is a time and a keyed sum over it, the joiner and its connection: nothing is kept for a
 * stranger. Its time also decides whether a name is in use: the probe that the holder answered must
 * be younger. Of two meshes that meet after a split each may have a live member of one name:
 * whoever answers the greeting compares the two, so that both sides come to the same end. */
#include "mesh/membership/joiners.h"

#include "mesh/base/sentence.h"
#include "mesh/membership/room.h"

enum {
    NONCE_MS = 30000,
    REACH_MS = 2000, /* one SYN sent again; the joiner's own call waits longer */
    JOINERS_FIRST = 16,
    OWN_RECORD_BYTES_MAX = 1024,
};

void joiners_init(struct membership *room)
{
    permutation_init(&room->joiners.secret, &room->random);
}

void joiners_clear(struct membership *room)
{
    struct joiners *joiners = &room->joiners;
    deadlines_cancel(room->context->deadlines, &joiners->deadline);
    for (uint32_t i = 0; i < joiners->count; i++)
        descriptors_drop(room->descriptors, joiners->list[i].who);
    memory_free(&room->context->memory, MEMORY_MEMBERS, joiners->list,
                joiners->capacity * sizeof joiners->list[0]);
}

bool joiners_has_link(const struct membership *room, uint32_t link)
{
    for (uint32_t i = 0; i < room->joiners.count; i++) {
        if (room->joiners.list[i].link == link)
            return true;
    }
    return false;
}

static void clock_set(struct membership *room)
{
    uint64_t earliest_ns = UINT64_MAX;
    for (uint32_t i = 0; i < room->joiners.count; i++) {
        if (room->joiners.list[i].ends_ns < earliest_ns)
            earliest_ns = room->joiners.list[i].ends_ns;
    }
    if (earliest_ns == UINT64_MAX)
        deadlines_cancel(room->context->deadlines, &room->joiners.deadline);
    else
        room_set(room, &room->joiners.deadline, DEADLINE_JOINERS, earliest_ns);
}

static uint64_t nonce_make(const struct membership *room, uint32_t at_ms, uint64_t instance,
                           uint32_t connection)
{
    const struct permutation *secret = &room->joiners.secret;
    uint64_t sum = permutation_apply(secret, (uint64_t)at_ms << 32 | connection);
    sum = permutation_apply(secret, sum ^ instance);
    return (uint64_t)at_ms << 32 | (sum & UINT32_MAX);
}

static uint32_t now_ms(const struct membership *room)
{
    return (uint32_t)(room->context->now_ns / MS_NS);
}

/* Whether we made this nonce for that joiner lately; *since_ns is when. */
static bool nonce_is_ours(const struct membership *room, uint64_t nonce, uint64_t instance,
                          uint32_t connection, uint64_t *since_ns)
{
    uint32_t at_ms = (uint32_t)(nonce >> 32);
    uint32_t age_ms = now_ms(room) - at_ms;
    uint64_t age_ns = age_ms * MS_NS;
    *since_ns = room->context->now_ns > age_ns ? room->context->now_ns - age_ns : 0;
    return nonce != 0 && age_ms <= NONCE_MS &&
           nonce == nonce_make(room, at_ms, instance, connection);
}

static void challenge_send(struct membership *room, const struct refusal_asker *asker,
                           uint64_t known_incarnation, uint64_t called)
{
    struct member_record own;
    uint8_t bytes[OWN_RECORD_BYTES_MAX];
    struct writer writer;
    self_describe(room, &own);
    writer_init(&writer, bytes, sizeof bytes);
    group_encode(&member_record_schema, &own, &writer);
    require(!writer.is_bad);
    const struct gossip_challenge challenge = {
        .nonce = nonce_make(room, now_ms(room), asker->envelope->sender, asker->connection),
        .known_incarnation = known_incarnation,
        .called = called,
        .member = span_of(bytes, sizeof bytes - writer.left),
    };
    const struct envelope envelope = {
        .version = WIRE_VERSION_MIN,
        .channel = CHANNEL_GOSSIP,
        .mesh = room->context->mesh_hash,
        .sender = room->context->instance,
        .receiver = asker->envelope->sender,
        .sequence = 1,
    };
    const struct outgoing message = {
        .kind = KIND_CHALLENGE,
        .correlation = asker->correlation,
        .schema = &gossip_challenge_schema,
        .fields = &challenge,
    };
    (void)outbox_reply(room->context->outbox, CHANNEL_GOSSIP, asker->connection, &envelope,
                       &message); /* too many strangers at once: this one asks again */
}

void joiners_challenge(struct membership *room, const struct envelope *envelope,
                       uint32_t connection, uint64_t called)
{
    const struct refusal_asker asker = {.envelope = envelope, .connection = connection};
    uint32_t who = members_find(&room->members, envelope->sender);
    const struct entry entry = members_entry(&room->members, who);
    bool is_held_dead = entry.state == MEMBER_DEAD;
    if (entry.state != MEMBER_LEFT && !leave_has_begun(room))
        challenge_send(room, &asker, is_held_dead ? entry.incarnation : 0, called);
}

/* Becomes a member: everybody is told, and it gets the table. */
static void admit(struct membership *room, const struct joiner *joiner)
{
    struct member_record record;
    descriptors_describe(room->descriptors, joiner->who, true, &record);
    record.state = MEMBER_ALIVE;
    record.incarnation = joiner->incarnation;
    if (evidence_apply(room, &record) != ERROR_OK)
        return; /* the table filled up meanwhile: it asks again and is told */
    uint32_t who = members_find(&room->members, joiner->instance);
    if (who != WHO_NONE && members_is_live(&room->members, who))
        sync_send_table(room, who, joiner->members > 1);
}

static void joiner_end(struct membership *room, uint32_t place)
{
    struct joiners *joiners = &room->joiners;
    descriptors_drop(room->descriptors, joiners->list[place].who);
    joiners->list[place] = joiners->list[--joiners->count];
    clock_set(room);
}

void joiners_link_up(struct membership *room, uint32_t link)
{
    for (uint32_t i = room->joiners.count; i > 0; i--) {
        if (room->joiners.list[i - 1].link != link)
            continue;
        admit(room, &room->joiners.list[i - 1]);
        joiner_end(room, i - 1);
    }
}

void joiners_due(struct membership *room)
{
    for (uint32_t i = room->joiners.count; i > 0; i--) {
        const struct joiner *joiner = &room->joiners.list[i - 1];
        if (joiner->ends_ns > room->context->now_ns)
            continue;
        const struct descriptor *descriptor = descriptors_at(room->descriptors, joiner->who);
        struct sentence why;
        sentence_start(&why, "no connection to the advertised address ");
        sentence_add(&why, descriptor->gossip_address);
        sentence_add(&why, " within 2 s; check advertise and the gossip port");
        const struct envelope envelope = {
            .mesh = room->context->mesh_hash,
            .sender = joiner->instance,
        };
        const struct refusal_asker asker = {
            .envelope = &envelope,
            .connection = joiner->connection,
            .correlation = joiner->correlation,
            .name = span_text(descriptor->name),
            .address = span_text(descriptor->gossip_address),
        };
        refusal_send(room, &asker, ERROR_CLUSTER_ROUTING, sentence_span(&why));
        joiner_end(room, i - 1);
    }
    clock_set(room);
}

static struct joiner *joiner_new(struct membership *room)
{
    struct joiners *joiners = &room->joiners;
    if (joiners->count == joiners->capacity) {
        uint32_t capacity = joiners->capacity == 0 ? JOINERS_FIRST : joiners->capacity * 2;
        struct joiner *list =
            capacity > JOINERS_MAX
                ? NULL
                : memory_resize(&room->context->memory, MEMORY_MEMBERS, joiners->list,
                                joiners->capacity * sizeof list[0], capacity * sizeof list[0]);
        if (list == NULL)
            return NULL;
        joiners->list = list;
        joiners->capacity = capacity;
    }
    return &joiners->list[joiners->count++];
}

static bool is_being_dialled(const struct membership *room, uint64_t instance)
{
    for (uint32_t i = 0; i < room->joiners.count; i++) {
        if (room->joiners.list[i].instance == instance)
            return true;
    }
    return false;
}

/* Dials the joiner's address; once that is up it is a member. */
static enum error dial(struct membership *room, const struct refusal_asker *asker,
                       const struct gossip_join *join, const struct member_record *record)
{
    if (is_being_dialled(room, record->instance))
        return ERROR_OK;
    struct links *links = room->context->links;
    struct link *link = links_of_instance(links, record->instance);
    uint32_t who = descriptors_hold(room->descriptors, record);
    if (who == WHO_NONE)
        return ERROR_LIMIT_REACHED;
    if (link == NULL)
        link = links_open_to(links, record->gossip_address, record->name);
    struct joiner *joiner = link == NULL ? NULL : joiner_new(room);
    if (joiner == NULL) {
        descriptors_drop(room->descriptors, who);
        return ERROR_LIMIT_REACHED; /* a link that was opened is swept up */
    }
    if (link->instance == 0)
        links_bind(links, link, record->instance);
    *joiner = (struct joiner){
        .instance = record->instance,
        .incarnation = record->incarnation,
        .correlation = asker->correlation,
        .ends_ns = room->context->now_ns + REACH_MS * MS_NS,
        .who = who,
        .link = link->number,
        .connection = asker->connection,
        .members = join->members,
    };
    if (link->gossip_up)
        joiners_link_up(room, link->number);
    clock_set(room);
    return ERROR_OK;
}

/* The live member, other than the joiner itself, that has the joiner's name; WHO_NONE: nobody. */
static uint32_t name_holder(const struct membership *room, const struct member_record *record)
{
    uint32_t who = members_named(&room->members, record->name);
    if (who == WHO_NONE || !members_is_live(&room->members, who) ||
        members_descriptor(&room->members, who)->instance == record->instance)
        return WHO_NONE;
    return who;
}

/* What the joiner's incarnation must exceed; 0: it is high enough. While a live member has its name
 * the two are compared as they are: nobody is to win by having asked. */
static uint64_t must_exceed(const struct membership *room, const struct member_record *record)
{
    uint32_t who = members_named(&room->members, record->name);
    if (who == WHO_NONE || name_holder(room, record) != WHO_NONE)
        return 0;
    const struct entry entry = members_entry(&room->members, who);
    bool is_same = members_descriptor(&room->members, who)->instance == record->instance;
    bool is_enough =
        record->incarnation > entry.incarnation || (is_same && entry.state == MEMBER_ALIVE);
    return is_enough ? 0 : entry.incarnation;
}

/* Whether the name's holder has shown since then that it lives; if not, it is asked now. */
static bool holder_lives(struct membership *room, uint32_t holder, uint64_t since_ns)
{
    if (holder == room->members.self)
        return true;
    const struct peer *peer = members_peer_if_any(&room->members, holder);
    if (peer != NULL && peer->lived_ns > since_ns)
        return true;
    probe_now(room, holder);
    return false;
}

/* The joiner's mesh, versions and record, as far as they decide alone. */
static enum error asker_check(const struct membership *room, const struct gossip_join *join,
                              const struct member_record *record, struct sentence *why)
{
    const char *cluster = room->context->config->cluster;
    if (!span_equal(join->mesh, span_text(cluster))) {
        sentence_start(why, "this node belongs to the mesh ");
        sentence_add(why, cluster);
        sentence_add(why, ", not to ");
        sentence_add_span(why, join->mesh);
        return ERROR_WRONG_MESH;
    }
    if (join->wire_min > WIRE_VERSION_MAX || join->wire_max < WIRE_VERSION_MIN) {
        sentence_start(why, "no common wire version: this node speaks ");
        sentence_add_number(why, WIRE_VERSION_MIN);
        sentence_add(why, "..");
        sentence_add_number(why, WIRE_VERSION_MAX);
        sentence_add(why, ", the joiner ");
        sentence_add_number(why, join->wire_min);
        sentence_add(why, "..");
        sentence_add_number(why, join->wire_max);
        return ERROR_VERSION_MISMATCH;
    }
    if (!descriptors_is_complete(record)) {
        sentence_start(why, "name, addresses, zone and version must be without blanks, quotes and "
                            "commas, and all but the name have at most ");
        sentence_add_number(why, METADATA_BYTES_MAX);
        sentence_add(why, " bytes together");
        return ERROR_INVALID_ARGUMENT;
    }
    if (record->incarnation > INCARNATION_MAX || record->incarnation < EPOCH_ONE) {
        sentence_start(why, "an incarnation beyond all lives a node can have had");
        return ERROR_INVALID_ARGUMENT;
    }
    if (leave_has_begun(room)) {
        sentence_start(why, "this node is leaving the mesh");
        return ERROR_LEAVING;
    }
    if (members_live(&room->members) >= room_config(room)->members_max) {
        sentence_start(why, "the mesh has as many members as this node can know");
        return ERROR_LIMIT_REACHED;
    }
    return ERROR_OK;
}

/* Two live nodes have one name. A newcomer is refused; of two that have served (there was a split)
 * the lower (incarnation, instance) is. Returns whether the joiner may stay. */
static bool name_is_won(struct membership *room, const struct refusal_asker *asker,
                        const struct gossip_join *join, const struct member_record *record,
                        uint32_t holder)
{
    const struct descriptor *descriptor = members_descriptor(&room->members, holder);
    uint64_t incarnation = members_entry(&room->members, holder).incarnation;
    if (join->members > 1 &&
        (record->incarnation > incarnation ||
         (record->incarnation == incarnation && record->instance > descriptor->instance))) {
        if (holder == room->members.self)
            refusal_name_lost(room, record->name, record->gossip_address);
        return true;
    }
    struct sentence why;
    sentence_start(&why, "a live member has the name ");
    sentence_add_span(&why, record->name);
    sentence_add(&why, ", at ");
    sentence_add(&why, descriptor->gossip_address);
    refusal_send(room, asker, ERROR_NAME_IN_USE, sentence_span(&why));
    return false;
}

/* A JOIN that nothing speaks against so far. */
static void join_judge(struct membership *room, const struct refusal_asker *asker,
                       const struct gossip_join *join, const struct member_record *record)
{
    uint64_t since_ns = 0;
    uint32_t holder = name_holder(room, record);
    uint64_t exceed = must_exceed(room, record);
    bool is_ours = nonce_is_ours(room, join->nonce, record->instance, asker->connection, &since_ns);
    if (record->instance == room->context->instance || !is_ours) {
        challenge_send(room, asker, exceed, 0);
        return;
    }
    bool is_newcomer = !join_has_joined(room);
    if (is_newcomer && (holder == room->members.self || join->members > 1)) {
        /* It is not for us to take in, or to refuse, a mesh that has not taken us yet. */
        calls_start(room, record->gossip_address, CALL_NO_SEED);
        return;
    }
    if (holder != WHO_NONE &&
        (!holder_lives(room, holder, since_ns) || !name_is_won(room, asker, join, record, holder)))
        return;
    if (holder == WHO_NONE && exceed != 0) {
        challenge_send(room, asker, exceed, 0);
    } else if (dial(room, asker, join, record) != ERROR_OK) {
        refusal_send(room, asker, ERROR_LIMIT_REACHED,
                     span_text("too many joiners or links at once; try again"));
    }
}

enum error joiners_receive(struct membership *room, const struct envelope *envelope,
                           uint32_t connection, struct span address, const struct message *message)
{
    struct gossip_join join;
    struct member_record record;
    enum error error = schema_decode(&gossip_join_schema, message->fields, &join);
    if (error != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    struct span rest = join.member;
    if (!group_next(&member_record_schema, &rest, &record, &error) ||
        record.instance != envelope->sender || record.instance == 0 || record.name.bytes == 0)
        return ERROR_INVALID_MESSAGE;
    const struct refusal_asker asker = {
        .envelope = envelope,
        .connection = connection,
        .correlation = message->correlation,
        .name = record.name,
        .address = address,
    };
    struct sentence why;
    error = asker_check(room, &join, &record, &why);
    if (error != ERROR_OK)
        refusal_send(room, &asker, error, sentence_span(&why));
    else
        join_judge(room, &asker, &join, &record);
    return ERROR_OK;
}
