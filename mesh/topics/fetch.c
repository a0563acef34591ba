/* fetch.c - see fetch.h. A walk along the topics that the selector means: rows go into the page
 * until it is full, what follows is only counted. A topic costs a quarter of a microsecond, so that
 * a million of them in one go would look to the others like a node that is gone.
 *
 *     FETCH -> a short slice -> its end: answered at once
 *                           \-> at work: [fetch_due] a slice each tick, in turn -> answered
 *
 * (F1) a FETCH that was taken is answered once, unless its session is over
 * (F2) while one is at work, the deadline is set
 * (F3) a page is whole when it is answered: later changes are in no row of it */
#include "mesh/topics/fetch.h"

#include "mesh/base/path.h"
#include "mesh/base/selector.h"
#include "proto/kinds.h"

enum {
    ROWS_AT_MOST_BY_DEFAULT = 100,
    ROWS_BYTES_MAX = 900 * 1024, /* as of a listing of sessions */
    GROUP_HEAD_BYTES = 4,
    /* Topics looked at. The first slice is what each message of a frame may cost; the others are
     * half a millisecond, which pings do not notice. */
    SLICE_AT_ONCE = 256,
    SLICE_LATER = 2048,
};

_Static_assert(FETCHES_OF_ONE_MAX == 16 && FETCHES_MAX == 64, "a refusal says these numbers");

enum progress { PROGRESS_DONE, PROGRESS_GOES_ON, PROGRESS_NO_MEMORY };

struct fetch {
    bool is_used;
    uint32_t session; /* slot */
    uint64_t correlation;
    uint32_t limit;
    bool without_values;
    bool is_full; /* the page: the rest is counted */
    uint32_t rows, total;
    uint8_t *page;
    size_t page_bytes, page_room;
    uint16_t selector_bytes, cursor_bytes;
    uint8_t selector[PATH_BYTES_MAX];
    uint8_t cursor[PATH_BYTES_MAX]; /* the path behind which it goes on */
};

struct fetches {
    uint32_t used; /* slots from here on were never touched */
    uint32_t count;
    uint32_t turn; /* the slot that is looked at next */
    struct deadline deadline;
    struct fetch slots[FETCHES_MAX];
};

bool fetch_init(struct topics *topics)
{
    struct memory *memory = &topics->context->memory;
    topics->fetches = memory_new(memory, MEMORY_TABLES, sizeof *topics->fetches);
    if (topics->fetches == NULL)
        return false;
    topics->fetches->deadline = (struct deadline){.room = DEADLINE_TOPICS, .purpose = TOPICS_FETCH};
    return true;
}

static void page_free(struct topics *topics, struct fetch *fetch)
{
    memory_free(&topics->context->memory, MEMORY_QUEUES, fetch->page, fetch->page_room);
    fetch->page = NULL;
}

static void release(struct topics *topics, struct fetch *fetch)
{
    page_free(topics, fetch);
    fetch->is_used = false;
    topics->fetches->count--;
}

void fetch_clear(struct topics *topics)
{
    struct fetches *all = topics->fetches;
    if (all == NULL)
        return;
    for (uint32_t slot = 0; slot < all->used; slot++) {
        if (all->slots[slot].is_used)
            release(topics, &all->slots[slot]);
    }
    deadlines_cancel(topics->context->deadlines, &all->deadline);
    memory_free(&topics->context->memory, MEMORY_TABLES, all, sizeof *all);
    topics->fetches = NULL;
}

static void reply(struct topics *topics, uint32_t session, uint64_t correlation,
                  const struct topic_rows *rows, struct span body)
{
    struct outgoing message = {.kind = KIND_TOPICS,
                               .correlation = correlation,
                               .schema = &topic_rows_schema,
                               .fields = rows,
                               .body = body};
    sessions_send(topics->sessions, sessions_at(topics->sessions, session), &message);
}

static void refuse(struct topics *topics, uint32_t session, uint64_t correlation, enum error code,
                   const char *text)
{
    struct topic_rows rows = {.code = (uint16_t)code, .text = span_text(text)};
    reply(topics, session, correlation, &rows, (struct span){0});
}

static void refuse_for_memory(struct topics *topics, const struct fetch *fetch)
{
    refuse(topics, fetch->session, fetch->correlation, ERROR_LIMIT_REACHED,
           "no memory for the answer (memory.queues)");
}

