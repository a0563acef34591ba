/* fake_core.h - stands in for the core behind its door: remembers the facts it was told, and gives
 * one frame to be written. So that sockets can be tested without a mesh.
 * Memory: static. Thread: one. */
#ifndef WEFT_TESTS_UNIT_DAEMON_FAKE_CORE_H
#define WEFT_TESTS_UNIT_DAEMON_FAKE_CORE_H

#include "mesh/mesh.h"

enum { FAKE_CORE_FACTS_MAX = 4096 };

struct fake_fact {
    struct mesh_input input;
    char text[128]; /* what its bytes began with */
    char address[64];
};

extern struct fake_fact fake_core_facts[FAKE_CORE_FACTS_MAX];
extern unsigned fake_core_count;

void fake_core_reset(void);

/* How often the core was told that fact; a counter's amounts added up. */
unsigned fake_core_told(enum mesh_fact fact);
uint64_t fake_core_counted(enum counter counter);

/* The last of them; NULL: none. */
const struct fake_fact *fake_core_last(enum mesh_fact fact);

/* What mesh_write_output writes from now on: the text, then zeros, so many bytes in all. */
void fake_core_writes(const char *text, size_t bytes);

#endif
