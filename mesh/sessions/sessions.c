/* sessions.c - the life of a session, from HELLO to the last word.
 *
 * Nothing here tells another room anything: an event waits until mesh.c takes it, deals with it and
 * comes back with sessions_welcome, sessions_refuse or sessions_bury. mesh.c does so after every
 * message, so between two messages no session is ENDED, and one that is OPENING waits for somebody
 * to say who it is.
 *
 * (S1) Only an OPEN session sends and receives. Behind what was queued when it ended comes GOODBYE
 *      and nothing else.
 * (S2) A session ends once, with one reason: the first.
 * (S3) An id is never given twice: serials are a permutation of a counter.
 * (S4) by_connection holds every slot that is neither FREE nor without a connection, and the
 *      connections being cut; by_id holds the slots that are not FREE and have an id. */
#include "mesh/sessions/sessions.h"

#include "mesh/base/audit.h"
#include "mesh/base/bugs.h"
#include "mesh/base/sentence.h"
#include "mesh/sessions/conduct.h"
#include "mesh/sessions/principals.h"
#include "mesh/sessions/resuming.h"
#include "mesh/sessions/table.h"
#include "proto/kinds.h"

/* Until the client's first GRANT: enough for a small program that never grants in its life. */
enum { FIRST_CREDIT_MESSAGES = 1024, FIRST_CREDIT_BYTES = 1024 * 1024 };

struct sessions *sessions_new(struct context *context)
{
    uint32_t capacity = context->config->sessions_max;
    struct sessions *sessions = memory_new(&context->memory, MEMORY_TABLES, sizeof *sessions);
    if (sessions == NULL)
        return NULL;
    *sessions = (struct sessions){
        .context = context,
        .capacity = capacity,
        .first_free = SESSION_NONE,
        .first_open = SESSION_NONE,
        .last_open = SESSION_NONE,
        .first_event = SESSION_NONE,
        .last_event = SESSION_NONE,
        .slots = memory_new(&context->memory, MEMORY_TABLES, capacity * sizeof(struct session)),
        .permissions = memory_new(&context->memory, MEMORY_TABLES, sizeof *sessions->permissions),
    };
    struct random *random = &context->random;
    hashmap_init_dealt(&sessions->by_id, &context->memory, MEMORY_TABLES, random_u64(random));
    hashmap_init_dealt(&sessions->by_connection, &context->memory, MEMORY_TABLES,
                       random_u64(random));
    permutation_init(&sessions->serials, random);
    if (!principals_init(sessions) || sessions->slots == NULL || sessions->permissions == NULL)
        sessions_destroy(&sessions);
    else
        sessions_reconfigured(sessions);
    return sessions;
}

void sessions_destroy(struct sessions **sessions)
{
    struct sessions *self = *sessions;
    if (self == NULL)
        return;
    struct memory *memory = &self->context->memory;
    for (uint32_t slot = 0; self->slots != NULL && slot < self->used; slot++) {
        if (self->slots[slot].phase != SESSION_PHASE_FREE)
            table_release(self, &self->slots[slot], false);
    }
    hashmap_clear(&self->by_id);
    hashmap_clear(&self->by_connection);
    memory_free(memory, MEMORY_TABLES, self->addresses, self->addresses_bytes);
    memory_free(memory, MEMORY_TABLES, self->permissions, sizeof *self->permissions);
    principals_clear(self);
    memory_free(memory, MEMORY_TABLES, self->slots, self->capacity * sizeof(struct session));
    memory_free(memory, MEMORY_TABLES, self, sizeof *self);
    *sessions = NULL;
}

enum error sessions_set_addresses(struct sessions *sessions, struct span groups, size_t own_bytes)
{
    struct memory *memory = &sessions->context->memory;
    uint8_t *copy = memory_new(memory, MEMORY_TABLES, groups.bytes);
    if (copy == NULL)
        return ERROR_LIMIT_REACHED;
    memcpy(copy, groups.data, groups.bytes);
    memory_free(memory, MEMORY_TABLES, sessions->addresses, sessions->addresses_bytes);
    sessions->addresses = copy;
    sessions->addresses_bytes = groups.bytes;
    sessions->own_address_bytes = own_bytes;
    sessions->addresses_now = (struct span){0};
    return ERROR_OK;
}

void sessions_set_ready(struct sessions *sessions, bool is_ready)
{
    sessions->is_ready = is_ready;
}