static struct topic_row row_of(const struct topic *topic, bool without_value)
{
    struct span value = tree_value(topic);
    const struct span nothing = {0};
    const struct session_id nobody = {0};
    return (struct topic_row){
        .path = tree_path(topic),
        .type = topic->value_type,
        .policy = topic->policy,
        .term = topic->version.term,
        .instance = topic->version.instance,
        .n = topic->version.n,
        .value = without_value ? nothing : value,
        .value_bytes = (uint32_t)value.bytes,
        .creator = topic->creator == NULL ? nobody : topic->creator->session,
    };
}

/* Room for so many more bytes: the first row has its own size, later ones double it. */
static bool page_grow(struct topics *topics, struct fetch *fetch, size_t bytes)
{
    size_t needed = fetch->page_bytes + bytes;
    if (needed <= fetch->page_room)
        return true;
    size_t room = fetch->page_room == 0 ? needed : 2 * needed;
    void *page =
        memory_resize(&topics->context->memory, MEMORY_QUEUES, fetch->page, fetch->page_room, room);
    if (page == NULL)
        return false;
    fetch->page = page;
    fetch->page_room = room;
    return true;
}

/* Counts a topic, and puts it on the page while that has room. False: no memory. */
static bool row_add(struct topics *topics, struct fetch *fetch, const struct topic *topic)
{
    fetch->total++;
    fetch->is_full = fetch->is_full || fetch->rows == fetch->limit;
    if (fetch->is_full)
        return true;
    struct topic_row row = row_of(topic, fetch->without_values);
    size_t bytes = GROUP_HEAD_BYTES + schema_measure(&topic_row_schema, &row);
    fetch->is_full = fetch->rows > 0 && fetch->page_bytes + bytes > ROWS_BYTES_MAX;
    if (fetch->is_full)
        return true;
    if (!page_grow(topics, fetch, bytes))
        return false;
    struct writer writer;
    writer_init(&writer, fetch->page + fetch->page_bytes, bytes);
    group_encode(&topic_row_schema, &row, &writer);
    require(!writer.is_bad && writer.left == 0);
    fetch->page_bytes += bytes;
    fetch->rows++;
    return true;
}

static bool may_read(const struct topics *topics, const struct session *session,
                     const struct topic *topic)
{
    return sessions_may(topics->sessions, session, PERMISSION_READ_TOPIC, tree_path(topic));
}

static void stand_at(struct fetch *fetch, struct span path)
{
    if (path.bytes > 0)
        memcpy(fetch->cursor, path.data, path.bytes);
    fetch->cursor_bytes = (uint16_t)path.bytes;
}

/* Looks at so many topics at most, those that the selector does not mean among them. */
static enum progress slice(struct topics *topics, struct fetch *fetch, uint32_t most)
{
    const struct tree *tree = &topics->tree;
    const struct session *session = sessions_at(topics->sessions, fetch->session);
    struct span selector = span_of(fetch->selector, fetch->selector_bytes);
    struct topic *next, *topic = tree_next_behind(tree, TOPIC_ENTRY_SET,
                                                  span_of(fetch->cursor, fetch->cursor_bytes));
    for (; topic != NULL; topic = next) {
        bool is_wanted = tree_is_selected(tree, selector, topic, &next) && tree_is_there(topic) &&
                         may_read(topics, session, topic);
        if (is_wanted && !row_add(topics, fetch, topic))
            return PROGRESS_NO_MEMORY;
        if (--most == 0 && next != NULL) {
            stand_at(fetch, tree_path(topic));
            return PROGRESS_GOES_ON;
        }
    }
    return PROGRESS_DONE;
}

static void answer(struct topics *topics, struct fetch *fetch)
{
    struct topic_rows rows = {.total = fetch->total};
    struct span page = scratch_copy(&topics->context->scratch, /* it lives until the pull */
                                    span_of(fetch->page, fetch->page_bytes));
    if (page.data == NULL)
        refuse_for_memory(topics, fetch);
    else
        reply(topics, fetch->session, fetch->correlation, &rows, page);
}

/* How many of the session's are at work. */
static uint32_t share_of(const struct fetches *all, uint32_t session)
{
    uint32_t share = 0;
    for (uint32_t slot = 0; slot < all->used; slot++)
        share += all->slots[slot].is_used && all->slots[slot].session == session ? 1 : 0;
    return share;
}

