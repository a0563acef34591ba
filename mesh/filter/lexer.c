/* lexer.c - see lexer.h. */
#include "mesh/filter/lexer.h"

#include "proto/command.h"

/* Where the first character stands that is no UTF-8, or a NUL; the text has one. */
static size_t bad_character(struct span text)
{
    size_t at = 0;
    for (;;) {
        uint8_t first = text.data[at];
        size_t bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (bytes > text.bytes - at || !span_is_text(span_of(text.data + at, bytes)))
            return at;
        at += bytes;
    }
}

bool lexer_start(struct lexer *lexer, struct span text, struct complaints *complaints)
{
    *lexer = (struct lexer){.text = text, .complaints = complaints};
    struct sentence *message;
    if (text.bytes > FILTER_BYTES_MAX) {
        message = complaints_add(complaints, text, FILTER_BYTES_MAX);
    } else if (!span_is_text(text)) {
        message = complaints_add(complaints, text, bad_character(text));
        if (message != NULL)
            sentence_start(message, "a filter is UTF-8 text without NUL, and this is not");
        return false;
    } else {
        return true;
    }
    if (message != NULL) {
        sentence_start(message, "a filter has at most ");
        sentence_add_number(message, FILTER_BYTES_MAX);
        sentence_add(message, " bytes, and this one has ");
        sentence_add_number(message, text.bytes);
    }
    return false;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The kind of a token that is one character; TOKEN_WORD for any other. */
static enum token_kind mark_kind(uint8_t byte)
{
    switch (byte) {
    case '(':
        return TOKEN_OPEN;
    case ')':
        return TOKEN_CLOSE;
    case '[':
        return TOKEN_LIST_OPEN;
    case ']':
        return TOKEN_LIST_CLOSE;
    case ',':
        return TOKEN_COMMA;
    case '\'':
    case '"':
        return TOKEN_STRING;
    default:
        return TOKEN_WORD;
    }
}

static size_t word_bytes(struct span text, size_t at)
{
    size_t end = at;
    while (end < text.bytes && !is_blank(text.data[end]) && mark_kind(text.data[end]) == TOKEN_WORD)
        end++;
    return end - at;
}

static bool escape_refuse(struct lexer *lexer, size_t at)
{
    struct sentence *message = complaints_add(lexer->complaints, lexer->text, at);
    if (message != NULL)
        sentence_start(message, "expected ', \" or \\ behind the backslash: there are no other "
                                "escapes");
    return false;
}

static bool string_refuse(struct lexer *lexer, size_t at)
{
    struct sentence *message = complaints_add(lexer->complaints, lexer->text, at);
    if (message != NULL)
        sentence_start(message, "this string has no end: its closing quote is missing");
    return false;
}

/* *bytes: with both quotes. */
static bool string_measure(struct lexer *lexer, size_t at, size_t *bytes)
{
    static const char escaped[] = {'\'', '"', '\\'};
    struct span text = lexer->text;
    size_t end = at + 1;
    while (end < text.bytes && text.data[end] != text.data[at]) {
        if (text.data[end] != '\\') {
            end++;
        } else if (end + 1 == text.bytes) {
            break;
        } else if (memchr(escaped, text.data[end + 1], sizeof escaped) == NULL) {
            return escape_refuse(lexer, end);
        } else {
            end += 2;
        }
    }
    if (end >= text.bytes || text.data[end] != text.data[at])
        return string_refuse(lexer, at);
    *bytes = end + 1 - at;
    return true;
}

bool lexer_next(struct lexer *lexer, struct token *token)
{
    while (lexer->at < lexer->text.bytes && is_blank(lexer->text.data[lexer->at]))
        lexer->at++;
    size_t at = lexer->at, bytes = 1;
    *token = (struct token){.kind = TOKEN_END, .at = at};
    if (at == lexer->text.bytes)
        return true;
    token->kind = mark_kind(lexer->text.data[at]);
    if (token->kind == TOKEN_WORD)
        bytes = word_bytes(lexer->text, at);
    else if (token->kind == TOKEN_STRING && !string_measure(lexer, at, &bytes))
        return false;
    token->text = span_of(lexer->text.data + at, bytes);
    lexer->at += bytes;
    return true;
}

size_t lexer_unquote(const struct token *token, uint8_t *out)
{
    size_t count = 0;
    for (size_t i = 1; i + 1 < token->text.bytes; i++) {
        if (token->text.data[i] == '\\')
            i++;
        out[count++] = token->text.data[i];
    }
    return count;
}

bool lexer_is_word(const struct token *token, const char *keyword)
{
    if (token->kind != TOKEN_WORD || token->text.bytes != strlen(keyword))
        return false;
    for (size_t i = 0; i < token->text.bytes; i++) {
        uint8_t byte = token->text.data[i];
        if (byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte + ('a' - 'A'));
        if (byte != (uint8_t)keyword[i])
            return false;
    }
    return true;
}
