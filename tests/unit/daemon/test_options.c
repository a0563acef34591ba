#include "daemon/options.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static struct options options;
static struct config config;
static struct config_error error;

static void read_line(int count, const char *const *words)
{
    static char storage[32][256];
    static char *argv[33];
    for (int i = 0; i < count; i++) {
        snprintf(storage[i], sizeof(storage[i]), "%s", words[i]);
        argv[i] = storage[i];
    }
    argv[count] = NULL;
    options_read(&options, count, argv);
}

#define READ(...)                                                                                  \
    do {                                                                                           \
        const char *words_[] = {"weftd", __VA_ARGS__};                                             \
        read_line((int)(sizeof(words_) / sizeof(words_[0])), words_);                              \
    } while (0)

Test(options, each_flag_sets_its_key)
{
    READ("-n", "eu-a", "--cluster=prod", "--zone", "z1", "--port", "7320", "--expect", "3",
         "--log-level", "debug", "--log-json", "--host=0.0.0.0", "--insecure", "--set",
         "auth.chain=anonymous", "--set", "permissions={}");
    cr_assert(options_load(&options, &config, &error), "%s", error.text);
    cr_assert_str_eq(config.name, "eu-a");
    cr_assert_str_eq(config.cluster, "prod");
    cr_assert_str_eq(config.zone, "z1");
    cr_assert_eq(config.port, 7320);
    cr_assert_eq(config.mesh.expect, 3);
    cr_assert_eq(config.log_level, LOGGER_DEBUG);
    cr_assert(config.log_json);
    cr_assert(config.insecure);
    cr_assert_eq(config.origins[CONFIG_HOST], CONFIG_FLAG);
}

Test(options, seed_flags_add_up)
{
    READ("--seed", ":7311", "--seed", ":7321,:7331", "--port", "7340");
    cr_assert(options_load(&options, &config, &error), "%s", error.text);
    cr_assert_eq(config.mesh.seeds, 3);
    cr_assert_eq(config.seed[2].port, 7331);
}

Test(options, set_takes_any_key)
{
    READ("--set", "gossip.period_ms=200", "--set=name=a=b");
    cr_assert(options_load(&options, &config, &error), "%s", error.text);
    cr_assert_eq(config.mesh.gossip.period_ms, 200);
    cr_assert_str_eq(config.name, "a=b");
}

Test(options, flags_win_over_environment_over_file_over_defaults)
{
    char path[] = "/tmp/weft-test-XXXXXX";
    const char *json = "{\"zone\": \"file\", \"cluster\": \"file\", \"name\": \"file\"}";
    int fd = mkstemp(path);
    cr_assert_eq(write(fd, json, strlen(json)), (ssize_t)strlen(json));
    close(fd);
    setenv("WEFT_CLUSTER", "env", 1);
    setenv("WEFT_NAME", "env", 1);
    READ("--config", path, "--name", "flag");
    bool good = options_load(&options, &config, &error);
    unlink(path);
    cr_assert(good, "%s", error.text);
    cr_assert_str_eq(config.zone, "file");
    cr_assert_str_eq(config.cluster, "env");
    cr_assert_str_eq(config.name, "flag");
    cr_assert_eq(config.origins[CONFIG_ZONE], CONFIG_FILE);
    cr_assert_eq(config.origins[CONFIG_CLUSTER], CONFIG_ENV);
    cr_assert_eq(config.origins[CONFIG_NAME], CONFIG_FLAG);
    cr_assert_eq(config.origins[CONFIG_PORT], CONFIG_DEFAULT);
}

Test(options, what_to_do_instead_of_running)
{
    READ("--check-config");
    cr_assert_eq(options.action, OPTIONS_CHECK);
    READ("--print-config");
    cr_assert_eq(options.action, OPTIONS_PRINT);
    READ("--port=0");
    cr_assert_eq(options.action, OPTIONS_RUN);
}

Test(options, a_bad_value_is_an_error_of_loading)
{
    READ("--port", "x");
    cr_assert_not(options_load(&options, &config, &error));
    cr_assert_str_eq(error.text, "port is 'x'; it must be a number");
    READ("--set", "gosip.tries=1");
    cr_assert_not(options_load(&options, &config, &error));
}

Test(options, an_unknown_flag_ends_with_2, .exit_code = 2)
{
    READ("--prot", "1");
}

Test(options, an_argument_that_is_no_flag_ends_with_2, .exit_code = 2)
{
    READ("start");
}

Test(options, set_without_a_value_ends_with_2, .exit_code = 2)
{
    READ("--set", "port");
}
