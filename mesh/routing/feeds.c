/* feeds.c - see feeds.h. What a listener was told is the only memory of it; whatever comes is
 * compared with that, so nothing is told twice, however often it comes.
 *
 *     a slice, or an event       record?     told
 *     opened, entered            none        opened, entered
 *     opened, entered            there       what differs, as a resync: updated, disconnected ..
 *     updated                    there       updated, if the properties told differ
 *     disconnected, reconnected  there       that, if the state differs
 *     closed, left               there       that, and forgotten
 *     behind the last slice      not seen    left, or closed without its reason, as a resync
 *
 * A listener's queue is its own: events take no more than half of it, and slices are asked for
 * while less than a quarter is full. What has no room then is not told: the stream goes behind,
 * begins anew once there is room, and the comparison tells the differences. So a slow listener is
 * never closed for what happens to others, and costs what it was told, whatever it misses.
 *
 * While a feed awaits its picture, events of another epoch were under way as it began anew. Behind
 * the picture none can be, on one link; but a LISTEN of a link that broke may come late, behind one
 * of the next link, and lead the stream back to its epoch. So a feed that is LIVE and hears another
 * epoch than its own begins anew: else it would be deaf for good.
 *
 * (E3) the records of a watch are each in the list of one of its feeds
 * (E4) a feed that is ASKED, FULL, BEHIND or LOST, or sweeps, has a deadline */
#include "mesh/routing/feeds.h"

#include "mesh/base/bugs.h"
#include "mesh/routing/streams.h"
#include "mesh/routing/watches.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)

/* A slice is there within milliseconds; half of this repeats what a busy mesh still answers, twice
 * of it lets a listener wait for what was lost. */
#define ASKED_AGAIN_NS (2000 * MS_NS)
#define FULL_LOOK_NS (20 * MS_NS)    /* a client takes some thousand events in that time */
#define BEHIND_LOOK_NS (100 * MS_NS) /* beginning anew costs a picture: not more often */

/* A lost node's sessions are spoken of so long after they were told gone, as the directory keeps
 * them that long: a node that comes back later is told as opened anew. */
#define FORGET_NS (600000 * MS_NS)

enum { SWEEP_AT_ONCE = 256 }; /* sessions told in one step: some 100 us */

struct feed *feeds_find(const struct watch *watch, uint64_t instance)
{
    struct feed *feed = watch->feeds;
    while (feed != NULL && feed->instance != instance)
        feed = feed->next;
    return feed;
}

static uint8_t text_copy(char text[NAME_BYTES_MAX], struct span from)
{
    memcpy(text, from.data, from.bytes); /* a name of nodes.h: not longer */
    return (uint8_t)from.bytes;
}

struct feed *feeds_get(struct routing *routing, struct watch *watch, uint64_t instance)
{
    struct feed *feed = feeds_find(watch, instance);
    const struct node *node = nodes_find(&routing->nodes, instance);
    if (feed != NULL || node == NULL)
        return feed;
    feed = memory_new(&routing->context->memory, MEMORY_TABLES, sizeof *feed);
    if (feed == NULL)
        return NULL;
    *feed = (struct feed){
        .deadline = {.room = DEADLINE_ROUTING,
                     .purpose = ROUTING_FEED_DUE,
                     .slot = (uint32_t)(watch - routing->watches->slots)},
        .next = watch->feeds,
        .watch = watch,
        .instance = instance,
    };
    feed->name_bytes = text_copy(feed->name, nodes_name(node));
    feed->zone_bytes = text_copy(feed->zone, nodes_zone(node));
    told_list_init(&feed->told);
    watch->feeds = feed;
    return feed;
}

static void feed_free(struct routing *routing, struct feed *feed)
{
    deadlines_cancel(routing->context->deadlines, &feed->deadline);
    memory_free(&routing->context->memory, MEMORY_TABLES, feed, sizeof *feed);
}

void feeds_clear(struct routing *routing, struct watch *watch)
{
    while (watch->feeds != NULL) {
        struct feed *feed = watch->feeds;
        watch->feeds = feed->next;
        feed_free(routing, feed);
    }
}

static void look_after(struct routing *routing, struct feed *feed, uint64_t wait_ns)
{
    deadlines_set(routing->context->deadlines, &feed->deadline, routing->context->now_ns + wait_ns);
}

