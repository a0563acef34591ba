/* salvage.c - see salvage.h. A link's queue is emptied and filled again with what is not taken, so
 * everything in it is copied first: a link is not lost often. A session's queue may hold updates
 * that others hold too; there each request is replaced where it waits. */
#include "mesh/routing/salvage.h"

#include "mesh/base/waiting.h"
#include "proto/kinds.h"

struct row {
    struct salvaged *first, **end;
};

/* What waits to be sent again after a resume may have been received the first time. */
static bool is_wanted(const struct outbound *queue, const struct waiting *walk,
                      const struct message *message)
{
    return !waiting_is_again(queue, walk) &&
           (message->kind == KIND_REQUEST || message->kind == KIND_COMMAND);
}

static bool holds_any(const struct outbound *queue)
{
    struct waiting walk = {.position = 0};
    struct message message;
    while (waiting_next(queue, &walk, &message)) {
        if (is_wanted(queue, &walk, &message))
            return true;
    }
    return false;
}

/* False: no memory. */
static bool row_append(struct context *context, struct row *row, const struct message *message)
{
    if (kind_is_secret(message->kind))
        return true; /* somebody else is asked: authenticators.h */
    struct salvaged *salvaged = scratch_new(&context->scratch, sizeof *salvaged);
    struct span fields = scratch_copy(&context->scratch, message->fields);
    struct span body = scratch_copy(&context->scratch, message->body);
    if (salvaged == NULL || fields.data == NULL || body.data == NULL)
        return false;
    salvaged->message = *message;
    salvaged->message.fields = fields;
    salvaged->message.body = body;
    *row->end = salvaged;
    row->end = &salvaged->next;
    return true;
}

struct salvaged *salvage_link(struct context *context, struct outbound *queue)
{
    if (!holds_any(queue))
        return NULL;
    struct row wanted = {.end = &wanted.first}, others = {.end = &others.first};
    struct waiting walk = {.position = 0};
    struct message message;
    while (waiting_next(queue, &walk, &message))
        (void)row_append(context, is_wanted(queue, &walk, &message) ? &wanted : &others, &message);
    outbound_drop_all(queue);
    for (struct salvaged *other = others.first; other != NULL; other = other->next) {
        struct outgoing outgoing = {
            .kind = other->message.kind,
            .flags = other->message.flags,
            .correlation = other->message.correlation,
            .encoded_fields = other->message.fields,
            .body = other->message.body,
            .consumes_credit = kind_is_numbered(other->message.kind),
        };
        (void)outbound_send(queue, &outgoing); /* it was in there: it fits */
    }
    return wanted.first;
}

struct salvaged *salvage_session(struct context *context, struct outbound *queue)
{
    struct row wanted = {.end = &wanted.first};
    struct waiting walk = {.position = 0};
    struct message message;
    while (waiting_next(queue, &walk, &message)) {
        if (message.kind == KIND_REQUEST && is_wanted(queue, &walk, &message) &&
            row_append(context, &wanted, &message))
            (void)waiting_replace(queue, queue->sent_total + walk.position, KIND_REQUEST,
                                  message.correlation, KIND_CANCEL);
    }
    return wanted.first;
}
