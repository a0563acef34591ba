/* mesh.c - the door: hands each fact to the rooms it concerns, hands the rooms' events on in one
 * visible order, and gives out orders one at a time. It decides nothing but how far the node has
 * come:
 *
 *     BORN -> JOINING -> SYNCING -> EXPECTING -> READY -> STOPPING -> OVER
 *        first fact  joined     all logs   config.expect   MESH_STOP    goodbye was heard, or
 *                    or alone   are here   members alive                the mesh refused us
 *
 * (M1) notices JOINED or ALONE, SYNCED, READY come in this order, each once
 * (M2) between two facts no room has an event that the others have not been told
 * (M3) nothing here reads a clock or draws a number: same inputs, same outputs */
#include "mesh/mesh.h"

#include "mesh/base/bugs.h"
#include "mesh/core.h"
#include "mesh/receive.h"
#include "mesh/report.h"
#include "mesh/routing/authentication.h"
#include "mesh/routing/missing.h"
#include "mesh/routing/passwords.h"

static bool rooms_new(struct mesh *mesh, const struct mesh_config *config)
{
    struct context *context = &mesh->context;
    if (!context_init(context, config))
        return false;
    mesh->admission = admission_new(context);
    mesh->membership = membership_new(context);
    mesh->ownership = ownership_new(context);
    mesh->sessions = sessions_new(context);
    if (mesh->ownership != NULL && mesh->sessions != NULL)
        mesh->topics = topics_new(context, mesh->sessions);
    if (mesh->topics != NULL)
        mesh->routing = routing_new(context, mesh->sessions, mesh->ownership, mesh->topics);
    return mesh->admission != NULL && mesh->membership != NULL && mesh->routing != NULL;
}

struct mesh *mesh_new(const struct mesh_config *config)
{
    struct memory birth = {.limit = {[MEMORY_TABLES] = sizeof(struct mesh)}};
    struct mesh *mesh = memory_new(&birth, MEMORY_TABLES, sizeof *mesh);
    if (mesh == NULL)
        return NULL;
    mesh->birth = birth;
    mesh->has_new_addresses = true;
    if (!rooms_new(mesh, config))
        mesh_destroy(&mesh);
    return mesh;
}

void mesh_destroy(struct mesh **mesh)
{
    struct mesh *self = *mesh;
    if (self == NULL)
        return;
    routing_destroy(&self->routing);
    topics_destroy(&self->topics);
    sessions_destroy(&self->sessions);
    ownership_destroy(&self->ownership);
    membership_destroy(&self->membership);
    admission_destroy(&self->admission);
    if (self->context.outbox != NULL)
        context_clear(&self->context);
    struct memory birth = self->birth;
    memory_free(&birth, MEMORY_TABLES, self, sizeof *self);
    *mesh = NULL;
}

static void member_event(struct mesh *mesh, const struct member_event *event)
{
    const struct member *member = membership_find(mesh->membership, event->instance);
    switch (event->kind) {
    case MEMBER_EVENT_JOINED:
        if (member == NULL)
            break; /* one frame told of it and of its successor: REPLACED is next */
        ownership_member_joined(mesh->ownership, event->instance);
        topics_member_joined(mesh->topics, event->instance);
        routing_node_joined(mesh->routing, event->instance, span_text(member->name),
                            span_text(member->zone));
        mesh->has_new_addresses = true;
        break;
    case MEMBER_EVENT_SUSPECTED: /* still served and asked: a suspicion is no verdict */
    case MEMBER_EVENT_REFUTED:
        routing_node_suspected(mesh->routing, event->instance,
                               event->kind == MEMBER_EVENT_SUSPECTED);
        break;
    case MEMBER_EVENT_FAILED:
        ownership_member_failed(mesh->ownership, event->instance);
        topics_member_lost(mesh->topics, event->instance, false);
        routing_node_gone(mesh->routing, event->instance, MEMBER_NEWS_FAILED);
        mesh->has_new_addresses = true;
        break;
    case MEMBER_EVENT_LEFT:
    case MEMBER_EVENT_REPLACED:
        if (!bug_is_planted(BUG_OLD_INSTANCE))
            ownership_member_gone(mesh->ownership, event->instance);
        topics_member_lost(mesh->topics, event->instance, true);
        routing_node_gone(mesh->routing, event->instance,
                          event->kind == MEMBER_EVENT_LEFT ? MEMBER_NEWS_LEFT
                                                           : MEMBER_NEWS_REPLACED);
        mesh->has_new_addresses = true;
        break;
    case MEMBER_EVENT_HELD_DEAD:
        topics_held_dead(mesh->topics);
        break;
    case MEMBER_EVENT_LOG_HEAD:
        ownership_log_head(mesh->ownership, event->instance, event->log_head);
        break;
    }
}

