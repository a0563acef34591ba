#include "daemon/config.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>

static struct config config;
static struct config_error error;

static bool set(const char *name, const char *text)
{
    return config_set_named(&config, name, text, CONFIG_FLAG, &error);
}

static void refused(const char *name, const char *text, const char *says)
{
    config_defaults(&config);
    cr_assert_not(set(name, text), "%s=%s was taken", name, text);
    cr_assert_not_null(strstr(error.text, says), "%s", error.text);
    cr_assert_eq(config.origins[config_find(name) % CONFIG_KEYS], CONFIG_DEFAULT);
}

Test(config, every_default_is_in_its_range_and_read_back)
{
    config_defaults(&config);
    for (unsigned key = 0; key < CONFIG_KEYS; key++) {
        char text[CONFIG_VALUE_BYTES], again[CONFIG_VALUE_BYTES];
        config_get(&config, (enum config_key)key, text);
        cr_assert(config_set(&config, (enum config_key)key, text, CONFIG_FILE, &error), "%s",
                  error.text);
        config_get(&config, (enum config_key)key, again);
        cr_assert_str_eq(text, again);
    }
    cr_assert(config_finish(&config, &error), "%s", error.text);
}

Test(config, defaults_are_those_of_the_manual)
{
    config_defaults(&config);
    cr_assert_eq(config.port, 7310);
    cr_assert_str_eq(config.host, "127.0.0.1");
    cr_assert_str_eq(config.cluster, "weft");
    cr_assert_eq(config.mesh.sessions_max, 65536);
    cr_assert_eq(config.mesh.session_queue_messages, 10000);
    cr_assert_eq(config.mesh.session_queue_bytes, 16 << 20);
    cr_assert_eq(config.mesh.request_timeout_ms, 10000);
    cr_assert_eq(config.mesh.requests_in_flight_max, 65536);
    cr_assert_eq(config.mesh.sync_grace_ms, 250);
    cr_assert_eq(config.mesh.queue_memory_max, UINT64_C(1) << 30);
    cr_assert_eq(config.mesh.property_memory_max, UINT64_C(512) << 20);
    cr_assert_eq(config.mesh.expect, 1);
    cr_assert_eq(config.mesh.gossip.period_ms, 500);
}

Test(config, a_value_lands_in_its_member)
{
    config_defaults(&config);
    cr_assert(set("port", "7320"));
    cr_assert(set("name", "eu-a"));
    cr_assert(set("insecure", "true"));
    cr_assert(set("log.level", "debug"));
    cr_assert(set("requests.timeout", "2s"));
    cr_assert(set("memory.queues", "2GiB"));
    cr_assert(set("gossip.suspicion_factor", "2.5"));
    cr_assert(set("random_seed", "18446744073709551615"));
    cr_assert_eq(config.port, 7320);
    cr_assert_str_eq(config.name, "eu-a");
    cr_assert(config.insecure);
    cr_assert_eq(config.log_level, LOGGER_DEBUG);
    cr_assert_eq(config.mesh.request_timeout_ms, 2000);
    cr_assert_eq(config.mesh.queue_memory_max, UINT64_C(2) << 30);
    cr_assert_float_eq(config.mesh.gossip.suspicion_factor, 2.5, 1e-9);
    cr_assert_eq(config.random_seed, UINT64_MAX);
    cr_assert_eq(config.origins[CONFIG_PORT], CONFIG_FLAG);
    cr_assert_eq(config.origins[CONFIG_ZONE], CONFIG_DEFAULT);
}

Test(config, a_bad_value_is_refused_with_what_is_expected)
{
    refused("port", "x", "a number");
    refused("port", "65534", "0 to 65533");
    refused("port", "", "a number");
    refused("insecure", "yes", "true or false");
    refused("log.level", "loud", "error, warn, info or debug");
    refused("requests.timeout", "10", "a duration such as");
    refused("requests.timeout", "1h", "1ms to 5m");
    refused("sessions.queue_bytes", "1KiB", "2MiB to 1GiB");
    refused("gossip.suspicion_factor", "x", "1.5");
    refused("gossip.suspicion_factor", "0.5", "1 to 20");
    refused("cluster", "", "1 to 128 bytes long");
    refused("name", "\xff", "text");
}

Test(config, an_unknown_key_is_refused_with_its_nearest)
{
    config_defaults(&config);
    cr_assert_not(set("gosip.period_ms", "5"));
    cr_assert_str_eq(error.text, "unknown key 'gosip.period_ms'; did you mean 'gossip.period_ms'?");
    cr_assert_not(set("auth.users", "[]"));
    cr_assert_not_null(strstr(error.text, "unknown key 'auth.users'"));
    cr_assert_not(set("", ""));
}

static void finish_refused(const char *says, const char *says_not)
{
    cr_assert_not(config_finish(&config, &error));
    cr_assert_not_null(strstr(error.text, says), "%s", error.text);
    cr_assert_null(strstr(error.text, says_not), "%s", error.text);
}

