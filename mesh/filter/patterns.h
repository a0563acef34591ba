/* patterns.h - decides what a regular expression may cost: to compile, to keep, to match. The only
 * file that knows PCRE2.
 *
 * What a match costs is counted exactly: a pattern is compiled with a callout before each of its
 * items, and each callout takes a step, and one more for each 8 bytes that were walked since the
 * last one. So no pattern costs more than it is charged with, and none is charged for more.
 * Memory: MEMORY_TABLES, counted. Thread: one owner. */
#ifndef WEFT_MESH_FILTER_PATTERNS_H
#define WEFT_MESH_FILTER_PATTERNS_H

#include "mesh/base/memory.h"
#include "mesh/base/sentence.h"

/* What matching needs, shared by all patterns of a core. */
struct patterns;
struct pattern;

struct patterns *patterns_new(struct memory *memory); /* NULL: no memory */
void patterns_destroy(struct patterns **patterns);

enum pattern_verdict {
    PATTERN_NO,
    PATTERN_YES,
    PATTERN_EXCEEDED, /* a limit of one match: counts as no */
    PATTERN_SPENT,    /* the budget is used up */
};

/* Compiles a pattern that must match a whole value. NULL: *reason is written, or left empty when
 * memory is not to be had. */
struct pattern *pattern_new(struct patterns *patterns, struct span text, struct sentence *reason);
void pattern_destroy(struct pattern **pattern);
size_t pattern_bytes(const struct pattern *pattern); /* compiled */

/* Matches a value and takes what that cost off *steps; PATTERN_SPENT leaves 0. */
enum pattern_verdict pattern_match(struct patterns *patterns, const struct pattern *pattern,
                                   struct span value, uint64_t *steps);

#endif
