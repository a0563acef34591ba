/* permissions.c - from the operator's lists to bits.
 *
 * Three words say all that a decision needs: which configured roles a session has, what these give
 * it everywhere, what they give it in places. So most decisions are one test of a bit; only a
 * permission that is given in places looks at paths, and then at its own rules alone.
 *
 * (P1) a session's rights are those of everybody and of its roles, and nothing else
 * (P2) entries that permissions_judge has taken always compile: nothing can fail half-way */
#include "mesh/sessions/permissions.h"

#include "mesh/base/require.h"
#include "mesh/base/selector.h"

struct permission_row {
    const char *name, *also;
    bool has_selector;
};

static const struct permission_row rows[PERMISSIONS] = {
#define PERMISSION_ROW(NAME, name_, also_, has_selector_, what)                                    \
    [PERMISSION_##NAME] = {.name = (name_), .also = (also_), .has_selector = (has_selector_)},
    PERMISSION_LIST(PERMISSION_ROW)
#undef PERMISSION_ROW
};

enum { CLIPPED_BYTES = 80 };

#define ALL_BITS ((UINT32_C(1) << PERMISSIONS) - 1)

/* An entry taken apart. */
struct entry {
    uint32_t granted;           /* everywhere: these */
    enum permission permission; /* in one place: this; else PERMISSION_NONE */
    struct span selector;
};

const char *permissions_name(enum permission permission)
{
    require(permission < PERMISSIONS);
    return rows[permission].name;
}

static enum permission find(struct span name)
{
    unsigned found = 0;
    while (found < PERMISSIONS && !span_equal(name, span_text(rows[found].name)) &&
           (name.bytes == 0 || !span_equal(name, span_text(rows[found].also))))
        found++;
    return (enum permission)found;
}

static void names_add(struct sentence *why)
{
    for (unsigned i = 0; i < PERMISSIONS; i++) {
        sentence_add(why, rows[i].name);
        sentence_add(why, i + 1 < PERMISSIONS ? ", " : "");
    }
}

/* Takes an entry apart; false: `why` (if any) goes on from "role X, entry Y: ". */
static bool entry_read(const char *text, struct entry *entry, struct sentence *why)
{
    struct span name = span_text(text);
    const uint8_t *colon = name.bytes == 0 ? NULL : memchr(name.data, ':', name.bytes);
    *entry = (struct entry){.permission = PERMISSION_NONE};
    if (span_equal(name, span_text("*"))) {
        entry->granted = ALL_BITS;
        return true;
    }
    struct span selector = {0};
    if (colon != NULL) {
        size_t bytes = (size_t)(colon - name.data);
        selector = span_of(colon + 1, name.bytes - bytes - 1);
        name.bytes = bytes;
    }
    enum permission permission = find(name);
    if (permission == PERMISSION_NONE) {
        sentence_add(why, "no such permission; there are *, ");
        names_add(why);
        return false;
    }
    if (colon == NULL) {
        entry->granted = 1U << permission;
        return true;
    }
    if (!rows[permission].has_selector) {
        sentence_add(why, "this permission does not depend on a path and takes no selector");
        return false;
    }
    if (selector_parse(selector, &entry->selector) != ERROR_OK) {
        sentence_add(why, "the selector must be a/b, a/+/c or a/** (+ one segment; ** at the end: "
                          "everything at and below), of segments of 1 to 255 bytes");
        return false;
    }
    if (span_equal(entry->selector, span_text("**")))
        entry->granted = 1U << permission;
    else
        entry->permission = permission;
    return true;
}

/* What an error repeats of the operator's text: the rest of the sentence is to fit too. */
static struct span clipped(const char *text)
{
    struct span span = span_text(text);
    if (span.bytes <= CLIPPED_BYTES)
        return span;
    span.bytes = CLIPPED_BYTES;
    while (span.bytes > 0 && (span.data[span.bytes] & 0xc0) == 0x80)
        span.bytes--;
    return span;
}

static bool is_everybody(const char *role)
{
    return strcmp(role, "*") == 0;
}

/* The how-manieth role that is, in the order of their first entries; everybody is 0. */
static uint32_t role_number(const struct permissions *permissions, struct span name)
{
    uint32_t number = 0;
    while (number < permissions->roles_count &&
           !span_equal(name,
                       span_of(permissions->roles[number].name, permissions->roles[number].bytes)))
        number++;
    return number;
}

/* Whether the entry's role has not come before. */
static bool is_first_of_role(const struct mesh_permission *entries, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (strcmp(entries[i].role, entries[at].role) == 0)
            return false;
    }
    return true;
}

bool permissions_judge(const struct mesh_permission *entries, uint32_t count, struct sentence *why)
{
    uint32_t roles = 1;
    size_t text_bytes = 0;
    sentence_start(why, "");
    for (uint32_t i = 0; i < count; i++) {
        const struct mesh_permission *given = &entries[i];
        struct entry entry;
        sentence_start(why, "role ");
        sentence_add_span(why, clipped(given->role));
        if (!is_everybody(given->role) && !roles_name_is_good(span_text(given->role))) {
            sentence_add(why, ": a role is * or 1 to 64 bytes without blanks, quotes, backslashes, "
                              "brackets and commas");
            return false;
        }
        sentence_add(why, ", entry ");
        sentence_add_span(why, clipped(given->entry));
        sentence_add(why, ": ");
        if (!entry_read(given->entry, &entry, why))
            return false;
        roles += !is_everybody(given->role) && is_first_of_role(entries, i);
        text_bytes += entry.selector.bytes;
    }
    sentence_start(why, "at most 63 roles beside *, 1024 entries, and selectors of 32 KiB");
    return roles <= PERMISSIONS_ROLES_MAX && count <= PERMISSIONS_RULES_MAX &&
           text_bytes <= PERMISSIONS_TEXT_BYTES;
}

