/* role_set.c - see role_set.h. */
#include "mesh/filter/role_set.h"

/* Takes the next "..." off the text; the role is what stands between the quotes. */
static bool quoted_take(struct span *text, struct span *role)
{
    const uint8_t *quote = text->bytes == 0 ? NULL : memchr(text->data, '"', text->bytes);
    if (quote == NULL)
        return false;
    size_t first = (size_t)(quote - text->data) + 1, end = first;
    while (end < text->bytes && text->data[end] != '"')
        end += text->data[end] == '\\' ? 2 : 1;
    if (end >= text->bytes)
        return false;
    *role = span_of(text->data + first, end - first);
    *text = span_of(text->data + end + 1, text->bytes - end - 1);
    return true;
}

/* Keeps the items sorted; one that is there already is left out. */
static bool role_insert(struct role_set *roles, struct span role)
{
    uint32_t place = roles->count;
    while (place > 0 && span_order(roles->items[place - 1], role) > 0)
        place--;
    if (place > 0 && span_equal(roles->items[place - 1], role))
        return true;
    if (roles->count == ROLE_SET_MAX)
        return false;
    memmove(&roles->items[place + 1], &roles->items[place],
            (roles->count - place) * sizeof roles->items[0]);
    roles->items[place] = role;
    roles->count++;
    return true;
}

bool role_set_parse(struct role_set *roles, struct span text)
{
    struct span role;
    roles->count = 0;
    while (quoted_take(&text, &role)) {
        if (!role_insert(roles, role))
            return false;
    }
    return true;
}

size_t role_set_measure(const struct role_set *roles)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < roles->count; i++)
        bytes += roles->items[i].bytes + 3;
    return bytes == 0 ? 0 : bytes - 1;
}

void role_set_write(const struct role_set *roles, uint8_t *out)
{
    for (uint32_t i = 0; i < roles->count; i++) {
        if (i > 0)
            *out++ = ',';
        *out++ = '"';
        if (roles->items[i].bytes > 0)
            memcpy(out, roles->items[i].data, roles->items[i].bytes);
        out += roles->items[i].bytes;
        *out++ = '"';
    }
}

bool role_set_next(struct span *text, struct span *role)
{
    return quoted_take(text, role);
}
