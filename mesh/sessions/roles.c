/* roles.c - see roles.h. Sets are small, so they are kept as sorted rows and met in order. */
#include "mesh/sessions/roles.h"

static int name_order(struct span a, struct span b)
{
    size_t shorter = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

bool roles_name_is_good(struct span name)
{
    static const char refused[] = " \"'\\()[],";
    if (name.bytes == 0 || name.bytes > ROLE_BYTES_MAX || !span_is_text(name) ||
        span_equal(name, span_text("*")))
        return false;
    for (size_t i = 0; i < name.bytes; i++) {
        bool is_control = name.data[i] < ' ' || name.data[i] == 127;
        if (is_control || memchr(refused, name.data[i], sizeof refused - 1) != NULL)
            return false;
    }
    return true;
}

/* Where the name is, or where it belongs. */
static size_t place_of(const struct roles *roles, struct span name, bool *is_there)
{
    size_t place = 0;
    int order = -1;
    while (place < roles->count && (order = name_order(roles->names[place], name)) < 0)
        place++;
    *is_there = place < roles->count && order == 0;
    return place;
}

enum error roles_add(struct roles *roles, struct span name)
{
    bool is_there;
    if (!roles_name_is_good(name))
        return ERROR_INVALID_ARGUMENT;
    size_t place = place_of(roles, name, &is_there);
    if (is_there)
        return ERROR_OK;
    if (roles->count == ROLES_MAX)
        return ERROR_LIMIT_REACHED;
    memmove(&roles->names[place + 1], &roles->names[place],
            (roles->count - place) * sizeof roles->names[0]);
    roles->names[place] = name;
    roles->count++;
    return ERROR_OK;
}

void roles_remove(struct roles *roles, struct span name)
{
    bool is_there;
    size_t place = place_of(roles, name, &is_there);
    if (!is_there)
        return;
    roles->count--;
    memmove(&roles->names[place], &roles->names[place + 1],
            (roles->count - place) * sizeof roles->names[0]);
}

bool roles_has(const struct roles *roles, struct span name)
{
    bool is_there;
    (void)place_of(roles, name, &is_there);
    return is_there;
}

static struct span trimmed(struct span text)
{
    while (text.bytes > 0 && text.data[0] == ' ')
        text = span_of(text.data + 1, text.bytes - 1);
    while (text.bytes > 0 && text.data[text.bytes - 1] == ' ')
        text.bytes--;
    return text;
}

/* Takes the part before the next comma off the text; names have no commas. */
static struct span part_next(struct span *text)
{
    const uint8_t *comma = memchr(text->data, ',', text->bytes);
    size_t bytes = comma == NULL ? text->bytes : (size_t)(comma - text->data);
    struct span part = span_of(text->data, bytes);
    size_t taken = comma == NULL ? bytes : bytes + 1;
    *text = span_of(text->data + taken, text->bytes - taken);
    return trimmed(part);
}

enum error roles_parse(struct roles *roles, struct span text)
{
    struct span rest = trimmed(text);
    bool has_more = rest.bytes > 0;
    roles->count = 0;
    while (has_more) {
        bool is_last = memchr(rest.data, ',', rest.bytes) == NULL;
        struct span name = part_next(&rest);
        bool is_quoted = name.bytes >= 2 && name.data[0] == '"' && name.data[name.bytes - 1] == '"';
        enum error error =
            roles_add(roles, is_quoted ? span_of(name.data + 1, name.bytes - 2) : name);
        if (error != ERROR_OK)
            return error;
        if (!is_last && rest.bytes == 0)
            return ERROR_INVALID_ARGUMENT; /* a comma at the end */
        has_more = !is_last;
    }
    return ERROR_OK;
}

struct span roles_print(const struct roles *roles, char text[ROLES_TEXT_BYTES_MAX])
{
    size_t bytes = 0;
    for (size_t i = 0; i < roles->count; i++) {
        if (i > 0)
            text[bytes++] = ',';
        text[bytes++] = '"';
        memcpy(&text[bytes], roles->names[i].data, roles->names[i].bytes);
        bytes += roles->names[i].bytes;
        text[bytes++] = '"';
    }
    return span_of(text, bytes);
}

bool roles_text_has(struct span text, struct span name)
{
    while (text.bytes > 2) {
        const uint8_t *end = memchr(text.data + 1, '"', text.bytes - 1);
        if (text.data[0] != '"' || end == NULL)
            return false;
        size_t bytes = (size_t)(end - text.data) - 1;
        if (bytes == name.bytes && (bytes == 0 || memcmp(text.data + 1, name.data, bytes) == 0))
            return true;
        size_t taken = bytes + 3 < text.bytes ? bytes + 3 : text.bytes;
        text = span_of(text.data + taken, text.bytes - taken);
    }
    return false;
}

enum error roles_change_judge(const struct roles *remove, const struct roles *add)
{
    if (remove->count == 0 && add->count == 0)
        return ERROR_INVALID_ARGUMENT;
    for (size_t i = 0; i < add->count; i++) {
        if (roles_has(remove, add->names[i]))
            return ERROR_INVALID_ARGUMENT;
    }
    return ERROR_OK;
}