/* Says LISTEN; what does not leave is said again when its deadline is due. */
static void listen_say(struct routing *routing, struct feed *feed)
{
    const struct watch *watch = feed->watch;
    struct listen listen = {
        .what = LISTEN_SESSION,
        .listener = watch->listener,
        .number = watch->number,
        .epoch = feed->epoch,
        .slice = feed->slice,
    };
    if (feed->slice == 0) {
        listen.filter = span_of(watch->text, watch->filter_bytes);
        listen.keys = span_of(watch->text + watch->filter_bytes, watch->keys_bytes);
    }
    feed->state = FEED_ASKED;
    look_after(routing, feed, ASKED_AGAIN_NS);
    if (feed->instance == routing->context->instance) {
        streams_listen(routing, feed->instance, &listen);
        return;
    }
    const struct node *node = nodes_find(&routing->nodes, feed->instance);
    struct outbound *queue = node == NULL ? NULL : nodes_queue(&routing->nodes, node);
    struct outgoing message = {.kind = KIND_LISTEN, .schema = &listen_schema, .fields = &listen};
    if (queue != NULL)
        (void)outbound_send(queue, &message);
}

void feeds_begin(struct routing *routing, struct feed *feed)
{
    if (feed->epoch > 0)
        count(routing->context, COUNTER_session_event_resyncs);
    feed->epoch++;
    feed->slice = 0;
    feed->sequence = 0;
    feed->sweep = SWEEP_NONE;
    feed->is_told_gone = feed->is_over = feed->is_emptied = false;
    listen_say(routing, feed);
}

static void behind(struct routing *routing, struct feed *feed, uint64_t wait_ns)
{
    feed->state = FEED_BEHIND;
    feed->sweep = SWEEP_NONE;
    look_after(routing, feed, wait_ns);
}

static const struct outbound *queue_of(const struct routing *routing, const struct feed *feed)
{
    return &sessions_at(routing->sessions, feed->watch->session)->outbound;
}

/* Whether the client took enough for the next slice. */
static bool has_room(const struct routing *routing, const struct feed *feed)
{
    const struct outbound *queue = queue_of(routing, feed);
    return queue->messages <= queue->messages_max / 4 && queue->bytes <= queue->bytes_max / 4;
}

/* Whether one more event may be told. */
static bool may_tell(const struct routing *routing, const struct feed *feed, size_t bytes)
{
    const struct outbound *queue = queue_of(routing, feed);
    size_t most = queue->bytes_max / 2;
    return queue->messages == 0 || (queue->messages < queue->messages_max / 2 &&
                                    queue->bytes <= most && bytes <= most - queue->bytes);
}

/* An event to the client; false: it has no room, and nothing was told. */
static bool tell(struct routing *routing, struct feed *feed, enum session_news news,
                 const struct session_item *item, bool is_resync)
{
    struct watch *watch = feed->watch;
    if (watch->is_over)
        return true; /* it was told so */
    if (!may_tell(routing, feed, item->properties.bytes))
        return false;
    struct event event = {
        .what = LISTEN_SESSION,
        .event = (uint8_t)news,
        .node = span_of(feed->name, feed->name_bytes),
        .zone = span_of(feed->zone, feed->zone_bytes),
        .instance = feed->instance,
        .sequence = ++watch->sequence,
        .session = item->id,
        .state = item->state,
        .reason = item->reason,
        .is_resync = is_resync,
    };
    struct outgoing message = {
        .kind = KIND_EVENT,
        .correlation = watch->correlation,
        .schema = &event_schema,
        .fields = &event,
        .body = item->properties,
        .consumes_credit = true,
    };
    count(routing->context, COUNTER_session_events_told);
    sessions_send(routing->sessions, sessions_at(routing->sessions, watch->session), &message);
    return true;
}

static void forget(struct routing *routing, struct feed *feed, uint32_t number)
{
    if (feed->swept == number)
        feed->swept = told_at(&feed->watch->told, number)->next;
    told_remove(&feed->watch->told, number);
    routing->watches->told--;
}

