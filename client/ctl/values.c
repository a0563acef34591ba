/* values.c - see values.h. */
#include "client/ctl/values.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "proto/span.h"

static const char *const type_names[] = {
    [WEFT_JSON] = "json",   [WEFT_STRING] = "string", [WEFT_BINARY] = "binary",
    [WEFT_INT64] = "int64", [WEFT_DOUBLE] = "double",
};

bool values_parse_type(const char *name, enum weft_value_type *type)
{
    for (int i = WEFT_JSON; i <= WEFT_DOUBLE; i++) {
        if (strcmp(name, type_names[i]) == 0) {
            *type = (enum weft_value_type)i;
            return true;
        }
    }
    return false;
}

const char *values_type_name(enum weft_value_type type)
{
    return type >= WEFT_JSON && type <= WEFT_DOUBLE ? type_names[type] : "unknown";
}

bool values_parse_duration(const char *text, uint64_t *ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}};
    static const double year_ms = 365.0 * 24 * 3600e3;
    size_t digits = strspn(text, "0123456789.");
    char *end = NULL;
    double number = strtod(text, &end);
    if (digits == 0 || end != text + digits)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].unit) == 0 && number * units[i].ms <= year_ms) {
            *ms = (uint64_t)ceil(number * units[i].ms);
            return true;
        }
    }
    return false;
}

bool values_parse_count(const char *text, uint64_t least, uint64_t most, uint64_t *count)
{
    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    uint64_t number = strtoull(text, NULL, 10);
    if (errno != 0 || number < least || number > most)
        return false;
    *count = number;
    return true;
}

char *values_read(FILE *file, size_t *bytes, const char **why)
{
    char *data = NULL;
    size_t room = 0, used = 0;
    do {
        if (used + 1 >= room) {
            room = room == 0 ? 4096 : 2 * room;
            char *larger = realloc(data, room);
            if (larger == NULL) {
                free(data);
                *why = "out of memory";
                return NULL;
            }
            data = larger;
        }
        used += fread(data + used, 1, room - used - 1, file);
    } while (!feof(file) && !ferror(file) && used <= VALUES_BYTES_MAX);
    if (ferror(file) || used > VALUES_BYTES_MAX) {
        *why = ferror(file) ? "it can't be read" : "it is longer than 16 MiB";
        free(data);
        return NULL;
    }
    data[used] = '\0';
    *bytes = used;
    return data;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *values_base64(const void *data, size_t bytes)
{
    const unsigned char *from = data;
    char *text = malloc((bytes + 2) / 3 * 4 + 1);
    if (text == NULL)
        return NULL;
    char *to = text;
    for (size_t i = 0; i < bytes; i += 3) {
        size_t left = bytes - i;
        unsigned group = (unsigned)from[i] << 16;
        group |= left > 1 ? (unsigned)from[i + 1] << 8 : 0;
        group |= left > 2 ? (unsigned)from[i + 2] : 0;
        *to++ = base64_digits[group >> 18];
        *to++ = base64_digits[group >> 12 & 63];
        *to++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        *to++ = left > 2 ? base64_digits[group & 63] : '=';
    }
    *to = '\0';
    return text;
}

/* Reads base64 with its padding; NULL when it is none or memory is not to be had. */
static char *base64_parse(const char *text, size_t bytes, size_t *read)
{
    size_t padding = 0;
    while (padding < 2 && padding < bytes && text[bytes - padding - 1] == '=')
        padding++;
    char *data = bytes % 4 != 0 ? NULL : malloc(bytes / 4 * 3 + 1);
    if (data == NULL)
        return NULL;
    unsigned group = 0;
    size_t used = 0;
    for (size_t i = 0; i < bytes; i++) {
        bool is_padding = i >= bytes - padding;
        const char *digit = is_padding ? base64_digits : strchr(base64_digits, text[i]);
        if (digit == NULL || *digit == '\0') {
            free(data);
            return NULL;
        }
        group = group << 6 | (unsigned)(digit - base64_digits);
        if (i % 4 == 3) {
            data[used++] = (char)(group >> 16 & 255);
            data[used++] = (char)(group >> 8 & 255);
            data[used++] = (char)(group & 255);
            group = 0;
        }
    }
    *read = used - padding;
    return data;
}

static const char *number_from_text(enum weft_value_type type, const char *text, size_t bytes,
                                    struct weft_value *value)
{
    char *end = NULL;
    errno = 0;
    bool is_started = bytes > 0 && strchr(" \t\n\v\f\r+", text[0]) == NULL;
    if (type == WEFT_INT64) {
        int64_t number = strtoll(text, &end, 10);
        if (!is_started || end != text + bytes || errno != 0)
            return "it is no whole number of 64 bits";
        *value = weft_int64(number);
    } else {
        double number = strtod(text, &end);
        if (!is_started || end != text + bytes || !isfinite(number))
            return "it is no finite number";
        *value = weft_double(number);
    }
    return NULL;
}

static bool is_json(const char *text, size_t bytes)
{
    const char *end = NULL;
    cJSON *parsed = cJSON_ParseWithLengthOpts(text, bytes, &end, 0);
    cJSON_Delete(parsed);
    if (parsed == NULL)
        return false;
    while (end < text + bytes && strchr(" \t\r\n", *end) != NULL && *end != '\0')
        end++;
    return end == text + bytes;
}

const char *values_from_text(enum weft_value_type type, const char *text, size_t bytes,
                             struct weft_value *value, char **memory)
{
    switch (type) {
    case WEFT_JSON:
        if (!is_json(text, bytes))
            return "it is no JSON";
        break;
    case WEFT_STRING:
        break;
    case WEFT_BINARY: {
        size_t read = 0;
        *memory = base64_parse(text, bytes, &read);
        if (*memory == NULL)
            return "it is no base64";
        *value = weft_binary(*memory, read);
        return NULL;
    }
    case WEFT_INT64:
    case WEFT_DOUBLE:
        return number_from_text(type, text, bytes, value);
    }
    *value = (struct weft_value){.type = type, .data = text, .bytes = bytes};
    return NULL;
}

const char *values_format_double(double number, char text[VALUES_DOUBLE_BYTES])
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, VALUES_DOUBLE_BYTES, "%.*g", digits, number);
        double back = strtod(text, NULL);
        if (!(back < number) && !(back > number))
            break;
    }
    return text;
}