static uint8_t role_take(struct permissions *permissions, const char *name)
{
    struct span span = span_text(name);
    uint32_t number = role_number(permissions, span);
    require(number < PERMISSIONS_ROLES_MAX && span.bytes > 0 && span.bytes <= ROLE_BYTES_MAX);
    if (number == permissions->roles_count) {
        struct permission_role *role = &permissions->roles[permissions->roles_count++];
        memcpy(role->name, span.data, span.bytes);
        role->bytes = (uint8_t)span.bytes;
    }
    return (uint8_t)number;
}

static void rule_add(struct permissions *permissions, uint8_t role, const struct entry *entry)
{
    size_t bytes = entry->selector.bytes;
    require(permissions->rules_count < PERMISSIONS_RULES_MAX);
    require(permissions->text_bytes + bytes <= PERMISSIONS_TEXT_BYTES);
    permissions->rules[permissions->rules_count++] = (struct permission_rule){
        .role = role, .at = (uint16_t)permissions->text_bytes, .bytes = (uint16_t)bytes};
    memcpy(&permissions->text[permissions->text_bytes], entry->selector.data, bytes);
    permissions->text_bytes += (uint32_t)bytes;
}

void permissions_compile(struct permissions *permissions, const struct mesh_permission *entries,
                         uint32_t count)
{
    struct sentence why;
    struct entry entry;
    memset(permissions, 0, sizeof *permissions); /* too large for a literal on the stack */
    permissions->roles_count = 1;
    permissions->roles[0] = (struct permission_role){.bytes = 1, .name = "*"};
    for (uint32_t i = 0; i < count; i++) {
        uint8_t role = role_take(permissions, entries[i].role);
        require(entry_read(entries[i].entry, &entry, &why));
        permissions->roles[role].granted |= entry.granted;
        if (entry.permission != PERMISSION_NONE)
            permissions->roles[role].scoped |= 1U << entry.permission;
    }
    for (unsigned permission = 0; permission < PERMISSIONS; permission++) {
        permissions->first[permission] = permissions->rules_count;
        for (uint32_t i = 0; i < count; i++) {
            require(entry_read(entries[i].entry, &entry, &why));
            if (entry.permission == (enum permission)permission)
                rule_add(permissions, role_take(permissions, entries[i].role), &entry);
        }
    }
    permissions->first[PERMISSIONS] = permissions->rules_count;
}

struct rights permissions_rights(const struct permissions *permissions, struct span roles)
{
    struct rights rights = {0};
    for (uint32_t i = 0; i < permissions->roles_count; i++) {
        const struct permission_role *role = &permissions->roles[i];
        if (i > 0 && !roles_text_has(roles, span_of(role->name, role->bytes)))
            continue;
        rights.roles |= UINT64_C(1) << i;
        rights.granted |= role->granted;
        rights.scoped |= role->scoped;
    }
    return rights;
}

/* The next selector that those roles are given the permission with; `at` starts at the permission's
 * first rule. False: the end. */
static bool selector_next(const struct permissions *permissions, const struct rights *rights,
                          enum permission permission, uint32_t *at, struct span *selector)
{
    while (*at < permissions->first[permission + 1]) {
        const struct permission_rule *rule = &permissions->rules[(*at)++];
        *selector = span_of(&permissions->text[rule->at], rule->bytes);
        if ((rights->roles & UINT64_C(1) << rule->role) != 0)
            return true;
    }
    return false;
}

bool permissions_allow_at(const struct permissions *permissions, const struct rights *rights,
                          enum permission permission, struct span path)
{
    uint32_t at = permissions->first[permission];
    struct span selector;
    while (selector_next(permissions, rights, permission, &at, &selector)) {
        if (selector_matches(selector, path))
            return true;
    }
    return false;
}

bool permissions_are_same(const struct permissions *a, const struct rights *rights_a,
                          const struct permissions *b, const struct rights *rights_b,
                          enum permission permission)
{
    uint32_t bit = 1U << permission;
    if (((rights_a->granted | rights_b->granted) & bit) != 0)
        return (rights_a->granted & rights_b->granted & bit) != 0;
    uint32_t at_a = a->first[permission], at_b = b->first[permission];
    struct span selector_a, selector_b;
    for (;;) {
        bool has_a = selector_next(a, rights_a, permission, &at_a, &selector_a);
        bool has_b = selector_next(b, rights_b, permission, &at_b, &selector_b);
        if (!has_a || !has_b)
            return has_a == has_b;
        if (!span_equal(selector_a, selector_b))
            return false;
    }
}

void permissions_say_denied(struct sentence *sentence, enum permission permission, struct span path)
{
    sentence_start(sentence, "the session has no permission ");
    sentence_add(sentence, permissions_name(permission));
    if (path.bytes > 0) {
        sentence_add(sentence, " for ");
        sentence_add_span(sentence, path);
    }
    sentence_add(sentence, "; the node's configuration gives it to roles, under permissions");
}
