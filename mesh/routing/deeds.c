/* deeds.c - see deeds.h. */
#include "mesh/routing/deeds.h"

#include "mesh/base/bugs.h"
#include "mesh/base/selector.h"
#include "mesh/topics/topics.h"

static bool is_of_topics(uint8_t verb)
{
    return verb == COMMAND_SUBSCRIBE || verb == COMMAND_UNSUBSCRIBE;
}

bool deeds_is_one(uint8_t verb)
{
    return verb == COMMAND_CLOSE || verb == COMMAND_SET_PROPERTIES ||
           verb == COMMAND_CHANGE_ROLES || verb == COMMAND_SET_CONFLATED || is_of_topics(verb);
}

static enum error role_refuse(struct sentence *why, struct span name, const char *words)
{
    sentence_start(why, "role '");
    sentence_add_span(why, name);
    sentence_add(why, words);
    return ERROR_INVALID_ARGUMENT;
}

static enum error roles_read(struct roles *roles, struct span groups, struct sentence *why)
{
    struct role role;
    enum error error;
    roles->count = 0;
    while (group_next(&role_schema, &groups, &role, &error)) {
        enum error verdict = roles_add(roles, role.name);
        if (verdict == ERROR_LIMIT_REACHED)
            return role_refuse(why, role.name, "' is one too many: a session has at most 32");
        if (verdict != ERROR_OK)
            return role_refuse(why, role.name,
                               "': a role has 1 to 64 bytes without blanks, quotes, backslashes, "
                               "parentheses, brackets and commas, and is not `*`");
    }
    return error;
}

static enum error roles_change_read(struct deed *deed, const struct command *command,
                                    struct sentence *why)
{
    enum error error = roles_read(&deed->add, command->add_roles, why);
    if (error == ERROR_OK)
        error = roles_read(&deed->remove, command->remove_roles, why);
    if (error != ERROR_OK)
        return error;
    error = roles_change_judge(&deed->remove, &deed->add);
    if (error != ERROR_OK)
        sentence_start(why, deed->add.count + deed->remove.count == 0
                                ? "no role is named; name at least one to add or to remove"
                                : "one role is both to be added and to be removed");
    return error;
}

static enum error selector_read(struct deed *deed, struct span text, struct sentence *why)
{
    if (selector_parse(text, &deed->selector) == ERROR_OK)
        return ERROR_OK;
    sentence_start(why, "the command needs a selector: a path in which `+` is any one segment, and "
                        "two stars at the end are everything there and below");
    return ERROR_INVALID_ARGUMENT;
}

enum error deeds_read(struct deed *deed, const struct command *command, struct span body,
                      struct sentence *why)
{
    require(deeds_is_one(command->verb));
    deed->verb = command->verb;
    deed->text = command->text;
    deed->is_conflated = command->is_conflated;
    if (deed->verb == COMMAND_SET_PROPERTIES)
        return property_changes_read(&deed->properties, body, why);
    if (deed->verb == COMMAND_CHANGE_ROLES)
        return roles_change_read(deed, command, why);
    if (is_of_topics(deed->verb))
        return selector_read(deed, command->selector, why);
    return ERROR_OK;
}

enum error deeds_do(struct routing *routing, const struct deed *deed, struct session *session,
                    uint32_t *removed)
{
    struct sessions *sessions = routing->sessions;
    enum error error = ERROR_OK;
    bool is_odd = (session->id.serial & 1) != 0;
    if ((bug_is_planted(BUG_CLOSED_LIVES) && is_odd && deed->verb == COMMAND_CLOSE) ||
        (bug_is_planted(BUG_CHANGE_LOST) && is_odd && deed->verb == COMMAND_SET_PROPERTIES))
        return ERROR_OK;
    if (deed->verb == COMMAND_CLOSE)
        sessions_close(sessions, session, CLOSE_REASON_CLOSED_BY_CONTROLLER, deed->text);
    else if (deed->verb == COMMAND_SET_PROPERTIES)
        error = sessions_change_properties(sessions, session, &deed->properties.set);
    else if (deed->verb == COMMAND_CHANGE_ROLES)
        error = sessions_change_roles(sessions, session, &deed->remove, &deed->add);
    else if (deed->verb == COMMAND_SUBSCRIBE)
        error = topics_subscribe(routing->topics, session, deed->selector);
    else if (deed->verb == COMMAND_UNSUBSCRIBE)
        error = topics_unsubscribe(routing->topics, session, deed->selector);
    else
        *removed += sessions_set_conflated(session, deed->is_conflated);
    if (error == ERROR_OK)
        count(routing->context, COUNTER_commands_applied);
    return error;
}

size_t deeds_weight(const struct deed *deed, const struct session *session)
{
    return deed->verb == COMMAND_SET_PROPERTIES ? session->properties.bytes : 0;
}

bool deeds_previous(struct routing *routing, const struct deed *deed, const struct session *session,
                    struct span *previous)
{
    struct property_set set;
    *previous = (struct span){0};
    if (deed->verb != COMMAND_SET_PROPERTIES)
        return true;
    properties_compare(&session->properties, &deed->properties.set, &set);
    size_t bytes = property_set_measure(&set);
    void *memory = scratch_new(&routing->context->scratch, bytes);
    if (memory == NULL)
        return false;
    struct writer writer;
    writer_init(&writer, memory, bytes);
    property_set_encode(&set, &writer);
    *previous = span_of(memory, bytes);
    return true;
}
