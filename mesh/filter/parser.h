/* parser.h - reads a filter's text into a program and its canonical form; for the files of filter/
 * only. Memory: the builder's. Thread: one owner. */
#ifndef WEFT_MESH_FILTER_PARSER_H
#define WEFT_MESH_FILTER_PARSER_H

#include "mesh/filter/program.h"

/* The builder is empty before. Returns ERROR_OK; ERROR_INVALID_FILTER, complained of;
 * ERROR_LIMIT_REACHED: no memory. After an error the builder holds what program_clear frees. */
enum error parser_run(struct program_builder *builder, struct patterns *patterns, struct span text,
                      struct complaints *complaints);

#endif