Test(config, beyond_loopback_wants_to_be_said)
{
    config_defaults(&config);
    cr_assert(set("host", "10.0.0.12"));
    finish_refused("--insecure", "nobody could");
    finish_refused("\n  \"curve\": {\"key_file\"", "nobody could");
    cr_assert(set("insecure", "true"));
    finish_refused("\n  \"auth\": {\"chain\": [\"anonymous\"]", "\"insecure\"");
    finish_refused("\n  \"permissions\": {\"guest\"", "\"insecure\"");
    cr_assert(set("auth.chain", "anonymous"));
    finish_refused("\n  \"permissions\": {\"guest\"", "\"auth\"");
    cr_assert(set("permissions", "{\"*\": [\"send_to_handler\"]}"));
    cr_assert(config_finish(&config, &error), "%s", error.text);
    cr_assert_not(config_is_open(&config));
}

Test(config, keys_open_a_node_to_a_network_as_well)
{
    config_defaults(&config);
    cr_assert(set("host", "10.0.0.12"));
    cr_assert(set("auth.chain", "anonymous"));
    cr_assert(set("permissions", "{\"*\": [\"send_to_handler\"]}"));
    finish_refused("\n  \"curve\": {\"key_file\"", "\"auth\"");
    cr_assert(set("curve.key_file", "eu-a.key_secret"));
    cr_assert(set("curve.peers", "peers"));
    cr_assert(set("curve.clients", "any"));
    cr_assert(config_finish(&config, &error), "%s", error.text);
}

Test(config, keys_are_configured_all_together)
{
    config_defaults(&config);
    cr_assert(set("curve.key_file", "eu-a.key_secret"));
    finish_refused("without curve.peers curve.clients", "without curve.key_file");
    cr_assert(set("curve.peers", "peers"));
    finish_refused("without curve.clients", "curve.peers curve");
    cr_assert(set("curve.clients", "clients"));
    cr_assert(config_finish(&config, &error), "%s", error.text);
    cr_assert(set("curve.key_file", ""));
    finish_refused("without curve.key_file", "curve.peers curve");
}

Test(config, permissions_alone_do_not_open_a_node_to_a_network)
{
    config_defaults(&config);
    cr_assert(set("host", "10.0.0.12"));
    cr_assert(set("insecure", "true"));
    cr_assert(set("permissions", "{}"));
    finish_refused("\n  \"auth\"", "\"permissions\"");
}

Test(config, is_open_until_auth_or_permissions_are_set)
{
    config_defaults(&config);
    cr_assert(config_finish(&config, &error));
    cr_assert(config_is_open(&config));
    cr_assert_eq(config.mesh.permissions_count, 1);
    cr_assert_str_eq(config.mesh.permissions[0].role, "*");
    cr_assert_str_eq(config.mesh.permissions[0].entry, "*");
    cr_assert(config.mesh.trusts_anonymous);
    cr_assert(set("permissions", "{}"));
    cr_assert(config_finish(&config, &error));
    cr_assert_not(config_is_open(&config));
    cr_assert_eq(config.mesh.permissions_count, 0, "nobody may do anything");
    cr_assert(config.mesh.trusts_anonymous);
}

Test(config, auth_without_permissions_is_refused)
{
    config_defaults(&config);
    cr_assert(set("auth.anonymous_roles", "guest"));
    finish_refused("nobody could do anything", "can be reached");
    cr_assert(set("permissions", "{\"guest\": [\"*\"]}"));
    cr_assert(config_finish(&config, &error), "%s", error.text);
    cr_assert_str_eq(config.mesh.anonymous_roles, "guest");
    cr_assert_not(config.mesh.trusts_anonymous, "an auth key is set");
    cr_assert(set("auth.trust_anonymous", "true"));
    cr_assert(config_finish(&config, &error), "%s", error.text);
    cr_assert(config.mesh.trusts_anonymous);
}

Test(config, permissions_are_read_and_printed_without_blanks)
{
    char text[CONFIG_VALUE_BYTES];
    config_defaults(&config);
    cr_assert(set("permissions", " { \"a\" : [ \"view_session\", \"update:x/**\" ], \"*\": [] }"));
    config_get(&config, CONFIG_PERMISSIONS, text);
    cr_assert_str_eq(text, "{\"a\":[\"view_session\",\"update:x/**\"],\"*\":[]}");
    config_apply_live(&config);
    cr_assert_eq(config.mesh.permissions_count, 2);
    cr_assert_str_eq(config.mesh.permissions[1].role, "a");
    cr_assert_str_eq(config.mesh.permissions[1].entry, "update:x/**");
}

Test(config, permissions_that_cannot_be_understood_name_role_and_entry)
{
    refused("permissions", "[]", "expected an object");
    refused("permissions", "{\"a\": \"*\"}", "role a: expected a list of texts");
    refused("permissions", "{\"a\": [1]}", "role a: expected a list of texts");
    refused("permissions", "{\"a\": {\"b\": []}}", "role a: expected a list of texts");
    refused("permissions", "{\"a\": [\"fly\"]}",
            "permissions: role a, entry fly: no such permission");
    refused("permissions", "{\"a\": [\"update:x/*\"]}", "role a, entry update:x/*: the selector");
    refused("permissions", "{\"a b\": [\"*\"]}", "role a b");
    refused("permissions", "{\"a\": [], \"a\": []}",
            "column 11: this name stands in the object twice");
    refused("permissions", "{\"a\"", "line 1");
    config_defaults(&config);
    cr_assert(set("permissions", "{\"a\": [\"view_mesh\"]}"));
    cr_assert_not(set("permissions", "{\"a\": [\"view_mesh\", \"fly\"]}"));
    cr_assert_str_eq(config.permissions.text, "{\"a\":[\"view_mesh\"]}", "what held, holds");
    cr_assert_str_eq(config.permissions.entries[0].entry, "view_mesh");
}

