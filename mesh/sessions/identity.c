/* identity.c - see identity.h. */
#include "mesh/sessions/identity.h"

#define HANDLER_PREFIX "handler:"

static const char *const names[] = {
    [IDENTITY_ANONYMOUS] = "anonymous", [IDENTITY_ALLOW] = "allow", [IDENTITY_DENY] = "deny",
    [IDENTITY_USERS] = "users",         [IDENTITY_CURVE] = "curve",
};

enum { NAMES = sizeof names / sizeof names[0], PREFIX_BYTES = sizeof HANDLER_PREFIX - 1 };

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

/* A name is registered like a path of one segment, and stands in lists and log lines. */
static bool name_is_good(struct span name)
{
    if (name.bytes == 0 || name.bytes > IDENTITY_NAME_BYTES_MAX || !span_is_text(name))
        return false;
    for (size_t i = 0; i < name.bytes; i++) {
        if (name.data[i] <= ' ' || name.data[i] == 127 || name.data[i] == '/' ||
            name.data[i] == '"')
            return false;
    }
    return true;
}

static bool rule_parse(struct identity_rule *rule, struct span text)
{
    *rule = (struct identity_rule){.step = 0};
    if (text.bytes > PREFIX_BYTES && memcmp(text.data, HANDLER_PREFIX, PREFIX_BYTES) == 0) {
        struct span name = span_of(text.data + PREFIX_BYTES, text.bytes - PREFIX_BYTES);
        if (!name_is_good(name))
            return false;
        rule->step = IDENTITY_HANDLER;
        rule->name_bytes = (uint8_t)name.bytes;
        memcpy(rule->name, name.data, name.bytes);
        return true;
    }
    while (rule->step < NAMES && !span_equal(text, span_text(names[rule->step])))
        rule->step++;
    return rule->step < NAMES;
}

/* Who is asked for is not asked about his key: that is known only while his HELLO is read. */
static bool comes_in_time(const struct identity_chain *chain, const struct identity_rule *rule)
{
    return rule->step != IDENTITY_CURVE ||
           (!identity_has(chain, IDENTITY_USERS) && !identity_has(chain, IDENTITY_HANDLER));
}

bool identity_parse(struct identity_chain *chain, struct span text, struct sentence *why)
{
    *chain = (struct identity_chain){.count = 0};
    while (text.bytes > 0) {
        struct span name = step_next(&text);
        struct identity_rule rule;
        if (rule_parse(&rule, name) && comes_in_time(chain, &rule) &&
            chain->count < IDENTITY_STEPS_MAX) {
            chain->rules[chain->count++] = rule;
            continue;
        }
        sentence_start(why, "step ");
        sentence_add_span(why, name);
        sentence_add(why, ": there are the steps curve (before users and handlers), users, "
                          "handler:NAME (1 to 64 bytes without blanks, quotes, commas and /), "
                          "anonymous, allow and deny, at most 16");
        return false;
    }
    return true;
}

enum identity_verdict identity_judge(const struct identity_chain *chain, struct span principal,
                                     struct span owner, uint32_t *at)
{
    for (; *at < chain->count; ++*at) {
        switch ((enum identity_step)chain->rules[*at].step) {
        case IDENTITY_ANONYMOUS:
            if (principal.bytes == 0)
                return IDENTITY_ALLOWED;
            break; /* abstains */
        case IDENTITY_ALLOW:
            return IDENTITY_ALLOWED;
        case IDENTITY_DENY:
            return IDENTITY_DENIED;
        case IDENTITY_USERS:
            if (principal.bytes > 0)
                return IDENTITY_ASKS;
            break; /* nobody's name is empty */
        case IDENTITY_CURVE:
            if (owner.bytes > 0 && (principal.bytes == 0 || span_equal(principal, owner)))
                return IDENTITY_ALLOWED;
            break; /* another name than the key's needs another proof */
        case IDENTITY_HANDLER:
            return IDENTITY_ASKS;
        }
    }
    return IDENTITY_DENIED;
}

struct span identity_name(const struct identity_rule *rule)
{
    return span_of(rule->name, rule->name_bytes);
}

bool identity_names(const struct identity_chain *chain, struct span name)
{
    for (uint32_t i = 0; i < chain->count; i++) {
        const struct identity_rule *rule = &chain->rules[i];
        if (rule->step == IDENTITY_HANDLER && span_equal(identity_name(rule), name))
            return true;
    }
    return false;
}

bool identity_has(const struct identity_chain *chain, enum identity_step step)
{
    for (uint32_t i = 0; i < chain->count; i++) {
        if (chain->rules[i].step == step)
            return true;
    }
    return false;
}
