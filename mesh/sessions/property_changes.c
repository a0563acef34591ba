/* property_changes.c - see property_changes.h. */
#include "mesh/sessions/property_changes.h"

enum geo_key { GEO_COUNTRY, GEO_LANGUAGE, GEO_LATITUDE, GEO_LONGITUDE };

static const char *const geo_keys[PROPERTY_CHANGES_GEO_KEYS] = {
    [GEO_COUNTRY] = "$Country",
    [GEO_LANGUAGE] = "$Language",
    [GEO_LATITUDE] = "$Latitude",
    [GEO_LONGITUDE] = "$Longitude",
};

/* PROPERTY_CHANGES_GEO_KEYS: it is none. */
static unsigned geo_find(struct span key)
{
    unsigned at = 0;
    while (at < PROPERTY_CHANGES_GEO_KEYS && !span_equal(key, span_text(geo_keys[at])))
        at++;
    return at;
}

/* Letters of ASCII only: codes of countries and languages have no others. */
static struct span in_case(struct span value, bool is_upper,
                           char text[PROPERTY_CHANGES_GEO_BYTES_MAX])
{
    uint8_t from = is_upper ? 'a' : 'A';
    for (size_t i = 0; i < value.bytes; i++) {
        uint8_t byte = value.data[i];
        bool is_other = byte >= from && byte <= from + ('z' - 'a');
        text[i] = (char)(is_other ? byte ^ 0x20 : byte);
    }
    return span_of(text, value.bytes);
}

static size_t digits_at(struct span value, size_t at)
{
    size_t digits = 0;
    while (at + digits < value.bytes && value.data[at + digits] >= '0' &&
           value.data[at + digits] <= '9')
        digits++;
    return digits;
}

/* [+-] digits [. digits], with at least one digit. */
static bool is_decimal(struct span value)
{
    size_t at = value.bytes > 0 && (value.data[0] == '-' || value.data[0] == '+');
    size_t before = digits_at(value, at), after = 0;
    at += before;
    if (at < value.bytes && value.data[at] == '.') {
        after = digits_at(value, at + 1);
        at += 1 + after;
    }
    return at == value.bytes && before + after > 0;
}

static struct span geo_form(enum geo_key key, struct span value,
                            char text[PROPERTY_CHANGES_GEO_BYTES_MAX])
{
    switch (key) {
    case GEO_COUNTRY:
    case GEO_LANGUAGE:
        return in_case(value, key == GEO_COUNTRY, text);
    case GEO_LATITUDE:
    case GEO_LONGITUDE:
        return is_decimal(value) ? value : span_text("NaN");
    }
    return value;
}

static enum error refuse(struct sentence *why, struct span key, const char *words)
{
    sentence_start(why, "property '");
    sentence_add_span(why, key);
    sentence_add(why, words);
    return ERROR_INVALID_ARGUMENT;
}

/* One change, or none when it is to be ignored. */
static enum error read_one(struct property_changes *changes, struct property *property,
                           struct sentence *why)
{
    unsigned geo = geo_find(property->key);
    bool is_fixed = property->key.bytes > 0 && property->key.data[0] == '$';
    if (geo == PROPERTY_CHANGES_GEO_KEYS && is_fixed)
        return ERROR_OK;
    if (geo < PROPERTY_CHANGES_GEO_KEYS && property->value.bytes > PROPERTY_CHANGES_GEO_BYTES_MAX)
        return refuse(why, property->key, "': a place has at most 64 bytes");
    if (geo == PROPERTY_CHANGES_GEO_KEYS && !property_key_is_good(property->key))
        return refuse(why, property->key,
                      "': a key has 1 to 128 bytes without blanks, quotes, parentheses, brackets "
                      "and commas");
    if (property->is_absent)
        property->value = (struct span){0};
    else if (geo < PROPERTY_CHANGES_GEO_KEYS)
        property->value = geo_form((enum geo_key)geo, property->value, changes->geo[geo]);
    if (!property_set_add(&changes->set, property))
        return refuse(why, property->key, "' is named twice, or behind too many others");
    return ERROR_OK;
}

enum error property_changes_read(struct property_changes *changes, struct span groups,
                                 struct sentence *why)
{
    struct property property;
    enum error error = ERROR_OK;
    bool is_empty = groups.bytes == 0;
    changes->set.count = changes->set.user_count = 0;
    if (is_empty) {
        sentence_start(why, "no property is named; name at least one to set or to remove");
        return ERROR_INVALID_ARGUMENT;
    }
    while (group_next(&property_schema, &groups, &property, &error)) {
        error = read_one(changes, &property, why);
        if (error != ERROR_OK)
            return error;
    }
    return error;
}
