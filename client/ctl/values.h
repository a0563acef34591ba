/* values.h - reads what people type (values, times, counts) and shows what the mesh says (values,
 * texts). Memory: what is allocated says so. Thread: no state. */
#ifndef WEFT_CTL_VALUES_H
#define WEFT_CTL_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "client/weft.h"

/* Longer than any node takes: what is larger is refused there, with the node's own limit. */
enum { VALUES_BYTES_MAX = 16 << 20 };

static inline struct weft_text values_text(const char *text)
{
    return (struct weft_text){text, strlen(text)};
}

/* "json" .. "double" to the type; false for anything else. */
bool values_parse_type(const char *name, enum weft_value_type *type);

/* "json" .. "double"; "unknown" for a number that is none. */
const char *values_type_name(enum weft_value_type type);

/* A time such as 250ms, 2s, 1.5m or 1h, at most a year; false for anything else. */
bool values_parse_duration(const char *text, uint64_t *ms);

/* A whole number from least to most, in digits only; false for anything else. */
bool values_parse_count(const char *text, uint64_t least, uint64_t most, uint64_t *count);

/* Reads a stream to its end, on the heap with a NUL behind it; NULL with *why set. */
char *values_read(FILE *file, size_t *bytes, const char **why);

/* Makes a value of the type from a text: a number in digits, JSON that parses, base64 for binary.
 * *memory: what the value stands on where that is not the text; for free(), also after an error.
 * Returns NULL, or what is wrong with the text; the value is then untouched. */
const char *values_from_text(enum weft_value_type type, const char *text, size_t bytes,
                             struct weft_value *value, char **memory);

/* Writes a value bare and a newline: json, string as they are, numbers in digits, binary as base64.
 */
void values_print(FILE *file, const struct weft_value *value);

/* Adds "type", "value" and, for what is not text, "encoding":"base64". */
void values_add(cJSON *object, const struct weft_value *value);

/* Adds a text; bytes that are no UTF-8, and NUL, become U+FFFD. */
void values_add_text(cJSON *object, const char *name, struct weft_text text);

/* Adds a 64-bit number as JSON must have it: a hexadecimal string of 16 digits, or decimal. */
void values_add_hex(cJSON *object, const char *name, uint64_t number);
void values_add_decimal(cJSON *object, const char *name, uint64_t number);

/* The shortest digits that read back as the same double. */
enum { VALUES_DOUBLE_BYTES = 32 };
const char *values_format_double(double number, char text[VALUES_DOUBLE_BYTES]);

/* base64 with padding, on the heap; NULL when memory is not to be had. */
char *values_base64(const void *data, size_t bytes);

#endif
