/* paths.c - see paths.h. */
#include "client/paths.h"

#include "proto/request.h"

#include <string.h>

bool paths_normalise(const char *text, struct span *path)
{
    if (text == NULL)
        return false;
    while (*text == '/')
        text++;
    size_t bytes = strnlen(text, PATH_BYTES_MAX + 2);
    while (bytes > 0 && text[bytes - 1] == '/')
        bytes--;
    if (bytes == 0 || bytes > PATH_BYTES_MAX)
        return false;
    *path = span_of(text, bytes);
    for (const char *end = text + bytes; text < end; text++) {
        const char *slash = memchr(text, '/', (size_t)(end - text));
        const char *segment_end = slash == NULL ? end : slash;
        if (segment_end == text || segment_end - text > PATH_SEGMENT_BYTES_MAX)
            return false;
        text = segment_end;
    }
    return span_is_text(*path);
}

struct span paths_parent(struct span path)
{
    while (path.bytes > 0 && path.data[path.bytes - 1] != '/')
        path.bytes--;
    if (path.bytes > 0)
        path.bytes--;
    return path;
}
