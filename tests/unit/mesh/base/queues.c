/* queues.c - see queues.h. */
#include "tests/unit/mesh/base/queues.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "proto/kinds.h"

void frame_take(struct outbox *outbox, const struct mesh_output *output, struct frame *frame)
{
    struct reader reader;
    enum error error;
    frame->bytes = malloc(output->bytes);
    frame->count = 0;
    outbox_write(outbox, frame->bytes);
    reader_init(&reader, span_of(frame->bytes, output->bytes));
    cr_assert_eq(envelope_decode(&reader, output->channel, &frame->envelope), ERROR_OK);
    while (message_next(&reader, &frame->messages[frame->count], &error))
        cr_assert_lt(++frame->count, FRAME_MESSAGES_MAX);
    cr_assert_eq(error, ERROR_OK);
}

void frame_free(struct frame *frame)
{
    free(frame->bytes);
    frame->bytes = NULL;
}

struct mesh_output output_expect(struct outbox *outbox, enum mesh_order order)
{
    struct mesh_output output;
    cr_assert(outbox_next(outbox, &output), "an output is missing");
    cr_assert_eq(output.order, order, "order %d instead of %d", (int)output.order, (int)order);
    return output;
}

uint32_t frame_expect(struct outbox *outbox, enum mesh_order order, uint32_t number)
{
    static struct frame frame;
    struct mesh_output output = output_expect(outbox, order);
    cr_assert_eq(order == MESH_SEND ? output.link : output.connection, number);
    frame_take(outbox, &output, &frame);
    frame_free(&frame);
    return frame.count;
}

void end_expect(struct outbox *outbox)
{
    struct mesh_output output;
    cr_assert(!outbox_next(outbox, &output), "one output too many");
}

enum error message_send(struct outbound *queue, uint64_t correlation, struct span body)
{
    return outbound_send(
        queue, &(struct outgoing){.kind = KIND_PING, .correlation = correlation, .body = body});
}
