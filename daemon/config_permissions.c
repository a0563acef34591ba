#include "daemon/config_permissions.h"

#include "daemon/json.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool config_permissions_fail(char why[CONFIG_PERMISSIONS_WHY_BYTES], const char *text)
{
    snprintf(why, CONFIG_PERMISSIONS_WHY_BYTES, "%s", text);
    return false;
}

/* Strict JSON: no name twice, no bad UTF-8. The scan overwrites comments: hence a copy. */
static bool config_permissions_scan(const char *text, char why[CONFIG_PERMISSIONS_WHY_BYTES])
{
    struct json_scan *scan = calloc(1, sizeof(*scan));
    char *copy = strdup(text);
    bool is_good = scan != NULL && copy != NULL && json_scan(copy, strlen(copy), scan);
    if (scan == NULL || copy == NULL)
        config_permissions_fail(why, "no memory");
    else if (!is_good)
        snprintf(why, CONFIG_PERMISSIONS_WHY_BYTES, "line %u, column %u: %.100s", scan->place.line,
                 scan->place.column, scan->error);
    free(scan);
    free(copy);
    return is_good;
}

/* A string of its own, in words. The JSON text has a quote at each end, so there is room. */
static const char *config_permissions_keep(struct config_permissions *permissions, size_t *used,
                                           const char *word)
{
    size_t bytes = strlen(word) + 1;
    char *kept = permissions->words + *used;
    memcpy(kept, word, bytes);
    *used += bytes;
    return kept;
}

static bool config_permissions_role(struct config_permissions *permissions, size_t *used,
                                    const cJSON *role, char why[CONFIG_PERMISSIONS_WHY_BYTES])
{
    const char *name = config_permissions_keep(permissions, used, role->string);
    const cJSON *entry = NULL;
    bool is_good = cJSON_IsArray(role);
    cJSON_ArrayForEach(entry, role)
    {
        is_good = is_good && cJSON_IsString(entry);
        if (!is_good)
            break;
        if (permissions->count == CONFIG_PERMISSIONS_MAX)
            return config_permissions_fail(why, "more than 1024 entries");
        permissions->entries[permissions->count++] = (struct mesh_permission){
            .role = name,
            .entry = config_permissions_keep(permissions, used, entry->valuestring),
        };
    }
    if (!is_good)
        snprintf(why, CONFIG_PERMISSIONS_WHY_BYTES,
                 "role %.80s: expected a list of texts, such as [\"view_session\"]", name);
    return is_good;
}

static bool config_permissions_take(struct config_permissions *permissions, const cJSON *root,
                                    char why[CONFIG_PERMISSIONS_WHY_BYTES])
{
    size_t used = 0;
    if (!cJSON_IsObject(root))
        return config_permissions_fail(
            why, "expected an object, such as {\"viewer\": [\"view_session\"]}");
    if (!cJSON_PrintPreallocated((cJSON *)(uintptr_t)root, permissions->text,
                                 sizeof(permissions->text), false))
        return config_permissions_fail(why, "more than 32 KiB");
    const cJSON *role = NULL;
    cJSON_ArrayForEach(role, root)
    {
        if (!config_permissions_role(permissions, &used, role, why))
            return false;
    }
    struct mesh_config probe;
    mesh_config_defaults(&probe);
    probe.permissions = permissions->entries;
    probe.permissions_count = permissions->count;
    if (mesh_config_judge(&probe, why))
        return true;
    static const char key[] = "permissions: "; /* as the core begins: the caller names the key */
    memmove(why, why + sizeof(key) - 1, strlen(why) + 1 - (sizeof(key) - 1));
    return false;
}

/* Into a fresh struct first: what is wrong with the text must not touch what holds. */
bool config_permissions_read(struct config_permissions *permissions, const char *text,
                             char why[CONFIG_PERMISSIONS_WHY_BYTES])
{
    if (strlen(text) >= CONFIG_PERMISSIONS_BYTES)
        return config_permissions_fail(why, "more than 32 KiB");
    if (!config_permissions_scan(text, why))
        return false;
    struct config_permissions *fresh = calloc(1, sizeof(*fresh));
    cJSON *root = cJSON_Parse(text);
    bool is_good = false;
    if (fresh == NULL || root == NULL)
        config_permissions_fail(why, "no memory");
    else
        is_good = config_permissions_take(fresh, root, why);
    if (is_good) {
        memset(permissions, 0, sizeof(*permissions));
        is_good = config_permissions_take(permissions, root, why);
    }
    cJSON_Delete(root);
    free(fresh);
    return is_good;
}
