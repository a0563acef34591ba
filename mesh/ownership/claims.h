/* claims.h - decides which of several hosts has a session: that with the highest claim, then that
 * with the highest instance id; and finds those that this node had and lost.
 * A session is claimed by a node that goes on with it: resumed after its host was lost, or handed
 * over. After a split both sides may have it; when it heals one keeps it.
 * Memory: none of its own. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_CLAIMS_H
#define WEFT_MESH_OWNERSHIP_CLAIMS_H

#include "mesh/ownership/content.h"

/* The content of the live node that has the session, else that of the lost one that had it last;
 * NULL: none. O(1), and along the nodes that went on with sessions of the same origin. */
const struct content *claims_find(const struct directory *directory, struct session_id session);

/* The highest claim anybody, live or lost, has on the session; 0: none. */
uint32_t claims_highest(const struct directory *directory, struct session_id session);

/* Another node's entry about the session was carried out: it may have won it. O(log tables). */
void claims_entry_applied(struct directory *directory, struct session_id session);

/* Another node's content came to light: it may have won some. O(its tables). */
void claims_content_shown(const struct content *content);

/* The next session that this node still has and another live node has won; false: none. Not told
 * again unless something changes. */
bool claims_next_lost(struct directory *directory, struct session_id *session, uint64_t *winner);

#endif