static void session_opening(struct mesh *mesh, struct session *session)
{
    bool is_own = session->id.instance == mesh->context.instance || !bug_is_planted(BUG_TWO_OWNERS);
    enum error error =
        is_own ? ownership_session_opened(mesh->ownership, session->id)
               : ownership_session_claimed(mesh->ownership, session->id, SESSION_ACTIVE);
    if (error == ERROR_OK) {
        sessions_welcome(mesh->sessions, session);
        routing_session_opened(mesh->routing, session);
    } else {
        sessions_turn_away(mesh->sessions, session, ERROR_LIMIT_REACHED,
                           span_text("the directory of sessions is full; try another node"));
    }
}

static void rights_changed(struct mesh *mesh, struct session *session)
{
    routing_rights_changed(mesh->routing, session);
    topics_rights_changed(mesh->topics, session);
}

static void session_changed(struct mesh *mesh, struct session *session, unsigned changes)
{
    enum session_state state = sessions_state(session);
    if ((changes & SESSION_CHANGED_STATE) != 0 && state != SESSION_CLOSED)
        ownership_session_changed(mesh->ownership, session->id, state);
    if ((changes & SESSION_CHANGED_ROLES) != 0 && state != SESSION_CLOSED)
        rights_changed(mesh, session);
    routing_session_changed(mesh->routing, session, changes);
}

/* The directory first, so that whatever routing does next does not choose who has just gone. */
static void session_event(struct mesh *mesh, const struct session_event *event)
{
    struct session *session = event->session;
    switch (event->kind) {
    case SESSION_EVENT_OPENING:
        session_opening(mesh, session);
        break;
    case SESSION_EVENT_CHANGED:
        session_changed(mesh, session, event->changes);
        break;
    case SESSION_EVENT_ENDED:
        ownership_session_closed(mesh->ownership, session->id);
        routing_session_ended(mesh->routing, session);
        topics_session_ended(mesh->topics, session);
        sessions_bury(mesh->sessions, session);
        break;
    }
}

static void notice(struct mesh *mesh, enum mesh_notice_code code, const uint64_t values[4])
{
    outbox_notice(mesh->context.outbox, code, values, NULL);
}

static void synced_say(struct mesh *mesh)
{
    uint64_t values[4] = {
        ownership_handlers(mesh->ownership),
        ownership_sessions(mesh->ownership),
        topics_count(mesh->topics),
        (mesh->context.now_ns - mesh->joined_ns) / 1000000,
    };
    notice(mesh, NOTICE_SYNCED, values);
}

/* One step at a time, so that each is said. */
static void stage_move(struct mesh *mesh)
{
    if (mesh->stage == MESH_JOINING && membership_has_joined(mesh->membership)) {
        mesh->stage = MESH_SYNCING; /* JOINED or ALONE was said by membership */
        mesh->joined_ns = mesh->context.now_ns;
    }
    if (mesh->stage == MESH_SYNCING && ownership_is_synced(mesh->ownership))
        topics_joined(mesh->topics); /* not before: who hosts what goes first */
    if (mesh->stage == MESH_SYNCING && topics_are_synced(mesh->topics)) {
        mesh->stage = MESH_EXPECTING;
        synced_say(mesh);
        report_status(mesh); /* from now on routing may say that nobody serves a path */
    }
    uint32_t expected = mesh->context.config->expect;
    if (mesh->stage == MESH_EXPECTING && membership_alive(mesh->membership) >= expected) {
        mesh->stage = MESH_READY;
        sessions_set_ready(mesh->sessions, true);
        notice(mesh, NOTICE_READY, NULL);
    }
}

