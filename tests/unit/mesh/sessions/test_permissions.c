/* test_permissions.c - who may do what, by the operator's lists. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/sessions/permissions.h"

static struct permissions permissions;

#define COMPILE(...)                                                                               \
    compile((struct mesh_permission[]){__VA_ARGS__},                                               \
            sizeof(struct mesh_permission[]){__VA_ARGS__} / sizeof(struct mesh_permission))

static void compile(const struct mesh_permission *entries, size_t count)
{
    struct sentence why;
    cr_assert(permissions_judge(entries, (uint32_t)count, &why), "%.*s", (int)why.bytes, why.text);
    permissions_compile(&permissions, entries, (uint32_t)count);
}

static bool may(const char *roles, enum permission permission, const char *path)
{
    struct rights rights = permissions_rights(&permissions, span_text(roles));
    return permissions_allow(&permissions, &rights, permission, span_text(path));
}

Test(permissions, that_nobody_was_given_are_denied)
{
    permissions_compile(&permissions, NULL, 0);
    for (unsigned permission = 0; permission < PERMISSIONS; permission++)
        cr_assert_not(may("\"admin\"", (enum permission)permission, "a/b"));
    cr_assert(may("", PERMISSION_NONE, ""), "what needs no permission needs none");
}

Test(permissions, of_the_star_are_all_of_them_for_everybody)
{
    COMPILE({"*", "*"});
    for (unsigned permission = 0; permission < PERMISSIONS; permission++)
        cr_assert(may("", (enum permission)permission, "a/b"));
}

Test(permissions, are_given_by_role)
{
    COMPILE({"admin", "*"}, {"viewer", "view_session"}, {"viewer", "view_mesh"});
    cr_assert(may("\"admin\"", PERMISSION_MODIFY_SESSION, ""));
    cr_assert(may("\"other\",\"viewer\"", PERMISSION_VIEW_SESSION, ""));
    cr_assert_not(may("\"viewer\"", PERMISSION_MODIFY_SESSION, ""));
    cr_assert_not(may("\"view\"", PERMISSION_VIEW_SESSION, ""));
    cr_assert_not(may("", PERMISSION_VIEW_SESSION, ""));
}

Test(permissions, with_a_selector_hold_where_it_matches)
{
    COMPILE({"*", "send_to_handler:public/**"}, {"trader", "send_to_handler:orders/+/new"},
            {"feeder", "update:prices/**"}, {"feeder", "send_to_handler"});
    cr_assert(may("", PERMISSION_SEND_TO_HANDLER, "public/x/y"));
    cr_assert_not(may("", PERMISSION_SEND_TO_HANDLER, "orders/7/new"));
    cr_assert(may("\"trader\"", PERMISSION_SEND_TO_HANDLER, "orders/7/new"));
    cr_assert(may("\"trader\"", PERMISSION_SEND_TO_HANDLER, "public"), "everybody's too");
    cr_assert_not(may("\"trader\"", PERMISSION_SEND_TO_HANDLER, "orders/7/old"));
    cr_assert_not(may("\"trader\"", PERMISSION_SEND_TO_SESSION, "orders/7/new"));
    cr_assert(may("\"feeder\"", PERMISSION_UPDATE_TOPIC, "prices/a"));
    cr_assert_not(may("\"feeder\"", PERMISSION_UPDATE_TOPIC, "price"));
    cr_assert(may("\"feeder\",\"trader\"", PERMISSION_SEND_TO_HANDLER, "any/where"));
}

/* Each permission given alone allows itself and nothing else: the matrix has no other cell. */
Test(permissions, allow_exactly_what_they_name)
{
    for (unsigned given = 0; given < PERMISSIONS; given++) {
        const char *name = permissions_name((enum permission)given);
        COMPILE({"r", name});
        for (unsigned asked = 0; asked < PERMISSIONS; asked++) {
            cr_assert_eq(may("\"r\"", (enum permission)asked, "a"), asked == given, "%s, %s", name,
                         permissions_name((enum permission)asked));
            cr_assert_not(may("\"s\"", (enum permission)asked, "a"));
        }
    }
}

