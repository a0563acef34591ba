/* exchange.h - what this node answers peers who ask for logs, its own or others', and how heads are
 * compared with them. Memory: none of its own. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_EXCHANGE_H
#define WEFT_MESH_OWNERSHIP_EXCHANGE_H

#include "mesh/ownership/hosts.h"

/* LOG_PULL: answered with entries, a chunk, or where the log stands. ERROR_OK, or
 * ERROR_INVALID_MESSAGE. */
enum error exchange_pull_received(const struct hosts *hosts, uint64_t peer,
                                  const struct message *message);

/* LOG_HEADS: answered with all heads when it only compares and differs; else what is missing here
 * is noted at the replicas, which pull it. ERROR_OK, or ERROR_INVALID_MESSAGE. */
enum error exchange_heads_received(const struct hosts *hosts, uint64_t peer,
                                   const struct message *message);

/* The deadline LOG_PURPOSE_COMPARE is due: with one peer by chance. */
void exchange_compare(const struct hosts *hosts);

#endif
