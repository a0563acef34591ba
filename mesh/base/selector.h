/* selector.h - decides which paths a selector means: `a/b` itself, `a/+/c` any one segment in that
 * place, `a/...` (two stars as the last segment) everything at and below `a`; two stars alone are
 * every path. Limits are a path's.
 * Thread: pure functions. */
#ifndef WEFT_MESH_BASE_SELECTOR_H
#define WEFT_MESH_BASE_SELECTOR_H

#include "proto/error.h"
#include "proto/span.h"

/* Trims the outer '/' and checks the rest; *selector is a part of text. Returns ERROR_OK, or
 * ERROR_INVALID_PATH: no path, a single star, stars that are not the whole last segment. */
enum error selector_parse(struct span text, struct span *selector);

/* Whether it means one path alone, itself: as a selector it has no wildcard, and it is one. */
bool selector_is_path(struct span selector);

/* What stands before the first wildcard: a path, or nothing. `a/+/c`: `a`. */
struct span selector_prefix(struct span selector);

/* Both as parsed. O(bytes), no backtracking. */
bool selector_matches(struct span selector, struct span path);

#endif
