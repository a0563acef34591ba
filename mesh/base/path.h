/* path.h - decides what a path is: segments of 1..255 bytes of UTF-8 joined by '/', 1,024 bytes
 * at most; leading and trailing '/' are trimmed; empty segments are errors.
 * Thread: pure functions. */
#ifndef WEFT_MESH_BASE_PATH_H
#define WEFT_MESH_BASE_PATH_H

#include "proto/error.h"
#include "proto/span.h"

/* Trims the outer '/' and checks the rest; *path is a part of text. Returns ERROR_OK or
 * ERROR_INVALID_PATH. */
enum error path_parse(struct span text, struct span *path);

/* The path above: "a/b/c" -> "a/b" -> "a" -> empty. */
struct span path_parent(struct span path);

/* True for the same path and for a path above: "a" and "a/b" are above "a/b". */
bool path_is_at_or_above(struct span upper, struct span path);

#endif
