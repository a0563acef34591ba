/* config.h - all that the core is told before it starts: who this node is, and its parameters.
 * Memory: the strings must live as long as the mesh. Thread: plain data. */
#ifndef WEFT_MESH_CONFIG_H
#define WEFT_MESH_CONFIG_H

#include "proto/span.h"

enum { MESH_SEED_BYTES = 32, MESH_SEEDS_MAX = 64, MESH_ADDRESSES_PER_SEED_MAX = 16 };

struct gossip_config {
    uint32_t period_ms;       /* one member is probed a period */
    uint32_t tries;           /* direct pings of a probe */
    uint32_t gap_min_ms;      /* between two tries, at least */
    uint32_t gap_max_ms;      /* and at most */
    uint32_t direct_min_ms;   /* helpers are not asked before */
    uint32_t helpers;         /* members asked to probe for us */
    uint32_t nack_percent;    /* of the remaining budget: when a helper says "no answer yet" */
    uint32_t health_max;      /* the local health score's end */
    double suspicion_factor;  /* suspicion lasts period x max(3, this x log10 N) */
    uint32_t suspicion_max;   /* times the minimum, while nobody confirms */
    uint32_t observers;       /* ring neighbours who check a crash */
    uint32_t crash_wait_ms;   /* from "all refused" to dead */
    uint32_t interval_ms;     /* news goes out this often */
    uint32_t fanout;          /* to so many members */
    uint32_t resend;          /* each piece of news: this x ceil(log10(N+1)) times */
    uint32_t piggyback_bytes; /* of news in one frame */
    uint32_t sync_ms;         /* anti-entropy with one random member */
    uint32_t redial_ms;       /* seeds and dead members are called again */
    uint32_t pause_ms;        /* a tick this late: we slept */
    uint32_t tombstone_h;
    uint32_t tombstones_max;
    uint32_t members_max;
};

/* One of the operator's entries: what a role (or *, everybody) may do. mesh/sessions/permissions.h
 * says what an entry can be. */
struct mesh_permission {
    const char *role, *entry;
};

struct mesh_config {
    const char *name;                                              /* unique in the mesh */
    const char *cluster;                                           /* the mesh's name */
    const char *zone;                                              /* may be empty */
    const char *version;                                           /* of the software */
    const char *client_address, *gossip_address, *forward_address; /* advertised host:port */
    uint8_t random_seed[MESH_SEED_BYTES]; /* of all randomness; the instance id comes from it */
    uint32_t seeds;  /* how many seeds are configured; their names are the daemon's */
    uint32_t expect; /* not ready before so many members are alive, this node included */
    struct gossip_config gossip;
    uint32_t sessions_max;
    uint32_t session_queue_messages, session_queue_bytes;
    uint32_t session_reconnect_ms; /* the most that a session is granted; 0: none outlives its
                                      connection */
    uint32_t request_timeout_ms;   /* when the caller names none */
    uint32_t requests_in_flight_max;
    uint32_t sync_grace_ms; /* a look-up waits so long for the first synchronisation */
    /* The live part: whoever owns the configuration may change it between two calls, if
     * mesh_config_judge takes it, and tells MESH_RECONFIGURED next. */
    bool trusts_anonymous;         /* anonymous clients' offered properties are taken */
    const char *auth_chain;        /* steps of mesh/sessions/identity.h: a,b */
    uint32_t auth_step_timeout_ms; /* a handler that is silent for so long .. */
    bool auth_timeout_abstains;    /* .. has abstained; else: has denied */
    const char *anonymous_roles;   /* what anonymous sessions hold: a,b; may be empty */
    const struct mesh_permission *permissions;
    uint32_t permissions_count;
    uint64_t queue_memory_max, property_memory_max, topic_memory_max; /* bytes, node-wide */
};

/* The defaults of every number above; strings and seed are left empty, and everybody may do
 * everything. */
void mesh_config_defaults(struct mesh_config *config);

enum { MESH_CONFIG_WHY_BYTES = 513 };

/* Whether the text can be a set of roles: a,b or "a","b"; empty: none. */
bool mesh_config_judge_roles(const char *roles);

/* Whether the chain has the step `users`: the daemon must have a file of them then. The chain was
 * judged good. */
bool mesh_config_asks_users(const struct mesh_config *config);

/* Whether auth_chain, anonymous_roles and permissions can be understood: mesh_new and
 * MESH_RECONFIGURED take no others. If not, `why` names the entry and says what would do; else it
 * is not touched. */
bool mesh_config_judge(const struct mesh_config *config, char why[MESH_CONFIG_WHY_BYTES]);

#endif
