/* admission.h - decides whether a frame that came in on gossip or forward is taken: whether it is
 * of this mesh, for this node, and from whom its connection belongs to; and for how long a
 * connection that keeps bringing nonsense is not listened to.
 *
 * The first good frame of a connection binds it to the sender that the envelope names; a frame
 * there that names another is a strike. After 16 strikes in 10 s the connection's frames are
 * dropped, undecoded, for 60 s; other connections of that sender are none the worse.
 * Memory: MEMORY_TABLES, bounded by members_max. Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_BASE_ADMISSION_H
#define WEFT_MESH_BASE_ADMISSION_H

#include "mesh/base/context.h"

struct admission;

enum {
    ADMISSION_STRIKES = 16,
    ADMISSION_STRIKES_WITHIN_MS = 10000,
    ADMISSION_STRUCK_MS = 60000,
    ADMISSION_NOTICE_MS = 60000, /* one BAD_FRAME notice of a source in that time */
};

enum admission_verdict {
    ADMISSION_TAKEN,         /* a receiver 0 (gossip only) may still be nothing but a JOIN */
    ADMISSION_BAD,           /* malformed */
    ADMISSION_OTHER_VERSION, /* a version we do not speak: only JOIN and its answers are read */
    ADMISSION_WRONG_MESH,    /* only a JOIN is answered, by a refusal */
    ADMISSION_NOT_OURS,      /* meant for another instance: "I am not that one" */
    ADMISSION_IMPOSTOR,      /* the connection belongs to another sender */
    ADMISSION_STRUCK,        /* the connection is not listened to; the envelope was not even read */
    ADMISSION_FULL,          /* more connections than a mesh can have */
};

struct admission *admission_new(struct context *context);
void admission_destroy(struct admission **admission);

/* Judges a frame and counts it if it is not taken. The envelope is filled in and the reader stands
 * at the first message unless the verdict is BAD or STRUCK. `address` is the source's, as text.
 * Only TAKEN may change state elsewhere. O(1); allocates only when a new connection is bound. */
enum admission_verdict admission_judge(struct admission *admission, enum channel channel,
                                       uint32_t connection, struct span address,
                                       struct reader *frame, struct envelope *envelope);

/* A frame, on any channel, turned out to be malformed behind its envelope: counted, noticed, and a
 * strike if its connection is bound. */
void admission_bad_frame(struct admission *admission, enum channel channel, uint32_t connection,
                         struct span address);

/* A connection brought what no correct peer says (an entry of another's log, a member record that
 * is too large). Counted, also when the connection is not bound. */
void admission_strike(struct admission *admission, enum channel channel, uint32_t connection);

/* The connection is over; its number may come back with somebody else. */
void admission_connection_lost(struct admission *admission, enum channel channel,
                               uint32_t connection);

#endif
