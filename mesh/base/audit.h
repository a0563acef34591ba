/* audit.h - decides whether what queues say of themselves is so; for mesh_check and tests.
 * Memory: none. Thread: one owner. */
#ifndef WEFT_MESH_BASE_AUDIT_H
#define WEFT_MESH_BASE_AUDIT_H

#include "mesh/base/outbox.h"

/* Counts who holds the shared messages of this queue. Then, when that was done with all queues,
 * audit_judge requires of each that its accounts are true: of messages, bytes, credit, what is kept
 * and what is shared, and that no topic has more updates waiting than its policy says. O(what it
 * holds). */
void audit_count(const struct outbound *queue);
void audit_judge(const struct outbound *queue);

#endif