struct session *sessions_find(struct sessions *sessions, struct session_id id)
{
    struct hashmap_key key = {.high = id.instance, .low = id.serial};
    uint32_t slot = hashmap_get(&sessions->by_id, key);
    if (slot == HASHMAP_NONE || sessions->slots[slot].phase != SESSION_PHASE_OPEN)
        return NULL;
    return &sessions->slots[slot];
}

struct session *sessions_of_connection(struct sessions *sessions, uint32_t connection)
{
    struct hashmap_key key = {.high = 0, .low = connection};
    uint32_t slot = hashmap_get(&sessions->by_connection, key);
    return slot < sessions->used ? &sessions->slots[slot] : NULL;
}

bool sessions_is_cut(const struct sessions *sessions, uint32_t connection)
{
    return table_is_cut(sessions, connection);
}

struct session *sessions_at(struct sessions *sessions, uint32_t slot)
{
    require(slot < sessions->used);
    return &sessions->slots[slot];
}

struct session *sessions_next(struct sessions *sessions, const struct session *after)
{
    uint32_t slot = after == NULL ? sessions->first_open : after->next;
    return slot == SESSION_NONE ? NULL : &sessions->slots[slot];
}

uint32_t sessions_open(const struct sessions *sessions)
{
    return sessions->open;
}

uint32_t sessions_opening(const struct sessions *sessions)
{
    return sessions->opening;
}

uint32_t sessions_capacity(const struct sessions *sessions)
{
    return sessions->capacity;
}

bool sessions_may(const struct sessions *sessions, const struct session *session,
                  enum permission permission, struct span path)
{
    return permissions_allow(sessions->permissions, &session->rights, permission, path);
}

const struct permissions *sessions_permissions(const struct sessions *sessions)
{
    return sessions->permissions;
}

enum error sessions_change_roles(struct sessions *sessions, struct session *session,
                                 const struct roles *remove, const struct roles *add)
{
    struct roles roles;
    struct span before = {0};
    char text[ROLES_TEXT_BYTES_MAX];
    enum error error = roles_change_judge(remove, add);
    if (error != ERROR_OK)
        return error;
    properties_find(&session->properties, span_text("$Roles"), &before);
    require(roles_parse(&roles, before) == ERROR_OK); /* we wrote it */
    for (size_t i = 0; i < remove->count; i++)
        roles_remove(&roles, remove->names[i]);
    for (size_t i = 0; i < add->count && error == ERROR_OK; i++)
        error = roles_add(&roles, add->names[i]);
    struct span after = roles_print(&roles, text);
    if (error != ERROR_OK || span_equal(before, after))
        return error;
    struct property_set changes = {.count = 0};
    property_set_put(&changes, "$Roles", after);
    error = properties_change(&session->properties, &sessions->context->memory, &changes);
    if (error != ERROR_OK)
        return error;
    if (!bug_is_planted(BUG_ROLE_KEPT))
        table_rights_follow(sessions, session);
    sessions_changed(sessions, session, SESSION_CHANGED_ROLES);
    return ERROR_OK;
}

void sessions_reconfigured(struct sessions *sessions)
{
    const struct mesh_config *config = sessions->context->config;
    struct roles roles;
    struct sentence why;
    require(identity_parse(&sessions->chain, span_text(config->auth_chain), &why)); /* judged */
    permissions_compile(sessions->permissions, config->permissions, config->permissions_count);
    require(roles_parse(&roles, span_text(config->anonymous_roles)) == ERROR_OK);
    sessions->anonymous_roles = roles_print(&roles, sessions->anonymous_roles_text);
    struct session *session = NULL;
    while ((session = sessions_next(sessions, session)) != NULL)
        table_rights_follow(sessions, session);
}

const struct identity_chain *sessions_chain(const struct sessions *sessions)
{
    return &sessions->chain;
}

struct span sessions_anonymous_roles(const struct sessions *sessions)
{
    return sessions->anonymous_roles;
}

uint32_t sessions_used(const struct sessions *sessions)
{
    return sessions->used;
}

/* The addresses, in memory that lives until the pull ends: they may change before that. */
static struct span addresses_now(struct sessions *sessions)
{
    if (sessions->addresses_now.data == NULL && sessions->addresses_bytes > 0) {
        struct span kept = span_of(sessions->addresses, sessions->addresses_bytes);
        sessions->addresses_now = scratch_copy(&sessions->context->scratch, kept);
    }
    return sessions->addresses_now;
}

static void notice(struct sessions *sessions, enum mesh_notice_code code,
                   const struct session *session, struct span text)
{
    uint64_t values[4] = {session->id.instance, session->id.serial, 0, 0};
    struct span texts[3] = {text, {0}, {0}};
    outbox_notice(sessions->context->outbox, code, values, texts);
}

