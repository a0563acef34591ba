/* owners.c - see owners.h. */
#include "mesh/membership/owners.h"

#include "mesh/base/sentence.h"
#include "mesh/membership/room.h"

#define OWNERS_WHY "the name it gives is not that of its key; a node has its key's name"

/* The name that a JOIN or a CHALLENGE gives its sender; empty: it is neither, or malformed. */
static struct span name_given(const struct message *message)
{
    struct member_record record = {.name = {0}};
    struct gossip_join join;
    struct gossip_challenge challenge;
    struct span rest = {0};
    enum error error = ERROR_OK;
    if (message->kind == KIND_JOIN &&
        schema_decode(&gossip_join_schema, message->fields, &join) == ERROR_OK)
        rest = join.member;
    else if (message->kind == KIND_CHALLENGE &&
             schema_decode(&gossip_challenge_schema, message->fields, &challenge) == ERROR_OK)
        rest = challenge.member;
    if (rest.bytes == 0 || !group_next(&member_record_schema, &rest, &record, &error))
        return (struct span){0};
    return record.name;
}

enum owners_verdict owners_judge(const struct membership *room, uint64_t sender,
                                 const struct message *message, struct span owner)
{
    if (owner.bytes == 0)
        return OWNERS_FIT;
    uint32_t who = members_find(&room->members, sender);
    struct span name = who == WHO_NONE ? name_given(message)
                                       : descriptors_name(members_descriptor(&room->members, who));
    if (name.bytes == 0)
        return OWNERS_UNKNOWN;
    return span_equal(name, owner) ? OWNERS_FIT : OWNERS_OTHER;
}

void owners_complain(struct membership *room, struct span owner, struct span address)
{
    if (!mutes_admit(&room->mutes, mesh_name_hash(owner), room->context->now_ns))
        return;
    const struct span texts[3] = {owner, span_text(OWNERS_WHY), address};
    outbox_notice(room->context->outbox, NOTICE_REFUSED_PEER, NULL, texts);
}

void owners_refuse(struct membership *room, const struct envelope *envelope, uint32_t connection,
                   struct span owner, struct span address, const struct message *join)
{
    const struct refusal_asker asker = {
        .envelope = envelope,
        .connection = connection,
        .correlation = join->correlation,
        .name = name_given(join),
        .address = address,
    };
    struct sentence why;
    sentence_start(&why, "the key is that of ");
    sentence_add_span(&why, owner);
    sentence_add(&why, " (curve.peers); a node has the name of its key, and this one says ");
    sentence_add_span(&why, asker.name);
    refusal_send(room, &asker, ERROR_ACCESS_DENIED, sentence_span(&why));
}
