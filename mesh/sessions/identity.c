/* identity.c - see identity.h. */
#include "mesh/sessions/identity.h"

static const char *const names[] = {
    [IDENTITY_ANONYMOUS] = "anonymous",
    [IDENTITY_ALLOW] = "allow",
    [IDENTITY_DENY] = "deny",
};

enum { NAMES = sizeof names / sizeof names[0] };

/* Takes the part before the next comma off the text. */
static struct span step_next(struct span *text)
{
    const uint8_t *comma = memchr(text->data, ',', text->bytes);
    size_t bytes = comma == NULL ? text->bytes : (size_t)(comma - text->data);
    struct span step = span_of(text->data, bytes);
    size_t taken = comma == NULL ? bytes : bytes + 1;
    *text = span_of(text->data + taken, text->bytes - taken);
    return step;
}

bool identity_parse(struct identity_chain *chain, struct span text, struct sentence *why)
{
    *chain = (struct identity_chain){.count = 0};
    while (text.bytes > 0) {
        struct span name = step_next(&text);
        uint8_t step = 0;
        while (step < NAMES && !span_equal(name, span_text(names[step])))
            step++;
        if (step < NAMES && chain->count < IDENTITY_STEPS_MAX) {
            chain->steps[chain->count++] = step;
            continue;
        }
        sentence_start(why, "step ");
        sentence_add_span(why, name);
        sentence_add(why, ": this version has the steps anonymous, allow and deny, at most 16");
        return false;
    }
    return true;
}

enum identity_verdict identity_of(const struct identity_chain *chain, struct span principal)
{
    for (uint32_t i = 0; i < chain->count; i++) {
        switch ((enum identity_step)chain->steps[i]) {
        case IDENTITY_ANONYMOUS:
            if (principal.bytes == 0)
                return IDENTITY_IS_ANONYMOUS;
            break; /* abstains */
        case IDENTITY_ALLOW:
            return principal.bytes == 0 ? IDENTITY_IS_ANONYMOUS : IDENTITY_IS_NAMED;
        case IDENTITY_DENY:
            return IDENTITY_REFUSED;
        }
    }
    return IDENTITY_REFUSED;
}
