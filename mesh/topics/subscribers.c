/* subscribers.c - see subscribers.h.
 *
 * (U1) of a session's selections one at most is being fed, the first that is not whole
 * (U2) while one is, the feed's deadline is set
 * (U3) a session is told a change once, however many of its selections mean the topic */
#include "mesh/topics/subscribers.h"

#include "mesh/base/bugs.h"
#include "mesh/base/selector.h"
#include "mesh/topics/news.h"
#include "mesh/topics/unmet.h"

#define MS_NS UINT64_C(1000000)

/* A client takes some hundred updates in a millisecond; one that takes none is looked at less
 * often, which costs the first of those that it takes then as much. */
#define FEED_SOON_NS MS_NS
#define FEED_FULL_NS (20 * MS_NS)

/* A turn of a feed: some 100 us. */
enum { FEED_TOPICS = 256, FEED_BYTES = 128 * 1024 };

/* Topics that it looks at in a turn, those that the selector does not mean among them: a selector
 * with `+` may look at all and mean none. Some 250 us. */
enum { FEED_LOOKS = 1024 };

/* What is left of a turn. */
struct feed_turn {
    uint32_t topics, looks;
};

/* Topics that a session lost by back pressure are looked for one by one. */
enum { DROPPED_MAX = 1024 };

struct subscriber {
    struct selection *first, *last;
    uint32_t selections, selections_bytes; /* how many, and of their texts */
    uint64_t told;        /* the change that it was told last, see subscribers.changes */
    struct rights rights; /* as they were when it was looked at last */
    struct deadline feed;
    uint8_t
        *cursor; /* PATH_BYTES_MAX; the path up to which `feeding` was told; NULL: not at work */
    uint16_t cursor_bytes;
    struct selection *feeding;
    struct dropped *dropped;
    uint32_t dropped_count;
};

struct subscribers {
    struct subscriber *list; /* by session slot */
    uint32_t capacity;
    uint64_t changes;               /* counts what was told to all */
    struct permissions permissions; /* as they were when sessions were looked at last */
};

/* A topic that the session lost when its queue was full: nothing of it is told. */
struct dropped {
    struct dropped *next;
    uint32_t key;
    bool is_lifted; /* it was asked for again: a feed brings it, also if it is selected twice */
};

bool subscribers_init(struct topics *topics)
{
    struct memory *memory = &topics->context->memory;
    struct subscribers *all = memory_new(memory, MEMORY_TABLES, sizeof *all);
    topics->subscribers = all;
    if (all == NULL)
        return false;
    all->capacity = sessions_capacity(topics->sessions);
    all->list = memory_new(memory, MEMORY_TABLES, all->capacity * sizeof all->list[0]);
    all->permissions = *sessions_permissions(topics->sessions);
    return all->list != NULL;
}

static struct subscriber *subscriber_of(const struct topics *topics, uint32_t session)
{
    require(session < topics->subscribers->capacity);
    return &topics->subscribers->list[session];
}

static void feed_stop(struct topics *topics, struct subscriber *subscriber)
{
    deadlines_cancel(topics->context->deadlines, &subscriber->feed);
    memory_free(&topics->context->memory, MEMORY_TABLES, subscriber->cursor, PATH_BYTES_MAX);
    subscriber->cursor = NULL;
    subscriber->cursor_bytes = 0;
    subscriber->feeding = NULL;
}

static void unlink_of_session(struct subscriber *subscriber, struct selection *selection)
{
    *(selection->previous_of_session == NULL ? &subscriber->first
                                             : &selection->previous_of_session->next_of_session) =
        selection->next_of_session;
    *(selection->next_of_session == NULL ? &subscriber->last
                                         : &selection->next_of_session->previous_of_session) =
        selection->previous_of_session;
    selection->next_of_session = selection->previous_of_session = NULL;
}

static void link_of_session(struct subscriber *subscriber, struct selection *selection)
{
    selection->previous_of_session = subscriber->last;
    selection->next_of_session = NULL;
    *(subscriber->last == NULL ? &subscriber->first : &subscriber->last->next_of_session) =
        selection;
    subscriber->last = selection;
}

static void dropped_free(struct topics *topics, struct subscriber *subscriber, struct dropped **at)
{
    struct dropped *dropped = *at;
    *at = dropped->next;
    subscriber->dropped_count--;
    memory_free(&topics->context->memory, MEMORY_TABLES, dropped, sizeof *dropped);
}

