/* table.c - the slots of the sessions and how they are found. */
#include "mesh/sessions/table.h"

#include "mesh/base/bugs.h"
#include "mesh/sessions/principals.h"

static struct hashmap_key connection_key(uint32_t connection)
{
    return (struct hashmap_key){.high = 0, .low = connection};
}

static struct hashmap_key id_key(struct session_id id)
{
    return (struct hashmap_key){.high = id.instance, .low = id.serial};
}

struct session *table_take(struct sessions *sessions, uint32_t connection)
{
    uint32_t slot = sessions->first_free;
    if (slot == SESSION_NONE && sessions->used == sessions->capacity)
        return NULL;
    if (slot == SESSION_NONE)
        slot = sessions->used;
    table_forget(sessions, connection);
    if (!hashmap_put(&sessions->by_connection, connection_key(connection), slot))
        return NULL;
    struct session *session = &sessions->slots[slot];
    if (slot == sessions->used)
        sessions->used++;
    else
        sessions->first_free = session->next;
    struct context *context = sessions->context;
    *session = (struct session){
        .slot = slot,
        .connection = connection,
        .phase = SESSION_PHASE_OPENING,
        .heard_ns = context->now_ns,
        .next = SESSION_NONE,
        .previous = SESSION_NONE,
        .next_event = SESSION_NONE,
        .deadline = {.room = DEADLINE_SESSIONS, .slot = slot},
    };
    struct envelope envelope = {.version = WIRE_VERSION_MAX, .channel = CHANNEL_CLIENT};
    uint32_t messages_max = context->config->session_queue_messages;
    if (bug_is_planted(BUG_QUEUE_GROWS))
        messages_max *= 2;
    outbound_init(&session->outbound, context->outbox, MESH_REPLY, connection, &envelope,
                  messages_max, context->config->session_queue_bytes);
    outbox_may_give_up(context->outbox, &session->outbound, slot);
    (void)updates_switch(&session->outbound, true);
    sessions->opening++;
    return session;
}

static void cut_expect(struct sessions *sessions, uint32_t connection)
{
    if (sessions->connections_cut < TABLE_CONNECTIONS_CUT_MAX &&
        hashmap_put(&sessions->by_connection, connection_key(connection), TABLE_CONNECTION_CUT))
        sessions->connections_cut++;
}

void table_release(struct sessions *sessions, struct session *session, bool cut)
{
    uint32_t connection = session->connection;
    deadlines_cancel(sessions->context->deadlines, &session->deadline);
    outbound_clear(&session->outbound);
    properties_clear(&session->properties, &sessions->context->memory);
    if (!session->is_connection_lost)
        hashmap_remove(&sessions->by_connection, connection_key(connection));
    if (!session_id_is_none(session->id))
        hashmap_remove(&sessions->by_id, id_key(session->id));
    if (cut)
        cut_expect(sessions, connection);
    sessions->opening -= session->phase == SESSION_PHASE_OPENING;
    session->phase = SESSION_PHASE_FREE;
    session->next = sessions->first_free;
    sessions->first_free = session->slot;
}

void table_detach(struct sessions *sessions, struct session *session)
{
    require(!session->is_connection_lost);
    hashmap_remove(&sessions->by_connection, connection_key(session->connection));
    session->is_connection_lost = true;
    sessions->disconnected++;
}

bool table_attach(struct sessions *sessions, struct session *session, uint32_t connection)
{
    table_forget(sessions, connection);
    if (!hashmap_put(&sessions->by_connection, connection_key(connection), session->slot))
        return false;
    if (session->is_connection_lost)
        sessions->disconnected--;
    else
        hashmap_remove(&sessions->by_connection, connection_key(session->connection));
    session->is_connection_lost = false;
    session->connection = connection;
    return true;
}

void table_cut(struct sessions *sessions, uint32_t connection)
{
    struct mesh_output order = {
        .order = MESH_CUT,
        .channel = CHANNEL_CLIENT,
        .connection = connection,
    };
    outbox_order(sessions->context->outbox, &order);
    cut_expect(sessions, connection);
}

bool table_is_cut(const struct sessions *sessions, uint32_t connection)
{
    return hashmap_get(&sessions->by_connection, connection_key(connection)) ==
           TABLE_CONNECTION_CUT;
}

void table_forget(struct sessions *sessions, uint32_t connection)
{
    if (table_is_cut(sessions, connection)) {
        hashmap_remove(&sessions->by_connection, connection_key(connection));
        sessions->connections_cut--;
    }
}

void table_rights_follow(const struct sessions *sessions, struct session *session)
{
    struct span roles = {0};
    properties_find(&session->properties, key_text(KEY_ROLES), &roles);
    session->rights = permissions_rights(sessions->permissions, roles);
}

void table_link(struct sessions *sessions, struct session *session)
{
    session->previous = sessions->last_open;
    session->next = SESSION_NONE;
    if (sessions->last_open == SESSION_NONE)
        sessions->first_open = session->slot;
    else
        sessions->slots[sessions->last_open].next = session->slot;
    sessions->last_open = session->slot;
    sessions->open++;
    principals_add(sessions, session);
}

void table_unlink(struct sessions *sessions, struct session *session)
{
    if (session->previous == SESSION_NONE)
        sessions->first_open = session->next;
    else
        sessions->slots[session->previous].next = session->next;
    if (session->next == SESSION_NONE)
        sessions->last_open = session->previous;
    else
        sessions->slots[session->next].previous = session->previous;
    sessions->open--;
    principals_remove(sessions, session);
    if (session->is_connection_lost)
        sessions->disconnected--;
}

void table_announce(struct sessions *sessions, struct session *session)
{
    if (session->is_announced)
        return;
    session->is_announced = true;
    session->next_event = SESSION_NONE;
    if (sessions->last_event == SESSION_NONE)
        sessions->first_event = session->slot;
    else
        sessions->slots[sessions->last_event].next_event = session->slot;
    sessions->last_event = session->slot;
}
