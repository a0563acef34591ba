/* rights.c - see rights.h. Giving something up (UNREGISTER, UNLISTEN, CANCEL) needs no permission,
 * and an answer to a request that was handed over needs none either.
 *
 * What another node forwards is not judged again: the session's own node has judged it, and is the
 * only one that knows the session's roles. A node trusts its peers; keys keep strangers out. */
#include "mesh/routing/rights.h"

#include "mesh/routing/listeners.h"
#include "mesh/routing/served.h"
#include "proto/kinds.h"
#include "proto/ownership.h"

enum permission rights_of_command(uint8_t verb)
{
    switch ((enum command_verb)verb) {
    case COMMAND_CLOSE:
    case COMMAND_SET_PROPERTIES:
    case COMMAND_CHANGE_ROLES:
    case COMMAND_SET_CONFLATED:
    case COMMAND_SUBSCRIBE:
    case COMMAND_UNSUBSCRIBE:
        return PERMISSION_MODIFY_SESSION;
    case COMMAND_GET_PROPERTIES:
    case COMMAND_LIST_SESSIONS:
        return PERMISSION_VIEW_SESSION;
    case COMMAND_MEMBERS:
    case COMMAND_HANDLERS:
    case COMMAND_STATUS:
    case COMMAND_COUNTERS:
    case COMMAND_VERDICTS:
    case COMMAND_HANDLER_STATS:
        return PERMISSION_VIEW_MESH;
    }
    return PERMISSION_NONE;
}

enum permission rights_of_listen(uint8_t what)
{
    return what == LISTEN_SESSION ? PERMISSION_VIEW_SESSION : PERMISSION_VIEW_MESH;
}

enum permission rights_of_handler(uint8_t kind)
{
    if (kind == HANDLER_DIRECT)
        return PERMISSION_NONE; /* who sends to it needs one */
    return kind == HANDLER_AUTHENTICATION ? PERMISSION_AUTHENTICATE : PERMISSION_REGISTER_HANDLER;
}

/* UNREGISTER from the node: the registration is over. The path is the directory's, and goes with
 * it: hence a copy. */
static void take_back(struct routing *routing, struct session *session, enum handler_kind kind,
                      struct span in_directory)
{
    uint8_t text[PATH_BYTES_MAX];
    require(in_directory.bytes <= sizeof text);
    memcpy(text, in_directory.data, in_directory.bytes);
    struct span path = span_of(text, in_directory.bytes);
    struct registration registration = {.kind = (uint8_t)kind, .path = path};
    struct outgoing message = {
        .kind = KIND_UNREGISTER,
        .schema = &registration_schema,
        .fields = &registration,
    };
    sessions_send(routing->sessions, session, &message);
    (void)served_remove(routing->served, session->slot, kind, path);
    (void)ownership_handler_unregistered(routing->ownership, kind, path, session->id);
}

void rights_session_changed(struct routing *routing, struct session *session)
{
    uint32_t index = 0;
    enum handler_kind kind;
    struct span path;
    while (session->phase == SESSION_PHASE_OPEN &&
           ownership_handler_of_session(routing->ownership, session->id, index, &kind, &path)) {
        bool is_asked = kind != HANDLER_AUTHENTICATION ||
                        identity_names(sessions_chain(routing->sessions), path);
        if ((unsigned)kind >= OWNERSHIP_KIND_LISTENER ||
            (is_asked &&
             sessions_may(routing->sessions, session, rights_of_handler((uint8_t)kind), path)))
            index++;
        else
            take_back(routing, session, kind, path);
    }
    listeners_rights_changed(routing, session);
}

void rights_all_changed(struct routing *routing)
{
    struct session *session = sessions_next(routing->sessions, NULL);
    while (session != NULL) {
        struct session *next = sessions_next(routing->sessions, session);
        rights_session_changed(routing, session); /* a full queue may close it */
        session = next;
    }
}
