/* program.h - what a filter is compiled to: tests in the order of the text, each with two exits to
 * later tests or to the verdict; for the files of filter/ only.
 * Memory: a builder is a fixed workspace of the engine's; a filter is one block.
 * Thread: one owner. */
#ifndef WEFT_MESH_FILTER_PROGRAM_H
#define WEFT_MESH_FILTER_PROGRAM_H

#include "mesh/filter/filter.h"
#include "mesh/filter/patterns.h"

enum {
    PROGRAM_MET = 0xfffe, /* exits that are no test: the verdict */
    PROGRAM_UNMET = 0xffff,
    PROGRAM_VALUES_MAX = FILTER_BYTES_MAX / 2,    /* a string takes two bytes at least */
    PROGRAM_STRINGS_MAX = FILTER_BYTES_MAX * 2,   /* a role is kept with its quotes escaped */
    PROGRAM_CANONICAL_MAX = FILTER_BYTES_MAX * 3, /* parentheses not yet taken out included */
};

enum program_test {
    PROGRAM_ALL,
    PROGRAM_HAS,
    PROGRAM_HAS_ROLES,
    PROGRAM_IS, /* ne is the same with its exits exchanged */
    PROGRAM_IN,
    PROGRAM_MATCHES,
};

/* 32 bytes: two in a cache line. */
struct program_step {
    uint64_t sieve;    /* HAS_ROLES: the roles' bits. IS: the value's hash */
    uint32_t key_hash; /* of a client's own key */
    uint32_t key_at;   /* in the strings */
    uint32_t first;    /* of its values, or its pattern */
    uint16_t key_bytes;
    uint16_t count; /* of its values */
    uint16_t if_true, if_false;
    uint8_t test, key;
};

/* IN: sorted by hash, then bytes. HAS_ROLES: as in a canonical set of roles. */
struct program_value {
    uint32_t hash, at;
    uint32_t bytes;
};

struct filter {
    struct filter_engine *engine;
    size_t bytes; /* of this block */
    uint32_t steps_count, patterns_count;
    const struct program_step *steps;
    const struct program_value *values;
    struct pattern **patterns;
    const uint8_t *strings;
    struct span canonical;
};

/* Exits that still lead nowhere, as a list through the exits themselves. */
struct program_exits {
    uint16_t first, last; /* step * 2 + (1: its if_true); PROGRAM_UNMET: none */
};

/* A finished part of the filter: where it leaves when it holds, and when not. */
struct program_part {
    struct program_exits if_true, if_false;
};

struct program_builder {
    uint32_t steps_count, values_count, strings_bytes, canonical_bytes, patterns_count;
    size_t patterns_bytes;
    struct program_step steps[FILTER_TERMS_MAX];
    struct program_value values[PROGRAM_VALUES_MAX];
    struct pattern *patterns[FILTER_TERMS_MAX];
    uint8_t strings[PROGRAM_STRINGS_MAX];
    uint8_t canonical[PROGRAM_CANONICAL_MAX];
};

/* Adds a test, of which there are fewer than FILTER_TERMS_MAX; key as far as it is a string. */
struct program_step *program_step_add(struct program_builder *builder, enum program_test test,
                                      struct span key);

/* Adds a value to the last step; the bytes are those at the end of the strings, of which there are
 * `bytes` more now. */
void program_value_add(struct program_builder *builder, uint32_t bytes);

/* The last step's values are complete: sorts them, and leaves repeats out. */
void program_values_sort(struct program_builder *builder);

/* The last step by itself. */
struct program_part program_part_of_step(struct program_builder *builder);

/* What comes next stands to the right of the operator: exits of the left part lead there. */
void program_right_of_and(struct program_builder *builder, struct program_part *left);
void program_right_of_or(struct program_builder *builder, struct program_part *left);

/* Both parts of an operator are there. */
struct program_part program_join(struct program_builder *builder, struct program_part left,
                                 struct program_part right);
struct program_part program_not(struct program_part part);

/* The whole filter: exits that are left are verdicts. */
void program_end(struct program_builder *builder, struct program_part whole);

/* Frees what the builder holds and empties it. */
void program_clear(struct program_builder *builder);

/* A filter in one block, which takes the builder's patterns over; NULL: no memory, unchanged. */
struct filter *program_pack(struct program_builder *builder, struct memory *memory);

#endif
