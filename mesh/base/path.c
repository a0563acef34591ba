/* path.c - see path.h. */
#include "mesh/base/path.h"

#include "proto/request.h"

/* A run of '/' at either end is more than one too many: only one is trimmed at each, so that
 * "//a" keeps an empty segment and is an error. */
static struct span trimmed(struct span text)
{
    if (text.bytes > 0 && text.data[0] == '/')
        text = span_of(&text.data[1], text.bytes - 1);
    if (text.bytes > 0 && text.data[text.bytes - 1] == '/')
        text.bytes--;
    return text;
}

enum error path_parse(struct span text, struct span *path)
{
    struct span rest = trimmed(text);
    if (rest.bytes == 0 || rest.bytes > PATH_BYTES_MAX || !span_is_text(rest))
        return ERROR_INVALID_PATH;
    const uint8_t *segment = rest.data;
    for (size_t left = rest.bytes;;) {
        const uint8_t *slash = left == 0 ? NULL : memchr(segment, '/', left);
        size_t bytes = slash == NULL ? left : (size_t)(slash - segment);
        if (bytes == 0 || bytes > PATH_SEGMENT_BYTES_MAX)
            return ERROR_INVALID_PATH;
        if (slash == NULL)
            break;
        segment = slash + 1;
        left -= bytes + 1;
    }
    *path = rest;
    return ERROR_OK;
}

struct span path_parent(struct span path)
{
    size_t bytes = path.bytes;
    while (bytes > 0 && path.data[bytes - 1] != '/')
        bytes--;
    return span_of(path.data, bytes == 0 ? 0 : bytes - 1);
}

bool path_is_at_or_above(struct span upper, struct span path)
{
    if (upper.bytes == 0 || upper.bytes > path.bytes)
        return upper.bytes == 0;
    return memcmp(upper.data, path.data, upper.bytes) == 0 &&
           (upper.bytes == path.bytes || path.data[upper.bytes] == '/');
}
