/* fetch.c - see fetch.h. Two walks: the first finds how many rows the page has and how many bytes
 * they take, the second writes them; so the page is written once, where it leaves from. */
#include "mesh/topics/fetch.h"

#include "mesh/base/path.h"
#include "mesh/base/selector.h"
#include "proto/kinds.h"

enum {
    ROWS_AT_MOST_BY_DEFAULT = 100,
    ROWS_BYTES_MAX = 900 * 1024, /* as of a listing of sessions */
    GROUP_HEAD_BYTES = 4
};

struct page {
    struct topics *topics;
    const struct session *session;
    struct topic_fetch fetch;
    uint32_t rows, total;
    size_t bytes;
};

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

static bool is_wanted(const struct page *page, const struct topic *topic)
{
    return tree_is_there(topic) && sessions_may(page->topics->sessions, page->session,
                                                PERMISSION_READ_TOPIC, tree_path(topic));
}

static void page_measure(struct page *page)
{
    uint32_t limit = page->fetch.limit == 0 ? ROWS_AT_MOST_BY_DEFAULT : page->fetch.limit;
    struct span after = page->fetch.after;
    const struct topic *topic;
    while ((topic = tree_next_selected(&page->topics->tree, page->fetch.selector, after)) != NULL) {
        after = tree_path(topic);
        if (!is_wanted(page, topic))
            continue;
        bool is_open = page->rows == page->total && page->rows < limit;
        page->total++;
        if (!is_open)
            continue;
        struct topic_row row = row_of(topic, page->fetch.without_values);
        size_t bytes = GROUP_HEAD_BYTES + schema_measure(&topic_row_schema, &row);
        if (page->rows > 0 && page->bytes + bytes > ROWS_BYTES_MAX)
            continue;
        page->rows++;
        page->bytes += bytes;
    }
}

static void page_write(const struct page *page, struct writer *writer)
{
    struct span after = page->fetch.after;
    for (uint32_t rows = 0; rows < page->rows;) {
        const struct topic *topic =
            tree_next_selected(&page->topics->tree, page->fetch.selector, after);
        require(topic != NULL);
        after = tree_path(topic);
        if (!is_wanted(page, topic))
            continue;
        struct topic_row row = row_of(topic, page->fetch.without_values);
        group_encode(&topic_row_schema, &row, writer);
        rows++;
    }
}

static void reply(struct topics *topics, struct session *session, uint64_t correlation,
                  const struct topic_rows *rows, struct span body)
{
    struct outgoing message = {.kind = KIND_TOPICS,
                               .correlation = correlation,
                               .schema = &topic_rows_schema,
                               .fields = rows,
                               .body = body};
    sessions_send(topics->sessions, session, &message);
}

static void refuse(struct topics *topics, struct session *session, uint64_t correlation,
                   enum error code, const char *text)
{
    struct topic_rows rows = {.code = (uint16_t)code, .text = span_text(text)};
    reply(topics, session, correlation, &rows, (struct span){0});
}

enum error fetch_from_session(struct topics *topics, struct session *session,
                              const struct message *message)
{
    struct page page = {.topics = topics, .session = session};
    enum error error = schema_decode(&topic_fetch_schema, message->fields, &page.fetch);
    if (error != ERROR_OK)
        return error;
    if (selector_parse(page.fetch.selector, &page.fetch.selector) != ERROR_OK ||
        (page.fetch.after.bytes > 0 &&
         path_parse(page.fetch.after, &page.fetch.after) != ERROR_OK)) {
        refuse(topics, session, message->correlation, ERROR_INVALID_PATH,
               "selector or path: segments of 1 to 255 bytes joined by '/'; `+` is any one of "
               "them, two stars at the end everything there and below");
        return ERROR_OK;
    }
    page_measure(&page);
    uint8_t *body = scratch_new(&topics->context->scratch, page.bytes);
    if (body == NULL) {
        refuse(topics, session, message->correlation, ERROR_LIMIT_REACHED,
               "no memory for the answer (memory.queues)");
        return ERROR_OK;
    }
    struct writer writer;
    writer_init(&writer, body, page.bytes);
    page_write(&page, &writer);
    require(!writer.is_bad && writer.left == 0);
    struct topic_rows rows = {.total = page.total};
    reply(topics, session, message->correlation, &rows, span_of(body, page.bytes));
    return ERROR_OK;
}
