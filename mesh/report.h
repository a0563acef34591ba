/* report.h - puts together what needs more than one room to say: the addresses that clients are
 * told, the rows of MEMBERS and VERDICTS, and this node's part of STATUS.
 * Memory: results in scratch memory. Thread: one owner. */
#ifndef WEFT_MESH_REPORT_H
#define WEFT_MESH_REPORT_H

#include "mesh/core.h"

/* Tells sessions where clients may go, if that has changed. */
void report_addresses(struct mesh *mesh);

/* Tells routing what STATUS says of this node. */
void report_status(struct mesh *mesh);

/* Answers MEMBERS or VERDICTS, if a session has just asked. */
void report_answer(struct mesh *mesh);

/* Puts what the outbox counted among the counters. */
void report_totals(struct mesh *mesh);

#endif
