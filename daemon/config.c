#include "daemon/config.h"

#include "daemon/units.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct config_row {
    const char *name;
    const char *reason;
    size_t offset;
    uint64_t min, max;
    enum config_type type;
};

static const struct config_row rows[CONFIG_KEYS] = {
#define CONFIG_ROW(NAME, key, kind, member, least, most, why)                                      \
    [CONFIG_##NAME] = {.name = (key),                                                              \
                       .reason = (why),                                                            \
                       .offset = offsetof(struct config, member),                                  \
                       .min = (least),                                                             \
                       .max = (most),                                                              \
                       .type = CONFIG_##kind},
    CONFIG_LIST(CONFIG_ROW)
#undef CONFIG_ROW
};

#define CONFIG_OPEN_PERMISSIONS "{\"*\":[\"*\"]}"

const char *const config_origin_names[CONFIG_ORIGINS] = {"default", "file", "env", "flag"};

bool config_fail(struct config_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return false;
}

void config_defaults(struct config *config)
{
    *config = (struct config){
        .port = CONFIG_PORT_CLIENTS,
        .log_level = LOGGER_INFO,
        .sessions_per_address = 10000, /* a whole office behind one line, or a proxy's worth */
        .connects_per_address = 1000,  /* those return within ten seconds, all at once */
        .failures_per_address = 60,    /* an office that mistypes; 86,400 guesses a day */
    };
    mesh_config_defaults(&config->mesh);
    snprintf(config->cluster, sizeof(config->cluster), "weft");
    snprintf(config->host, sizeof(config->host), "127.0.0.1");
    snprintf(config->auth_chain, sizeof(config->auth_chain), "%s", config->mesh.auth_chain);
    snprintf(config->on_timeout, sizeof(config->on_timeout), "deny");
    char why[CONFIG_PERMISSIONS_WHY_BYTES];
    (void)config_permissions_read(&config->permissions, CONFIG_OPEN_PERMISSIONS, why);
    config_apply_live(config);
}

enum config_key config_find(const char *name)
{
    for (unsigned key = 0; key < CONFIG_KEYS; key++) {
        if (strcmp(rows[key].name, name) == 0)
            return (enum config_key)key;
    }
    return CONFIG_KEYS;
}

const char *config_key_name(enum config_key key)
{
    return rows[key].name;
}

const char *config_key_reason(enum config_key key)
{
    return rows[key].reason;
}

enum config_type config_key_type(enum config_key key)
{
    return rows[key].type;
}

/* The keys that say who may connect and do what. */
static bool config_is_right(enum config_key key)
{
    return key == CONFIG_PERMISSIONS || strncmp(rows[key].name, "auth.", 5) == 0;
}

bool config_is_live(enum config_key key)
{
    return key == CONFIG_CURVE_PEERS || key == CONFIG_CURVE_CLIENTS || key == CONFIG_LOG_LEVEL ||
           key == CONFIG_LOG_JSON || config_is_right(key);
}

/* -- one value -- */

static const char *config_expectation(enum config_type type)
{
    switch (type) {
    case CONFIG_TEXT:
    case CONFIG_LIST_OF:
        return "text";
    case CONFIG_NUMBER:
    case CONFIG_NUMBER64:
        return "a number";
    case CONFIG_REAL:
        return "a number such as 1.5";
    case CONFIG_DURATION:
        return "a duration such as 250ms, 2s, 5m or 1h";
    case CONFIG_SIZE:
    case CONFIG_SIZE64:
        return "a size such as 4096, 64KiB or 1GiB";
    case CONFIG_SWITCH:
        return "true or false";
    case CONFIG_LEVEL:
        return "error, warn, info or debug";
    case CONFIG_LISTS:
        return "an object of lists of texts";
    }
    return "text";
}

static bool config_refuse(const struct config_row *row, const char *text, const char *expected,
                          struct config_error *error)
{
    return config_fail(error, "%s is '%.80s'; it must be %s", row->name, text, expected);
}

static bool config_refuse_range(const struct config_row *row, const char *text,
                                struct config_error *error)
{
    char least[UNITS_TEXT_BYTES], most[UNITS_TEXT_BYTES], expected[96];
    bool is_size = row->type == CONFIG_SIZE || row->type == CONFIG_SIZE64;
    if (row->type == CONFIG_DURATION) {
        units_format_duration_ms(row->min, least);
        units_format_duration_ms(row->max, most);
    } else if (is_size) {
        units_format_size(row->min, least);
        units_format_size(row->max, most);
    } else {
        snprintf(least, sizeof(least), "%" PRIu64, row->min);
        snprintf(most, sizeof(most), "%" PRIu64, row->max);
    }
    bool is_text = row->type == CONFIG_TEXT || row->type == CONFIG_LIST_OF;
    snprintf(expected, sizeof(expected), "%s to %s%s", least, most, is_text ? " bytes long" : "");
    return config_refuse(row, text, expected, error);
}

static bool config_parse(const struct config_row *row, const char *text, uint64_t *value)
{
    switch (row->type) {
    case CONFIG_NUMBER:
    case CONFIG_NUMBER64:
        return units_parse_number(text, value);
    case CONFIG_DURATION:
        return units_parse_duration_ms(text, value);
    case CONFIG_SIZE:
    case CONFIG_SIZE64:
        return units_parse_size(text, value);
    case CONFIG_SWITCH:
        *value = strcmp(text, "true") == 0;
        return *value == 1 || strcmp(text, "false") == 0;
    case CONFIG_LEVEL:
        for (*value = 0; *value < LOGGER_LEVELS; ++*value) {
            if (strcmp(text, logger_level_names[*value]) == 0)
                return true;
        }
        return false;
    case CONFIG_TEXT:
    case CONFIG_LIST_OF:
        *value = strlen(text);
        return span_is_text(span_text(text));
    case CONFIG_REAL:
    case CONFIG_LISTS:
        return false; /* config_set reads them itself */
    }
    return false;
}

static void *config_member(struct config *config, const struct config_row *row)
{
    return (char *)config + row->offset;
}

static const void *config_member_read(const struct config *config, const struct config_row *row)
{
    return (const char *)config + row->offset;
}

static void config_store(struct config *config, const struct config_row *row, uint64_t value,
                         const char *text)
{
    uint32_t narrow = (uint32_t)value;
    enum logger_level level = (enum logger_level)value;
    bool is_on = value != 0;
    void *member = config_member(config, row);
    switch (row->type) {
    case CONFIG_TEXT:
    case CONFIG_LIST_OF:
        memcpy(member, text, strlen(text) + 1);
        break;
    case CONFIG_NUMBER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        memcpy(member, &narrow, sizeof(narrow));
        break;
    case CONFIG_NUMBER64:
    case CONFIG_SIZE64:
        memcpy(member, &value, sizeof(value));
        break;
    case CONFIG_SWITCH:
        memcpy(member, &is_on, sizeof(is_on));
        break;
    case CONFIG_LEVEL:
        memcpy(member, &level, sizeof(level));
        break;
    case CONFIG_REAL:
    case CONFIG_LISTS:
        break; /* config_set keeps them itself */
    }
}

static bool config_set_real(struct config *config, const struct config_row *row, const char *text,
                            struct config_error *error)
{
    double value = 0;
    if (!units_parse_real(text, &value))
        return config_refuse(row, text, config_expectation(row->type), error);
    if (value < (double)row->min || value > (double)row->max)
        return config_refuse_range(row, text, error);
    memcpy(config_member(config, row), &value, sizeof(value));
    return true;
}

bool config_set(struct config *config, enum config_key key, const char *text,
                enum config_origin origin, struct config_error *error)
{
    const struct config_row *row = &rows[key];
    if (row->type == CONFIG_LISTS) {
        char why[CONFIG_PERMISSIONS_WHY_BYTES];
        if (!config_permissions_read(&config->permissions, text, why))
            return config_fail(error, "%s: %s", row->name, why);
    } else if (row->type == CONFIG_REAL) {
        if (!config_set_real(config, row, text, error))
            return false;
    } else {
        uint64_t value = 0;
        if (!config_parse(row, text, &value))
            return config_refuse(row, text, config_expectation(row->type), error);
        if (value < row->min || value > row->max)
            return config_refuse_range(row, text, error);
        config_store(config, row, value, text);
    }
    config->origins[key] = origin;
    return true;
}

void config_get(const struct config *config, enum config_key key, char text[CONFIG_VALUE_BYTES])
{
    const struct config_row *row = &rows[key];
    const void *member = config_member_read(config, row);
    uint32_t narrow = 0;
    uint64_t wide = 0;
    double real = 0;
    bool is_on = false;
    switch (row->type) {
    case CONFIG_TEXT:
    case CONFIG_LIST_OF:
        snprintf(text, CONFIG_VALUE_BYTES, "%s", (const char *)member);
        return;
    case CONFIG_NUMBER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        memcpy(&narrow, member, sizeof(narrow));
        wide = narrow;
        break;
    case CONFIG_NUMBER64:
    case CONFIG_SIZE64:
        memcpy(&wide, member, sizeof(wide));
        break;
    case CONFIG_REAL:
        memcpy(&real, member, sizeof(real));
        snprintf(text, CONFIG_VALUE_BYTES, "%g", real);
        return;
    case CONFIG_SWITCH:
        memcpy(&is_on, member, sizeof(is_on));
        snprintf(text, CONFIG_VALUE_BYTES, "%s", is_on ? "true" : "false");
        return;
    case CONFIG_LEVEL:
        snprintf(text, CONFIG_VALUE_BYTES, "%s", logger_level_names[config->log_level]);
        return;
    case CONFIG_LISTS:
        snprintf(text, CONFIG_VALUE_BYTES, "%s", config->permissions.text);
        return;
    }
    if (row->type == CONFIG_DURATION)
        units_format_duration_ms(wide, text);
    else if (row->type == CONFIG_SIZE || row->type == CONFIG_SIZE64)
        units_format_size(wide, text);
    else
        snprintf(text, CONFIG_VALUE_BYTES, "%" PRIu64, wide);
}

/* -- names -- */

enum { CONFIG_NAME_BYTES = 48 };

/* Levenshtein's distance, for names short enough to be keys. */
static size_t config_distance(const char *a, const char *b)
{
    size_t row[CONFIG_NAME_BYTES + 1];
    size_t width = strlen(b);
    if (strlen(a) > CONFIG_NAME_BYTES || width > CONFIG_NAME_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (diagonal + 1 < best)
                best = diagonal + 1;
            row[j + 1] = best;
        }
    }
    return row[width];
}

