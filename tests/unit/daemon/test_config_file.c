#include "daemon/config_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static struct config config;
static struct config_error error;

static bool parse(const char *json)
{
    char *text = strdup(json);
    config_defaults(&config);
    bool good = config_file_parse(&config, "weft.json", text, strlen(text), &error);
    free(text);
    return good;
}

static void refused(const char *json, const char *says)
{
    cr_assert_not(parse(json), "taken: %s", json);
    cr_assert_str_eq(error.text, says);
}

Test(config_file, comments_sections_and_dots_are_taken)
{
    cr_assert(parse("// a node\n"
                    "{ \"name\": \"eu-a\", /* here */ \"port\": 7320,\n"
                    "  \"seeds\": [\"10.0.0.1\", \"10.0.0.2:99\"],\n"
                    "  \"gossip\": { \"period_ms\": 200, \"suspicion_factor\": 2.5 },\n"
                    "  \"requests.timeout\": \"2s\", \"sessions\": {\"queue_bytes\": 4194304},\n"
                    "  \"memory\": {\"queues\": \"2GiB\"}, \"log\": {\"json\": true},\n"
                    "  \"random_seed\": \"18446744073709551615\" }"),
              "%s", error.text);
    cr_assert_str_eq(config.name, "eu-a");
    cr_assert_str_eq(config.seeds, "10.0.0.1,10.0.0.2:99");
    cr_assert_eq(config.mesh.gossip.period_ms, 200);
    cr_assert_float_eq(config.mesh.gossip.suspicion_factor, 2.5, 1e-9);
    cr_assert_eq(config.mesh.request_timeout_ms, 2000);
    cr_assert_eq(config.mesh.session_queue_bytes, 4194304);
    cr_assert_eq(config.mesh.queue_memory_max, UINT64_C(2) << 30);
    cr_assert(config.log_json);
    cr_assert_eq(config.random_seed, UINT64_MAX);
    cr_assert_eq(config.origins[CONFIG_PORT], CONFIG_FILE);
}

Test(config_file, unknown_keys_are_refused_with_line_and_column)
{
    refused("{\n  \"prot\": 1\n}", "weft.json:2:3: unknown key 'prot'; did you mean 'port'?");
    refused("{\"gossip\": {\n\n   \"period\": 1}}",
            "weft.json:3:4: unknown key 'gossip.period'; did you mean 'gossip.period_ms'?");
    refused("{\"auth\": {\"password\": []}}",
            "weft.json:1:11: unknown key 'auth.password'; weftd --print-config shows all keys");
    refused("{\"gossip\": {\"gap\": {\"min\": 1}}}",
            "weft.json:1:13: unknown key 'gossip.gap'; weftd --print-config shows all keys");
}

Test(config_file, roles_under_permissions_are_no_keys)
{
    cr_assert(parse("{ // who may do what\n"
                    "  \"permissions\": { \"name\": [\"*\"], // a role of that name\n"
                    "                   \"*\": [\"view_session\", \"update:prices/**\"] },\n"
                    "  \"port\": 7320 }"));
    cr_assert_eq(config.port, 7320);
    cr_assert_str_eq(config.permissions.text,
                     "{\"name\":[\"*\"],\"*\":[\"view_session\",\"update:prices/**\"]}");
    cr_assert_eq(config.origins[CONFIG_PERMISSIONS], CONFIG_FILE);
    refused("{\"permissions\": {\"a\": []},\n \"prot\": 1}",
            "weft.json:2:2: unknown key 'prot'; did you mean 'port'?");
    refused("{\n \"permissions\": {\"a\": [\"view_session:x\"]}}",
            "weft.json:2:18: permissions: role a, entry view_session:x: this permission does not "
            "depend on a path and takes no selector");
    refused("{\"permissions\": {\"a\": [\"*\"],\n\"b\": [],\n  \"c\": {\"d\": []}},\n\"port\": 1}",
            "weft.json:3:3: permissions: role c: expected a list of texts, such as "
            "[\"view_session\"]");
    refused("{\"permissions\": [\"*\"]}",
            "weft.json:1:2: permissions must be an object of lists of texts, of at most 32 KiB");
}

Test(config_file, wrong_kinds_are_refused_with_line_and_column)
{
    refused("{\"port\": \"7320\"}", "weft.json:1:2: port must be a number, without quotes");
    refused("{\"name\": 5}", "weft.json:1:2: name must be a text, in quotes");
    refused("{\"insecure\": \"true\"}",
            "weft.json:1:2: insecure must be true or false, without quotes");
    refused("{\"requests\": {\"timeout\": 10}}",
            "weft.json:1:15: requests.timeout must be a text such as \"250ms\" or \"10s\"");
    refused("{\"seeds\": [1]}",
            "weft.json:1:2: seeds must be a list of texts, or one text with commas");
    refused("{\"name\": null}", "weft.json:1:2: name must be a text, in quotes");
}

Test(config_file, wrong_values_are_refused_with_line_and_column)
{
    refused("{\"port\": 70000}", "weft.json:1:2: port is '70000'; it must be 0 to 65533");
    refused("{\"port\": -1}", "weft.json:1:2: port is '-1'; it must be a number");
    refused("{\"port\": 1.5}", "weft.json:1:2: port is '1.5'; it must be a number");
    refused("{\"port\": 1e400}", "weft.json:1:2: port is 'inf'; it must be a number");
}

Test(config_file, what_is_no_json_is_refused_with_line_and_column)
{
    refused("{\n\"port\": 1,\n}", "weft.json:3:1: expected a name in double quotes, found }");
    refused("[]", "weft.json:1:1: expected an object: { \"key\": value, .. }");
    refused("", "weft.json:1:1: expected a value, found the end");
    refused("{\"port\": 1, \"port\": 2}", "weft.json:1:13: this name stands in the object twice");
}

Test(config_file, a_list_that_does_not_fit_is_refused)
{
    static char json[8192];
    size_t used = (size_t)snprintf(json, sizeof(json), "{\"seeds\": [\"a\"");
    while (used < 6000)
        used += (size_t)snprintf(json + used, sizeof(json) - used, ",\"some-longer-name.example\"");
    snprintf(json + used, sizeof(json) - used, "]}");
    cr_assert_not(parse(json));
}

Test(config_file, an_unreadable_file_is_named)
{
    config_defaults(&config);
    cr_assert_not(config_file_read(&config, "/nowhere/weft.json", &error));
    cr_assert_str_eq(error.text, "cannot read /nowhere/weft.json: No such file or directory");
    cr_assert_not(config_file_read(&config, "/", &error));
    cr_assert_str_eq(error.text, "cannot read /: Is a directory");
}

Test(config_file, a_file_is_read_from_disk)
{
    char path[] = "/tmp/weft-test-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "{\"port\": 7399}", 14), 14);
    close(fd);
    config_defaults(&config);
    bool good = config_file_read(&config, path, &error);
    unlink(path);
    cr_assert(good, "%s", error.text);
    cr_assert_eq(config.port, 7399);
}
