/* config.h - every setting of a node: its name, what it may be, what it is and who said so.
 * One table (CONFIG_LIST) is all there is to know about the keys; files, environment and flags are
 * three ways to say KEY=TEXT, told in this order, later ones winning.
 * Memory: one fixed-size struct, which must outlive the mesh. Thread: one owner. */
#ifndef WEFT_DAEMON_CONFIG_H
#define WEFT_DAEMON_CONFIG_H

#include "daemon/address.h"
#include "daemon/config_permissions.h"
#include "daemon/logger.h"
#include "mesh/config.h"

enum { CONFIG_PORT_CLIENTS = 7310, CONFIG_PORT_GOSSIP = 7311, CONFIG_PORT_FORWARD = 7312 };
enum { CONFIG_TEXT_BYTES = 256, CONFIG_LIST_BYTES = 4096, CONFIG_ERROR_BYTES = 1024 };
enum { CONFIG_VALUE_BYTES = CONFIG_PERMISSIONS_BYTES }; /* of any value as text */

enum config_type {
    CONFIG_TEXT,     /* char[CONFIG_TEXT_BYTES]; max: bytes */
    CONFIG_LIST_OF,  /* char[CONFIG_LIST_BYTES], separated by commas */
    CONFIG_NUMBER,   /* uint32_t */
    CONFIG_NUMBER64, /* uint64_t; in a file also as a string, for values past 2^53 */
    CONFIG_REAL,     /* double */
    CONFIG_DURATION, /* uint32_t, milliseconds; 250ms 2s 5m 1h */
    CONFIG_SIZE,     /* uint32_t, bytes; 128 4KiB 1MiB */
    CONFIG_SIZE64,   /* uint64_t */
    CONFIG_SWITCH,   /* bool */
    CONFIG_LEVEL,    /* enum logger_level */
    CONFIG_LISTS,    /* struct config_permissions; an object of lists of texts */
};