/* There is a free one. */
static struct fetch *take(struct fetches *all)
{
    uint32_t slot = 0;
    while (slot < all->used && all->slots[slot].is_used)
        slot++;
    require(slot < FETCHES_MAX);
    if (slot == all->used)
        all->used++;
    all->count++;
    return &all->slots[slot];
}

static void go_on_soon(struct topics *topics)
{
    struct context *context = topics->context;
    deadlines_set(context->deadlines, &topics->fetches->deadline, context->now_ns);
}

/* The short slice; what is longer is put into the table. */
static void begin(struct topics *topics, struct fetch *fetch)
{
    switch (slice(topics, fetch, SLICE_AT_ONCE)) {
    case PROGRESS_DONE:
        answer(topics, fetch);
        page_free(topics, fetch);
        break;
    case PROGRESS_GOES_ON:
        fetch->is_used = true;
        *take(topics->fetches) = *fetch;
        if (!deadline_is_set(&topics->fetches->deadline))
            go_on_soon(topics);
        break;
    case PROGRESS_NO_MEMORY:
        refuse_for_memory(topics, fetch);
        page_free(topics, fetch);
        break;
    }
}

enum error fetch_from_session(struct topics *topics, struct session *session,
                              const struct message *message)
{
    const struct fetches *all = topics->fetches;
    struct topic_fetch asked;
    struct span selector, after = {0};
    enum error error = schema_decode(&topic_fetch_schema, message->fields, &asked);
    if (error != ERROR_OK)
        return error;
    if (selector_parse(asked.selector, &selector) != ERROR_OK ||
        (asked.after.bytes > 0 && path_parse(asked.after, &after) != ERROR_OK)) {
        refuse(topics, session->slot, message->correlation, ERROR_INVALID_PATH,
               "selector or path: segments of 1 to 255 bytes joined by '/'; `+` is any one of "
               "them, two stars at the end everything there and below");
        return ERROR_OK;
    }
    if (all->count == FETCHES_MAX || share_of(all, session->slot) == FETCHES_OF_ONE_MAX) {
        count(topics->context, COUNTER_fetches_refused);
        refuse(topics, session->slot, message->correlation, ERROR_LIMIT_REACHED,
               "16 fetches of this session are at work, or 64 of all; ask again when one of them "
               "is answered");
        return ERROR_OK;
    }
    struct fetch fetch = {
        .session = session->slot,
        .correlation = message->correlation,
        .limit = asked.limit == 0 ? ROWS_AT_MOST_BY_DEFAULT : asked.limit,
        .without_values = asked.without_values,
        .selector_bytes = (uint16_t)selector.bytes,
    };
    memcpy(fetch.selector, selector.data, selector.bytes);
    stand_at(&fetch, after);
    begin(topics, &fetch);
    return ERROR_OK;
}

/* The next one at work, in turn; there is one. */
static struct fetch *next_in_turn(struct fetches *all)
{
    for (;;) {
        struct fetch *fetch = &all->slots[all->turn++ % all->used];
        if (fetch->is_used)
            return fetch;
    }
}

void fetch_due(struct topics *topics)
{
    struct fetches *all = topics->fetches;
    if (all->count == 0)
        return;
    struct fetch *fetch = next_in_turn(all);
    enum progress progress = slice(topics, fetch, SLICE_LATER);
    if (progress == PROGRESS_DONE)
        answer(topics, fetch);
    else if (progress == PROGRESS_NO_MEMORY)
        refuse_for_memory(topics, fetch);
    if (progress != PROGRESS_GOES_ON)
        release(topics, fetch);
    if (all->count > 0)
        go_on_soon(topics);
}

void fetch_session_ended(struct topics *topics, const struct session *session)
{
    struct fetches *all = topics->fetches;
    for (uint32_t slot = 0; all->count > 0 && slot < all->used; slot++) {
        if (all->slots[slot].is_used && all->slots[slot].session == session->slot)
            release(topics, &all->slots[slot]);
    }
}

void fetch_check(const struct topics *topics)
{
    const struct fetches *all = topics->fetches;
    uint32_t used = 0;
    for (uint32_t slot = 0; slot < all->used; slot++)
        used += all->slots[slot].is_used ? 1 : 0;
    require(used == all->count);
    require(used == 0 || deadline_is_set(&all->deadline));
}
