/* weights.c - see weights.h. A queue rises to its class as it grows, and sinks only when somebody
 * looks for the heaviest: most queues grow and shrink all the time, and nobody asks.
 *
 * (W1) a queue that takes part holds less than weight_limit; it is in a list when weight_class > 0,
 *      and weight_limit is then WEIGHTS_BYTES_MIN << weight_class */
#include "mesh/base/weights.h"

#include "mesh/base/require.h"

/* Class 0: less than WEIGHTS_BYTES_MIN, in no list; class n: less than that << n. */
static uint32_t class_of(const struct outbound *queue)
{
    size_t bytes = queue->bytes + queue->sent_bytes;
    uint32_t class = 0;
    while (class < WEIGHTS_CLASSES - 1 && bytes >= (size_t)WEIGHTS_BYTES_MIN << class)
        class ++;
    return class;
}

static void unlink_from(struct weights *weights, struct outbound *queue)
{
    if (queue->weight_class == 0)
        return;
    if (queue->weight_previous == NULL)
        weights->first[queue->weight_class] = queue->weight_next;
    else
        queue->weight_previous->weight_next = queue->weight_next;
    if (queue->weight_next != NULL)
        queue->weight_next->weight_previous = queue->weight_previous;
    queue->weight_next = NULL;
    queue->weight_previous = NULL;
    queue->weight_class = 0;
}

static void link_to(struct weights *weights, struct outbound *queue, uint32_t class)
{
    queue->weight_class = class;
    queue->weight_limit = (size_t)WEIGHTS_BYTES_MIN << class;
    if (class == 0)
        return;
    queue->weight_next = weights->first[class];
    if (queue->weight_next != NULL)
        queue->weight_next->weight_previous = queue;
    weights->first[class] = queue;
}

void weights_add(struct weights *weights, struct outbound *queue)
{
    link_to(weights, queue, class_of(queue));
}

void weights_remove(struct weights *weights, struct outbound *queue)
{
    unlink_from(weights, queue);
    queue->weight_limit = SIZE_MAX;
}

void weights_raise(struct weights *weights, struct outbound *queue)
{
    unlink_from(weights, queue);
    link_to(weights, queue, class_of(queue));
}

struct outbound *weights_heaviest(struct weights *weights)
{
    for (uint32_t class = WEIGHTS_CLASSES - 1; class > 0; class --) {
        while (weights->first[class] != NULL) {
            struct outbound *queue = weights->first[class];
            if (class_of(queue) >= class)
                return queue;
            weights_raise(weights, queue);
        }
    }
    return NULL;
}
