/* exchange.h - what this node answers peers who ask for logs, its own or others'.
 * Memory: none of its own. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_EXCHANGE_H
#define WEFT_MESH_OWNERSHIP_EXCHANGE_H

#include "mesh/log/replicas.h"
#include "mesh/ownership/host.h"

/* LOG_PULL: answered with entries, a chunk, or where the log stands. ERROR_OK, or
 * ERROR_INVALID_MESSAGE. */
enum error exchange_pull_received(const struct directory *directory,
                                  const struct replicas *replicas, uint64_t peer,
                                  const struct message *message);

#endif