/* Sessions that another node has with more right, since a split healed: their clients are told. */
static void lost_sessions_close(struct mesh *mesh)
{
    struct session_id id;
    uint64_t winner;
    while (ownership_next_lost(mesh->ownership, &id, &winner)) {
        struct session *session = sessions_find(mesh->sessions, id);
        if (session != NULL && !bug_is_planted(BUG_TWO_OWNERS))
            sessions_close(mesh->sessions, session, CLOSE_REASON_MOVED,
                           span_text("another node goes on with this session"));
    }
}

static bool has_events(const struct mesh *mesh)
{
    return membership_has_event(mesh->membership) || ownership_has_lost(mesh->ownership) ||
           sessions_has_event(mesh->sessions);
}

/* Behind most messages there is none: to find that out costs a dozen instructions. */
static void events_hand_on(struct mesh *mesh)
{
    struct member_event member;
    struct session_event session;
    while (has_events(mesh)) {
        while (membership_next_event(mesh->membership, &member))
            member_event(mesh, &member);
        lost_sessions_close(mesh);
        while (sessions_next_event(mesh->sessions, &session))
            session_event(mesh, &session);
    }
}

static void stopped_order(struct mesh *mesh, enum mesh_notice_code code, const struct span texts[2])
{
    struct mesh_output order = {
        .order = MESH_STOPPED,
        .notice = {.code = code, .texts = {texts[0], texts[1]}},
    };
    outbox_order(mesh->context.outbox, &order);
    mesh->stage = MESH_OVER;
}

static void clients_dismiss(struct mesh *mesh)
{
    sessions_set_ready(mesh->sessions, false);
    authentication_stop(mesh->routing);
    sessions_close_all(mesh->sessions, CLOSE_REASON_NODE_STOPPING);
    events_hand_on(mesh);
}

static void end_judge(struct mesh *mesh)
{
    struct span texts[2] = {{0}};
    enum mesh_notice_code code;
    if (mesh->stage == MESH_OVER)
        return;
    if (membership_is_refused(mesh->membership, &code, texts)) {
        clients_dismiss(mesh);
        stopped_order(mesh, code, texts);
    } else if (mesh->stage == MESH_STOPPING && membership_has_left(mesh->membership)) {
        stopped_order(mesh, NOTICE_LEFT, texts);
    }
}

/* Somebody subscribed where there is no topic: its handler is told. */
static void missing_hand_on(struct mesh *mesh)
{
    struct topics_missing missing;
    while (topics_next_missing(mesh->topics, &missing)) {
        const struct session *session = sessions_find(mesh->sessions, missing.session);
        if (session != NULL)
            missing_subscribed(mesh->routing, session, missing.selector);
    }
}

void mesh_pump(struct mesh *mesh)
{
    events_hand_on(mesh);
    routing_look(mesh->routing);
    topics_look(mesh->topics);
    missing_hand_on(mesh);
    events_hand_on(mesh); /* a session may have ended by what it was told */
    stage_move(mesh);
    membership_publish(mesh->membership, sessions_open(mesh->sessions), mesh->lag_us,
                       ownership_log_version(mesh->ownership));
    end_judge(mesh);
}

void mesh_pump_events(struct mesh *mesh)
{
    if (has_events(mesh))
        mesh_pump(mesh);
}

/* Sessions that topics go with: are they still there? */
static void creators_look(struct mesh *mesh)
{
    struct session_id id;
    uint32_t cursor = 0;
    while (topics_next_creator(mesh->topics, &cursor, &id)) {
        bool is_shaded;
        uint64_t host = ownership_find_session(mesh->ownership, id, &is_shaded);
        enum creator_state state = host == 0 ? CREATOR_GONE : CREATOR_THERE;
        topics_creator_seen(mesh->topics, id, is_shaded ? CREATOR_NODE_LOST : state);
    }
}

