#include "daemon/keyring.h"

#include <stdio.h>
#include <stdlib.h>

bool keyring_is_wanted(const struct config *config)
{
    return config->curve_key_file[0] != '\0';
}

static bool keyring_fill(struct keyring *keyring, const struct config *config,
                         char why[KEYSTORE_WHY_BYTES])
{
    keyring->takes_any_client = strcmp(config->curve_clients, "any") == 0;
    if (!keystore_read(config->curve_key_file, KEYSTORE_SECRET, &keyring->own, why) ||
        !keystore_read_folder(&keyring->peers, config->curve_peers, why))
        return false;
    if (keyring->own.name[0] == '\0') {
        snprintf(why, KEYSTORE_WHY_BYTES,
                 "%s does not say whose key it is; make it with "
                 "`weftctl key new NAME`",
                 config->curve_key_file);
        return false;
    }
    return keyring->takes_any_client ||
           keystore_read_folder(&keyring->clients, config->curve_clients, why);
}

struct keyring *keyring_read(const struct config *config, struct config_error *error)
{
    char why[KEYSTORE_WHY_BYTES] = "no memory for keys";
    struct keyring *keyring = calloc(1, sizeof(*keyring));
    if (keyring != NULL && keyring_fill(keyring, config, why))
        return keyring;
    keyring_destroy(&keyring);
    config_fail(error, "curve: %s", why);
    return NULL;
}

void keyring_destroy(struct keyring **keyring)
{
    struct keyring *gone = *keyring;
    if (gone == NULL)
        return;
    keystore_clear(&gone->peers);
    keystore_clear(&gone->clients);
    keyfile_wipe(gone, sizeof(*gone));
    free(gone);
    *keyring = NULL;
}

bool keyring_takes(const struct keyring *keyring, enum channel channel, const char *public_key,
                   const struct keyfile **owner)
{
    bool is_client = channel == CHANNEL_CLIENT;
    *owner = keystore_find(is_client ? &keyring->clients : &keyring->peers, public_key);
    return *owner != NULL || (is_client && keyring->takes_any_client);
}

bool keyring_name(const struct keyring *keyring, struct config *config, struct config_error *error)
{
    const char *name = keyring->own.name;
    if (config->name[0] != '\0' && strcmp(config->name, name) != 0)
        return config_fail(error,
                           "name is '%.130s', and curve.key_file is the key of '%.130s'; a node "
                           "has the name of its key, by which others know it",
                           config->name, name);
    snprintf(config->name, sizeof(config->name), "%s", name);
    return true;
}
