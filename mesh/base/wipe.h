/* wipe.h - makes secrets disappear: credentials live no longer than the decision about them.
 * Memory: the caller's. Thread: pure. */
#ifndef WEFT_MESH_BASE_WIPE_H
#define WEFT_MESH_BASE_WIPE_H

#include "proto/span.h"

struct outbox;

/* Zeroes the bytes in a way that no compiler leaves out. */
void wipe_bytes(void *bytes, size_t count);

/* What has come in since the last pull held credentials: its owner is told to wipe it (MESH_WIPE)
 * before he lets it go. */
void wipe_input(struct outbox *outbox);

#endif