static void deadlines_run(struct mesh *mesh)
{
    struct context *context = &mesh->context;
    const struct deadline *due;
    while ((due = deadlines_next_due(context->deadlines, context->now_ns)) != NULL) {
        switch ((enum deadline_room)due->room) {
        case DEADLINE_MEMBERSHIP:
            membership_due(mesh->membership, due);
            break;
        case DEADLINE_OWNERSHIP:
            ownership_due(mesh->ownership, due);
            break;
        case DEADLINE_SESSIONS:
            sessions_due(mesh->sessions, due);
            break;
        case DEADLINE_ROUTING:
            routing_due(mesh->routing, due);
            break;
        case DEADLINE_TOPICS:
            if (topics_due(mesh->topics, due))
                creators_look(mesh);
            break;
        case DEADLINE_MESH:
        case DEADLINE_LOG:
            require(false); /* nobody sets these */
        }
        mesh_pump(mesh);
    }
}

static uint64_t link_instance(const struct mesh *mesh, uint32_t number)
{
    const struct link *link = links_find(mesh->context.links, number);
    return link == NULL ? 0 : link->instance;
}

static void link_up(struct mesh *mesh, const struct mesh_input *input)
{
    if (!links_up(mesh->context.links, input->link, input->channel))
        return;
    uint64_t instance = link_instance(mesh, input->link);
    membership_link_up(mesh->membership, input->link, input->channel);
    if (input->channel == CHANNEL_FORWARD && instance != 0) {
        ownership_link_up(mesh->ownership, instance);
        topics_link_up(mesh->topics, instance);
    }
}

/* Routing takes back what was not sent before membership may hang up for good. */
static void link_lost(struct mesh *mesh, const struct mesh_input *input)
{
    if (!links_lost(mesh->context.links, input->link, input->channel))
        return;
    uint64_t instance = link_instance(mesh, input->link);
    if (input->channel == CHANNEL_FORWARD && instance != 0) {
        topics_link_lost(mesh->topics, instance); /* asks what has left the queue */
        routing_link_lost(mesh->routing, instance);
    }
    membership_link_lost(mesh->membership, input->link, input->channel);
}

static void connection_lost(struct mesh *mesh, const struct mesh_input *input)
{
    struct session *session = sessions_of_connection(mesh->sessions, input->connection);
    if (input->channel != CHANNEL_CLIENT) {
        admission_connection_lost(mesh->admission, input->channel, input->connection);
        return;
    }
    if (session != NULL && session->phase == SESSION_PHASE_OPENING)
        authentication_abandon(mesh->routing, session);
    sessions_connection_lost(mesh->sessions, input->connection);
}

/* Who has no session yet is just hung up on. */
static void connection_revoked(struct mesh *mesh, const struct mesh_input *input)
{
    struct span why = span_text("the node does not take its key any more (curve.clients)");
    struct session *session = input->channel == CHANNEL_CLIENT
                                  ? sessions_of_connection(mesh->sessions, input->connection)
                                  : NULL;
    if (session != NULL && session->phase == SESSION_PHASE_OPEN) {
        sessions_close(mesh->sessions, session, CLOSE_REASON_ACCESS_DENIED, why);
    } else if (session != NULL && session->phase == SESSION_PHASE_OPENING) {
        authentication_abandon(mesh->routing, session);
        sessions_turn_away(mesh->sessions, session, ERROR_ACCESS_DENIED, why);
    } else {
        outbox_order(mesh->context.outbox, &(struct mesh_output){
                                               .order = MESH_CUT,
                                               .channel = input->channel,
                                               .connection = input->connection,
                                           });
    }
}

static void connection_flow(struct mesh *mesh, const struct mesh_input *input)
{
    struct session *session = sessions_of_connection(mesh->sessions, input->connection);
    if (input->channel != CHANNEL_CLIENT || session == NULL)
        return;
    if (input->fact == MESH_CONNECTION_FULL)
        outbound_block(&session->outbound);
    else
        outbound_unblock(&session->outbound);
}

static void stop(struct mesh *mesh)
{
    if (mesh->stage == MESH_STOPPING)
        return;
    mesh->stage = MESH_STOPPING;
    clients_dismiss(mesh);
    membership_stop(mesh->membership);
}