void sessions_say_welcome(struct sessions *sessions, struct session *session,
                          struct client_welcome *welcome)
{
    const struct context *context = sessions->context;
    welcome->version = session->outbound.envelope.version;
    welcome->session = session->id;
    welcome->node = span_text(context->config->name);
    welcome->mesh = span_text(context->config->cluster);
    welcome->instance = context->instance;
    welcome->reconnect_ms = session->reconnect_ms;
    welcome->message_bytes_max = CLIENT_MESSAGE_BYTES_MAX;
    struct outgoing message = {
        .kind = KIND_WELCOME,
        .correlation = session->hello_correlation,
        .schema = &client_welcome_schema,
        .fields = welcome,
        .body = addresses_now(sessions),
    };
    sessions_send(sessions, session, &message);
}

void sessions_welcome(struct sessions *sessions, struct session *session)
{
    require(session->phase == SESSION_PHASE_OPENING);
    struct context *context = sessions->context;
    uint8_t token[TOKEN_BYTES];
    resuming_grant(sessions, session, session->reconnect_ms, token);
    struct client_welcome welcome = {.token = span_of(token, sizeof token)};
    session->phase = SESSION_PHASE_OPEN;
    sessions->opening--;
    table_rights_follow(sessions, session);
    table_link(sessions, session);
    conduct_heard(sessions, session); /* its silence counts from here: it has waited for this */
    conduct_silence(sessions, session);
    outbound_grant(&session->outbound, FIRST_CREDIT_MESSAGES, FIRST_CREDIT_BYTES);
    count(context, COUNTER_sessions_opened);
    struct span principal = {0};
    properties_find(&session->properties, span_text("$Principal"), &principal);
    notice(sessions, NOTICE_SESSION_OPENED, session, principal);
    sessions_say_welcome(sessions, session, &welcome);
}

static void cut(struct context *context, uint32_t connection)
{
    struct mesh_output order = {
        .order = MESH_CUT,
        .channel = CHANNEL_CLIENT,
        .connection = connection,
    };
    outbox_order(context->outbox, &order);
}

void sessions_refuse(struct sessions *sessions, uint32_t connection, uint64_t correlation,
                     enum error code, struct span text)
{
    struct context *context = sessions->context;
    struct span all = addresses_now(sessions);
    size_t own = all.bytes == 0 ? 0 : sessions->own_address_bytes;
    struct client_refused refused = {.code = (uint16_t)code, .text = text};
    struct outgoing message = {
        .kind = KIND_REFUSED,
        .correlation = correlation,
        .schema = &client_refused_schema,
        .fields = &refused,
        .body = span_of(all.data + own, all.bytes - own),
    };
    struct envelope envelope = {.version = WIRE_VERSION_MAX, .channel = CHANNEL_CLIENT};
    count(context, COUNTER_sessions_refused);
    /* Past the outbox's limit of such answers a stranger is cut without one. */
    (void)outbox_reply(context->outbox, CHANNEL_CLIENT, connection, &envelope, &message);
    cut(context, connection);
}

void sessions_turn_away(struct sessions *sessions, struct session *session, enum error code,
                        struct span text)
{
    require(session->phase == SESSION_PHASE_OPENING);
    sessions_refuse(sessions, session->connection, session->hello_correlation, code, text);
    table_release(sessions, session, true);
}

static void queue_full(struct sessions *sessions, struct session *session)
{
    const char *words =
        session->outbound.is_given_up
            ? "this node's memory for queues is used up, and the session's was the largest: read "
              "faster, or ask for memory.queues"
            : "the session's outbound queue is full: read faster, or ask for "
              "sessions.queue_messages and sessions.queue_bytes";
    sessions_close(sessions, session, CLOSE_REASON_QUEUE_LIMIT_REACHED, span_text(words));
}

void sessions_send(struct sessions *sessions, struct session *session,
                   const struct outgoing *message)
{
    if (session->phase != SESSION_PHASE_OPEN)
        return;
    /* What concerns the connection alone is not counted, and does not wait for credit either. */
    struct outgoing marked = *message;
    marked.consumes_credit = kind_is_numbered(message->kind);
    marked.is_urgent = !marked.consumes_credit;
    if (outbound_send(&session->outbound, &marked) != ERROR_OK)
        queue_full(sessions, session);
}

void sessions_send_update(struct sessions *sessions, struct session *session,
                          const struct update *update)
{
    if (session->phase == SESSION_PHASE_OPEN &&
        updates_send(&session->outbound, update) != ERROR_OK)
        queue_full(sessions, session);
}

