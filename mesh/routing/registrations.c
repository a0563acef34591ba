/* registrations.c - see registrations.h. */
#include "mesh/routing/registrations.h"

#include "mesh/base/path.h"
#include "mesh/base/selector.h"
#include "mesh/base/sentence.h"
#include "mesh/routing/rights.h"
#include "mesh/routing/served.h"
#include "proto/kinds.h"

/* A session's requests to itself are no news to other nodes: the look-up finds the session. */
static bool is_spread(uint8_t kind)
{
    return kind != HANDLER_DIRECT;
}

static enum error add(struct routing *routing, const struct session *session,
                      const struct registration *registration, struct span path)
{
    enum handler_kind kind = (enum handler_kind)registration->kind;
    enum error error = served_add(routing->served, session->slot, kind, path, registration->keys);
    if (error != ERROR_OK || !is_spread(registration->kind))
        return error;
    error = ownership_handler_registered(routing->ownership, kind, path, session->id,
                                         registration->keys);
    if (error != ERROR_OK)
        (void)served_remove(routing->served, session->slot, kind, path);
    return error;
}

static enum error remove_it(struct routing *routing, const struct session *session,
                            enum handler_kind kind, struct span path)
{
    if (!served_remove(routing->served, session->slot, kind, path))
        return ERROR_NO_HANDLER;
    return is_spread((uint8_t)kind)
               ? ownership_handler_unregistered(routing->ownership, kind, path, session->id)
               : ERROR_OK;
}

/* Whether there can be such a registration; *path is then where. */
static enum error judge(struct routing *routing, bool is_new,
                        const struct registration *registration, struct span *path,
                        struct sentence *text)
{
    if (registration->kind < HANDLER_REQUEST || registration->kind > HANDLER_DIRECT) {
        sentence_start(text, "handlers are of kind 1 (requests), 2 (authentication), 3 (missing "
                             "topics) or 4 (requests to this session)");
        return ERROR_INVALID_ARGUMENT;
    }
    enum error error = path_parse(registration->path, path);
    if (error != ERROR_OK) {
        sentence_start(text, "the path must be segments of 1 to 255 bytes joined by /: ");
        sentence_add_span(text, registration->path);
        return error;
    }
    if (is_new && !selector_is_path(*path)) {
        sentence_start(text, "a handler serves its path and everything below it, without + or two "
                             "stars: ");
        sentence_add_span(text, *path);
        return ERROR_INVALID_PATH;
    }
    struct property_keys keys;
    if (property_keys_parse(&keys, registration->keys) != ERROR_OK) {
        sentence_start(text, "more property keys than a session can have");
        return ERROR_INVALID_ARGUMENT;
    }
    bool is_unknown = registration->kind == HANDLER_AUTHENTICATION &&
                      !identity_names(sessions_chain(routing->sessions), *path);
    if (is_new && is_unknown) {
        sentence_start(text, "no step of this node's auth.chain is handler:");
        sentence_add_span(text, *path);
        sentence_add(text, "; only names that are asked can be registered");
        return ERROR_INVALID_ARGUMENT;
    }
    return ERROR_OK;
}

static enum error carry_out(struct routing *routing, const struct session *session, bool is_new,
                            const struct registration *registration, struct sentence *text)
{
    struct span path;
    enum error error = judge(routing, is_new, registration, &path, text);
    if (error != ERROR_OK)
        return error;
    enum permission permission = rights_of_handler(registration->kind);
    enum handler_kind kind = (enum handler_kind)registration->kind;
    if (is_new && !sessions_may(routing->sessions, session, permission, path)) {
        permissions_say_denied(text, permission, path);
        return ERROR_ACCESS_DENIED;
    }
    error = is_new ? add(routing, session, registration, path)
                   : remove_it(routing, session, kind, path);
    sentence_start(text, error_sentence(error));
    sentence_add(text, ": ");
    sentence_add_span(text, path);
    return error;
}

enum error registrations_from_session(struct routing *routing, struct session *session,
                                      const struct message *message)
{
    struct registration registration;
    enum error error = schema_decode(&registration_schema, message->fields, &registration);
    if (error != ERROR_OK)
        return error;
    struct sentence text;
    bool is_new = message->kind == KIND_REGISTER;
    error = carry_out(routing, session, is_new, &registration, &text);
    if (error == ERROR_OK)
        sessions_send_done(routing->sessions, session, message->correlation);
    else
        sessions_send_error(routing->sessions, session, message->correlation, error,
                            sentence_span(&text));
    return ERROR_OK;
}