static void refused(const char *role, const char *entry, const char *says)
{
    struct mesh_permission bad = {role, entry};
    struct sentence why;
    char text[SENTENCE_BYTES + 1];
    cr_assert_not(permissions_judge(&bad, 1, &why), "%s: %s", role, entry);
    snprintf(text, sizeof text, "%.*s", (int)why.bytes, why.text);
    cr_assert_not_null(strstr(text, says), "%s", text);
    cr_assert_not_null(strstr(text, role), "%s", text);
}

Test(permissions, that_cannot_be_understood_are_refused_with_role_and_entry)
{
    refused("trader", "fly", "entry fly: no such permission; there are *, read_topic");
    refused("trader", "", "no such permission");
    refused("trader", "View_session", "no such permission");
    refused("trader", ":a/b", "no such permission");
    refused("trader", "view_session:a", "takes no selector");
    refused("trader", "view_session:", "takes no selector");
    refused("trader", "update:prices/*", "entry update:prices/*: the selector must be");
    refused("trader", "update_topic:", "the selector must be");
    refused("trader", "*:a", "no such permission");
    refused("two words", "*", "a role is * or");
}

/* A naive judge: reads the operator's entries anew for each question, segment by segment. */
static bool segment_fits(const char *wanted, size_t wanted_bytes, const char *found,
                         size_t found_bytes)
{
    return (wanted_bytes == 1 && wanted[0] == '+') ||
           (wanted_bytes == found_bytes && memcmp(wanted, found, found_bytes) == 0);
}

static bool naive_match(const char *selector, const char *path)
{
    for (;;) {
        size_t wanted = strcspn(selector, "/"), found = strcspn(path, "/");
        if (strcmp(selector, "**") == 0)
            return true;
        if (*path == '\0' || *selector == '\0')
            return *path == *selector;
        if (!segment_fits(selector, wanted, path, found))
            return false;
        selector += wanted + (selector[wanted] == '/');
        path += found + (path[found] == '/');
    }
}

static bool naive_may(const struct mesh_permission *entries, size_t count, unsigned roles_held,
                      const char *permission, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        const char *colon = strchr(entries[i].entry, ':');
        size_t name_bytes =
            colon == NULL ? strlen(entries[i].entry) : (size_t)(colon - entries[i].entry);
        bool is_held = entries[i].role[0] == '*' || (roles_held >> (entries[i].role[0] - 'a') & 1);
        bool is_named = strcmp(entries[i].entry, "*") == 0 ||
                        (name_bytes == strlen(permission) &&
                         memcmp(entries[i].entry, permission, name_bytes) == 0);
        if (is_held && is_named && (colon == NULL || naive_match(colon + 1, path)))
            return true;
    }
    return false;
}

