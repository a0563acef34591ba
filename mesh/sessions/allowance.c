/* allowance.c - see allowance.h. */
#include "mesh/sessions/allowance.h"

#include "mesh/sessions/principals.h"
#include "mesh/sessions/table.h"

/* Puts principal and roles among the changes: those of the user and of the place are there. */
static enum error complete(struct allowance *allowance, struct span principal, struct span text)
{
    struct roles roles;
    if (principal.bytes > PRINCIPAL_BYTES_MAX || roles_parse(&roles, text) != ERROR_OK)
        return ERROR_INVALID_ARGUMENT;
    struct property named = {.key = key_text(KEY_PRINCIPAL), .value = principal};
    struct property held = {.key = key_text(KEY_ROLES),
                            .value = roles_print(&roles, allowance->roles_text)};
    struct property_set *set = &allowance->changes.set;
    return property_set_add(set, &named) && property_set_add(set, &held) ? ERROR_OK
                                                                         : ERROR_INVALID_ARGUMENT;
}

enum error allowance_make(struct allowance *allowance, struct span principal, struct span roles,
                          struct span offered, struct span *culprit)
{
    struct property_set *set = &allowance->changes.set;
    set->count = set->user_count = 0;
    enum error error = property_set_offer(set, offered, culprit);
    return error == ERROR_OK ? complete(allowance, principal, roles) : error;
}

enum error allowance_read(struct allowance *allowance, struct span groups, struct span claimed)
{
    struct property property;
    struct span principal = claimed, roles = {0};
    struct sentence why;
    enum error error = ERROR_OK;
    unsigned principals = 0, sets = 0;
    allowance->changes.set.count = allowance->changes.set.user_count = 0;
    if (groups.bytes > 0)
        error = property_changes_read(&allowance->changes, groups, &why);
    while (error == ERROR_OK && group_next(&property_schema, &groups, &property, &error)) {
        enum key key = key_of(property.key);
        if (key == KEY_PRINCIPAL) {
            principal = property.value;
            principals++;
        } else if (key == KEY_ROLES) {
            roles = property.value;
            sets++;
        }
    }
    if (error == ERROR_OK && principals <= 1 && sets <= 1)
        error = complete(allowance, principal, roles);
    else
        error = ERROR_INVALID_MESSAGE;
    return error == ERROR_OK ? ERROR_OK : ERROR_INVALID_MESSAGE;
}

enum error allowance_give(struct sessions *sessions, struct session *session,
                          const struct allowance *allowance)
{
    const struct property_set *changes = &allowance->changes.set;
    struct memory *memory = &sessions->context->memory;
    struct property_set previous;
    bool is_open = session->phase == SESSION_PHASE_OPEN;
    properties_compare(&session->properties, changes, &previous);
    if (previous.count == 0)
        return ERROR_OK;
    if (is_open)
        principals_remove(sessions, session); /* it is found by the name it has */
    enum error error = properties_change(&session->properties, memory, changes);
    if (is_open)
        principals_add(sessions, session);
    if (error != ERROR_OK || !is_open)
        return error;
    table_rights_follow(sessions, session);
    sessions_changed(sessions, session, SESSION_CHANGED_PROPERTIES);
    sessions_changed(sessions, session, SESSION_CHANGED_ROLES);
    return ERROR_OK;
}
