/* observers.h - decides who looks after whom: each member has a few observers, the same in every
 * equal view (Rapid's idea). They check a suspicion at once, so that confirmations do not wait for
 * the suspect's turn in everybody's round.
 * Memory: none. Thread: pure functions of the table. */
#ifndef WEFT_MESH_MEMBERSHIP_OBSERVERS_H
#define WEFT_MESH_MEMBERSHIP_OBSERVERS_H

#include "mesh/membership/members.h"

enum { OBSERVERS_MAX = 8 };

/* Fills in up to `most` live observers of a member and returns how many. O(members x most). */
uint32_t observers_of(const struct members *members, uint32_t who, uint32_t most,
                      uint32_t observers[OBSERVERS_MAX]);

bool observers_has(const struct members *members, uint32_t who, uint32_t most, uint32_t candidate);

#endif