/* A new record; false: the watch has failed. */
static bool remember(struct routing *routing, struct feed *feed, const struct session_item *item)
{
    struct told *told = &feed->watch->told;
    uint32_t number = routing->watches->told < WATCHES_TOLD_MAX
                          ? told_add(told, &feed->told, item->id)
                          : TOLD_NONE;
    if (number == TOLD_NONE) {
        watches_fail(routing, feed->watch, ERROR_LIMIT_REACHED,
                     "the listeners of this node follow more sessions than it can remember "
                     "(1,048,576): narrow the filter");
        return false;
    }
    routing->watches->told++;
    struct told_session *session = told_at(told, number);
    session->properties = told_hash(told, item->properties);
    session->state = item->state;
    session->seen = feed->epoch;
    return true;
}

static bool state_tell(struct routing *routing, struct feed *feed, uint32_t number,
                       const struct session_item *item, bool is_resync)
{
    struct told_session *session = told_at(&feed->watch->told, number);
    bool is_away = item->state == SESSION_DISCONNECTED;
    if (session->state == item->state)
        return true;
    if (!tell(routing, feed, is_away ? SESSION_NEWS_DISCONNECTED : SESSION_NEWS_RECONNECTED, item,
              is_resync))
        return false;
    session->state = item->state;
    return true;
}

static bool properties_tell(struct routing *routing, struct feed *feed, uint32_t number,
                            const struct session_item *item, bool is_resync)
{
    struct told *told = &feed->watch->told;
    uint64_t hash = told_hash(told, item->properties);
    if (told_at(told, number)->properties == hash)
        return true;
    if (!tell(routing, feed, SESSION_NEWS_UPDATED, item, is_resync))
        return false;
    told_at(told, number)->properties = hash;
    return true;
}

/* One that was told unreachable or gone is heard of again. */
static bool reach_tell(struct routing *routing, struct feed *feed, uint32_t number,
                       const struct session_item *item)
{
    struct told_session *session = told_at(&feed->watch->told, number);
    struct session_item plain = {.id = item->id, .state = item->state};
    if (session->reach == TOLD_REACHABLE)
        return true;
    if (!tell(routing, feed, SESSION_NEWS_REACHABLE, &plain, false))
        return false;
    session->reach = TOLD_REACHABLE;
    return true;
}

/* Something about a session that is there. */
static bool present_take(struct routing *routing, struct feed *feed, uint32_t number,
                         const struct session_item *item)
{
    bool is_resync = item->event == SESSION_NEWS_OPENED || item->event == SESSION_NEWS_ENTERED;
    if (!reach_tell(routing, feed, number, item))
        return false;
    told_at(&feed->watch->told, number)->seen = feed->epoch;
    return state_tell(routing, feed, number, item, is_resync) &&
           properties_tell(routing, feed, number, item, is_resync);
}

/* False: no room. */
static bool item_take(struct routing *routing, struct feed *feed, const struct session_item *item,
                      bool is_resync)
{
    struct told *told = &feed->watch->told;
    uint32_t number = told_find(told, item->id);
    bool is_there = number != TOLD_NONE;
    bool is_over = item->event == SESSION_NEWS_CLOSED || item->event == SESSION_NEWS_LEFT;
    if (is_there && told_at(told, number)->list != &feed->told) {
        if (is_over)
            return true; /* it was here too, and goes on at another node */
        told_move(told, &feed->told, number);
    }
    switch ((enum session_news)item->event) {
    case SESSION_NEWS_OPENED:
    case SESSION_NEWS_ENTERED:
    case SESSION_NEWS_UPDATED:
        if (is_there)
            return present_take(routing, feed, number, item);
        if (!tell(routing, feed,
                  item->event == SESSION_NEWS_UPDATED ? SESSION_NEWS_ENTERED
                                                      : (enum session_news)item->event,
                  item, is_resync))
            return false;
        (void)remember(routing, feed, item);
        return true;
    case SESSION_NEWS_DISCONNECTED:
    case SESSION_NEWS_RECONNECTED:
        return !is_there || present_take(routing, feed, number, item);
    case SESSION_NEWS_CLOSED:
    case SESSION_NEWS_LEFT:
        if (is_there && !tell(routing, feed, (enum session_news)item->event, item, false))
            return false;
        if (is_there && !bug_is_planted(BUG_CLOSED_TWICE))
            forget(routing, feed, number);
        return true;
    case SESSION_NEWS_UNREACHABLE: /* these are said by this node only */
    case SESSION_NEWS_REACHABLE:
    case SESSION_NEWS_FAILED_OVER:
    case SESSION_NEWS_GONE:
        return true;
    }
    return true; /* of a later version */
}