void config_unknown(const char *name, struct config_error *error)
{
    const char *nearest = NULL;
    size_t distance = strlen(name) < 6 ? 3 : 4; /* of a short one more is another word */
    for (unsigned key = 0; key < CONFIG_KEYS; key++) {
        size_t found = config_distance(name, rows[key].name);
        if (found < distance) {
            distance = found;
            nearest = rows[key].name;
        }
    }
    if (nearest != NULL)
        config_fail(error, "unknown key '%.80s'; did you mean '%s'?", name, nearest);
    else
        config_fail(error, "unknown key '%.80s'; weftd --print-config shows all keys", name);
}

bool config_set_named(struct config *config, const char *name, const char *text,
                      enum config_origin origin, struct config_error *error)
{
    enum config_key key = config_find(name);
    if (key == CONFIG_KEYS) {
        config_unknown(name, error);
        return false;
    }
    return config_set(config, key, text, origin, error);
}

bool config_environment(struct config *config, struct config_error *error)
{
    for (unsigned key = 0; key < CONFIG_KEYS; key++) {
        char variable[CONFIG_NAME_BYTES + 8] = "WEFT_";
        size_t bytes = strlen(variable);
        for (const char *c = rows[key].name; *c != '\0' && bytes < sizeof(variable) - 1; c++)
            variable[bytes++] = (char)(*c == '.' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 32 : *c);
        variable[bytes] = '\0';
        const char *text = getenv(variable);
        if (text == NULL)
            continue;
        struct config_error inner = {.text = ""};
        if (!config_set(config, (enum config_key)key, text, CONFIG_ENV, &inner))
            return config_fail(error, "environment %s: %.400s", variable, inner.text);
    }
    return true;
}

