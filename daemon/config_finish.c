/* Checks what single keys cannot: that values fit together. */
#include "daemon/config.h"

#include "proto/envelope.h"

#include <stdio.h>

static bool config_check_names(const struct config *config, struct config_error *error)
{
    const char *names[] = {config->name, config->cluster, config->zone};
    static const char *const keys[] = {"name", "cluster", "zone"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!mesh_name_is_good(span_text(names[i])))
            return config_fail(error,
                               "%s is '%.130s'; it must be without blanks, quotes and commas",
                               keys[i], names[i]);
    }
    return true;
}

#define CONFIG_LINE_CURVE                                                                          \
    "\n  \"curve\": {\"key_file\": \"NAME.key_secret\", \"peers\": \"peers\", \"clients\": "       \
    "\"clients\"}   (keys, see weftctl key new --help; or, on a private network, \"insecure\": "   \
    "true or --insecure: then nothing is encrypted)"
#define CONFIG_LINE_AUTH                                                                           \
    "\n  \"auth\": {\"chain\": [\"anonymous\"], \"anonymous_roles\": [\"guest\"]}   (who may "     \
    "connect)"
#define CONFIG_LINE_PERMISSIONS                                                                    \
    "\n  \"permissions\": {\"guest\": [\"send_to_handler\"]}   (what they may do)"

/* Whoever opens a node to a network gives it keys, or says that this network is private; and that
 * everybody may do everything is for loopback. */
static bool config_check_host(const struct config *config, struct config_error *error)
{
    bool has_auth = config_has_auth(config), has_permissions = config_has_permissions(config);
    bool is_guarded = config->insecure || config->curve_key_file[0] != '\0';
    if (address_is_loopback(config->host) || (is_guarded && has_auth && has_permissions))
        return true;
    return config_fail(error,
                       "host %.100s can be reached from outside, which must be asked for; add to "
                       "the configuration, with values of your own:%s%s%s",
                       config->host, is_guarded ? "" : CONFIG_LINE_CURVE,
                       has_auth ? "" : CONFIG_LINE_AUTH,
                       has_permissions ? "" : CONFIG_LINE_PERMISSIONS);
}

/* All three or none: who forgot one would have a port that takes nobody, or everybody. */
static bool config_check_curve(const struct config *config, struct config_error *error)
{
    bool has_key = config->curve_key_file[0] != '\0', has_peers = config->curve_peers[0] != '\0';
    bool has_clients = config->curve_clients[0] != '\0';
    if (has_key == has_peers && has_key == has_clients)
        return true;
    return config_fail(error,
                       "keys are half configured, without%s%s%s; add to the configuration, with "
                       "values of your own:\n  \"curve\": {\"key_file\": \"NAME.key_secret\", "
                       "\"peers\": \"FOLDER\", \"clients\": \"FOLDER or any\"}",
                       has_key ? "" : " curve.key_file", has_peers ? "" : " curve.peers",
                       has_clients ? "" : " curve.clients");
}

/* What is not permitted is denied: with auth alone nobody could do anything, which nobody wants. */
static bool config_check_rights(const struct config *config, struct config_error *error)
{
    char why[MESH_CONFIG_WHY_BYTES];
    if (config_has_auth(config) && !config_has_permissions(config))
        return config_fail(error,
                           "auth is configured and permissions is not, so nobody could do "
                           "anything; add to the configuration, with values of your own:%s",
                           CONFIG_LINE_PERMISSIONS);
    if (!mesh_config_judge(&config->mesh, why))
        return config_fail(error, "%s", why);
    if (strcmp(config->on_timeout, "deny") != 0 && strcmp(config->on_timeout, "abstain") != 0)
        return config_fail(error, "auth.on_timeout is '%.16s'; it must be deny or abstain",
                           config->on_timeout);
    if (mesh_config_asks_users(&config->mesh) && config->users_file[0] == '\0')
        return config_fail(error, "auth.chain has the step users; name their file: "
                                  "auth.users_file");
    return true;
}

static bool config_check_seed(const struct config *config, const struct address *seed,
                              struct config_error *error)
{
    char text[ADDRESS_TEXT_BYTES];
    address_format(seed, text);
    bool is_own_host = config->port != 0 && strcmp(seed->host, config->host) == 0;
    if (seed->port == CONFIG_PORT_CLIENTS || (is_own_host && seed->port == config->port))
        return config_fail(error, "%s is a client port; gossip is %u", text, seed->port + 1U);
    if (is_own_host && seed->port == config->port + 2)
        return config_fail(error, "%s is a forward port; gossip is %u", text, seed->port - 1U);
    return true;
}

static bool config_read_seeds(struct config *config, struct config_error *error)
{
    config->mesh.seeds = 0;
    const char *at = config->seeds;
    while (*at != '\0') {
        char text[ADDRESS_TEXT_BYTES];
        size_t bytes = strcspn(at, ",");
        snprintf(text, sizeof(text), "%.*s", (int)(bytes < sizeof(text) ? bytes : 0), at);
        if (config->mesh.seeds == MESH_SEEDS_MAX)
            return config_fail(error, "seeds has more than %d entries", MESH_SEEDS_MAX);
        struct address *seed = &config->seed[config->mesh.seeds++];
        if (!address_parse(text, CONFIG_PORT_GOSSIP, seed))
            return config_fail(error,
                               "seeds holds '%.*s'; it must be HOST:PORT, as in 10.0.0.11:%d",
                               (int)(bytes < 80 ? bytes : 80), at, CONFIG_PORT_GOSSIP);
        if (!config_check_seed(config, seed, error))
            return false;
        at += bytes;
        at += *at == ',';
    }
    return true;
}

bool config_finish(struct config *config, struct config_error *error)
{
    const struct gossip_config *gossip = &config->mesh.gossip;
    config_apply_live(config);
    if (!config_check_names(config, error) || !config_check_host(config, error) ||
        !config_check_curve(config, error) || !config_check_rights(config, error) ||
        !config_read_seeds(config, error))
        return false;
    if (gossip->gap_min_ms > gossip->gap_max_ms)
        return config_fail(error,
                           "gossip.gap_min_ms is %u and gossip.gap_max_ms %u; the first must "
                           "not be greater",
                           gossip->gap_min_ms, gossip->gap_max_ms);
    if (config->mesh.expect > gossip->members_max)
        return config_fail(error, "expect is %u; gossip.members_max allows %u", config->mesh.expect,
                           gossip->members_max);
    config->mesh.name = config->name;
    config->mesh.cluster = config->cluster;
    config->mesh.zone = config->zone;
    return true;
}
