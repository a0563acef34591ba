/* json.h - judges the text of a JSON file before cJSON sees it: cJSON takes bad UTF-8, duplicate
 * names, [01] and cut-off strings, and cannot say where a name stands. Comments (// and C's) are
 * taken for blanks.
 * Memory: the caller's. Thread: pure functions. */
#ifndef WEFT_DAEMON_JSON_H
#define WEFT_DAEMON_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum {
    JSON_BYTES_MAX = 1024 * 1024,
    JSON_DEPTH_MAX = 32,
    JSON_MEMBERS_MAX = 1024, /* of the whole text, so of each object too */
    JSON_NUMBER_BYTES_MAX = 32,
};

struct json_place {
    unsigned line, column; /* from 1; a column is a character */
};

struct json_member {
    struct json_place place;
    size_t offset, bytes; /* of the name, without quotes */
    unsigned object;      /* the how-manieth object it belongs to */
};

struct json_scan {
    struct json_member members[JSON_MEMBERS_MAX]; /* in the order of the text */
    size_t count;
    struct json_place place; /* of the error */
    char error[160];         /* what was expected, what was found */
};

/* Overwrites comments with blanks in place, and judges all. true: strict JSON, one value, within
 * the limits, no name twice in an object. false: place and error say why. O(bytes + names^2). */
bool json_scan(char *text, size_t bytes, struct json_scan *scan);

#endif