/* X(NAME, "key", TYPE, member, min, max, "why it is what it is, or what it does") */
#define CONFIG_LIST(X)                                                                             \
    X(NAME, "name", TEXT, name, 0, 128, "unique in the mesh; empty: HOSTNAME-PORT")                \
    X(CLUSTER, "cluster", TEXT, cluster, 1, 128, "the mesh's name; others are refused")            \
    X(ZONE, "zone", TEXT, zone, 0, 128, "handlers in the caller's zone are preferred")             \
    X(HOST, "host", TEXT, host, 1, 253, "what to listen on; 0.0.0.0: all interfaces")              \
    X(INSECURE, "insecure", SWITCH, insecure, 0, 1, "allows a host beyond loopback without keys")  \
    X(CURVE_KEY_FILE, "curve.key_file", TEXT, curve_key_file, 0, 255,                              \
      "this node's secret key (weftctl key new NAME); with it all three ports are encrypted")      \
    X(CURVE_PEERS, "curve.peers", TEXT, curve_peers, 0, 255,                                       \
      "a folder of public keys: the nodes that are taken, this one among them")                    \
    X(CURVE_CLIENTS, "curve.clients", TEXT, curve_clients, 0, 255,                                 \
      "the same of clients; any: every key, and auth.chain says who may connect")                  \
    X(PORT, "port", NUMBER, port, 0, 65533, "N clients, N+1 gossip, N+2 forward; 0: any free")     \
    X(ADVERTISE, "advertise", TEXT, advertise, 0, 253,                                             \
      "the host told to peers and clients; empty: host, else the first outside address")           \
    X(SEEDS, "seeds", LIST_OF, seeds, 0, 4095, "gossip addresses of any nodes")                    \
    X(EXPECT, "expect", NUMBER, mesh.expect, 1, 10000, "not ready before so many are alive")       \
    X(LOG_LEVEL, "log.level", LEVEL, log_level, 0, 3, "error, warn, info or debug")                \
    X(LOG_JSON, "log.json", SWITCH, log_json, 0, 1, "log lines as JSON objects")                   \
    X(RANDOM_SEED, "random_seed", NUMBER64, random_seed, 0, UINT64_MAX,                            \
      "0: the system's randomness; else the same run again, for tests only")                       \
    X(AUTH_CHAIN, "auth.chain", LIST_OF, auth_chain, 0, 4095,                                      \
      "who may connect: the first of these steps that does not abstain decides; none: nobody")     \
    X(ANONYMOUS_ROLES, "auth.anonymous_roles", LIST_OF, anonymous_roles, 0, 4095,                  \
      "what sessions without a principal hold")                                                    \
    X(USERS_FILE, "auth.users_file", TEXT, users_file, 0, 255,                                     \
      "what the step users asks: PRINCIPAL HASH [ROLE,ROLE..] a line, by weftctl passwd")          \
    X(STEP_TIMEOUT, "auth.step_timeout", DURATION, mesh.auth_step_timeout_ms, 10, 30000,           \
      "a handler that is silent for so long is not waited for: people stand at the door")          \
    X(ON_TIMEOUT, "auth.on_timeout", TEXT, on_timeout, 1, 16,                                      \
      "deny: silence keeps out; abstain: the next step is asked")                                  \
    X(FAILURES, "auth.failures_per_address", NUMBER, failures_per_address, 0, 1000000,             \
      "failed logins a minute from one address, but loopback; then nobody is asked; 0: no limit")  \
    X(TRUST_ANONYMOUS, "auth.trust_anonymous", SWITCH, mesh.trusts_anonymous, 0, 1,                \
      "anonymous clients' offered properties are taken; false as soon as an auth key is set")      \
    X(PERMISSIONS, "permissions", LISTS, permissions, 2, 32767,                                    \
      "who may do what, by role; * is everybody, and everything")                                  \
    X(SESSIONS_MAX, "sessions.max", NUMBER, mesh.sessions_max, 1, 1000000,                         \
      "then new ones are refused with LIMIT_REACHED")                                              \
    X(PER_ADDRESS, "sessions.per_address", NUMBER, sessions_per_address, 0, 1000000,               \
      "connections of clients from one address, but loopback; 0: no limit")                        \
    X(CONNECTS, "sessions.connects_per_address", NUMBER, connects_per_address, 0, 1000000,         \
      "a second, ten seconds' worth at once; 0: no limit")                                         \
    X(RECONNECT, "sessions.reconnect", DURATION, mesh.session_reconnect_ms, 0, 86400000,           \
      "the longest that a session may ask to outlive its connection; 0: none does")                \
    X(QUEUE_MESSAGES, "sessions.queue_messages", NUMBER, mesh.session_queue_messages, 16, 1000000, \
      "of one session; past it the session is conflated, then closed")                             \
    X(QUEUE_BYTES, "sessions.queue_bytes", SIZE, mesh.session_queue_bytes, 2097152, 1073741824,    \
      "the same in bytes; at least one frame of the largest size")                                 \
    X(QUEUES, "memory.queues", SIZE64, mesh.queue_memory_max, 16777216, 1099511627776,             \
      "all queues of the node together")                                                           \
    X(PROPERTIES, "memory.properties", SIZE64, mesh.property_memory_max, 1048576, 1099511627776,   \
      "all session properties of the node together")                                               \
    X(TOPICS, "memory.topics", SIZE64, mesh.topic_memory_max, 1048576, 1099511627776,              \
      "all topics, which every node holds: the same on all of them")                               \
    X(TIMEOUT, "requests.timeout", DURATION, mesh.request_timeout_ms, 1, 300000,                   \
      "when the caller names none")                                                                \
    X(IN_FLIGHT, "requests.in_flight", NUMBER, mesh.requests_in_flight_max, 1, 16777216,           \
      "of all callers of the node; then OVERLOADED")                                               \
    X(SYNC_GRACE, "requests.sync_grace", DURATION, mesh.sync_grace_ms, 0, 60000,                   \
      "a request waits so long for the node's first synchronisation")                              \
    CONFIG_GOSSIP_LIST(X)