static void fact_take(struct mesh *mesh, const struct mesh_input *input)
{
    struct context *context = &mesh->context;
    switch (input->fact) {
    case MESH_TICK:
        break; /* deadlines ran already */
    case MESH_FRAME:
        receive_frame(mesh, input);
        break;
    case MESH_ANSWER:
        receive_answer(mesh, input);
        break;
    case MESH_CONNECTION_LOST:
        connection_lost(mesh, input);
        break;
    case MESH_CONNECTION_REVOKED:
        connection_revoked(mesh, input);
        break;
    case MESH_CONNECTION_FULL:
    case MESH_CONNECTION_WRITABLE:
        connection_flow(mesh, input);
        break;
    case MESH_LINK_UP:
        link_up(mesh, input);
        break;
    case MESH_LINK_LOST:
        link_lost(mesh, input);
        break;
    case MESH_LINK_FULL:
        links_full(context->links, input->link, input->channel);
        break;
    case MESH_LINK_WRITABLE:
        links_writable(context->links, input->link, input->channel);
        break;
    case MESH_LINK_REFUSED:
        membership_link_refused(mesh->membership, input->link);
        break;
    case MESH_SEED_RESOLVED:
        membership_seed_resolved(mesh->membership, input->seed, input->bytes);
        break;
    case MESH_COUNTED:
        require(input->counter < COUNTERS);
        context->counters[input->counter] += input->amount;
        break;
    case MESH_LAGGED:
        mesh->lag_us = input->amount < UINT32_MAX ? (uint32_t)input->amount : UINT32_MAX;
        break;
    case MESH_PASSWORD_CHECKED:
        passwords_checked(mesh->routing, input->number, input->password, input->bytes);
        break;
    case MESH_RECONFIGURED:
        sessions_reconfigured(mesh->sessions);
        rights_changed(mesh, NULL);
        authentication_reconfigured(mesh->routing);
        break;
    case MESH_STOP:
        stop(mesh);
        break;
    }
}

void mesh_receive(struct mesh *mesh, const struct mesh_input *input)
{
    struct context *context = &mesh->context;
    require(input->now_ns >= context->now_ns);
    context->now_ns = input->now_ns;
    context->wall_ms = input->wall_ms;
    outbox_tell_time(context->outbox, input->now_ns);
    if (mesh->stage == MESH_OVER)
        return;
    if (mesh->stage == MESH_BORN) {
        mesh->stage = MESH_JOINING;
        membership_start(mesh->membership);
        mesh_pump(mesh);
    }
    deadlines_run(mesh);
    fact_take(mesh, input);
    mesh_pump(mesh);
}

bool mesh_next_output(struct mesh *mesh, struct mesh_output *output)
{
    topics_flush(mesh->topics);
    if (outbox_next(mesh->context.outbox, output))
        return true;
    topics_pull_ended(mesh->topics);
    sessions_pull_ended(mesh->sessions);
    scratch_clear(&mesh->context.scratch);
    report_totals(mesh);
    return false;
}

void mesh_write_output(struct mesh *mesh, void *frame)
{
    outbox_write(mesh->context.outbox, frame);
}

uint64_t mesh_deadline_ns(const struct mesh *mesh)
{
    if (mesh->stage == MESH_BORN || outbox_has_more(mesh->context.outbox))
        return mesh->context.now_ns;
    return mesh->stage == MESH_OVER ? UINT64_MAX : deadlines_earliest_ns(mesh->context.deadlines);
}

void mesh_check(const struct mesh *mesh)
{
    membership_check(mesh->membership);
    ownership_check(mesh->ownership);
    topics_check(mesh->topics);
    sessions_check(mesh->sessions);
    routing_check(mesh->routing);
    for (int kind = 0; kind < MEMORY_KINDS; kind++)
        require(mesh->context.memory.used[kind] <= mesh->context.memory.limit[kind]);
}

uint64_t mesh_instance(const struct mesh *mesh)
{
    return mesh->context.instance;
}

uint64_t mesh_counter(const struct mesh *mesh, enum counter counter)
{
    require(counter < COUNTERS);
    return mesh->context.counters[counter];
}

const char *mesh_counter_name(enum counter counter)
{
    return counters_name(counter);
}
