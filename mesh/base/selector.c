/* selector.c - see selector.h. A star means nothing but as two of them at the end: whoever writes
 * one alone, or one behind a word, has another server's rules in mind, and is told so. A plus is a
 * wildcard only as a whole segment, so that `c++` can be named. */
#include "mesh/base/selector.h"

#include "mesh/base/path.h"

static struct span segment_next(struct span *rest)
{
    const uint8_t *slash = rest->bytes == 0 ? NULL : memchr(rest->data, '/', rest->bytes);
    size_t bytes = slash == NULL ? rest->bytes : (size_t)(slash - rest->data);
    struct span segment = span_of(rest->data, bytes);
    size_t taken = slash == NULL ? bytes : bytes + 1;
    *rest = span_of(rest->data + taken, rest->bytes - taken);
    return segment;
}

static bool is_rest(struct span segment)
{
    return segment.bytes == 2 && segment.data[0] == '*' && segment.data[1] == '*';
}

static bool is_any(struct span segment)
{
    return segment.bytes == 1 && segment.data[0] == '+';
}

enum error selector_parse(struct span text, struct span *selector)
{
    struct span parsed;
    if (path_parse(text, &parsed) != ERROR_OK)
        return ERROR_INVALID_PATH;
    struct span rest = parsed;
    while (rest.bytes > 0) {
        struct span segment = segment_next(&rest);
        bool has_star = memchr(segment.data, '*', segment.bytes) != NULL;
        if (has_star && !(is_rest(segment) && rest.bytes == 0))
            return ERROR_INVALID_PATH;
    }
    *selector = parsed;
    return ERROR_OK;
}

struct span selector_prefix(struct span selector)
{
    struct span rest = selector;
    size_t bytes = 0;
    while (rest.bytes > 0) {
        struct span segment = segment_next(&rest);
        if (is_any(segment) || is_rest(segment))
            break;
        bytes = (size_t)(segment.data - selector.data) + segment.bytes;
    }
    return span_of(selector.data, bytes);
}

bool selector_is_path(struct span selector)
{
    struct span parsed;
    return selector_parse(selector, &parsed) == ERROR_OK &&
           selector_prefix(parsed).bytes == parsed.bytes;
}

bool selector_matches(struct span selector, struct span path)
{
    while (selector.bytes > 0) {
        struct span wanted = segment_next(&selector);
        if (is_rest(wanted))
            return true;
        if (path.bytes == 0)
            return false;
        struct span found = segment_next(&path);
        if (!is_any(wanted) && !span_equal(wanted, found))
            return false;
    }
    return path.bytes == 0;
}
