/* refusal.c - see refusal.h. */
#include "mesh/membership/refusal.h"

#include "mesh/membership/room.h"

static uint64_t source_hash(struct span who, unsigned code)
{
    return mesh_name_hash(who) ^ ((uint64_t)code + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

void refusal_send(struct membership *room, const struct refusal_asker *asker, enum error code,
                  struct span why)
{
    count(room->context, COUNTER_joins_refused);
    /* The asker checks the mesh before it reads on: the refusal speaks in its mesh's name. */
    const struct envelope envelope = {
        .version = WIRE_VERSION_MIN,
        .channel = CHANNEL_GOSSIP,
        .mesh = asker->envelope->mesh,
        .sender = room->context->instance,
        .receiver = asker->envelope->sender,
        .sequence = 1,
    };
    const struct client_refused refused = {.code = (uint16_t)code, .text = why};
    const struct outgoing message = {
        .kind = KIND_REFUSED,
        .correlation = asker->correlation,
        .schema = &client_refused_schema,
        .fields = &refused,
    };
    (void)outbox_reply(room->context->outbox, CHANNEL_GOSSIP, asker->connection, &envelope,
                       &message); /* too many strangers at once: this one asks again */
    if (!mutes_admit(&room->mutes, source_hash(asker->name, (unsigned)code), room->context->now_ns))
        return;
    const struct span texts[3] = {asker->name, why, asker->address};
    outbox_notice(room->context->outbox, NOTICE_REFUSED_PEER, NULL, texts);
}

static void text_copy(char *to, size_t bytes, struct span from)
{
    size_t most = from.bytes < bytes - 1 ? from.bytes : bytes - 1;
    if (most > 0)
        memcpy(to, from.data, most);
    to[most] = '\0';
}

static void stop(struct membership *room, enum mesh_notice_code code, struct span by,
                 struct span why)
{
    struct refusal *refusal = &room->refusal;
    if (refusal->is_final)
        return;
    refusal->is_final = true;
    refusal->code = code;
    text_copy(refusal->by, sizeof refusal->by, by);
    text_copy(refusal->why, sizeof refusal->why, why);
}

/* Whether a reason will not go away by asking again. */
static bool is_lasting(unsigned code)
{
    return code == ERROR_NAME_IN_USE || code == ERROR_WRONG_MESH || code == ERROR_VERSION_MISMATCH;
}

enum error refusal_received(struct membership *room, uint32_t number, const struct message *message)
{
    struct client_refused refused;
    if (schema_decode(&client_refused_schema, message->fields, &refused) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    const struct link *link = links_find(room->context->links, number);
    if (link == NULL || !calls_has_link(room, number))
        return ERROR_OK; /* nobody asked */
    struct span by = span_text(link->gossip_address);
    if (mutes_admit(&room->mutes, source_hash(by, refused.code), room->context->now_ns)) {
        const struct span texts[3] = {by, refused.text};
        outbox_notice(room->context->outbox, NOTICE_REFUSED_BY, NULL, texts);
    }
    /* Who serves already goes on, but for its name: the other mesh compared, and keeps its own. */
    if (is_lasting(refused.code) && !join_has_joined(room))
        stop(room, NOTICE_MESH_REFUSED, by, refused.text);
    else if (refused.code == ERROR_NAME_IN_USE)
        stop(room, NOTICE_NAME_LOST, span_text(room->context->config->name), refused.text);
    calls_refused(room, number);
    return ERROR_OK;
}

void refusal_name_lost(struct membership *room, struct span name, struct span address)
{
    stop(room, NOTICE_NAME_LOST, name, address);
}