/* -- what was set -- */

bool config_has_auth(const struct config *config)
{
    for (unsigned key = 0; key < CONFIG_KEYS; key++) {
        if (strncmp(rows[key].name, "auth.", 5) == 0 && config->origins[key] != CONFIG_DEFAULT)
            return true;
    }
    return false;
}

bool config_has_permissions(const struct config *config)
{
    return config->origins[CONFIG_PERMISSIONS] != CONFIG_DEFAULT;
}

bool config_is_open(const struct config *config)
{
    return !config_has_auth(config) && !config_has_permissions(config);
}

void config_apply_live(struct config *config)
{
    struct mesh_config *mesh = &config->mesh;
    if (config->origins[CONFIG_TRUST_ANONYMOUS] == CONFIG_DEFAULT)
        mesh->trusts_anonymous = !config_has_auth(config);
    mesh->auth_chain = config->auth_chain;
    mesh->auth_timeout_abstains = strcmp(config->on_timeout, "abstain") == 0;
    mesh->anonymous_roles = config->anonymous_roles;
    mesh->permissions = config->permissions.entries;
    mesh->permissions_count = config->permissions.count;
}

/* -- printing -- */

static cJSON *config_value(const struct config *config, enum config_key key)
{
    char text[CONFIG_VALUE_BYTES];
    uint64_t number = 0;
    double real = 0;
    config_get(config, key, text);
    switch (rows[key].type) {
    case CONFIG_NUMBER:
    case CONFIG_NUMBER64:
        if (units_parse_number(text, &number) && number < UINT64_C(1) << 53)
            return cJSON_CreateNumber((double)number);
        break;
    case CONFIG_REAL:
        if (units_parse_real(text, &real))
            return cJSON_CreateNumber(real);
        break;
    case CONFIG_SWITCH:
        return cJSON_CreateBool(strcmp(text, "true") == 0);
    case CONFIG_LISTS:
        return cJSON_Parse(text);
    case CONFIG_TEXT:
    case CONFIG_LIST_OF:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
    case CONFIG_SIZE64:
    case CONFIG_LEVEL:
        break;
    }
    return cJSON_CreateString(text);
}

char *config_print(const struct config *config)
{
    cJSON *all = cJSON_CreateObject();
    for (unsigned i = 0; i < CONFIG_KEYS; i++) {
        enum config_key key = (enum config_key)i;
        cJSON *entry = cJSON_AddObjectToObject(all, rows[key].name);
        cJSON_AddItemToObject(entry, "value", config_value(config, key));
        cJSON_AddStringToObject(entry, "from", config_origin_names[config->origins[key]]);
        cJSON_AddStringToObject(entry, "reason", rows[key].reason);
    }
    char *text = cJSON_Print(all);
    cJSON_Delete(all);
    return text;
}
