/* control.c - the calls of weft_control.h: what they take, put into one COMMAND. */
#include "client/weft_control.h"

#include "client/calls.h"
#include "client/client.h"
#include "client/paths.h"
#include "client/query.h"

#include <stdlib.h>

static struct session_id wire_id(struct weft_session_id id)
{
    return (struct session_id){.instance = id.instance, .serial = id.serial};
}

/* The filter's part of a command. */
static enum weft_error put_matching(struct command *command, const struct weft_matching *matching)
{
    if (matching == NULL || matching->filter == NULL)
        return WEFT_INVALID_ARGUMENT;
    command->filter = span_text(matching->filter);
    command->dry_run = matching->dry_run;
    command->expect_max = matching->expect_max;
    if (command->filter.bytes == 0 || command->filter.bytes > FILTER_BYTES_MAX)
        return WEFT_INVALID_FILTER; /* an empty one would be none, on the wire */
    return WEFT_OK;
}

static enum weft_error put_id(struct command *command, struct weft_session_id session)
{
    command->session = wire_id(session);
    return session_id_is_none(command->session) ? WEFT_INVALID_ARGUMENT : WEFT_OK;
}

/* What the call is given at last. */
struct asking {
    uint32_t timeout_ms;
    weft_result_fn *callback;
    void *user;
};

static enum weft_error ask(struct weft_client *client, struct command *command, struct span body,
                           enum weft_error error, const struct asking *asking)
{
    if (error != WEFT_OK)
        return error;
    return query_ask(client, command, body, asking->timeout_ms, asking->callback, asking->user);
}

/* ---- close ---- */

enum weft_error weft_close_matching(struct weft_client *client,
                                    const struct weft_matching *matching, const char *reason,
                                    uint32_t timeout_ms, weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_CLOSE, .text = span_text(reason)};
    struct asking asking = {timeout_ms, callback, user};
    return ask(client, &command, (struct span){0}, put_matching(&command, matching), &asking);
}

/* ---- properties ---- */

static struct property wire_property(const struct weft_property *property)
{
    return (struct property){
        .key = span_text(property->key),
        .value = span_text(property->value),
        .is_absent = property->value == NULL,
    };
}

static enum weft_error set_properties(struct weft_client *client, struct command *command,
                                      const struct weft_property *properties, size_t count,
                                      const struct asking *asking)
{
    size_t bytes = 0;
    if (count == 0 || properties == NULL)
        return WEFT_INVALID_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        struct property property = wire_property(&properties[i]);
        if (property.key.bytes > PROPERTY_KEY_BYTES_MAX || !span_is_text(property.key) ||
            property.value.bytes > PROPERTY_VALUE_BYTES_MAX || !span_is_text(property.value))
            return WEFT_INVALID_ARGUMENT;
        bytes += 4 + schema_measure(&property_schema, &property);
    }
    void *groups = malloc(bytes);
    if (groups == NULL)
        return WEFT_OVERLOADED;
    struct writer writer;
    writer_init(&writer, groups, bytes);
    for (size_t i = 0; i < count; i++) {
        struct property property = wire_property(&properties[i]);
        group_encode(&property_schema, &property, &writer);
    }
    enum weft_error error = ask(client, command, span_of(groups, bytes), WEFT_OK, asking);
    free(groups);
    return error;
}

enum weft_error weft_set_properties(struct weft_client *client, struct weft_session_id session,
                                    const struct weft_property *properties, size_t count,
                                    uint32_t timeout_ms, weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_SET_PROPERTIES};
    struct asking asking = {timeout_ms, callback, user};
    enum weft_error error = put_id(&command, session);
    return error != WEFT_OK ? error : set_properties(client, &command, properties, count, &asking);
}

enum weft_error weft_set_properties_matching(struct weft_client *client,
                                             const struct weft_matching *matching,
                                             const struct weft_property *properties, size_t count,
                                             uint32_t timeout_ms, weft_result_fn *callback,
                                             void *user)
{
    struct command command = {.verb = COMMAND_SET_PROPERTIES};
    struct asking asking = {timeout_ms, callback, user};
    enum weft_error error = put_matching(&command, matching);
    return error != WEFT_OK ? error : set_properties(client, &command, properties, count, &asking);
}

/* ---- roles ---- */

enum { ROLES_ROOM = ROLES_MAX * (ROLE_BYTES_MAX + 8) };

/* Names joined by ',' as groups in the room; false: too many, or one that is too long. */
static bool roles_encode(const char *names, uint8_t room[ROLES_ROOM], struct span *groups)
{
    struct writer writer;
    writer_init(&writer, room, ROLES_ROOM);
    for (const char *at = names; at != NULL && *at != '\0';) {
        size_t bytes = strcspn(at, ",");
        struct role role = {.name = span_of(at, bytes)};
        if (bytes > ROLE_BYTES_MAX || !span_is_text(role.name) ||
            writer.left < 4 + schema_measure(&role_schema, &role))
            return false;
        group_encode(&role_schema, &role, &writer);
        at += bytes + (at[bytes] == ',');
    }
    *groups = span_of(room, ROLES_ROOM - writer.left);
    return true;
}

