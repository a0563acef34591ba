/* queues.h - what the tests of outbox, links and admission share: an outbox with its memory, and
 * frames pulled from it, decoded.
 * Memory: the frame is malloc'd to its exact size, so that ASan sees a byte too many. */
#ifndef WEFT_TESTS_UNIT_MESH_BASE_QUEUES_H
#define WEFT_TESTS_UNIT_MESH_BASE_QUEUES_H

#include "mesh/base/outbox.h"

enum { FRAME_MESSAGES_MAX = 4096 };

struct frame {
    uint8_t *bytes;
    struct envelope envelope;
    struct message messages[FRAME_MESSAGES_MAX];
    uint32_t count;
};

/* Writes the frame just pulled and decodes it; frame_free afterwards. */
void frame_take(struct outbox *outbox, const struct mesh_output *output, struct frame *frame);
void frame_free(struct frame *frame);

/* Pulls the next output and requires it to be this order. */
struct mesh_output output_expect(struct outbox *outbox, enum mesh_order order);

/* Pulls the next output, requires a frame, and returns how many messages it has. */
uint32_t frame_expect(struct outbox *outbox, enum mesh_order order, uint32_t number);

/* Requires that the pull ends here. */
void end_expect(struct outbox *outbox);

/* Queues a message without fields. */
enum error message_send(struct outbound *queue, uint64_t correlation, struct span body);

#endif
