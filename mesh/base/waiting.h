/* waiting.h - looks at what waits in a queue, oldest first, and puts something else in the place of
 * a message that must not leave any more. Updates of topics are passed over: they are others' too.
 * Memory: none. Thread: one owner. */
#ifndef WEFT_MESH_BASE_WAITING_H
#define WEFT_MESH_BASE_WAITING_H

#include "mesh/base/outbound.h"

/* A walk along what waits (not what is urgent); zeroed, it starts. */
struct waiting {
    struct chain_place place;
    uint32_t position; /* of the message at hand, from 1 */
};

/* The next message; false: the end. Its spans live until the queue changes. */
bool waiting_next(const struct outbound *queue, struct waiting *walk, struct message *message);

/* Whether the message at hand has left before, and may have been received (outbound_rewind). */
bool waiting_is_again(const struct outbound *queue, const struct waiting *walk);

/* If the message of that kind and correlation still waits and has never left, one of the kind
 * `instead`, with the same correlation and nothing else, takes its place. `number`: queue's
 * queued_total behind its outbound_send. False, and nothing changed: it has left, or may have, or
 * more than 1,024 messages wait before it. O(messages that wait before it, at most those). */
bool waiting_replace(struct outbound *queue, uint64_t number, uint8_t kind, uint64_t correlation,
                     uint8_t instead);

#endif
