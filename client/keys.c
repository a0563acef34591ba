/* keys.c - see keys.h. */
#include "client/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

static bool add(struct keys *keys, const char *key, char why[KEYSTORE_WHY_BYTES])
{
    for (uint32_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->servers[i], key) == 0)
            return true;
    }
    char(*servers)[KEYFILE_KEY_BYTES] =
        keys->count == KEYS_SERVERS_MAX
            ? NULL
            : realloc(keys->servers, (keys->count + 1) * sizeof *servers);
    if (servers == NULL) {
        (void)snprintf(why, KEYSTORE_WHY_BYTES, "more server keys than %d, or no memory for them",
                       KEYS_SERVERS_MAX);
        return false;
    }
    keys->servers = servers;
    memcpy(servers[keys->count++], key, KEYFILE_KEY_BYTES);
    return true;
}

static bool add_folder(struct keys *keys, const char *path, char why[KEYSTORE_WHY_BYTES])
{
    struct keystore store;
    if (!keystore_read_folder(&store, path, why))
        return false;
    bool is_added = store.count > 0;
    if (!is_added)
        (void)snprintf(why, KEYSTORE_WHY_BYTES, "%s has no file that ends in .key", path);
    for (size_t i = 0; is_added && i < store.count; i++)
        is_added = add(keys, store.list[i].public_key, why);
    keystore_clear(&store);
    return is_added;
}

/* One entry of server_keys: a key as it stands, a folder, or a file. */
static bool add_entry(struct keys *keys, const char *text, size_t bytes,
                      char why[KEYSTORE_WHY_BYTES])
{
    char path[KEYSTORE_PATH_BYTES];
    struct stat status;
    struct keyfile keyfile;
    if (bytes == 0 || bytes >= sizeof path) {
        (void)snprintf(why, KEYSTORE_WHY_BYTES, "the list of server keys has an entry of %zu bytes",
                       bytes);
        return false;
    }
    memcpy(path, text, bytes);
    path[bytes] = '\0';
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return add_folder(keys, path, why);
    if (access(path, F_OK) != 0 && keyfile_key_judge(span_of(text, bytes)) == KEYFILE_GOOD)
        return add(keys, path, why);
    return keystore_read(path, KEYSTORE_PUBLIC, &keyfile, why) &&
           add(keys, keyfile.public_key, why);
}

static bool read_own(struct keys *keys, const char *path, char why[KEYSTORE_WHY_BYTES])
{
    struct keyfile keyfile;
    if (path == NULL) {
        bool is_made = zmq_curve_keypair(keys->public_key, keys->secret_key) == 0;
        if (!is_made)
            (void)snprintf(why, KEYSTORE_WHY_BYTES, "this libzmq has no CURVE");
        return is_made;
    }
    if (!keystore_read(path, KEYSTORE_SECRET, &keyfile, why))
        return false;
    memcpy(keys->public_key, keyfile.public_key, sizeof keys->public_key);
    memcpy(keys->secret_key, keyfile.secret_key, sizeof keys->secret_key);
    keyfile_wipe(&keyfile, sizeof keyfile);
    return true;
}

bool keys_init(struct keys *keys, const struct weft_options *options, char why[KEYSTORE_WHY_BYTES])
{
    *keys = (struct keys){.count = 0};
    const char *at = options->server_keys;
    if (at == NULL && options->key_file == NULL)
        return true;
    if (at == NULL) {
        (void)snprintf(why, KEYSTORE_WHY_BYTES,
                       "a key without the key of the node it is for; name that too (--server-key)");
        return false;
    }
    bool is_good = read_own(keys, options->key_file, why);
    while (is_good) {
        size_t bytes = strcspn(at, ",");
        is_good = add_entry(keys, at, bytes, why);
        if (at[bytes] == '\0')
            break;
        at += bytes + 1;
    }
    if (!is_good)
        keys_clear(keys);
    return is_good;
}

void keys_clear(struct keys *keys)
{
    free(keys->servers);
    keyfile_wipe(keys, sizeof *keys);
}
