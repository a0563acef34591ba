/* registrations.c - see registrations.h. */
#include "mesh/routing/registrations.h"

#include "mesh/base/path.h"
#include "mesh/base/sentence.h"
#include "mesh/routing/rights.h"
#include "proto/kinds.h"

static enum error carry_out(struct routing *routing, const struct session *session, bool is_new,
                            const struct registration *registration, struct sentence *text)
{
    struct span path;
    if (registration->kind != HANDLER_REQUEST) {
        sentence_start(text, "this version registers request handlers (kind 1) only");
        return ERROR_INVALID_ARGUMENT;
    }
    enum error error = path_parse(registration->path, &path);
    if (error != ERROR_OK) {
        sentence_start(text, "the path must be segments of 1 to 255 bytes joined by /: ");
        sentence_add_span(text, registration->path);
        return error;
    }
    enum permission permission = rights_of_handler(registration->kind);
    if (is_new && !sessions_may(routing->sessions, session, permission, path)) {
        permissions_say_denied(text, permission, path);
        return ERROR_ACCESS_DENIED;
    }
    error = is_new ? ownership_handler_registered(routing->ownership, HANDLER_REQUEST, path,
                                                  session->id)
                   : ownership_handler_unregistered(routing->ownership, HANDLER_REQUEST, path,
                                                    session->id);
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
