/* paths.h - decides what is a path, before it costs a way to the node.
 * Memory: the result points into the input. Thread: pure functions. */
#ifndef WEFT_CLIENT_PATHS_H
#define WEFT_CLIENT_PATHS_H

#include "proto/span.h"

/* Trims leading and trailing '/'. Returns false for what is no path: empty, longer than 1024 bytes,
 * not UTF-8, an empty segment, or one longer than 255 bytes. */
bool paths_normalise(const char *text, struct span *path);

/* The path without its last segment; empty for one of a single segment. */
struct span paths_parent(struct span path);

#endif
