/* refusal.h - says no with a reason, and hears it: a refusal is logged on both sides, once a minute
 * for each source; a node that nobody has taken yet must stop.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_REFUSAL_H
#define WEFT_MESH_MEMBERSHIP_REFUSAL_H

#include "mesh/base/outbox.h"
#include "proto/gossip.h"

struct membership;

struct refusal {
    bool is_final; /* this node must stop */
    enum mesh_notice_code code;
    char by[NAME_BYTES_MAX + ADDRESS_BYTES_MAX];
    char why[TEXT_BYTES_MAX + 1];
};

/* Who asked, and where the answer goes. */
struct refusal_asker {
    const struct envelope *envelope;
    uint32_t connection;
    uint64_t correlation;
    struct span name, address;
};

/* Refuses a JOIN on the connection it came on. */
void refusal_send(struct membership *room, const struct refusal_asker *asker, enum error code,
                  struct span why);

/* REFUSED came back on a link. */
enum error refusal_received(struct membership *room, uint32_t link, const struct message *message);

/* A newer member of this node's name lives: this node must stop. */
void refusal_name_lost(struct membership *room, struct span name, struct span address);

#endif
