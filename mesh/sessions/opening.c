/* opening.c - HELLO, up to the point where it is asked who that is.
 *
 * The order of the questions is the order of what a client can do about the answer: malformed,
 * version, mesh, readiness (another node may serve it now), room, properties. */
#include "mesh/sessions/opening.h"

#include "mesh/base/bugs.h"
#include "mesh/base/sentence.h"
#include "mesh/base/wipe.h"
#include "mesh/sessions/resuming.h"
#include "mesh/sessions/table.h"

/* Why a HELLO is not welcome; code ERROR_OK: it is. */
struct refusal {
    enum error code;
    struct sentence text;
};

static enum error refuse(struct refusal *refusal, enum error code, const char *words)
{
    refusal->code = code;
    sentence_start(&refusal->text, words);
    return code;
}

static void version_judge(const struct client_hello *hello, struct refusal *refusal)
{
    bool is_common =
        hello->version_min <= WIRE_VERSION_MAX && hello->version_max >= WIRE_VERSION_MIN;
    if (is_common && hello->version_min <= hello->version_max)
        return;
    refuse(refusal, ERROR_VERSION_MISMATCH, "the client speaks wire versions ");
    sentence_add_number(&refusal->text, hello->version_min);
    sentence_add(&refusal->text, " to ");
    sentence_add_number(&refusal->text, hello->version_max);
    sentence_add(&refusal->text, ", this node ");
    sentence_add_number(&refusal->text, WIRE_VERSION_MIN);
    sentence_add(&refusal->text, " to ");
    sentence_add_number(&refusal->text, WIRE_VERSION_MAX);
}

static void mesh_judge(const struct sessions *sessions, const struct client_hello *hello,
                       struct refusal *refusal)
{
    struct span cluster = span_text(sessions->context->config->cluster);
    if (hello->mesh.bytes == 0 || span_equal(hello->mesh, cluster))
        return;
    refuse(refusal, ERROR_WRONG_MESH, "the client wants the mesh ");
    sentence_add_span(&refusal->text, hello->mesh);
    sentence_add(&refusal->text, ", this node belongs to ");
    sentence_add_span(&refusal->text, cluster);
}

static void hello_judge(const struct sessions *sessions, const struct client_hello *hello,
                        struct refusal *refusal)
{
    version_judge(hello, refusal);
    if (refusal->code == ERROR_OK)
        mesh_judge(sessions, hello, refusal);
    if (refusal->code == ERROR_OK && !sessions->is_ready)
        refuse(refusal, ERROR_NOT_READY,
               "this node does not serve clients now: it is joining the mesh or leaving it; try "
               "another node, or again");
}

static struct span client_type(struct span offered)
{
    static const char *const known[] = {"c", "javascript", "python", "cli"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (span_equal(offered, span_text(known[i])))
            return offered;
    }
    return span_text("other");
}

/* The fixed properties; what else it is to have, roles among it, comes with the allow. */
static enum error properties_fill(struct sessions *sessions, struct session *session,
                                  const struct client_hello *hello, struct span address)
{
    struct context *context = sessions->context;
    struct property_set set = {.count = 0};
    struct sentence id, start;
    sentence_start(&id, "");
    sentence_add_id(&id, session->id);
    sentence_start(&start, "");
    sentence_add_number(&start, context->wall_ms);
    property_set_put(&set, "$SessionId", sentence_span(&id));
    property_set_put(&set, "$Principal", hello->principal);
    property_set_put(&set, "$Roles", (struct span){0});
    property_set_put(&set, "$ClientType", client_type(hello->client_type));
    property_set_put(&set, "$Transport", span_text("zmq"));
    property_set_put(&set, "$ServerName", span_text(context->config->name));
    property_set_put(&set, "$Connector", span_text("clients"));
    property_set_put(&set, "$ClientIP", span_is_text(address) ? address : (struct span){0});
    property_set_put(&set, "$StartTime", sentence_span(&start));
    property_set_put(&set, "$Environment", hello->environment);
    return properties_store(&session->properties, &context->memory, &set);
}

/* Never: only its own node has it back. */
static bool is_stolen(struct sessions *sessions, const struct client_hello *hello)
{
    return bug_is_planted(BUG_TWO_OWNERS) && !session_id_is_none(hello->session) &&
           hello->session.instance != sessions->context->instance &&
           sessions_find(sessions, hello->session) == NULL;
}

/* A slot and an id; NULL when the tables are full or have no memory left. */
static struct session *session_take(struct sessions *sessions, uint32_t connection,
                                    const struct client_hello *hello, uint64_t correlation,
                                    struct refusal *refusal)
{
    struct session_id id = {.instance = sessions->context->instance};
    while (id.serial == 0)
        id.serial = permutation_apply(&sessions->serials, sessions->serial++);
    if (bug_is_planted(BUG_SAME_ID))
        id.serial = sessions->serial & 31;
    if (is_stolen(sessions, hello))
        id = hello->session;
    struct hashmap_key key = {.high = id.instance, .low = id.serial};
    struct session *session = table_take(sessions, connection);
    if (session != NULL && hashmap_put(&sessions->by_id, key, session->slot)) {
        session->id = id;
        session->hello_correlation = correlation;
        return session;
    }
    if (session != NULL)
        table_release(sessions, session, true);
    refuse(refusal, ERROR_LIMIT_REACHED,
           "this node hosts as many sessions as sessions.max or its memory allows; try another");
    return NULL;
}

bool opening_hello(struct sessions *sessions, uint32_t connection, struct span address,
                   const struct message *message, struct opening *opening)
{
    struct refusal refusal = {.code = ERROR_OK};
    struct client_hello *hello = &opening->hello;
    enum error error = schema_decode(&client_hello_schema, message->fields, hello);
    if (error != ERROR_OK)
        refuse(&refusal, error, "the fields of HELLO could not be read");
    else if (hello->credentials.bytes > 0)
        wipe_input(sessions->context->outbox);
    if (error == ERROR_OK)
        hello_judge(sessions, hello, &refusal);
    if (refusal.code == ERROR_OK && !session_id_is_none(hello->session) &&
        !is_stolen(sessions, hello)) {
        const char *why = "";
        error = resuming_hello(sessions, connection, opening, message->correlation, &why);
        if (error == ERROR_OK)
            return false;
        refuse(&refusal, error, why);
    }
    struct session *session = NULL;
    if (refusal.code == ERROR_OK)
        session = session_take(sessions, connection, hello, message->correlation, &refusal);
    if (session == NULL) {
        sessions_refuse(sessions, connection, message->correlation, refusal.code,
                        sentence_span(&refusal.text));
        return false;
    }
    session->reconnect_ms = hello->reconnect_ms; /* as asked; granted with WELCOME */
    session->owner = resuming_owner(opening);
    opening->session = session;
    opening->offered = message->body;
    error = properties_fill(sessions, session, hello, address);
    if (error == ERROR_OK)
        return true;
    sessions_turn_away(sessions, session, error,
                       span_text("no memory for the session's properties (memory.properties)"));
    return false;
}

void opening_admit(struct sessions *sessions, struct session *session)
{
    require(session->phase == SESSION_PHASE_OPENING);
    table_announce(sessions, session);
}