#define CONFIG_GOSSIP_LIST(X)                                                                      \
    X(G_PERIOD, "gossip.period_ms", NUMBER, mesh.gossip.period_ms, 10, 60000,                      \
      "one member is probed a period, in shuffled rounds; half of the usual 1 s")                  \
    X(G_TRIES, "gossip.tries", NUMBER, mesh.gossip.tries, 1, 10,                                   \
      "direct pings, one gap apart; a second one repairs a lost segment in a round trip")          \
    X(G_GAP_MIN, "gossip.gap_min_ms", NUMBER, mesh.gossip.gap_min_ms, 1, 10000,                    \
      "the gap is the peer's p99 round trip, but at least this")                                   \
    X(G_GAP_MAX, "gossip.gap_max_ms", NUMBER, mesh.gossip.gap_max_ms, 1, 10000,                    \
      "and at most this")                                                                          \
    X(G_DIRECT, "gossip.direct_min_ms", NUMBER, mesh.gossip.direct_min_ms, 1, 10000,               \
      "helpers are not asked before; sooner, silence is one TCP retransmission")                   \
    X(G_HELPERS, "gossip.helpers", NUMBER, mesh.gossip.helpers, 0, 64,                             \
      "at a quarter of messages lost a healthy node then fails 1.3 % of probes")                   \
    X(G_NACK, "gossip.nack_percent", NUMBER, mesh.gossip.nack_percent, 1, 100,                     \
      "of the remaining budget; a later nack makes the prober blame itself")                       \
    X(G_HEALTH, "gossip.health_max", NUMBER, mesh.gossip.health_max, 0, 64,                        \
      "a node that misses answers slows itself down, up to this factor + 1")                       \
    X(G_FACTOR, "gossip.suspicion_factor", REAL, mesh.gossip.suspicion_factor, 1, 20,              \
      "suspicion lasts period x max(3, this x log10 members): 1.5 s up to 100 nodes")              \
    X(G_SUSPICION, "gossip.suspicion_max", NUMBER, mesh.gossip.suspicion_max, 1, 60,               \
      "times that while nobody confirms")                                                          \
    X(G_OBSERVERS, "gossip.observers", NUMBER, mesh.gossip.observers, 0, 64,                       \
      "neighbours on the ring that check a crash")                                                 \
    X(G_CRASH, "gossip.crash_wait_ms", NUMBER, mesh.gossip.crash_wait_ms, 0, 60000,                \
      "from \"its port refuses, observers say so too\" to dead")                                   \
    X(G_INTERVAL, "gossip.interval_ms", NUMBER, mesh.gossip.interval_ms, 10, 60000,                \
      "news goes out this often, only when there is any; urgent news at once")                     \
    X(G_FANOUT, "gossip.fanout", NUMBER, mesh.gossip.fanout, 1, 64, "to so many members")          \
    X(G_RESEND, "gossip.resend", NUMBER, mesh.gossip.resend, 1, 64,                                \
      "each piece x ceil(log10(members + 1)) times; at 4 and 100 nodes 1 in 160,000 is missed")    \
    X(G_PIGGYBACK, "gossip.piggyback_bytes", NUMBER, mesh.gossip.piggyback_bytes, 200, 32768,      \
      "of news in one frame: one network segment")                                                 \
    X(G_SYNC, "gossip.sync_ms", NUMBER, mesh.gossip.sync_ms, 100, 600000,                          \
      "tables are compared with one random member")                                                \
    X(G_REDIAL, "gossip.redial_ms", NUMBER, mesh.gossip.redial_ms, 100, 600000,                    \
      "seeds and dead members are called again, for ever: a split heals in seconds")               \
    X(G_PAUSE, "gossip.pause_ms", NUMBER, mesh.gossip.pause_ms, 10, 60000,                         \
      "a tick this late means that this node slept")                                               \
    X(G_TOMB_H, "gossip.tombstone_h", NUMBER, mesh.gossip.tombstone_h, 1, 8760,                    \
      "the dead are remembered; shorter brings ghosts back")                                       \
    X(G_TOMBS, "gossip.tombstones_max", NUMBER, mesh.gossip.tombstones_max, 16, 1048576,           \
      "and so many of them")                                                                       \
    X(G_MEMBERS, "gossip.members_max", NUMBER, mesh.gossip.members_max, 2, 10000,                  \
      "then joiners are refused with LIMIT_REACHED")

