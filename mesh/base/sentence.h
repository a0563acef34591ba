/* sentence.h - puts a short sentence for people together, without stdio and without allocation.
 * Memory: fixed size, the caller's; what does not fit is cut at a character. Thread: one owner. */
#ifndef WEFT_MESH_BASE_SENTENCE_H
#define WEFT_MESH_BASE_SENTENCE_H

#include "proto/span.h"

enum { SENTENCE_BYTES = 512 };

struct sentence {
    size_t bytes;
    char text[SENTENCE_BYTES];
};

/* Starts with these words; the rest need not be initialised before. */
void sentence_start(struct sentence *sentence, const char *words);
void sentence_add(struct sentence *sentence, const char *words);
void sentence_add_span(struct sentence *sentence, struct span words); /* UTF-8 */
void sentence_add_number(struct sentence *sentence, uint64_t number);

/* As it is printed: hhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh. */
void sentence_add_id(struct sentence *sentence, struct session_id id);

/* Lives as long as the sentence does not change. */
struct span sentence_span(const struct sentence *sentence);

#endif
