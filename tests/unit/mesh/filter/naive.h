/* naive.h - what a filter means, told as simply as can be, to hold the real evaluator against: each
 * term becomes T or F, and rewriting does the rest: nT -> F, (T) -> T, TaF -> F, ..
 * Memory: static. */
#ifndef WEFT_TESTS_FILTER_NAIVE_H
#define WEFT_TESTS_FILTER_NAIVE_H

#include "proto/client.h"

/* Whether a text that is a filter matches a session of these properties. */
bool naive_match(struct span text, const struct property *properties, size_t count);

#endif