void values_print(FILE *file, const struct weft_value *value)
{
    char digits[VALUES_DOUBLE_BYTES];
    char *text = NULL;
    switch (value->type) {
    case WEFT_INT64:
        fprintf(file, "%" PRId64, value->int64);
        break;
    case WEFT_DOUBLE:
        fputs(values_format_double(value->number, digits), file);
        break;
    case WEFT_BINARY:
        text = values_base64(value->data, value->bytes);
        fputs(text == NULL ? "" : text, file);
        free(text);
        break;
    case WEFT_JSON:
    case WEFT_STRING:
        (void)fwrite(value->data, 1, value->bytes, file);
        break;
    }
    (void)fputc('\n', file);
}

void values_add_text(cJSON *object, const char *name, struct weft_text text)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    char *copy = malloc(3 * text.bytes + 1);
    if (copy == NULL)
        return;
    size_t used = 0;
    for (size_t i = 0; i < text.bytes;) {
        size_t unit = 1; /* the shortest run from here that is text */
        while (unit <= 4 && i + unit <= text.bytes && !span_is_text(span_of(text.data + i, unit)))
            unit++;
        bool is_text = unit <= 4 && i + unit <= text.bytes;
        memcpy(copy + used, is_text ? text.data + i : replacement, is_text ? unit : 3);
        used += is_text ? unit : 3;
        i += is_text ? unit : 1;
    }
    copy[used] = '\0';
    cJSON_AddStringToObject(object, name, copy);
    free(copy);
}

static bool is_plain_text(const struct weft_value *value)
{
    return span_is_text(span_of(value->data, value->bytes));
}

static void add_base64(cJSON *object, const struct weft_value *value)
{
    char *text = values_base64(value->data, value->bytes);
    if (text != NULL)
        cJSON_AddStringToObject(object, "value", text);
    free(text);
    cJSON_AddStringToObject(object, "encoding", "base64");
}

/* JSON goes in as it came, its numbers untouched; on one line, as a stream's lines must be. */
static void add_json(cJSON *object, const struct weft_value *value)
{
    char *copy = malloc(value->bytes + 1);
    if (copy == NULL)
        return;
    memcpy(copy, value->data, value->bytes);
    copy[value->bytes] = '\0';
    cJSON_Minify(copy);
    cJSON_AddRawToObject(object, "value", copy);
    free(copy);
}

void values_add(cJSON *object, const struct weft_value *value)
{
    char digits[VALUES_DOUBLE_BYTES];
    cJSON_AddStringToObject(object, "type", values_type_name(value->type));
    switch (value->type) {
    case WEFT_JSON:
        if (is_plain_text(value) && is_json(value->data, value->bytes)) {
            add_json(object, value);
            return;
        }
        break;
    case WEFT_STRING:
        if (is_plain_text(value)) {
            values_add_text(object, "value", (struct weft_text){value->data, value->bytes});
            return;
        }
        break;
    case WEFT_INT64:
        (void)snprintf(digits, sizeof digits, "%" PRId64, value->int64);
        cJSON_AddStringToObject(object, "value", digits);
        return;
    case WEFT_DOUBLE:
        if (isfinite(value->number))
            cJSON_AddRawToObject(object, "value", values_format_double(value->number, digits));
        else /* JSON has no number for it */
            cJSON_AddStringToObject(object, "value", values_format_double(value->number, digits));
        return;
    case WEFT_BINARY:
        break;
    }
    add_base64(object, value);
}

void values_add_hex(cJSON *object, const char *name, uint64_t number)
{
    char digits[17];
    (void)snprintf(digits, sizeof digits, "%016" PRIx64, number);
    cJSON_AddStringToObject(object, name, digits);
}

void values_add_decimal(cJSON *object, const char *name, uint64_t number)
{
    char digits[21];
    (void)snprintf(digits, sizeof digits, "%" PRIu64, number);
    cJSON_AddStringToObject(object, name, digits);
}