/* xorshift: the same questions in every run. */
static uint64_t dice(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

Test(permissions, agree_with_a_naive_judge)
{
    static const char *const roles[] = {"*", "a", "b", "c"};
    static const char *const given[] = {"*",
                                        "view_session",
                                        "send_to_handler",
                                        "send_to_handler:x/**",
                                        "send_to_handler:+/y",
                                        "send_to_handler:x",
                                        "send_to_handler:**",
                                        "send_to_handler:+/+/**",
                                        "read_topic:x/y",
                                        "modify_session",
                                        "register_handler:x/+/y",
                                        "register_handler:y/**"};
    static const char *const asked[] = {"view_session",   "send_to_handler",  "read_topic",
                                        "modify_session", "register_handler", "view_mesh"};
    static const enum permission numbers[] = {
        PERMISSION_VIEW_SESSION,   PERMISSION_SEND_TO_HANDLER,  PERMISSION_READ_TOPIC,
        PERMISSION_MODIFY_SESSION, PERMISSION_REGISTER_HANDLER, PERMISSION_VIEW_MESH};
    static const char *const held[] = {"",      "\"a\"",       "\"b\"",       "\"a\",\"b\"",
                                       "\"c\"", "\"a\",\"c\"", "\"b\",\"c\"", "\"a\",\"b\",\"c\""};
    static const char *const paths[] = {"x", "y", "x/y", "x/x", "x/x/y", "y/x/y/x", "xy", "+"};
    uint64_t state = 88172645463325252u;
    size_t allowed = 0, questions = 0;
    for (int round = 0; round < 2000; round++) {
        struct mesh_permission entries[6];
        size_t count = dice(&state, 7);
        for (size_t i = 0; i < count; i++)
            entries[i] = (struct mesh_permission){roles[dice(&state, 4)], given[dice(&state, 12)]};
        permissions_compile(&permissions, entries, (uint32_t)count);
        for (int question = 0; question < 50; question++, questions++) {
            unsigned roles_held = (unsigned)dice(&state, 8);
            size_t what = dice(&state, 6);
            const char *path = paths[dice(&state, 8)];
            bool is_allowed = may(held[roles_held], numbers[what], path);
            cr_assert_eq(is_allowed, naive_may(entries, count, roles_held, asked[what], path),
                         "%s at %s for %s", asked[what], path, held[roles_held]);
            allowed += is_allowed;
        }
    }
    cr_assert(allowed > questions / 10 && allowed < questions * 9 / 10, "%zu of %zu", allowed,
              questions);
}

Test(permissions, have_limits)
{
    static struct mesh_permission entries[PERMISSIONS_RULES_MAX + 1];
    static char roles[PERMISSIONS_ROLES_MAX][8];
    struct sentence why;
    for (size_t i = 0; i <= PERMISSIONS_RULES_MAX; i++)
        entries[i] = (struct mesh_permission){"a", "send_to_handler:a/b"};
    cr_assert(permissions_judge(entries, PERMISSIONS_RULES_MAX, &why));
    permissions_compile(&permissions, entries, PERMISSIONS_RULES_MAX);
    cr_assert(may("\"a\"", PERMISSION_SEND_TO_HANDLER, "a/b"));
    cr_assert_not(permissions_judge(entries, PERMISSIONS_RULES_MAX + 1, &why));
    for (size_t i = 0; i < PERMISSIONS_ROLES_MAX; i++) {
        snprintf(roles[i], sizeof roles[i], "r%zu", i);
        entries[i].role = roles[i];
    }
    cr_assert_not(permissions_judge(entries, PERMISSIONS_ROLES_MAX, &why), "and everybody");
    entries[0].role = "*";
    cr_assert(permissions_judge(entries, PERMISSIONS_ROLES_MAX, &why));
    permissions_compile(&permissions, entries, PERMISSIONS_ROLES_MAX);
    cr_assert(may("\"r63\"", PERMISSION_SEND_TO_HANDLER, "a/b"));
}

/* Whether what roles may read stays the same when `before` becomes `after`. */
static bool is_same_reading(const char *const before[2][2], const char *roles_before,
                            const char *const after[2][2], const char *roles_after)
{
    static struct permissions was, is;
    struct mesh_permission entries[2];
    for (int i = 0; i < 2; i++)
        entries[i] = (struct mesh_permission){before[i][0], before[i][1]};
    permissions_compile(&was, entries, 2);
    for (int i = 0; i < 2; i++)
        entries[i] = (struct mesh_permission){after[i][0], after[i][1]};
    permissions_compile(&is, entries, 2);
    struct rights had = permissions_rights(&was, span_text(roles_before));
    struct rights has = permissions_rights(&is, span_text(roles_after));
    return permissions_are_same(&was, &had, &is, &has, PERMISSION_READ_TOPIC);
}

Test(permissions, are_compared_by_what_they_give)
{
    const char *const places[2][2] = {{"*", "read:a/**"}, {"x", "read:b/**"}};
    const char *const others[2][2] = {{"y", "read:c/**"}, {"*", "read:a/**"}};
    const char *const all[2][2] = {{"*", "read"}, {"x", "read:b/**"}};
    const char *const none[2][2] = {{"*", "view_mesh"}, {"x", "update:a/**"}};
    cr_assert(is_same_reading(places, "", places, ""), "nothing was changed");
    cr_assert(is_same_reading(places, "", places, "\"other\""), "a role that gives nothing");
    cr_assert(is_same_reading(places, "", others, ""), "rules of roles it has not, other numbers");
    cr_assert_not(is_same_reading(places, "", places, "\"x\""));
    cr_assert_not(is_same_reading(places, "\"x\"", places, ""));
    cr_assert_not(is_same_reading(places, "\"x\"", others, "\"y\""), "as many, and others");
    cr_assert(is_same_reading(all, "", all, "\"x\""), "more than everywhere there is not");
    cr_assert_not(is_same_reading(all, "", places, ""));
    cr_assert_not(is_same_reading(none, "", all, ""));
    cr_assert(is_same_reading(none, "", none, "\"x\""), "neither may read");
}