enum config_key {
#define CONFIG_ENUM(NAME, key, type, member, min, max, reason) CONFIG_##NAME,
    CONFIG_LIST(CONFIG_ENUM)
#undef CONFIG_ENUM
        CONFIG_KEYS
};

enum config_origin { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENV, CONFIG_FLAG, CONFIG_ORIGINS };

extern const char *const config_origin_names[CONFIG_ORIGINS];

struct config {
    struct mesh_config mesh; /* numbers here; strings and seed by config_finish and main */
    char name[CONFIG_TEXT_BYTES], cluster[CONFIG_TEXT_BYTES], zone[CONFIG_TEXT_BYTES];
    char host[CONFIG_TEXT_BYTES], advertise[CONFIG_TEXT_BYTES];
    char curve_key_file[CONFIG_TEXT_BYTES], curve_peers[CONFIG_TEXT_BYTES];
    char curve_clients[CONFIG_TEXT_BYTES];
    char seeds[CONFIG_LIST_BYTES];
    char auth_chain[CONFIG_LIST_BYTES], anonymous_roles[CONFIG_LIST_BYTES];
    struct config_permissions permissions; /* not to be copied: it points into itself */
    struct address seed[MESH_SEEDS_MAX];   /* the seeds, read; mesh.seeds of them */
    char users_file[CONFIG_TEXT_BYTES], on_timeout[CONFIG_TEXT_BYTES];
    bool insecure, log_json;
    uint32_t sessions_per_address, connects_per_address; /* 0: not limited */
    uint32_t failures_per_address;                       /* a minute; 0: not limited */
    uint32_t port;
    enum logger_level log_level;
    uint64_t random_seed;
    enum config_origin origins[CONFIG_KEYS];
};

struct config_error {
    char text[CONFIG_ERROR_BYTES]; /* one sentence: what was found, what is expected */
};

/* Writes the sentence and returns false, for `return config_fail(..)`. */
bool config_fail(struct config_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Every key at its default. */
void config_defaults(struct config *config);

/* The key of that name, or CONFIG_KEYS. */
enum config_key config_find(const char *name);
const char *config_key_name(enum config_key key);
const char *config_key_reason(enum config_key key);
enum config_type config_key_type(enum config_key key);

/* Sets one key from its text form. false: the text is not of the key's type or out of its range;
 * nothing is changed and the error says so, beginning with the key. */
bool config_set(struct config *config, enum config_key key, const char *text,
                enum config_origin origin, struct config_error *error);

/* The text form of a key's value: config_set takes it back. */
void config_get(const struct config *config, enum config_key key, char text[CONFIG_VALUE_BYTES]);

/* The same by name; an unknown name is an error, with the nearest known one. */
bool config_set_named(struct config *config, const char *name, const char *text,
                      enum config_origin origin, struct config_error *error);

/* Writes "unknown key NAME", with the nearest known one if one is near. */
void config_unknown(const char *name, struct config_error *error);

/* Takes every WEFT_... variable that is a key: capitals, dots as underscores. */
bool config_environment(struct config *config, struct config_error *error);

/* Checks what single keys cannot: that values fit together; reads the seeds. To be called once all
 * has been set. */
bool config_finish(struct config *config, struct config_error *error);

/* Whether any key of auth, or permissions, is configured. */
bool config_has_auth(const struct config *config);
bool config_has_permissions(const struct config *config);

/* Neither auth nor permissions is configured: whoever connects may do everything. */
bool config_is_open(const struct config *config);

/* Puts the live part of mesh (mesh/config.h) right, after config_set of any such key. */
void config_apply_live(struct config *config);

/* Whether a running node can take over a change of this key. */
bool config_is_live(enum config_key key);

/* All keys as JSON: {key: {value, from, reason}}. The caller frees; NULL: no memory. */
char *config_print(const struct config *config);

#endif
