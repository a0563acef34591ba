/* salvage.c - see salvage.h. The queue's memory goes when it is emptied, so everything in it is
 * copied first; a link or a session is not lost often. */
#include "mesh/routing/salvage.h"

#include "proto/kinds.h"

struct row {
    struct salvaged *first, **end;
};

/* What waits to be sent again after a resume may have been received the first time. */
static bool is_wanted(const struct outbound *queue, uint32_t at, const struct message *message)
{
    if (at < queue->again_messages)
        return false;
    return message->kind == KIND_REQUEST || message->kind == KIND_COMMAND;
}

static bool holds_any(const struct outbound *queue)
{
    struct chain_place place = {0};
    struct message message;
    for (uint32_t i = 0; outbound_next(queue, &place, &message); i++) {
        if (is_wanted(queue, i, &message))
            return true;
    }
    return false;
}

static void row_append(struct context *context, struct row *row, const struct message *message)
{
    struct salvaged *salvaged = scratch_new(&context->scratch, sizeof *salvaged);
    struct span fields = scratch_copy(&context->scratch, message->fields);
    struct span body = scratch_copy(&context->scratch, message->body);
    if (salvaged == NULL || fields.data == NULL || body.data == NULL)
        return;
    salvaged->message = *message;
    salvaged->message.fields = fields;
    salvaged->message.body = body;
    *row->end = salvaged;
    row->end = &salvaged->next;
}

struct salvaged *salvage_queue(struct context *context, struct outbound *queue)
{
    if (!holds_any(queue))
        return NULL;
    struct row wanted = {.end = &wanted.first}, others = {.end = &others.first};
    struct chain_place place = {0};
    struct message message;
    for (uint32_t i = 0; outbound_next(queue, &place, &message); i++)
        row_append(context, is_wanted(queue, i, &message) ? &wanted : &others, &message);
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