bool sessions_next_ended_subscription(struct sessions *sessions, struct session **session,
                                      uint32_t *key)
{
    struct outbox *outbox = sessions->context->outbox;
    struct outbound *queue;
    while ((queue = outbox_next_noted(outbox, NULL)) != NULL) {
        *session = &sessions->slots[queue->owner];
        if ((*session)->phase == SESSION_PHASE_OPEN && updates_next_ended(queue, key))
            return true;
        if (queue->is_given_up)
            queue_full(sessions, *session);
        outbox_unnote(outbox, queue);
    }
    return false;
}

/* The memory of all queues was used up, and these held the most. */
static void given_up_close(struct sessions *sessions)
{
    struct outbox *outbox = sessions->context->outbox;
    struct outbound *queue = outbox_next_noted(outbox, NULL);
    while (queue != NULL && outbox_has_given_up(outbox)) {
        struct outbound *next = outbox_next_noted(outbox, queue);
        if (queue->is_given_up) {
            queue_full(sessions, &sessions->slots[queue->owner]);
            outbox_unnote(outbox, queue);
        }
        queue = next;
    }
}

void sessions_send_done(struct sessions *sessions, struct session *session, uint64_t correlation)
{
    struct outgoing message = {.kind = KIND_DONE, .correlation = correlation};
    sessions_send(sessions, session, &message);
}

void sessions_send_error(struct sessions *sessions, struct session *session, uint64_t correlation,
                         enum error code, struct span text)
{
    struct client_error error = {.code = (uint16_t)code, .text = text};
    struct outgoing message = {
        .kind = KIND_ERROR,
        .correlation = correlation,
        .schema = &client_error_schema,
        .fields = &error,
    };
    sessions_send(sessions, session, &message);
}

void sessions_close(struct sessions *sessions, struct session *session, enum close_reason reason,
                    struct span words)
{
    if (session->phase != SESSION_PHASE_OPEN)
        return;
    struct context *context = sessions->context;
    table_unlink(sessions, session);
    deadlines_cancel(context->deadlines, &session->deadline);
    session->phase = SESSION_PHASE_ENDED;
    session->reason = reason;
    session->goodbye = scratch_copy(&context->scratch, words);
    count(context, COUNTER_sessions_closed);
    if (reason == CLOSE_REASON_CONNECTION_LOST)
        count(context, COUNTER_sessions_lost);
    notice(sessions, NOTICE_SESSION_CLOSED, session, span_text(close_reason_name(reason)));
    table_announce(sessions, session);
}

void sessions_close_all(struct sessions *sessions, enum close_reason reason)
{
    struct session *session = sessions_next(sessions, NULL);
    while (session != NULL) {
        struct session *next = sessions_next(sessions, session);
        sessions_close(sessions, session, reason, (struct span){0});
        session = next;
    }
}

void sessions_connection_lost(struct sessions *sessions, uint32_t connection)
{
    struct session *session = sessions_of_connection(sessions, connection);
    table_forget(sessions, connection);
    if (session == NULL)
        return;
    if (session->phase == SESSION_PHASE_OPENING) {
        table_release(sessions, session, false);
        return;
    }
    table_detach(sessions, session);
    if (session->reconnect_ms > 0)
        resuming_wait(sessions, session);
    else
        sessions_close(sessions, session, CLOSE_REASON_CONNECTION_LOST, (struct span){0});
}

void sessions_changed(struct sessions *sessions, struct session *session, enum session_change what)
{
    if (session->phase != SESSION_PHASE_OPEN)
        return;
    session->changes |= (uint8_t)what;
    table_announce(sessions, session);
}

enum error sessions_change_properties(struct sessions *sessions, struct session *session,
                                      const struct property_set *changes)
{
    struct property_set previous;
    properties_compare(&session->properties, changes, &previous);
    if (previous.count == 0)
        return ERROR_OK;
    enum error error = properties_change(&session->properties, &sessions->context->memory, changes);
    if (error == ERROR_OK)
        sessions_changed(sessions, session, SESSION_CHANGED_PROPERTIES);
    return error;
}

uint32_t sessions_set_conflated(struct session *session, bool is_conflated)
{
    return updates_switch(&session->outbound, is_conflated);
}

enum session_state sessions_state(const struct session *session)
{
    if (session->phase != SESSION_PHASE_OPEN)
        return SESSION_CLOSED;
    return session->is_connection_lost ? SESSION_DISCONNECTED : SESSION_ACTIVE;
}