/* Those of its lost topics that the selector means are told again when the feed comes to them. */
static void lift(struct topics *topics, struct subscriber *subscriber, struct span selector)
{
    struct dropped **at = &subscriber->dropped;
    while (*at != NULL) {
        const struct topic *topic = tree_of_key(&topics->tree, (*at)->key);
        if (topic == NULL) {
            dropped_free(topics, subscriber, at); /* it is over */
            continue;
        }
        if (selector_matches(selector, tree_path(topic)))
            (*at)->is_lifted = true;
        at = &(*at)->next;
    }
}

static void drop(struct topics *topics, struct subscriber *subscriber, struct selection *selection)
{
    if (subscriber->feeding == selection)
        feed_stop(topics, subscriber);
    unlink_of_session(subscriber, selection);
    subscriber->selections_bytes -= selection->bytes;
    selections_remove(&topics->selections, selection);
    subscriber->selections--;
    if (subscriber->first != NULL)
        return;
    deadlines_cancel(topics->context->deadlines, &subscriber->feed);
    while (subscriber->dropped != NULL)
        dropped_free(topics, subscriber, &subscriber->dropped);
}

void subscribers_session_ended(struct topics *topics, const struct session *session)
{
    struct subscriber *subscriber = subscriber_of(topics, session->slot);
    while (subscriber->first != NULL)
        drop(topics, subscriber, subscriber->first);
}

void subscribers_clear(struct topics *topics)
{
    struct subscribers *all = topics->subscribers;
    struct memory *memory = &topics->context->memory;
    if (all == NULL)
        return;
    for (uint32_t i = 0; all->list != NULL && i < sessions_used(topics->sessions); i++) {
        while (all->list[i].first != NULL)
            drop(topics, &all->list[i], all->list[i].first);
    }
    memory_free(memory, MEMORY_TABLES, all->list, all->capacity * sizeof all->list[0]);
    memory_free(memory, MEMORY_TABLES, all, sizeof *all);
    topics->subscribers = NULL;
}

static struct dropped **dropped_find(struct subscriber *subscriber, uint32_t key)
{
    struct dropped **at = &subscriber->dropped;
    while (*at != NULL && (*at)->key != key)
        at = &(*at)->next;
    return at;
}

static bool is_dropped(struct subscriber *subscriber, uint32_t key)
{
    return *dropped_find(subscriber, key) != NULL;
}

static bool may_read(const struct topics *topics, const struct session *session,
                     const struct topic *topic)
{
    return sessions_may(topics->sessions, session, PERMISSION_READ_TOPIC, tree_path(topic));
}

/* Whether what the selection means has come to this path. */
static bool has_come_to(const struct subscriber *subscriber, const struct selection *selection,
                        struct span path)
{
    if (selection->feed == SELECTION_WHOLE)
        return true;
    return selection == subscriber->feeding && subscriber->cursor_bytes > 0 &&
           tree_order(path, span_of(subscriber->cursor, subscriber->cursor_bytes)) <= 0;
}

/* Whether its client may know the topic by that selection: it has heard of it, perhaps before it
 * said the selector again, which brings everything anew. */
static bool may_be_known(const struct subscriber *subscriber, const struct selection *selection,
                         struct span path)
{
    return selection->was_whole || has_come_to(subscriber, selection, path);
}

static bool is_for(const struct subscriber *subscriber, const struct selection *selection,
                   const struct news *news)
{
    struct span path = tree_path(news->topic);
    return news->update.is_end ? may_be_known(subscriber, selection, path)
                               : has_come_to(subscriber, selection, path);
}

static void tell_list(struct topics *topics, const struct selection *selection, struct news *news)
{
    struct subscribers *all = topics->subscribers;
    for (; selection != NULL; selection = selection->next_here) {
        struct subscriber *subscriber = subscriber_of(topics, selection->session);
        struct session *session = sessions_at(topics->sessions, selection->session);
        bool is_told = subscriber->told == all->changes && !bug_is_planted(BUG_UPDATE_TWICE);
        if (bug_is_planted(BUG_UPDATE_MISSED) && all->changes % 8 == 0)
            continue;
        if (is_told || !is_for(subscriber, selection, news) ||
            is_dropped(subscriber, news->update.key) || !may_read(topics, session, news->topic))
            continue;
        subscriber->told = all->changes;
        news_tell(topics, session, news);
    }
}

