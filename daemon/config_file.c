/* json_scan judges the text and remembers where each name stands; cJSON then gives the values.
 * Both see the names in the same order, so the n-th name of the walk stands at the n-th place. */
#include "daemon/config_file.h"

#include "daemon/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct config_walk {
    struct config *config;
    const char *path;
    const struct json_scan *scan;
    size_t next; /* name */
    struct config_error *error;
};

static bool config_file_fail(const struct config_walk *walk, struct json_place place,
                             const char *text)
{
    return config_fail(walk->error, "%.200s:%u:%u: %.750s", walk->path, place.line, place.column,
                       text);
}

/* Joins an array of strings with commas. */
static bool config_file_join(const cJSON *array, char text[CONFIG_VALUE_BYTES])
{
    size_t used = 0;
    text[0] = '\0';
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
    {
        if (!cJSON_IsString(item))
            return false;
        size_t room = CONFIG_VALUE_BYTES - used;
        int wanted = snprintf(text + used, room, "%s%s", used > 0 ? "," : "", item->valuestring);
        if (wanted < 0 || (size_t)wanted >= room)
            return false;
        used += (size_t)wanted;
    }
    return true;
}

/* What a JSON value says as text, when it is of the kind that the key's type wants. */
static bool config_file_text(const cJSON *value, enum config_type type,
                             char text[CONFIG_VALUE_BYTES])
{
    bool takes_number = type == CONFIG_NUMBER || type == CONFIG_NUMBER64 || type == CONFIG_REAL ||
                        type == CONFIG_SIZE || type == CONFIG_SIZE64;
    bool takes_string = type != CONFIG_NUMBER && type != CONFIG_REAL && type != CONFIG_SWITCH &&
                        type != CONFIG_LISTS;
    if (cJSON_IsString(value) && takes_string) {
        int wanted = snprintf(text, CONFIG_VALUE_BYTES, "%s", value->valuestring);
        return wanted < CONFIG_VALUE_BYTES;
    }
    if (cJSON_IsNumber(value) && takes_number) {
        snprintf(text, CONFIG_VALUE_BYTES, "%.17g", value->valuedouble);
        if (type == CONFIG_REAL || value->valuedouble < 1e15)
            snprintf(text, CONFIG_VALUE_BYTES, "%.15g", value->valuedouble);
        return true;
    }
    if (cJSON_IsBool(value) && type == CONFIG_SWITCH) {
        snprintf(text, CONFIG_VALUE_BYTES, "%s", cJSON_IsTrue(value) ? "true" : "false");
        return true;
    }
    if (type == CONFIG_LISTS)
        return cJSON_IsObject(value) &&
               cJSON_PrintPreallocated((cJSON *)(uintptr_t)value, text, CONFIG_VALUE_BYTES, false);
    return cJSON_IsArray(value) && type == CONFIG_LIST_OF && config_file_join(value, text);
}

static const char *config_file_kind(enum config_type type)
{
    switch (type) {
    case CONFIG_NUMBER:
    case CONFIG_REAL:
        return "a number, without quotes";
    case CONFIG_NUMBER64:
        return "a number";
    case CONFIG_SIZE:
    case CONFIG_SIZE64:
        return "a number of bytes, or a text such as \"4MiB\"";
    case CONFIG_SWITCH:
        return "true or false, without quotes";
    case CONFIG_LIST_OF:
        return "a list of texts, or one text with commas";
    case CONFIG_DURATION:
        return "a text such as \"250ms\" or \"10s\"";
    case CONFIG_LISTS:
        return "an object of lists of texts, of at most 32 KiB";
    case CONFIG_TEXT:
    case CONFIG_LEVEL:
        return "a text, in quotes";
    }
    return "a text";
}

static bool config_file_set(struct config_walk *walk, const char *name, const cJSON *value,
                            struct json_place place)
{
    struct config_error inner = {.text = ""};
    char text[CONFIG_VALUE_BYTES];
    enum config_key key = config_find(name);
    if (key == CONFIG_KEYS) {
        config_unknown(name, &inner);
        return config_file_fail(walk, place, inner.text);
    }
    if (!config_file_text(value, config_key_type(key), text)) {
        config_fail(&inner, "%s must be %s", name, config_file_kind(config_key_type(key)));
        return config_file_fail(walk, place, inner.text);
    }
    return config_set(walk->config, key, text, CONFIG_FILE, &inner) ||
           config_file_fail(walk, place, inner.text);
}

