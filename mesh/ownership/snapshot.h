/* snapshot.h - cuts a content into chunks and puts one together again from them.
 * Entries ascend by key: sessions (instance, serial), then registrations (kind, path, session). A
 * chunk begins above a cursor, the entry where the one before ended: so a chunk can be cut from any
 * replica, at any time, and nobody remembers who has got how far.
 * Memory: the caller's. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_SNAPSHOT_H
#define WEFT_MESH_OWNERSHIP_SNAPSHOT_H

#include "mesh/ownership/content.h"

/* Writes the entries above the cursor (NULL: from the start), as many as fit into `most` bytes.
 * Returns how many bytes; *is_last: there are no more. O(entries written + registered paths). */
size_t snapshot_write(const struct content *content, const struct ownership_entry *cursor,
                      uint8_t *out, size_t most, bool *is_last);

/* Carries a chunk out on a content that is being put together. *cursor: the entry it stood at, NULL
 * at the start; becomes the chunk's last entry (in the chunk), if it has one.
 * Returns ERROR_OK; ERROR_INVALID_MESSAGE: malformed or not ascending; ERROR_LIMIT_REACHED: no
 * memory. After an error the content is of no use any more. */
enum error snapshot_read(struct content *content, struct span chunk,
                         const struct ownership_entry *cursor, struct span *last_entry);

/* Decodes a pull's cursor. False: malformed. */
bool snapshot_cursor(struct span encoded, uint64_t writer, struct ownership_entry *cursor);

#endif