static void tell_all(struct topics *topics, struct news *news)
{
    const struct selection_node *found =
        selections_of_path(&topics->selections, tree_path(news->topic));
    topics->subscribers->changes++;
    for (; found != NULL; found = found->next_found) {
        tell_list(topics, found->rest, news);
        if (found->is_exact)
            tell_list(topics, found->exact, news);
    }
    news_end(topics, news);
}

void subscribers_tell_value(struct topics *topics, const struct topic *topic, bool is_resync)
{
    struct news news;
    if (topics->selections.count == 0)
        return;
    news_of_value(&news, topic, is_resync ? TOPIC_MARK_RESYNC : 0);
    tell_all(topics, &news);
}

void subscribers_tell_removed(struct topics *topics, const struct topic *topic)
{
    struct news news;
    news_of_end(&news, topic, UNSUBSCRIBED_REMOVED);
    tell_all(topics, &news);
}

/* Whether another selection of the session has brought the topic, and goes on bringing it. */
static bool is_told_already(struct topics *topics, const struct subscriber *subscriber,
                            const struct selection *fed, const struct topic *topic)
{
    if (subscriber->first == subscriber->last)
        return false;
    const struct selection_node *found = selections_of_path(&topics->selections, tree_path(topic));
    for (; found != NULL; found = found->next_found) {
        const struct selection *at = selections_at(&topics->selections, found, true, fed->session);
        if (at != NULL && at != fed && at->feed == SELECTION_WHOLE)
            return true;
        at =
            found->is_exact ? selections_at(&topics->selections, found, false, fed->session) : NULL;
        if (at != NULL && at != fed && at->feed == SELECTION_WHOLE)
            return true;
    }
    return false;
}

/* Whether a feed that has come to the topic brings it: what was lost, only if it was asked for
 * again, and then also if another selection goes on bringing it. */
static bool is_to_be_fed(struct topics *topics, struct subscriber *subscriber,
                         const struct selection *fed, const struct topic *topic)
{
    struct dropped **dropped = dropped_find(subscriber, topic->key);
    if (*dropped == NULL)
        return !is_told_already(topics, subscriber, fed, topic);
    if (!(*dropped)->is_lifted)
        return false;
    dropped_free(topics, subscriber, dropped);
    return true;
}

static bool has_room(const struct session *session)
{
    const struct outbound *queue = &session->outbound;
    return queue->messages < queue->messages_max / 2 && queue->bytes < queue->bytes_max / 2;
}

/* The first that is not whole. False: there is none, or no memory to begin: tried again later. */
static bool feed_begin(struct topics *topics, struct subscriber *subscriber)
{
    struct selection *selection = subscriber->first;
    while (selection != NULL && selection->feed == SELECTION_WHOLE)
        selection = selection->next_of_session;
    if (selection == NULL)
        return false;
    subscriber->cursor = memory_new(&topics->context->memory, MEMORY_TABLES, PATH_BYTES_MAX);
    if (subscriber->cursor == NULL)
        return false;
    subscriber->feeding = selection;
    selection->feed = SELECTION_FED;
    selection->has_met = false;
    return true;
}

static void feed_stand_at(struct subscriber *subscriber, struct span path)
{
    memcpy(subscriber->cursor, path.data, path.bytes);
    subscriber->cursor_bytes = (uint16_t)path.bytes;
}

static void feed_tell(struct topics *topics, struct session *session, const struct topic *topic)
{
    struct news news;
    news_of_value(&news, topic, TOPIC_MARK_SNAPSHOT);
    news_tell(topics, session, &news);
    news_end(topics, &news);
}

