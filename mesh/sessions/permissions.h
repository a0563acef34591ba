/* permissions.h - decides what a session may do: the operator's lists of permissions by role, made
 * into bits. What is not given is denied.
 *
 *     role -> entry, entry ..         entry: permission, or permission:selector, or *
 *     the role * is everybody's       the entry * is every permission, everywhere
 *
 * Memory: struct permissions is of fixed size; struct rights is kept by each session.
 * Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_SESSIONS_PERMISSIONS_H
#define WEFT_MESH_SESSIONS_PERMISSIONS_H

#include "mesh/base/sentence.h"
#include "mesh/config.h"
#include "mesh/sessions/roles.h"

/* X(NAME, "name", "short name or empty", takes a selector, "what it allows"); the operator's table
 * in daemon/README.md says the same. New ones are only added. */
#define PERMISSION_LIST(X)                                                                         \
    X(READ_TOPIC, "read_topic", "read", true, "fetch a topic, subscribe to it")                    \
    X(UPDATE_TOPIC, "update_topic", "update", true, "set a topic's value")                         \
    X(MODIFY_TOPIC, "modify_topic", "modify", true, "create and remove topics")                    \
    X(SEND_TO_HANDLER, "send_to_handler", "", true, "send requests to a path")                     \
    X(SEND_TO_SESSION, "send_to_session", "", true, "send requests to sessions, by that path")     \
    X(REGISTER_HANDLER, "register_handler", "", true, "serve requests and missing topics there")   \
    X(VIEW_SESSION, "view_session", "", false, "list sessions, read them, hear of them")           \
    X(MODIFY_SESSION, "modify_session", "", false, "close sessions, change them")                  \
    X(VIEW_MESH, "view_mesh", "", false, "members, handlers, counters, status; hear of members")   \
    X(AUTHENTICATE, "authenticate", "", false, "register authentication handlers")

enum permission {
#define PERMISSION_ENUM(NAME, name, also, has_selector, what) PERMISSION_##NAME,
    PERMISSION_LIST(PERMISSION_ENUM)
#undef PERMISSION_ENUM
        PERMISSIONS,
    PERMISSION_NONE = PERMISSIONS, /* needs none */
};

enum {
    PERMISSIONS_ROLES_MAX = 64, /* a bit each, one of them everybody's */
    PERMISSIONS_RULES_MAX = 1024,
    PERMISSIONS_TEXT_BYTES = 32 * 1024, /* all selectors together */
};

/* What a session's roles come to; zeroed: nothing is allowed. */
struct rights {
    uint64_t roles;   /* bits of the configured roles it has, everybody's included */
    uint32_t granted; /* bits of permissions it has everywhere */
    uint32_t scoped;  /* bits of those it has in places only */
};

struct permissions {
    uint32_t roles_count;
    struct permission_role {
        uint8_t bytes;
        char name[ROLE_BYTES_MAX];
        uint32_t granted, scoped;
    } roles[PERMISSIONS_ROLES_MAX]; /* the first is everybody's */
    uint32_t rules_count;
    uint32_t
        first[PERMISSIONS + 1]; /* where each permission's rules begin, and the last ones end */
    struct permission_rule {
        uint8_t role;
        uint16_t at, bytes;         /* the selector */
    } rules[PERMISSIONS_RULES_MAX]; /* only those with a selector */
    uint32_t text_bytes;
    char text[PERMISSIONS_TEXT_BYTES];
};

/* "view_session" and so on. */
const char *permissions_name(enum permission permission);

/* Whether the entries can be understood and are not too many; if not, `why` names role and entry
 * and says what would do. */
bool permissions_judge(const struct mesh_permission *entries, uint32_t count, struct sentence *why);

/* Makes entries that were judged good into *permissions, whatever was in it. O(entries). */
void permissions_compile(struct permissions *permissions, const struct mesh_permission *entries,
                         uint32_t count);

/* What a set of roles, as roles_print wrote it, may do. Roles that are not configured give nothing.
 * O(configured roles x bytes). */
struct rights permissions_rights(const struct permissions *permissions, struct span roles);

/* The slow half of permissions_allow. O(rules of that permission x bytes). */
bool permissions_allow_at(const struct permissions *permissions, const struct rights *rights,
                          enum permission permission, struct span path);

/* Whether it is allowed at that path, as path_parse gave it; empty, for permissions without paths.
 * One test of a bit, unless it depends on the path. */
static inline bool permissions_allow(const struct permissions *permissions,
                                     const struct rights *rights, enum permission permission,
                                     struct span path)
{
    if (permission == PERMISSION_NONE || (rights->granted & 1U << permission) != 0)
        return true;
    return (rights->scoped & 1U << permission) != 0 &&
           permissions_allow_at(permissions, rights, permission, path);
}

/* Whether it is allowed anywhere at all. */
static inline bool permissions_allow_somewhere(const struct rights *rights,
                                               enum permission permission)
{
    return ((rights->granted | rights->scoped) & 1U << permission) != 0;
}

/* Whether two rights, each with the permissions that it was made from, allow this in the same
 * places. May miss it where rules were written in another order. O(rules of that permission). */
bool permissions_are_same(const struct permissions *a, const struct rights *rights_a,
                          const struct permissions *b, const struct rights *rights_b,
                          enum permission permission);

/* "view_session is not among the session's permissions ..", for ACCESS_DENIED and DENIED. */
void permissions_say_denied(struct sentence *sentence, enum permission permission,
                            struct span path);

#endif
