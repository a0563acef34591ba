#include "daemon/batch.h"

#include <sodium.h>

zmq_msg_t *batch_add(struct batch *batch)
{
    if (batch->count == BATCH_FRAMES)
        return NULL;
    zmq_msg_t *frame = &batch->frames[batch->count++];
    zmq_msg_init(frame);
    return frame;
}

struct span batch_copy(struct batch *batch, struct span bytes)
{
    struct span empty = {0};
    if (bytes.bytes == 0 || batch->count == BATCH_FRAMES)
        return empty;
    zmq_msg_t *copy = &batch->frames[batch->count];
    if (zmq_msg_init_size(copy, bytes.bytes) != 0)
        return empty;
    batch->count++;
    memcpy(zmq_msg_data(copy), bytes.data, bytes.bytes);
    return span_of(zmq_msg_data(copy), bytes.bytes);
}

void batch_clear(struct batch *batch)
{
    while (batch->count > 0) {
        zmq_msg_t *frame = &batch->frames[--batch->count];
        if (batch->is_secret)
            sodium_memzero(zmq_msg_data(frame), zmq_msg_size(frame));
        zmq_msg_close(frame);
    }
    batch->is_secret = false;
}