/* Tells a turn's worth of the selection; true: it is whole. */
static bool feed_some(struct topics *topics, struct subscriber *subscriber, struct session *session,
                      struct feed_turn *left)
{
    struct selection *selection = subscriber->feeding;
    struct span selector = selections_text(selection);
    size_t bytes = 0;
    struct topic *next,
        *topic = tree_next_behind(&topics->tree, TOPIC_ENTRY_SET,
                                  span_of(subscriber->cursor, subscriber->cursor_bytes));
    for (; topic != NULL; topic = next) {
        if (left->topics == 0 || left->looks == 0 || bytes >= FEED_BYTES || !has_room(session))
            return false;
        left->looks--;
        bool is_meant = tree_is_selected(&topics->tree, selector, topic, &next);
        if (!is_meant && next == NULL)
            return true;
        feed_stand_at(subscriber, tree_path(topic));
        if (!is_meant || !tree_is_there(topic))
            continue;
        selection->has_met = true;
        left->topics--;
        if (!may_read(topics, session, topic) ||
            !is_to_be_fed(topics, subscriber, selection, topic))
            continue;
        feed_tell(topics, session, topic);
        bytes += topic->rest_bytes;
    }
    return true;
}

/* The one that is fed has come to its end. */
static void feed_end(struct topics *topics, struct subscriber *subscriber,
                     const struct session *session)
{
    struct selection *selection = subscriber->feeding;
    selection->feed = SELECTION_WHOLE;
    selection->was_whole = false;
    if (!selection->has_met)
        unmet_note(topics, session, selections_text(selection));
    feed_stop(topics, subscriber);
}

void subscribers_feed(struct topics *topics, uint32_t slot)
{
    struct context *context = topics->context;
    struct subscriber *subscriber = subscriber_of(topics, slot);
    struct session *session = sessions_at(topics->sessions, slot);
    struct feed_turn left = {.topics = FEED_TOPICS, .looks = FEED_LOOKS};
    while (session->phase == SESSION_PHASE_OPEN && left.topics > 0 && left.looks > 0 &&
           (subscriber->feeding != NULL || feed_begin(topics, subscriber))) {
        if (!feed_some(topics, subscriber, session, &left))
            break;
        feed_end(topics, subscriber, session);
    }
    const struct selection *last = subscriber->last;
    bool has_more = subscriber->feeding != NULL || (last != NULL && last->feed != SELECTION_WHOLE);
    if (has_more)
        deadlines_set(context->deadlines, &subscriber->feed,
                      context->now_ns + (has_room(session) ? FEED_SOON_NS : FEED_FULL_NS));
}

/* Behind all others of its session, as if it were new. */
static void feed_again(struct topics *topics, struct subscriber *subscriber,
                       struct selection *selection)
{
    if (subscriber->feeding == selection)
        feed_stop(topics, subscriber);
    unlink_of_session(subscriber, selection);
    link_of_session(subscriber, selection);
    selection->was_whole = selection->was_whole || selection->feed == SELECTION_WHOLE;
    selection->feed = SELECTION_WAITS;
}

enum error subscribers_add(struct topics *topics, struct session *session, struct span selector)
{
    struct subscriber *subscriber = subscriber_of(topics, session->slot);
    struct selection *selection = selections_find(&topics->selections, session->slot, selector);
    lift(topics, subscriber, selector);
    if (selection != NULL) {
        feed_again(topics, subscriber, selection);
        return ERROR_OK;
    }
    if (subscriber->selections >= SELECTIONS_OF_SESSION_MAX ||
        subscriber->selections_bytes + selector.bytes > SELECTIONS_BYTES_OF_SESSION_MAX)
        return ERROR_LIMIT_REACHED;
    selection = selections_add(&topics->selections, session->slot, selector);
    if (selection == NULL)
        return ERROR_LIMIT_REACHED;
    if (subscriber->selections++ == 0) {
        subscriber->rights = session->rights;
        subscriber->feed = (struct deadline){
            .room = DEADLINE_TOPICS, .purpose = TOPICS_FEED, .slot = session->slot};
    }
    subscriber->selections_bytes += selection->bytes;
    link_of_session(subscriber, selection);
    return ERROR_OK;
}

void subscribers_look(struct topics *topics)
{
    struct session *session;
    uint32_t key;
    while (sessions_next_ended_subscription(topics->sessions, &session, &key)) {
        struct subscriber *subscriber = subscriber_of(topics, session->slot);
        const struct topic *topic = tree_of_key(&topics->tree, key);
        struct dropped *dropped = NULL;
        if (topic == NULL || subscriber->first == NULL || is_dropped(subscriber, key))
            continue; /* it is over anyway */
        if (subscriber->dropped_count < DROPPED_MAX)
            dropped = memory_new(&topics->context->memory, MEMORY_TABLES, sizeof *dropped);
        if (dropped == NULL) {
            sessions_close(topics->sessions, session, CLOSE_REASON_QUEUE_LIMIT_REACHED,
                           span_text("the session lost more topics by back pressure than a node "
                                     "remembers"));
            continue;
        }
        struct news news;
        *dropped = (struct dropped){.next = subscriber->dropped, .key = key};
        subscriber->dropped = dropped;
        subscriber->dropped_count++;
        news_of_end(&news, topic, UNSUBSCRIBED_BACK_PRESSURE);
        news_tell(topics, session, &news);
        news_end(topics, &news);
    }
}

