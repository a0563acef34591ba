#include "daemon/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit durations[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {
    {"GiB", UINT64_C(1) << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}};

enum { DURATIONS = sizeof(durations) / sizeof(durations[0]) };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

/* Reads the digits at the text's start; returns what follows, NULL without any or past 2^64. */
static const char *units_take_digits(const char *text, uint64_t *value)
{
    const char *at = text;
    uint64_t number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return NULL;
        number = number * 10 + digit;
    }
    if (at == text)
        return NULL;
    *value = number;
    return at;
}

static bool units_parse(const char *text, const struct unit *units, size_t count, uint64_t *value)
{
    uint64_t number = 0;
    const char *rest = units_take_digits(text, &number);
    for (size_t i = 0; rest != NULL && i < count; i++) {
        if (strcmp(rest, units[i].name) != 0)
            continue;
        if (number > UINT64_MAX / units[i].factor)
            return false;
        *value = number * units[i].factor;
        return true;
    }
    return false;
}

bool units_parse_number(const char *text, uint64_t *value)
{
    uint64_t number = 0;
    const char *rest = units_take_digits(text, &number);
    if (rest == NULL || *rest != '\0')
        return false;
    *value = number;
    return true;
}

bool units_parse_duration_ms(const char *text, uint64_t *value)
{
    if (strcmp(text, "0") == 0) {
        *value = 0;
        return true;
    }
    return units_parse(text, durations, DURATIONS, value);
}

bool units_parse_size(const char *text, uint64_t *value)
{
    return units_parse(text, sizes, SIZES, value);
}

bool units_parse_real(const char *text, double *value)
{
    size_t digits = strspn(text, "0123456789.");
    const char *point = strchr(text, '.');
    bool is_plain = digits > 0 && digits <= 20 && text[digits] == '\0' && text[0] != '.' &&
                    text[digits - 1] != '.' && (point == NULL || strchr(point + 1, '.') == NULL);
    if (!is_plain)
        return false;
    *value = strtod(text, NULL);
    return true;
}

static void units_format(uint64_t value, const struct unit *units, size_t count,
                         char text[UNITS_TEXT_BYTES])
{
    for (size_t i = 0; i < count; i++) {
        if (value >= units[i].factor && value % units[i].factor == 0) {
            snprintf(text, UNITS_TEXT_BYTES, "%" PRIu64 "%s", value / units[i].factor,
                     units[i].name);
            return;
        }
    }
    snprintf(text, UNITS_TEXT_BYTES, "0");
}

void units_format_duration_ms(uint64_t value, char text[UNITS_TEXT_BYTES])
{
    units_format(value, durations, DURATIONS, text);
}

void units_format_size(uint64_t value, char text[UNITS_TEXT_BYTES])
{
    units_format(value, sizes, SIZES, text);
}
