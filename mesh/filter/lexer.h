/* lexer.h - cuts a filter's text into tokens; for the files of filter/ only.
 * Memory: spans into the text. Thread: one owner. */
#ifndef WEFT_MESH_FILTER_LEXER_H
#define WEFT_MESH_FILTER_LEXER_H

#include "mesh/filter/complaints.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* a key or a keyword: which, the parser knows by the place */
    TOKEN_STRING, /* with its quotes */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_LIST_OPEN,
    TOKEN_LIST_CLOSE,
    TOKEN_COMMA,
};

struct token {
    enum token_kind kind;
    size_t at;        /* byte of the text */
    struct span text; /* as written */
};

struct lexer {
    struct span text;
    size_t at;
    struct complaints *complaints;
};

/* Complains of what no filter may be: empty, too long, not UTF-8. False: there was something. */
bool lexer_start(struct lexer *lexer, struct span text, struct complaints *complaints);

/* The next token; TOKEN_END again and again at the end. False, complained of: a string without
 * end, or an escape that there is none of. O(token). */
bool lexer_next(struct lexer *lexer, struct token *token);

/* What a string token means: its bytes without quotes and escapes, written to `out` (at most as
 * many as it has). Returns how many. */
size_t lexer_unquote(const struct token *token, uint8_t *out);

/* Whether a word is that keyword (in lower case), whatever its own case. */
bool lexer_is_word(const struct token *token, const char *keyword);

#endif