bool subscribers_remove(struct topics *topics, struct session *session, struct span selector)
{
    struct selection *selection = selections_find(&topics->selections, session->slot, selector);
    if (selection == NULL)
        return false;
    drop(topics, subscriber_of(topics, session->slot), selection);
    return true;
}

/* Whether a selection before this one has brought the path. */
static bool is_earlier(const struct subscriber *subscriber, const struct selection *selection,
                       struct span path)
{
    const struct selection *at = selection->previous_of_session;
    for (; at != NULL; at = at->previous_of_session) {
        if (has_come_to(subscriber, at, path) && selector_matches(selections_text(at), path))
            return true;
    }
    return false;
}

/* Of one selection that was told: what was readable and is not, and the other way round. */
static void rights_compare(struct topics *topics, struct subscriber *subscriber,
                           struct session *session, const struct selection *selection)
{
    const struct permissions *before = &topics->subscribers->permissions;
    const struct tree *tree = &topics->tree;
    struct span selector = selections_text(selection);
    const struct topic *topic = tree_next_selected(tree, selector, (struct span){0});
    struct news news;
    for (; session->phase == SESSION_PHASE_OPEN && topic != NULL;
         topic = tree_next_selected_behind(tree, selector, topic)) {
        struct span path = tree_path(topic);
        if (!tree_is_there(topic) || !may_be_known(subscriber, selection, path))
            continue;
        bool could = permissions_allow(before, &subscriber->rights, PERMISSION_READ_TOPIC, path);
        bool can = may_read(topics, session, topic);
        if (could == can || is_dropped(subscriber, topic->key) ||
            is_earlier(subscriber, selection, path) ||
            (can && !has_come_to(subscriber, selection, path)))
            continue; /* in the last case the feed brings it */
        if (could)
            news_of_end(&news, topic, UNSUBSCRIBED_AUTHORIZATION);
        else
            news_of_value(&news, topic, TOPIC_MARK_SNAPSHOT);
        news_tell(topics, session, &news);
        news_end(topics, &news);
    }
}

void subscribers_rights_changed(struct topics *topics, struct session *session)
{
    struct subscriber *subscriber = subscriber_of(topics, session->slot);
    if (subscriber->first == NULL)
        return;
    /* Most changes are of other things, and comparing is a look at each topic that is selected. */
    if (!permissions_are_same(&topics->subscribers->permissions, &subscriber->rights,
                              sessions_permissions(topics->sessions), &session->rights,
                              PERMISSION_READ_TOPIC)) {
        for (const struct selection *at = subscriber->first; at != NULL; at = at->next_of_session)
            rights_compare(topics, subscriber, session, at);
    }
    subscriber->rights = session->rights;
}

void subscribers_permissions_changed(struct topics *topics)
{
    topics->subscribers->permissions = *sessions_permissions(topics->sessions);
}

void subscribers_check(const struct topics *topics)
{
    uint32_t selections = 0;
    selections_check(&topics->selections);
    for (uint32_t i = 0; i < sessions_used(topics->sessions); i++) {
        const struct subscriber *subscriber = subscriber_of(topics, i);
        const struct selection *at = subscriber->first;
        bool is_behind = false;
        uint32_t count = 0, bytes = 0;
        for (; at != NULL; at = at->next_of_session, count++) {
            bytes += at->bytes;
            require(at->session == i);
            require((at->feed == SELECTION_FED) == (at == subscriber->feeding));
            is_behind = is_behind || at->feed != SELECTION_WHOLE;
        }
        require(count == subscriber->selections && bytes == subscriber->selections_bytes);
        require((subscriber->feeding != NULL) == (subscriber->cursor != NULL));
        require(!is_behind || deadline_is_set(&subscriber->feed));
        selections += count;
    }
    require(selections == topics->selections.count);
}
