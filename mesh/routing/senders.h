/* senders.h - decides what a handler is told of the caller: those of its properties that the
 * handler asked for when it registered. The caller's own node has them and sends them along; the
 * handler's node lets no others through.
 * Memory: groups of property, in scratch memory; only where a handler asked. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_SENDERS_H
#define WEFT_MESH_ROUTING_SENDERS_H

#include "mesh/routing/room.h"

/* Of a session here: what the keys name, as far as it fits into REQUEST_PROPERTIES_BYTES_MAX and
 * into memory; empty keys: nothing. */
struct span senders_properties(struct routing *routing, const struct session *session,
                               struct span keys);

/* Of what the caller's node sent along: what the keys name. Groups that can't be read end it. */
struct span senders_pick(struct routing *routing, struct span properties, struct span keys);

#endif
