/* config.c - the defaults, each with its reason. A time that is doubled makes detection slower by
 * that much; halved, it costs bytes or makes false alarms: the simulator has both figures. */
#include "mesh/config.h"

#include "mesh/sessions/identity.h"
#include "mesh/sessions/permissions.h"

/* Membership. Its times hang together: a probe (tries, gaps, helpers) fits into one period. */
static const struct gossip_config gossip_defaults = {
    .period_ms = 500,        /* half of the usual second: detection is bounded by it */
    .tries = 3,              /* a second ping repairs a lost TCP segment in 20 ms, not 200 */
    .gap_min_ms = 20,        /* below, tries fall into the same stall */
    .gap_max_ms = 250,       /* above, three tries do not fit into a period */
    .direct_min_ms = 200,    /* sooner, silence is one TCP retransmission */
    .helpers = 5,            /* a quarter of messages lost: 1.3 % of healthy probes fail */
    .nack_percent = 80,      /* leaves the nack a fifth of the budget to travel */
    .health_max = 8,         /* Lifeguard's figure */
    .suspicion_factor = 1.5, /* 1.5 s at 100 nodes, 3 s at 10,000; 2 misses the target */
    .suspicion_max = 6,      /* Lifeguard's figure */
    .observers = 5,          /* three of five suffice; two may be gone too */
    .crash_wait_ms = 100,    /* one more round trip for an ack that is on its way */
    .interval_ms = 100,      /* five rounds in a period */
    .fanout = 3,             /* log3: 100 nodes in five hops */
    .resend = 4,             /* a node misses a piece of news with about e^-8 and less */
    .piggyback_bytes = 1200, /* one segment of TCP */
    .sync_ms = 2000,         /* what gossip missed is found in seconds */
    .redial_ms = 1000,       /* no decay: a split heals in seconds after any outage */
    .pause_ms = 250,         /* half a period: shorter stalls hide inside a probe */
    .tombstone_h = 24,       /* shorter brings ghosts back from sleepers */
    .tombstones_max = 65536, /* two megabytes */
    .members_max = 10000,    /* simulated; 300 are supported in practice */
};

static const struct mesh_permission everybody_everything = {.role = "*", .entry = "*"};

void mesh_config_defaults(struct mesh_config *config)
{
    *config = (struct mesh_config){
        .name = "",
        .cluster = "weft",
        .zone = "",
        .version = "",
        .client_address = "",
        .gossip_address = "",
        .forward_address = "",
        .expect = 1,
        .gossip = gossip_defaults,
        .sessions_max = 65536,
        .session_reconnect_ms = 60000,
        .session_queue_messages = 10000,
        .session_queue_bytes = 16 * 1024 * 1024,
        .request_timeout_ms = 10000,
        .requests_in_flight_max = 65536,
        .sync_grace_ms = 250,
        .trusts_anonymous = true,
        .auth_chain = "anonymous",
        .auth_step_timeout_ms = 2000, /* people wait at the door */
        .anonymous_roles = "",
        .permissions = &everybody_everything,
        .permissions_count = 1,
        .queue_memory_max = UINT64_C(1024) * 1024 * 1024,
        .property_memory_max = UINT64_C(512) * 1024 * 1024,
        .topic_memory_max = UINT64_C(1024) * 1024 * 1024,
    };
}

/* "KEY: sentence" */
static bool refuse(char why[MESH_CONFIG_WHY_BYTES], const char *key,
                   const struct sentence *sentence)
{
    struct sentence all;
    sentence_start(&all, key);
    sentence_add(&all, ": ");
    sentence_add_span(&all, sentence_span(sentence));
    memcpy(why, all.text, all.bytes);
    why[all.bytes] = '\0';
    return false;
}

bool mesh_config_judge_roles(const char *text)
{
    struct roles roles;
    return roles_parse(&roles, span_text(text)) == ERROR_OK;
}

bool mesh_config_asks_users(const struct mesh_config *config)
{
    struct identity_chain chain;
    struct sentence why;
    return identity_parse(&chain, span_text(config->auth_chain), &why) &&
           identity_has(&chain, IDENTITY_USERS);
}

bool mesh_config_judge(const struct mesh_config *config, char why[MESH_CONFIG_WHY_BYTES])
{
    struct sentence sentence;
    struct identity_chain chain;
    if (!identity_parse(&chain, span_text(config->auth_chain), &sentence))
        return refuse(why, "auth.chain", &sentence);
    if (!permissions_judge(config->permissions, config->permissions_count, &sentence))
        return refuse(why, "permissions", &sentence);
    if (mesh_config_judge_roles(config->anonymous_roles))
        return true;
    sentence_start(&sentence, "at most 32 roles, each of 1 to 64 bytes without blanks, quotes, "
                              "backslashes, brackets and commas, and not *; found ");
    sentence_add_span(&sentence, span_text(config->anonymous_roles));
    return refuse(why, "auth.anonymous_roles", &sentence);
}