static void event_take(struct sessions *sessions, struct session *session)
{
    session->is_announced = false;
    sessions->first_event = session->next_event;
    if (sessions->first_event == SESSION_NONE)
        sessions->last_event = SESSION_NONE;
}

bool sessions_has_event(const struct sessions *sessions)
{
    return sessions->first_event != SESSION_NONE || outbox_has_given_up(sessions->context->outbox);
}

/* What changed before the end is told before the end: such a session gives two events. */
bool sessions_next_event(struct sessions *sessions, struct session_event *event)
{
    given_up_close(sessions);
    if (sessions->first_event == SESSION_NONE)
        return false;
    struct session *session = &sessions->slots[sessions->first_event];
    *event = (struct session_event){.session = session, .changes = session->changes};
    if (session->changes != 0) {
        event->kind = SESSION_EVENT_CHANGED;
        session->changes = 0;
        if (session->phase != SESSION_PHASE_ENDED)
            event_take(sessions, session);
        return true;
    }
    require(session->phase == SESSION_PHASE_OPENING || session->phase == SESSION_PHASE_ENDED);
    event_take(sessions, session);
    event->kind =
        session->phase == SESSION_PHASE_OPENING ? SESSION_EVENT_OPENING : SESSION_EVENT_ENDED;
    return true;
}

void sessions_bury(struct sessions *sessions, struct session *session)
{
    require(session->phase == SESSION_PHASE_ENDED);
    struct client_goodbye goodbye = {.reason = (uint8_t)session->reason, .text = session->goodbye};
    struct outgoing message = {
        .kind = KIND_GOODBYE,
        .schema = &client_goodbye_schema,
        .fields = &goodbye,
    };
    if (bug_is_planted(BUG_WRONG_REASON))
        goodbye.reason = CLOSE_REASON_QUEUE_LIMIT_REACHED;
    if (!session->is_connection_lost)
        outbound_finish(&session->outbound, &message, true);
    table_release(sessions, session, !session->is_connection_lost);
}

void sessions_pull_ended(struct sessions *sessions)
{
    sessions->addresses_now = (struct span){0};
}

void sessions_due(struct sessions *sessions, const struct deadline *due)
{
    struct session *session = &sessions->slots[due->slot];
    if (session->is_connection_lost) {
        resuming_due(sessions, session);
    } else if (sessions->context->now_ns - session->heard_ns < SESSION_SILENCE_END_NS) {
        conduct_silence(sessions, session);
    } else if (session->reconnect_ms > 0) {
        table_detach(sessions, session);
        table_cut(sessions, session->connection);
        resuming_wait(sessions, session);
    } else {
        sessions_close(sessions, session, CLOSE_REASON_CONNECTION_LOST,
                       span_text("nothing was heard from the client for 90 s"));
    }
}

static void queues_check(const struct sessions *sessions)
{
    const struct outbound *queue = NULL;
    for (uint32_t slot = sessions->first_open; slot != SESSION_NONE;
         slot = sessions->slots[slot].next)
        audit_count(&sessions->slots[slot].outbound);
    while ((queue = outbox_next_detached(sessions->context->outbox, queue)) != NULL)
        audit_count(queue);
    for (uint32_t slot = sessions->first_open; slot != SESSION_NONE;
         slot = sessions->slots[slot].next)
        audit_judge(&sessions->slots[slot].outbound);
    while ((queue = outbox_next_detached(sessions->context->outbox, queue)) != NULL)
        audit_judge(queue);
}

void sessions_check(const struct sessions *sessions)
{
    uint32_t open = 0, opening = 0, listed = 0, disconnected = 0;
    for (uint32_t slot = 0; slot < sessions->used; slot++) {
        const struct session *session = &sessions->slots[slot];
        require(session->slot == slot);
        require(session->phase != SESSION_PHASE_ENDED && !session->is_announced);
        opening += session->phase == SESSION_PHASE_OPENING;
        open += session->phase == SESSION_PHASE_OPEN;
        disconnected += session->phase == SESSION_PHASE_OPEN && session->is_connection_lost;
    }
    for (uint32_t slot = sessions->first_open; slot != SESSION_NONE && listed <= open;
         slot = sessions->slots[slot].next)
        listed++;
    require(sessions->first_event == SESSION_NONE);
    require(open == sessions->open && listed == open);
    require(disconnected == sessions->disconnected);
    require(opening == sessions->opening);
    require(opening + open - disconnected + sessions->connections_cut ==
            sessions->by_connection.count);
    require(opening + open == sessions->by_id.count);
    queues_check(sessions);
}