/* A name and its value. An object is a section when keys begin with its name and a dot. */
static bool config_file_member(struct config_walk *walk, const char *section, const cJSON *member)
{
    char name[160];
    struct json_place place = walk->scan->members[walk->next++].place;
    snprintf(name, sizeof(name), "%.70s%s%.80s", section, section[0] != '\0' ? "." : "",
             member->string);
    return config_file_set(walk, name, member, place);
}

/* Judges one role by itself, so that an error stands where the role does. */
static bool config_file_role(const struct config_walk *walk, const cJSON *role,
                             struct json_place place)
{
    struct config_permissions *alone = calloc(1, sizeof(*alone));
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemReferenceToObject(object, role->string, (cJSON *)(uintptr_t)role);
    char *text = cJSON_PrintUnformatted(object);
    char why[CONFIG_PERMISSIONS_WHY_BYTES] = "no memory";
    bool good = alone != NULL && text != NULL && config_permissions_read(alone, text, why);
    cJSON_free(text);
    cJSON_Delete(object);
    free(alone);
    struct config_error inner = {.text = ""};
    return good || config_fail(&inner, "permissions: %s", why) ||
           config_file_fail(walk, place, inner.text);
}

/* A key whose value is an object: the names in it are no keys. Names deeper down would put the
 * walk out of step, but such a value is refused. */
static bool config_file_lists(struct config_walk *walk, const cJSON *member)
{
    size_t at = walk->next + 1;
    const cJSON *role = NULL;
    cJSON_ArrayForEach(role, member)
    {
        if (!config_file_role(walk, role, walk->scan->members[at++].place))
            return false;
    }
    if (!config_file_member(walk, "", member))
        return false;
    walk->next += (size_t)cJSON_GetArraySize(member);
    return true;
}

static bool config_file_is_lists(const cJSON *member)
{
    enum config_key key = config_find(member->string);
    return key != CONFIG_KEYS && config_key_type(key) == CONFIG_LISTS;
}

static bool config_file_section(struct config_walk *walk, const cJSON *section)
{
    const cJSON *member = NULL;
    walk->next++;
    cJSON_ArrayForEach(member, section)
    {
        if (!config_file_member(walk, section->string, member))
            return false;
    }
    return true;
}

static bool config_file_walk(struct config_walk *walk, const cJSON *root)
{
    struct json_place begin = {.line = 1, .column = 1};
    if (!cJSON_IsObject(root))
        return config_file_fail(walk, begin, "expected an object: { \"key\": value, .. }");
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, root)
    {
        bool is_object = cJSON_IsObject(member);
        bool good = is_object && config_file_is_lists(member) ? config_file_lists(walk, member)
                    : is_object                               ? config_file_section(walk, member)
                                : config_file_member(walk, "", member);
        if (!good)
            return false;
    }
    return true;
}

bool config_file_parse(struct config *config, const char *path, char *text, size_t bytes,
                       struct config_error *error)
{
    struct json_scan *scan = calloc(1, sizeof(*scan));
    struct config_walk walk = {.config = config, .path = path, .scan = scan, .error = error};
    cJSON *root = NULL;
    const char *end = NULL;
    bool good = false;
    if (scan == NULL)
        config_fail(error, "no memory to read %.200s", path);
    else if (!json_scan(text, bytes, scan))
        config_file_fail(&walk, scan->place, scan->error);
    else if ((root = cJSON_ParseWithLengthOpts(text, bytes + 1, &end, 1)) == NULL)
        config_fail(error, "%.200s: not readable as JSON", path);
    else
        good = config_file_walk(&walk, root);
    cJSON_Delete(root);
    free(scan);
    return good;
}

bool config_file_read(struct config *config, const char *path, struct config_error *error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (file == NULL)
        return config_fail(error, "cannot read %.300s: %s", path, strerror(errno));
    char *text = malloc(JSON_BYTES_MAX + 2);
    errno = 0;
    size_t bytes = text == NULL ? 0 : fread(text, 1, JSON_BYTES_MAX + 1, file);
    bool is_read = text != NULL && ferror(file) == 0;
    if (!is_read)
        config_fail(error, "cannot read %.300s: %s", path, strerror(errno != 0 ? errno : ENOMEM));
    if (!is_stdin)
        fclose(file);
    bool good = false;
    if (is_read) {
        text[bytes] = '\0';
        good = config_file_parse(config, is_stdin ? "standard input" : path, text, bytes, error);
    }
    free(text);
    return good;
}
