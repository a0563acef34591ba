#include "daemon/keyring.h"

#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static struct config config;
static struct config_error error;

static void folder_make(void)
{
    char why[KEYSTORE_WHY_BYTES];
    struct keyfile keyfile = {.name = "eu-a"};
    snprintf(folder, sizeof(folder), "/tmp/weft-keyring-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert(keystore_create(&keyfile, folder, why), "%s", why);
    config_defaults(&config);
    snprintf(config.curve_key_file, sizeof(config.curve_key_file), "%s/eu-a.key_secret", folder);
    snprintf(config.curve_peers, sizeof(config.curve_peers), "%s", folder);
    snprintf(config.curve_clients, sizeof(config.curve_clients), "any");
}

static void folder_remove(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(keyring, .init = folder_make, .fini = folder_remove);

Test(keyring, is_read_as_the_configuration_says)
{
    const struct keyfile *owner = NULL;
    struct keyring *keyring = keyring_read(&config, &error);
    cr_assert_not_null(keyring, "%s", error.text);
    cr_assert(keyring_takes(keyring, CHANNEL_FORWARD, keyring->own.public_key, &owner));
    cr_assert_str_eq(owner->name, "eu-a");
    cr_assert(keyring_takes(keyring, CHANNEL_CLIENT, "any key at all", &owner));
    cr_assert_null(owner);
    cr_assert_not(keyring_takes(keyring, CHANNEL_GOSSIP, "any key at all", &owner));
    keyring_destroy(&keyring);
    cr_assert_null(keyring);
    snprintf(config.curve_clients, sizeof(config.curve_clients), "%s", folder);
    keyring = keyring_read(&config, &error);
    cr_assert_not(keyring_takes(keyring, CHANNEL_CLIENT, "any key at all", &owner));
    keyring_destroy(&keyring);
}

Test(keyring, gives_the_node_its_name_or_refuses_another)
{
    struct keyring *keyring = keyring_read(&config, &error);
    cr_assert(keyring_name(keyring, &config, &error));
    cr_assert_str_eq(config.name, "eu-a");
    cr_assert(keyring_name(keyring, &config, &error));
    snprintf(config.name, sizeof(config.name), "eu-b");
    cr_assert_not(keyring_name(keyring, &config, &error));
    cr_assert(strstr(error.text, "'eu-b'") != NULL && strstr(error.text, "'eu-a'") != NULL);
    keyring_destroy(&keyring);
}

Test(keyring, a_file_that_can_not_be_used_is_named)
{
    cr_assert_eq(chmod(config.curve_key_file, 0644), 0);
    cr_assert_null(keyring_read(&config, &error));
    cr_assert(strstr(error.text, "eu-a.key_secret") != NULL && strstr(error.text, "0644") != NULL);
    cr_assert_eq(chmod(config.curve_key_file, 0600), 0);
    snprintf(config.curve_clients, sizeof(config.curve_clients), "/nowhere");
    cr_assert_null(keyring_read(&config, &error));
    cr_assert(strstr(error.text, "/nowhere") != NULL, "%s", error.text);
}
