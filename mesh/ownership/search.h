/* search.h - decides which registrations serve a path: those at the most specific path at or above
 * it that has one on a live node. Memory: none of its own. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_SEARCH_H
#define WEFT_MESH_OWNERSHIP_SEARCH_H

#include "mesh/base/random.h"
#include "mesh/ownership/content.h"
#include "mesh/ownership/ownership.h"

/* As ownership_find_handlers and ownership_next_handler. random: drawn from only when there are
 * more registrations than entries. */
size_t search_path(struct directory *directory, struct random *random, enum handler_kind kind,
                   struct span path, struct handler_entry *entries, size_t most);
bool search_next(struct directory *directory, uint64_t *cursor, enum handler_kind *kind,
                 struct handler_entry *entry);

#endif
