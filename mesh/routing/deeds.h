/* deeds.h - decides what a changing command does to one session: what may be asked for, and the
 * change itself. Where and to whom is decided elsewhere.
 * Memory: struct deed is the caller's and does not move; its spans are the message's.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_DEEDS_H
#define WEFT_MESH_ROUTING_DEEDS_H

#include "mesh/routing/room.h"
#include "mesh/sessions/property_changes.h"
#include "mesh/sessions/roles.h"

struct deed {
    uint8_t verb;
    struct span text; /* CLOSE */
    bool is_conflated;
    struct property_changes properties;
    struct roles add, remove;
    struct span selector; /* SUBSCRIBE, UNSUBSCRIBE */
};

/* Whether the verb changes sessions. */
bool deeds_is_one(uint8_t verb);

/* Reads what such a command asks for. Returns ERROR_OK; ERROR_INVALID_ARGUMENT, and why in words;
 * ERROR_INVALID_MESSAGE for malformed groups. */
enum error deeds_read(struct deed *deed, const struct command *command, struct span body,
                      struct sentence *why);

/* Does it to an open session. Returns ERROR_OK, or ERROR_LIMIT_REACHED with nothing changed.
 * *removed grows by the updates that were merged away. A session that is closed by it stays where
 * it is until its event is taken. */
enum error deeds_do(struct routing *routing, const struct deed *deed, struct session *session,
                    uint32_t *removed);

/* How many bytes doing it may move, for whoever does it to many. */
size_t deeds_weight(const struct deed *deed, const struct session *session);

/* The previous values of the properties that would change, as groups in scratch memory; empty for
 * other deeds. False: no memory. */
bool deeds_previous(struct routing *routing, const struct deed *deed, const struct session *session,
                    struct span *previous);

#endif
