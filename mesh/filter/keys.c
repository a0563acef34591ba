/* keys.c - see keys.h. */
#include "mesh/filter/keys.h"

static const char *const texts[KEYS] = {
#define KEY_TEXT(name, text) [KEY_##name] = (text),
    KEY_LIST(KEY_TEXT)
#undef KEY_TEXT
};

enum key key_of(struct span text)
{
    if (text.bytes == 0 || text.data[0] != '$')
        return KEY_USER;
    for (unsigned i = 0; i < KEYS; i++) {
        if (span_equal(text, span_text(texts[i])))
            return (enum key)i;
    }
    return KEY_USER;
}

struct span key_text(enum key key)
{
    return span_text(texts[key]);
}