Test(config, a_chain_or_role_that_cannot_be_understood_is_refused)
{
    config_defaults(&config);
    cr_assert(set("permissions", "{}"));
    cr_assert(set("auth.chain", "anonymous,ldap"));
    finish_refused("auth.chain: step ldap", "permissions");
    cr_assert(set("auth.chain", ""));
    cr_assert(set("auth.anonymous_roles", "a,*"));
    finish_refused("auth.anonymous_roles: at most 32 roles", "auth.chain");
}

Test(config, seeds_are_read_with_gossip_as_default_port)
{
    config_defaults(&config);
    cr_assert(set("seeds", "10.0.0.1,:7321,[::1]:99,eu-a.example"));
    cr_assert(config_finish(&config, &error), "%s", error.text);
    cr_assert_eq(config.mesh.seeds, 4);
    cr_assert_eq(config.seed[0].port, 7311);
    cr_assert_str_eq(config.seed[1].host, "127.0.0.1");
    cr_assert_str_eq(config.seed[2].host, "::1");
    cr_assert_str_eq(config.seed[3].host, "eu-a.example");
}

static void seeds_refused(const char *seeds, const char *says)
{
    config_defaults(&config);
    cr_assert(set("port", "7320"));
    cr_assert(set("seeds", seeds));
    cr_assert_not(config_finish(&config, &error), "%s", seeds);
    cr_assert_str_eq(error.text, says);
}

Test(config, a_client_port_as_seed_is_refused_by_name)
{
    seeds_refused("127.0.0.1:7310", "127.0.0.1:7310 is a client port; gossip is 7311");
    seeds_refused(":7311,:7310", "127.0.0.1:7310 is a client port; gossip is 7311");
    seeds_refused(":7320", "127.0.0.1:7320 is a client port; gossip is 7321");
    seeds_refused(":7322", "127.0.0.1:7322 is a forward port; gossip is 7321");
    seeds_refused(":7311,,", "seeds holds ''; it must be HOST:PORT, as in 10.0.0.11:7311");
    seeds_refused("a b", "seeds holds 'a b'; it must be HOST:PORT, as in 10.0.0.11:7311");
}

Test(config, values_must_fit_together)
{
    config_defaults(&config);
    cr_assert(set("gossip.gap_min_ms", "300"));
    cr_assert_not(config_finish(&config, &error));
    config_defaults(&config);
    cr_assert(set("gossip.members_max", "10"));
    cr_assert(set("expect", "11"));
    cr_assert_not(config_finish(&config, &error));
    config_defaults(&config);
    cr_assert(set("name", "a b"));
    cr_assert_not(config_finish(&config, &error));
}

Test(config, the_environment_sets_keys_by_their_capitals)
{
    config_defaults(&config);
    setenv("WEFT_GOSSIP_PERIOD_MS", "200", 1);
    setenv("WEFT_SEEDS", ":7311", 1);
    setenv("WEFT_SERVER", "not weftd's", 1);
    cr_assert(config_environment(&config, &error), "%s", error.text);
    cr_assert_eq(config.mesh.gossip.period_ms, 200);
    cr_assert_eq(config.origins[CONFIG_SEEDS], CONFIG_ENV);
    setenv("WEFT_PORT", "many", 1);
    cr_assert_not(config_environment(&config, &error));
    cr_assert_eq(strncmp(error.text, "environment WEFT_PORT:", 22), 0);
}

Test(config, print_shows_value_origin_and_reason_of_every_key)
{
    config_defaults(&config);
    cr_assert(set("port", "7320"));
    char *text = config_print(&config);
    cJSON *all = cJSON_Parse(text);
    cr_assert_not_null(all);
    cr_assert_eq(cJSON_GetArraySize(all), CONFIG_KEYS);
    const cJSON *port = cJSON_GetObjectItemCaseSensitive(all, "port");
    cr_assert_eq(cJSON_GetObjectItemCaseSensitive(port, "value")->valueint, 7320);
    cr_assert_str_eq(cJSON_GetObjectItemCaseSensitive(port, "from")->valuestring, "flag");
    const cJSON *period = cJSON_GetObjectItemCaseSensitive(all, "gossip.period_ms");
    cr_assert_str_eq(cJSON_GetObjectItemCaseSensitive(period, "from")->valuestring, "default");
    cr_assert_gt(strlen(cJSON_GetObjectItemCaseSensitive(period, "reason")->valuestring), 10);
    cJSON_Delete(all);
    free(text);
}
