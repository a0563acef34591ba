/* resuming.c - see resuming.h.
 *
 * What travels for a session is numbered on both sides, by counting (kind_is_numbered). A node
 * holds what it sent until the client has said that it has it (outbound.h); HELLO says how far the
 * client came, and what lies behind is sent again. WELCOME says how far the node came: what the
 * client sent beyond that is lost with the old connection, and the client sends it again. Frames of
 * the old connection that come later are ignored, because it is no longer the session's. So nothing
 * is lost and nothing comes twice, wherever the connection broke.
 *
 * Whose key. A session goes on under keys of the owner that it was opened under: a key that was
 * taken away leaves nothing behind that others could go on with.
 *
 * The token. 32 random bytes, used as a ChaCha20 key; kept are the first 32 bytes of its key
 * stream. Whoever has them and finds the token has found a ChaCha20 key from its output. (An
 * ordinary hash would serve as well; this one is at hand, and the token is random: there is nothing
 * to guess.)
 *
 * (R1) a session has its connection in by_connection exactly while it is not disconnected
 * (R2) a refused HELLO changes nothing: everything that can fail is asked first */
#include "mesh/sessions/resuming.h"

#include "mesh/base/bugs.h"
#include "mesh/base/wipe.h"
#include "mesh/sessions/conduct.h"
#include "mesh/sessions/table.h"

#define MS_NS UINT64_C(1000000)

/* Nobody else draws from a generator whose seed is a token; the number is "resume". */
#define TOKEN_STREAM UINT64_C(0x656d75736572)

static void token_hash(const uint8_t token[TOKEN_BYTES], uint8_t hash[SESSION_TOKEN_HASH_BYTES])
{
    struct random stream;
    random_init(&stream, token, TOKEN_STREAM);
    random_bytes(&stream, hash, SESSION_TOKEN_HASH_BYTES);
    wipe_bytes(&stream, sizeof stream); /* it holds the token */
}

/* All bytes are looked at, whatever the first ones are. */
static bool hash_equal(const uint8_t a[SESSION_TOKEN_HASH_BYTES],
                       const uint8_t b[SESSION_TOKEN_HASH_BYTES])
{
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < SESSION_TOKEN_HASH_BYTES; i++)
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    return difference == 0;
}

void resuming_grant(struct sessions *sessions, struct session *session, uint32_t asked_ms,
                    uint8_t token[TOKEN_BYTES])
{
    uint32_t most_ms = sessions->context->config->session_reconnect_ms;
    session->reconnect_ms = asked_ms < most_ms ? asked_ms : most_ms;
    random_bytes(&sessions->context->random, token, TOKEN_BYTES);
    token_hash(token, session->token_hash);
    if (session->reconnect_ms > 0)
        outbound_keep_sent(&session->outbound);
}

uint64_t resuming_owner(const struct opening *opening)
{
    return opening->owner.bytes == 0 ? 0 : mesh_name_hash(opening->owner);
}

/* The session that the client may have; NULL: there is none, or it is not his. */
static struct session *session_of(struct sessions *sessions, const struct opening *opening)
{
    const struct client_hello *hello = &opening->hello;
    static const uint8_t nobodys[SESSION_TOKEN_HASH_BYTES];
    struct session *session = sessions_find(sessions, hello->session);
    bool can_be = session != NULL && session->reconnect_ms > 0 && hello->token.bytes == TOKEN_BYTES;
    uint8_t token[TOKEN_BYTES] = {0}, hash[SESSION_TOKEN_HASH_BYTES];
    if (hello->token.bytes == TOKEN_BYTES)
        memcpy(token, hello->token.data, TOKEN_BYTES);
    token_hash(token, hash);
    bool is_his = hash_equal(hash, session == NULL ? nobodys : session->token_hash);
    return can_be && is_his && session->owner == resuming_owner(opening) ? session : NULL;
}

static void welcome_back(struct sessions *sessions, struct session *session,
                         const struct client_hello *hello)
{
    struct outbound *queue = &session->outbound;
    uint64_t received = hello->received_seq;
    uint64_t held_from = queue->credit_messages_sent - queue->sent_messages;
    received += bug_is_planted(BUG_RESUME_LOSES) && received < queue->credit_messages_sent;
    received -= bug_is_planted(BUG_RESUME_REPEATS) && received > held_from;
    uint64_t from = outbound_rewind(queue, received, session->connection);
    bool is_recovered = from == received;
    struct client_welcome welcome = {
        .recovered = is_recovered,
        .received_seq = session->received_seq,
        .resumed_seq = is_recovered ? hello->received_seq : from,
    };
    count(sessions->context, COUNTER_sessions_resumed);
    if (!is_recovered)
        count(sessions->context, COUNTER_sessions_unrecovered);
    session->acknowledged_seq = session->received_seq;
    session->unacknowledged_bytes = 0;
    outbound_unblock(queue);
    sessions_say_welcome(sessions, session, &welcome);
}

enum error resuming_hello(struct sessions *sessions, uint32_t connection,
                          const struct opening *opening, uint64_t correlation, const char **why)
{
    struct context *context = sessions->context;
    const struct client_hello *hello = &opening->hello;
    struct session *session = session_of(sessions, opening);
    if (session == NULL) {
        count(context, COUNTER_sessions_not_resumed);
        *why = "there is no such session to resume here, or token or key are not its own; open a "
               "new one";
        return ERROR_NO_SUCH_SESSION;
    }
    if (hello->received_seq > session->outbound.credit_messages_sent) {
        *why = "received_seq is beyond what this node has sent in the session";
        return ERROR_INVALID_MESSAGE;
    }
    bool is_taken_over = !session->is_connection_lost;
    uint32_t before = session->connection;
    if (!table_attach(sessions, session, connection)) {
        *why = "this node has no memory for one more connection; try again";
        return ERROR_LIMIT_REACHED;
    }
    if (is_taken_over) /* half open: the client knows that it is gone, TCP here does not */
        table_cut(sessions, before);
    else
        sessions_changed(sessions, session, SESSION_CHANGED_STATE);
    session->hello_correlation = correlation;
    session->heard_ns = context->now_ns;
    conduct_silence(sessions, session);
    welcome_back(sessions, session, hello);
    return ERROR_OK;
}

void resuming_wait(struct sessions *sessions, struct session *session)
{
    struct context *context = sessions->context;
    require(session->phase == SESSION_PHASE_OPEN && session->reconnect_ms > 0);
    require(session->is_connection_lost);
    count(context, COUNTER_sessions_disconnected);
    outbound_block(&session->outbound);
    deadlines_set(context->deadlines, &session->deadline,
                  context->now_ns + session->reconnect_ms * MS_NS);
    sessions_changed(sessions, session, SESSION_CHANGED_STATE);
}

void resuming_due(struct sessions *sessions, struct session *session)
{
    sessions_close(sessions, session, CLOSE_REASON_CONNECTION_LOST, (struct span){0});
}