/* False: the items are malformed. What has no room puts the feed behind. */
static bool items_take(struct routing *routing, struct feed *feed, struct span items,
                       bool is_resync)
{
    struct session_item item;
    enum error error;
    while (group_next(&session_item_schema, &items, &item, &error)) {
        if (feed->watch->is_over)
            return true;
        if (!item_take(routing, feed, &item, is_resync)) {
            behind(routing, feed, BEHIND_LOOK_NS);
            return true;
        }
    }
    return error == ERROR_OK;
}

static void sweep_begin(struct routing *routing, struct feed *feed, enum feed_sweep sweep)
{
    feed->sweep = sweep;
    feed->swept = feed->told.first;
    look_after(routing, feed, 0);
}

/* A slice was taken: the next one, or the picture is whole. */
static void slice_done(struct routing *routing, struct feed *feed, bool is_last)
{
    if (is_last) {
        feed->state = FEED_LIVE;
        deadlines_cancel(routing->context->deadlines, &feed->deadline);
        if (feed->epoch > 1)
            sweep_begin(routing, feed, SWEEP_UNSEEN);
        return;
    }
    feed->slice++;
    bool is_here = feed->instance == routing->context->instance;
    if (has_room(routing, feed) && !is_here) {
        listen_say(routing, feed);
        return;
    }
    feed->state = FEED_FULL;
    look_after(routing, feed, is_here ? 0 : FULL_LOOK_NS); /* here: one slice a tick */
}

enum error feeds_event(struct routing *routing, struct feed *feed, const struct event *event,
                       struct span items)
{
    bool is_current =
        event->epoch == feed->epoch && feed->state != FEED_BEHIND && feed->state != FEED_LOST;
    if (!is_current && feed->state == FEED_LIVE)
        behind(routing, feed, BEHIND_LOOK_NS); /* led back: see above */
    if (!is_current)
        return ERROR_OK; /* under way when it began anew */
    if (event->sequence != feed->sequence + 1) {
        behind(routing, feed, 0);
        return ERROR_OK;
    }
    feed->sequence = event->sequence;
    if (!items_take(routing, feed, items, event->is_slice && feed->epoch > 1)) {
        behind(routing, feed, BEHIND_LOOK_NS);
        return ERROR_INVALID_MESSAGE;
    }
    bool goes_on = !feed->watch->is_over && feed->state != FEED_BEHIND;
    if (event->is_slice && goes_on)
        slice_done(routing, feed, event->is_last);
    return ERROR_OK;
}

/* Not among those that match any more. Its node's directory entry says whether it is there still;
 * the word of its end, and the reason with it, was lost. */
static bool unseen_tell(struct routing *routing, struct feed *feed, uint32_t number)
{
    const struct told_session *session = told_at(&feed->watch->told, number);
    struct session_item item = {.id = session->id, .state = SESSION_CLOSED};
    bool is_shaded;
    if (session->seen == feed->epoch)
        return true;
    bool is_there =
        ownership_find_session(routing->ownership, item.id, &is_shaded) != 0 && !is_shaded;
    if (is_there)
        item.state = session->state;
    if (!tell(routing, feed, is_there ? SESSION_NEWS_LEFT : SESSION_NEWS_CLOSED, &item, true))
        return false;
    forget(routing, feed, number);
    return true;
}

static bool lost_tell(struct routing *routing, struct feed *feed, uint32_t number,
                      enum told_reach reach)
{
    struct told_session *session = told_at(&feed->watch->told, number);
    struct session_item item = {.id = session->id, .state = session->state};
    if (session->reach >= reach) /* told; a node that comes back anew loses them once, not twice */
        return true;
    if (!tell(routing, feed, reach == TOLD_GONE ? SESSION_NEWS_GONE : SESSION_NEWS_UNREACHABLE,
              &item, false))
        return false;
    session->reach = (uint8_t)reach;
    return true;
}

static bool sweep_tell(struct routing *routing, struct feed *feed, uint32_t number)
{
    switch (feed->sweep) {
    case SWEEP_UNSEEN:
        return unseen_tell(routing, feed, number);
    case SWEEP_UNREACHABLE:
        return lost_tell(routing, feed, number, TOLD_UNREACHABLE);
    case SWEEP_GONE:
        return lost_tell(routing, feed, number, TOLD_GONE);
    case SWEEP_NONE:
        break;
    }
    return true;
}

