/* paths.h - random paths and selectors of a small alphabet, so that they meet often.
 * Memory: the caller's text. Thread: one. */
#ifndef WEFT_TESTS_UNIT_MESH_PATHS_H
#define WEFT_TESTS_UNIT_MESH_PATHS_H

#include "mesh/base/random.h"

enum { PATHS_TEXT_BYTES = 64 };

/* One to four segments, of a, b, a-, a0, +, abc. */
struct span paths_draw(struct random *random, char text[PATHS_TEXT_BYTES]);

/* The same, with `+` in places, and two stars behind, now and then. */
struct span paths_draw_selector(struct random *random, char text[PATHS_TEXT_BYTES]);

#endif
