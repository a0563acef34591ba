/* heads.h - compares how far two nodes have come with everybody's log: what neither push nor
 * gossip brought is found all the same. 8 bytes to see whether, then 24 a writer to see what.
 * Memory: the caller's. Thread: one owner. */
#ifndef WEFT_MESH_LOG_HEADS_H
#define WEFT_MESH_LOG_HEADS_H

#include "mesh/log/log.h"

enum { HEADS_MAX = 4096 }; /* writers in one message */

/* Part of the hash over all heads, which is the sum of the parts. */
uint64_t heads_hash(struct log_head head);

/* Asks a peer whether its heads have this hash, too. */
void heads_compare(struct log *log, uint64_t peer, uint64_t hash);

/* Tells a peer all heads. */
void heads_send(struct log *log, uint64_t peer, uint64_t hash, const struct log_head *heads,
                uint32_t count);

/* The same, as the answer to LOG_COLLECT. */
void heads_send_collected(struct log *log, uint64_t peer, uint64_t correlation,
                          const struct log_head *heads, uint32_t count);

/* Takes the next head off a body. False: the end (*error is ERROR_OK) or malformed. */
bool heads_next(struct span *body, struct log_head *head, enum error *error);

#endif