/* No session of the lost node waits longer for its client, if the nodes are configured alike. */
static uint64_t gone_after_ns(const struct routing *routing)
{
    return routing->context->config->session_reconnect_ms * MS_NS;
}

/* All of a sweep was told. */
static void sweep_done(struct routing *routing, struct feed *feed)
{
    enum feed_sweep done = feed->sweep;
    feed->sweep = SWEEP_NONE;
    if (done == SWEEP_UNREACHABLE && feed->is_over) {
        sweep_begin(routing, feed, SWEEP_GONE);
    } else if (done == SWEEP_UNREACHABLE) {
        uint64_t gone_ns = feed->lost_ns + gone_after_ns(routing);
        uint64_t now_ns = routing->context->now_ns;
        look_after(routing, feed, gone_ns > now_ns ? gone_ns - now_ns : 0);
    } else if (done == SWEEP_GONE) {
        feed->is_told_gone = true;
        look_after(routing, feed, feed->is_over ? 0 : FORGET_NS);
    }
}

static void sweep_step(struct routing *routing, struct feed *feed)
{
    struct told *told = &feed->watch->told;
    for (int i = 0; i < SWEEP_AT_ONCE && feed->swept != TOLD_NONE; i++) {
        uint32_t number = feed->swept;
        if (told_at(told, number)->list != &feed->told) { /* it goes on at another node */
            feed->swept = feed->told.first;
            continue;
        }
        if (!sweep_tell(routing, feed, number)) {
            look_after(routing, feed, BEHIND_LOOK_NS);
            return;
        }
        if (feed->swept == number)
            feed->swept = told_at(told, number)->next;
    }
    if (feed->swept == TOLD_NONE)
        sweep_done(routing, feed);
    else
        look_after(routing, feed, 0);
}

void feeds_lost(struct routing *routing, struct feed *feed, bool is_over)
{
    if (bug_is_planted(BUG_LOST_UNTOLD))
        return;
    feed->is_over = feed->is_over || is_over;
    if (feed->state == FEED_LOST && !is_over)
        return;
    if (feed->state != FEED_LOST)
        feed->lost_ns = routing->context->now_ns;
    feed->state = FEED_LOST;
    sweep_begin(routing, feed, SWEEP_UNREACHABLE);
}

static void feed_remove(struct routing *routing, struct feed *feed)
{
    struct feed **at = &feed->watch->feeds;
    while (feed->told.first != TOLD_NONE)
        forget(routing, feed, feed->told.first);
    while (*at != feed)
        at = &(*at)->next;
    *at = feed->next;
    feed_free(routing, feed);
}

/* What was told of it is forgotten; that it was listened to, later. */
static void empty(struct routing *routing, struct feed *feed)
{
    while (feed->told.first != TOLD_NONE)
        forget(routing, feed, feed->told.first);
    feed->is_emptied = true;
    look_after(routing, feed, FORGET_NS);
}

static void feed_due(struct routing *routing, struct feed *feed)
{
    if (feed->sweep != SWEEP_NONE) {
        sweep_step(routing, feed);
        return;
    }
    switch (feed->state) {
    case FEED_ASKED: /* no answer */
        feeds_begin(routing, feed);
        break;
    case FEED_FULL:
        if (has_room(routing, feed))
            listen_say(routing, feed);
        else
            look_after(routing, feed, FULL_LOOK_NS);
        break;
    case FEED_BEHIND:
        if (has_room(routing, feed))
            feeds_begin(routing, feed);
        else
            look_after(routing, feed, BEHIND_LOOK_NS);
        break;
    case FEED_LOST:
        if (feed->is_told_gone && feed->is_over && !feed->is_emptied)
            empty(routing, feed);
        else if (feed->is_told_gone)
            feed_remove(routing, feed);
        else
            sweep_begin(routing, feed, SWEEP_GONE);
        break;
    case FEED_LIVE:
        break;
    }
}

void feeds_due(struct routing *routing, struct watch *watch, const struct deadline *due)
{
    struct feed *feed = watch->feeds;
    while (feed != NULL && &feed->deadline != due)
        feed = feed->next;
    if (feed != NULL)
        feed_due(routing, feed);
}
