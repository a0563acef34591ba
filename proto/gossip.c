/* gossip.c - the tables of gossip.h. */
#include "proto/gossip.h"

#include "proto/field.h"

FIELDS(member_record) = {
    FIELD(member_record, 1, name, TEXT, REQUIRED, NAME_BYTES_MAX),
    FIELD(member_record, 2, instance, UINT, REQUIRED, UINT64_MAX),
    FIELD(member_record, 3, incarnation, UINT, REQUIRED, UINT64_MAX),
    FIELD(member_record, 4, state, UINT, REQUIRED, MEMBER_LEFT),
    FIELD(member_record, 5, gossip_address, TEXT, OPTIONAL, ADDRESS_BYTES_MAX),
    FIELD(member_record, 6, forward_address, TEXT, OPTIONAL, ADDRESS_BYTES_MAX),
    FIELD(member_record, 7, client_address, TEXT, OPTIONAL, ADDRESS_BYTES_MAX),
    FIELD(member_record, 8, zone, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(member_record, 9, version, TEXT, OPTIONAL, NAME_BYTES_MAX),
    FIELD(member_record, 10, wire_min, UINT, OPTIONAL, UINT8_MAX),
    FIELD(member_record, 11, wire_max, UINT, OPTIONAL, UINT8_MAX),
    FIELD(member_record, 12, accusers, BYTES, OPTIONAL, WITNESSES_BYTES_MAX),
    FIELD(member_record, 13, refused, BYTES, OPTIONAL, WITNESSES_BYTES_MAX),
};
SCHEMA(member_record);

FIELDS(gossip_join) = {
    FIELD(gossip_join, 1, mesh, TEXT, REQUIRED, NAME_BYTES_MAX),
    FIELD(gossip_join, 2, nonce, UINT, OPTIONAL, UINT64_MAX),
    FIELD(gossip_join, 3, wire_min, UINT, REQUIRED, UINT8_MAX),
    FIELD(gossip_join, 4, wire_max, UINT, REQUIRED, UINT8_MAX),
    FIELD(gossip_join, 5, members, UINT, OPTIONAL, UINT32_MAX),
    FIELD(gossip_join, 6, member, GROUPS, REQUIRED, GOSSIP_GROUPS_BYTES_MAX),
};
SCHEMA(gossip_join);

FIELDS(gossip_challenge) = {
    FIELD(gossip_challenge, 1, nonce, UINT, REQUIRED, UINT64_MAX),
    FIELD(gossip_challenge, 2, known_incarnation, UINT, OPTIONAL, UINT64_MAX),
    FIELD(gossip_challenge, 3, called, UINT, OPTIONAL, UINT64_MAX),
    FIELD(gossip_challenge, 4, member, GROUPS, REQUIRED, GOSSIP_GROUPS_BYTES_MAX),
};
SCHEMA(gossip_challenge);

FIELDS(gossip_swim) = {
    FIELD(gossip_swim, 1, target, UINT, OPTIONAL, UINT64_MAX),
    FIELD(gossip_swim, 2, target_incarnation, UINT, OPTIONAL, UINT64_MAX),
    FIELD(gossip_swim, 3, budget_ms, UINT, OPTIONAL, UINT32_MAX),
    FIELD(gossip_swim, 4, view_hash, UINT, OPTIONAL, UINT64_MAX),
    FIELD(gossip_swim, 5, log_head, UINT, OPTIONAL, UINT64_MAX),
    FIELD(gossip_swim, 6, sessions, UINT, OPTIONAL, UINT32_MAX),
    FIELD(gossip_swim, 7, lag_us, UINT, OPTIONAL, UINT32_MAX),
    FIELD(gossip_swim, 8, health, UINT, OPTIONAL, UINT8_MAX),
    FIELD(gossip_swim, 9, wants_table, BOOL, OPTIONAL, 0),
    FIELD(gossip_swim, 10, has_more, BOOL, OPTIONAL, 0),
    FIELD(gossip_swim, 11, forward_up, BOOL, OPTIONAL, 0),
    FIELD(gossip_swim, 12, buckets, BYTES, OPTIONAL, VIEW_BUCKETS_BYTES),
    FIELD(gossip_swim, 13, bucket_mask, UINT, OPTIONAL, UINT64_MAX),
    FIELD(gossip_swim, 14, news, GROUPS, OPTIONAL, GOSSIP_GROUPS_BYTES_MAX),
};
SCHEMA(gossip_swim);
