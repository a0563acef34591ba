/* canonical.h - writes a filter's canonical text while it is parsed: keywords in lower case (but
 * hasRoles), is for eq, single quotes, lists in brackets, single blanks; for the files of filter/
 * only. Memory: the builder's. Thread: one owner. */
#ifndef WEFT_MESH_FILTER_CANONICAL_H
#define WEFT_MESH_FILTER_CANONICAL_H

#include "mesh/filter/program.h"

void canonical_add(struct program_builder *builder, const char *words);
void canonical_add_span(struct program_builder *builder, struct span words);

/* In single quotes, with \' and \\. */
void canonical_add_quoted(struct program_builder *builder, struct span value);

/* Takes out the one byte at `at`: a parenthesis that was not needed. O(bytes behind it). */
void canonical_take_out(struct program_builder *builder, uint32_t at);

#endif
