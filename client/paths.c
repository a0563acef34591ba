/* paths.c - see paths.h. */
#include "client/paths.h"

#include "proto/request.h"

#include <string.h>

bool paths_normalise(const char *text, struct span *path)
{
    if (text == NULL)
        return false;
    text += strspn(text, "/");
    size_t bytes = strnlen(text, PATH_BYTES_MAX + 2);
    while (bytes > 0 && text[bytes - 1] == '/')
        bytes--;
    if (bytes == 0 || bytes > PATH_BYTES_MAX)
        return false;
    size_t segment = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] != '/')
            segment++;
        else if (segment == 0)
            return false;
        else
            segment = 0;
        if (segment > PATH_SEGMENT_BYTES_MAX)
            return false;
    }
    *path = span_of(text, bytes);
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
