/* streams.h - decides what this node tells each listener of the mesh about the sessions it hosts:
 * it evaluates their filters, where the sessions are.
 *
 *     a listener in the directory -> ASKING --LISTEN, slice 0--> ON
 *     ON --a queue is full, a link is lost--> ASKING
 *     its filter can't be served -> REFUSED       no listener any more -> free
 *
 * Memory: STREAMS_MAX records touched as used; a filter, keys and a bit for each slot of a session
 * in MEMORY_TABLES for each that is ON. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_STREAMS_H
#define WEFT_MESH_ROUTING_STREAMS_H

#include "mesh/routing/room.h"
#include "proto/event.h"

enum {
    STREAMS_MAX = 1024,        /* as many as listen in the mesh: watches.h */
    STREAMS_CLOSED_KEPT = 1024 /* sessions that closed last, with their reasons */
};

bool streams_init(struct routing *routing); /* false: no memory */
void streams_clear(struct routing *routing);

/* Between two facts: compares the streams with the directory's listeners, if those have changed. */
void streams_look(struct routing *routing);

/* LISTEN of a node, also of this one: begins anew, or gives the next slice of the picture. */
void streams_listen(struct routing *routing, uint64_t instance, const struct listen *listen);

/* Facts about sessions here, each when the directory knows it. changes: bits of session_change. */
void streams_session_opened(struct routing *routing, const struct session *session);
void streams_session_changed(struct routing *routing, const struct session *session,
                             unsigned changes);
void streams_session_ended(struct routing *routing, const struct session *session);

/* What was sent to that node may be lost: its listeners are asked to begin anew. */
void streams_link_lost(struct routing *routing, uint64_t instance);

void streams_due(struct routing *routing, const struct deadline *due);
void streams_check(const struct routing *routing);

#endif