static enum weft_error change_roles(struct weft_client *client, struct command *command,
                                    const char *add, const char *remove,
                                    const struct asking *asking)
{
    uint8_t add_room[ROLES_ROOM], remove_room[ROLES_ROOM];
    enum weft_error error = WEFT_INVALID_ARGUMENT;
    if (roles_encode(add, add_room, &command->add_roles) &&
        roles_encode(remove, remove_room, &command->remove_roles))
        error = ask(client, command, (struct span){0}, WEFT_OK, asking);
    command->add_roles = command->remove_roles = (struct span){0}; /* the rooms end here */
    return error;
}

enum weft_error weft_change_roles(struct weft_client *client, struct weft_session_id session,
                                  const char *add, const char *remove, uint32_t timeout_ms,
                                  weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_CHANGE_ROLES};
    struct asking asking = {timeout_ms, callback, user};
    enum weft_error error = put_id(&command, session);
    return error != WEFT_OK ? error : change_roles(client, &command, add, remove, &asking);
}

enum weft_error weft_change_roles_matching(struct weft_client *client,
                                           const struct weft_matching *matching, const char *add,
                                           const char *remove, uint32_t timeout_ms,
                                           weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_CHANGE_ROLES};
    struct asking asking = {timeout_ms, callback, user};
    enum weft_error error = put_matching(&command, matching);
    return error != WEFT_OK ? error : change_roles(client, &command, add, remove, &asking);
}

/* ---- the switch ---- */

enum weft_error weft_set_conflated(struct weft_client *client, struct weft_session_id session,
                                   bool is_conflated, uint32_t timeout_ms, weft_result_fn *callback,
                                   void *user)
{
    struct command command = {.verb = COMMAND_SET_CONFLATED, .is_conflated = is_conflated};
    struct asking asking = {timeout_ms, callback, user};
    return ask(client, &command, (struct span){0}, put_id(&command, session), &asking);
}

enum weft_error weft_set_conflated_matching(struct weft_client *client,
                                            const struct weft_matching *matching, bool is_conflated,
                                            uint32_t timeout_ms, weft_result_fn *callback,
                                            void *user)
{
    struct command command = {.verb = COMMAND_SET_CONFLATED, .is_conflated = is_conflated};
    struct asking asking = {timeout_ms, callback, user};
    return ask(client, &command, (struct span){0}, put_matching(&command, matching), &asking);
}

/* ---- topics ---- */

static enum weft_error select_by_id(struct weft_client *client, uint8_t verb,
                                    struct weft_session_id session, const char *selector,
                                    const struct asking *asking)
{
    struct command command = {.verb = verb};
    enum weft_error error = put_id(&command, session);
    if (!paths_normalise(selector, &command.selector))
        error = WEFT_INVALID_PATH;
    return ask(client, &command, (struct span){0}, error, asking);
}

static enum weft_error select_matching(struct weft_client *client, uint8_t verb,
                                       const struct weft_matching *matching, const char *selector,
                                       const struct asking *asking)
{
    struct command command = {.verb = verb};
    enum weft_error error = put_matching(&command, matching);
    if (!paths_normalise(selector, &command.selector))
        error = WEFT_INVALID_PATH;
    return ask(client, &command, (struct span){0}, error, asking);
}

enum weft_error weft_subscribe_session(struct weft_client *client, struct weft_session_id session,
                                       const char *selector, uint32_t timeout_ms,
                                       weft_result_fn *callback, void *user)
{
    struct asking asking = {timeout_ms, callback, user};
    return select_by_id(client, COMMAND_SUBSCRIBE, session, selector, &asking);
}

enum weft_error weft_unsubscribe_session(struct weft_client *client, struct weft_session_id session,
                                         const char *selector, uint32_t timeout_ms,
                                         weft_result_fn *callback, void *user)
{
    struct asking asking = {timeout_ms, callback, user};
    return select_by_id(client, COMMAND_UNSUBSCRIBE, session, selector, &asking);
}

enum weft_error weft_subscribe_matching(struct weft_client *client,
                                        const struct weft_matching *matching, const char *selector,
                                        uint32_t timeout_ms, weft_result_fn *callback, void *user)
{
    struct asking asking = {timeout_ms, callback, user};
    return select_matching(client, COMMAND_SUBSCRIBE, matching, selector, &asking);
}

enum weft_error weft_unsubscribe_matching(struct weft_client *client,
                                          const struct weft_matching *matching,
                                          const char *selector, uint32_t timeout_ms,
                                          weft_result_fn *callback, void *user)
{
    struct asking asking = {timeout_ms, callback, user};
    return select_matching(client, COMMAND_UNSUBSCRIBE, matching, selector, &asking);
}
