/* parser.c - see parser.h. Operator precedence with a stack of our own, one level for each open
 * parenthesis: no input makes it recurse.
 *
 *     a level:  either or ... or both and ... and [not ... operand]
 *
 * `either` is what stands left of the last `or`, `both` what stands between it and the last `and`.
 * A parenthesis is printed at once and taken out again when its end shows that precedence does not
 * need it: that hangs on what stands left of it, in it, and on whether `and` follows.
 *
 * The first mistake in the grammar ends the reading; a bad regular expression does not, so that
 * several of them are told together. */
#include "mesh/filter/parser.h"

#include "mesh/filter/canonical.h"
#include "mesh/filter/lexer.h"
#include "mesh/filter/role_set.h"

/* What a level consists of: the operator that binds least. */
enum level_kind { LEVEL_SINGLE, LEVEL_AND, LEVEL_OR };

struct level {
    struct program_part either, both;
    bool has_either, has_both;
    enum level_kind kind;
    uint32_t nots;    /* that stand before its parenthesis, or (innermost) before the operand */
    uint32_t open_at; /* its parenthesis in the canonical text */
};

struct parser {
    struct program_builder *builder;
    struct patterns *patterns;
    struct complaints *complaints;
    struct lexer lexer;
    struct token token;
    uint32_t nesting;   /* parentheses and nots around what is being read */
    uint32_t innermost; /* the level that is being read */
    struct level levels[FILTER_NESTING_MAX + 1];
    bool is_out_of_memory;
    struct sentence surplus; /* a complaint too many: written, never read */
};

enum { FOUND_BYTES_MAX = 48 }; /* of the text, in a complaint */

static struct sentence *complain(struct parser *parser, size_t at)
{
    struct sentence *message = complaints_add(parser->complaints, parser->lexer.text, at);
    return message != NULL ? message : &parser->surplus;
}

static bool advance(struct parser *parser)
{
    return lexer_next(&parser->lexer, &parser->token);
}

static void add_found(struct sentence *message, const struct token *token)
{
    struct span found = token->text;
    if (token->kind == TOKEN_END) {
        sentence_add(message, "the end of the filter");
        return;
    }
    if (found.bytes > FOUND_BYTES_MAX) {
        found.bytes = FOUND_BYTES_MAX;
        while (found.bytes > 0 && (found.data[found.bytes] & 0xc0) == 0x80)
            found.bytes--;
    }
    sentence_add_span(message, found);
    if (found.bytes < token->text.bytes)
        sentence_add(message, "...");
}

/* Always false: what was expected is not what is there. */
static bool refuse(struct parser *parser, const char *expected)
{
    struct sentence *message = complain(parser, parser->token.at);
    sentence_start(message, "expected ");
    sentence_add(message, expected);
    sentence_add(message, ", found ");
    add_found(message, &parser->token);
    return false;
}

/* One more parenthesis or not around what comes. */
static bool nest(struct parser *parser)
{
    if (parser->nesting < FILTER_NESTING_MAX) {
        parser->nesting++;
        return true;
    }
    struct sentence *message = complain(parser, parser->token.at);
    sentence_start(message, "parentheses and nots go at most ");
    sentence_add_number(message, FILTER_NESTING_MAX);
    sentence_add(message, " deep");
    return false;
}

/* Where the next string's bytes go. */
static uint8_t *strings_end(struct parser *parser)
{
    return &parser->builder->strings[parser->builder->strings_bytes];
}

/* Writes a role as it stands in a set of roles: " and \ escaped, ' not. Returns the bytes. */
static uint32_t role_write(const struct token *token, uint8_t *out)
{
    uint32_t count = 0;
    for (size_t i = 1; i + 1 < token->text.bytes; i++) {
        if (token->text.data[i] == '\\')
            i++;
        if (token->text.data[i] == '"' || token->text.data[i] == '\\')
            out[count++] = '\\';
        out[count++] = token->text.data[i];
    }
    return count;
}

/* Puts what $Roles is compared with into its canonical form; more roles than anybody holds stay as
 * they are, and equal nothing. */
static uint32_t role_text_write(uint8_t *out, uint32_t bytes)
{
    struct role_set roles;
    if (!role_set_parse(&roles, span_of(out, bytes)))
        return bytes;
    uint32_t canonical = (uint32_t)role_set_measure(&roles);
    role_set_write(&roles, out + bytes);
    memmove(out, out + bytes, canonical);
    return canonical;
}

/* Takes a string as the next value of the last step. */
static bool take_value(struct parser *parser, const char *expected)
{
    struct program_builder *builder = parser->builder;
    const struct program_step *step = &builder->steps[builder->steps_count - 1];
    if (parser->token.kind != TOKEN_STRING)
        return refuse(parser, expected);
    uint8_t *out = strings_end(parser);
    uint32_t bytes = (uint32_t)lexer_unquote(&parser->token, out);
    canonical_add_quoted(builder, span_of(out, bytes));
    if (step->test == PROGRAM_HAS_ROLES)
        bytes = role_write(&parser->token, out);
    else if (step->key == KEY_ROLES)
        bytes = role_text_write(out, bytes);
    program_value_add(builder, bytes);
    return advance(parser);
}

/* set = "[" string { "," string } "]" */
static bool take_set(struct parser *parser)
{
    if (parser->token.kind != TOKEN_LIST_OPEN)
        return refuse(parser, "a list such as ['a', 'b']");
    canonical_add(parser->builder, "[");
    if (!advance(parser) || !take_value(parser, "a quoted string"))
        return false;
    while (parser->token.kind == TOKEN_COMMA) {
        canonical_add(parser->builder, ", ");
        if (!advance(parser) || !take_value(parser, "a quoted string"))
            return false;
    }
    if (parser->token.kind != TOKEN_LIST_CLOSE)
        return refuse(parser, ", or ]");
    canonical_add(parser->builder, "]");
    program_values_sort(parser->builder);
    return advance(parser);
}

/* roles = "[" rolelist "]" | rolelist ; rolelist = string { [ "," ] string } */
static bool take_roles(struct parser *parser)
{
    bool has_bracket = parser->token.kind == TOKEN_LIST_OPEN;
    canonical_add(parser->builder, "[");
    if (has_bracket && !advance(parser))
        return false;
    if (!take_value(parser, has_bracket ? "a role in quotes" : "a role in quotes, or ["))
        return false;
    while (parser->token.kind == TOKEN_COMMA || parser->token.kind == TOKEN_STRING) {
        canonical_add(parser->builder, ", ");
        if (parser->token.kind == TOKEN_COMMA && !advance(parser))
            return false;
        if (!take_value(parser, "a role in quotes"))
            return false;
    }
    if (has_bracket && parser->token.kind != TOKEN_LIST_CLOSE)
        return refuse(parser, "a role in quotes, or ]");
    canonical_add(parser->builder, "]");
    program_values_sort(parser->builder);
    return !has_bracket || advance(parser);
}

/* A bad pattern is complained of, and reading goes on. False: no memory. */
static bool pattern_add(struct parser *parser, size_t at, struct span text)
{
    struct program_builder *builder = parser->builder;
    struct sentence reason;
    struct pattern *pattern = pattern_new(parser->patterns, text, &reason);
    if (pattern == NULL && reason.bytes == 0) {
        parser->is_out_of_memory = true;
        return false;
    }
    if (pattern == NULL) {
        struct sentence *message = complain(parser, at);
        sentence_start(message, "this is not a regular expression: ");
        sentence_add_span(message, sentence_span(&reason));
        return true;
    }
    builder->steps[builder->steps_count - 1].first = builder->patterns_count;
    builder->patterns[builder->patterns_count++] = pattern;
    builder->patterns_bytes += pattern_bytes(pattern);
    if (builder->patterns_bytes <= FILTER_PATTERN_BYTES_MAX)
        return true;
    struct sentence *message = complain(parser, at);
    sentence_start(message, "the regular expressions of one filter have at most ");
    sentence_add_number(message, FILTER_PATTERN_BYTES_MAX);
    sentence_add(message, " bytes when they are compiled");
    return false;
}

static bool take_pattern(struct parser *parser)
{
    if (parser->token.kind != TOKEN_STRING)
        return refuse(parser, "a quoted regular expression");
    size_t at = parser->token.at;
    uint8_t *out = strings_end(parser); /* nothing keeps it */
    struct span text = span_of(out, lexer_unquote(&parser->token, out));
    canonical_add_quoted(parser->builder, text);
    return pattern_add(parser, at, text) && advance(parser);
}

/* Adds a step and prints what its text begins with. */
static void step_begin(struct parser *parser, enum program_test test, const char *words,
                       struct span key, const char *operator)
{
    canonical_add(parser->builder, words);
    canonical_add_span(parser->builder, key);
    canonical_add(parser->builder, operator);
    (void)program_step_add(parser->builder, test, key);
}

/* key ( is | eq | ne | in | matches ) ..; *is_ne: the exits are to be exchanged. */
static bool take_comparison(struct parser *parser, bool *is_ne)
{
    struct span key = parser->token.text;
    if (!advance(parser))
        return false;
    const struct token *token = &parser->token;
    *is_ne = lexer_is_word(token, "ne");
    if (*is_ne || lexer_is_word(token, "is") || lexer_is_word(token, "eq")) {
        step_begin(parser, PROGRAM_IS, "", key, *is_ne ? " ne " : " is ");
        return advance(parser) && take_value(parser, "a quoted string");
    }
    if (lexer_is_word(token, "in")) {
        step_begin(parser, PROGRAM_IN, "", key, " in ");
        return advance(parser) && take_set(parser);
    }
    if (lexer_is_word(token, "matches")) {
        step_begin(parser, PROGRAM_MATCHES, "", key, " matches ");
        return advance(parser) && take_pattern(parser);
    }
    return refuse(parser, "is, eq, ne, in or matches behind a key");
}

static bool take_has(struct parser *parser)
{
    if (!advance(parser))
        return false;
    if (parser->token.kind != TOKEN_WORD)
        return refuse(parser, "a key without quotes");
    step_begin(parser, PROGRAM_HAS, "has ", parser->token.text, "");
    return advance(parser);
}

static bool take_term(struct parser *parser, bool *is_ne)
{
    const struct token *token = &parser->token;
    static const struct span no_key = {0};
    *is_ne = false;
    if (token->kind != TOKEN_WORD || lexer_is_word(token, "and") || lexer_is_word(token, "or"))
        return refuse(parser, "a term such as tier is 'gold', or all for every session");
    if (parser->builder->steps_count == FILTER_TERMS_MAX) {
        struct sentence *message = complain(parser, token->at);
        sentence_start(message, "a filter has at most ");
        sentence_add_number(message, FILTER_TERMS_MAX);
        sentence_add(message, " terms");
        return false;
    }
    if (lexer_is_word(token, "all")) {
        step_begin(parser, PROGRAM_ALL, "all", no_key, "");
        return advance(parser);
    }
    if (lexer_is_word(token, "has"))
        return take_has(parser);
    if (lexer_is_word(token, "hasroles")) {
        step_begin(parser, PROGRAM_HAS_ROLES, "hasRoles ", no_key, "");
        return advance(parser) && take_roles(parser);
    }
    return take_comparison(parser, is_ne);
}

static struct level *level_innermost(struct parser *parser)
{
    return &parser->levels[parser->innermost];
}

/* The innermost level has an operand: the nots before it are done with. */
static void operand_done(struct parser *parser, struct program_part part)
{
    struct level *level = level_innermost(parser);
    if (level->nots % 2 == 1)
        part = program_not(part);
    parser->nesting -= level->nots;
    level->nots = 0;
    level->both = level->has_both ? program_join(parser->builder, level->both, part) : part;
    level->has_both = true;
}

static bool level_open(struct parser *parser)
{
    if (!nest(parser))
        return false;
    parser->levels[++parser->innermost] =
        (struct level){.open_at = parser->builder->canonical_bytes};
    canonical_add(parser->builder, "(");
    return advance(parser);
}

/* What stands left of an `or`, or is a whole level. */
static struct program_part level_part(struct parser *parser, struct level *level)
{
    struct program_part part = level->both;
    if (level->has_either)
        part = program_join(parser->builder, level->either, part);
    level->has_both = false;
    return part;
}

/* Whether a parenthesis that has just been closed, and what follows it been read, is needed. */
static bool level_needs_parenthesis(const struct parser *parser, const struct level *level,
                                    const struct level *outer)
{
    if (level->kind == LEVEL_OR && (outer->has_both || lexer_is_word(&parser->token, "and")))
        return true;
    return level->kind != LEVEL_SINGLE && outer->nots > 0;
}

static bool level_close(struct parser *parser)
{
    struct level *level = level_innermost(parser);
    if (parser->innermost == 0)
        return refuse(parser, "and, or, or the end of the filter");
    struct level *outer = &parser->levels[parser->innermost - 1];
    struct program_part part = level_part(parser, level);
    if (!advance(parser))
        return false;
    if (level_needs_parenthesis(parser, level, outer)) {
        canonical_add(parser->builder, ")");
    } else {
        canonical_take_out(parser->builder, level->open_at);
        if (level->kind > outer->kind)
            outer->kind = level->kind;
    }
    parser->innermost--;
    parser->nesting--;
    operand_done(parser, part);
    return true;
}

/* { "(" | not } term */
static bool take_operand(struct parser *parser)
{
    bool is_ne;
    for (;;) {
        bool is_not = lexer_is_word(&parser->token, "not");
        if (is_not) {
            if (!nest(parser))
                return false;
            level_innermost(parser)->nots++;
            canonical_add(parser->builder, "not ");
        } else if (parser->token.kind != TOKEN_OPEN) {
            break;
        }
        if (is_not ? !advance(parser) : !level_open(parser))
            return false;
    }
    if (!take_term(parser, &is_ne))
        return false;
    struct program_part part = program_part_of_step(parser->builder);
    operand_done(parser, is_ne ? program_not(part) : part);
    return true;
}

static bool take_operator(struct parser *parser, bool is_and)
{
    struct level *level = level_innermost(parser);
    enum level_kind kind = is_and ? LEVEL_AND : LEVEL_OR;
    if (kind > level->kind)
        level->kind = kind;
    canonical_add(parser->builder, is_and ? " and " : " or ");
    if (is_and) {
        program_right_of_and(parser->builder, &level->both);
    } else {
        level->either = level_part(parser, level);
        level->has_either = true;
        program_right_of_or(parser->builder, &level->either);
    }
    return advance(parser);
}

/* { ")" } ( and | or | end ); *is_end */
static bool take_behind_operand(struct parser *parser, bool *is_end)
{
    *is_end = false;
    while (parser->token.kind == TOKEN_CLOSE) {
        if (!level_close(parser))
            return false;
    }
    bool is_and = lexer_is_word(&parser->token, "and");
    if (is_and || lexer_is_word(&parser->token, "or"))
        return take_operator(parser, is_and);
    if (parser->innermost > 0)
        return refuse(parser, "and, or, or )");
    if (parser->token.kind != TOKEN_END)
        return refuse(parser, "and, or, or the end of the filter");
    *is_end = true;
    return true;
}

static bool take_filter(struct parser *parser)
{
    bool is_end = false;
    if (!advance(parser))
        return false;
    if (parser->token.kind == TOKEN_END) {
        sentence_start(complain(parser, parser->token.at),
                       "a filter must say something: all means every session");
        return false;
    }
    while (!is_end) {
        if (!take_operand(parser) || !take_behind_operand(parser, &is_end))
            return false;
    }
    program_end(parser->builder, level_part(parser, &parser->levels[0]));
    if (parser->builder->canonical_bytes <= FILTER_BYTES_MAX)
        return true;
    struct sentence *message = complain(parser, parser->token.at);
    sentence_start(message, "in its canonical form a filter has at most ");
    sentence_add_number(message, FILTER_BYTES_MAX);
    sentence_add(message, " bytes, and this one more");
    return false;
}

enum error parser_run(struct program_builder *builder, struct patterns *patterns, struct span text,
                      struct complaints *complaints)
{
    struct parser parser = {.builder = builder, .patterns = patterns, .complaints = complaints};
    if (lexer_start(&parser.lexer, text, complaints))
        (void)take_filter(&parser);
    if (parser.is_out_of_memory)
        return ERROR_LIMIT_REACHED;
    return complaints->count == 0 ? ERROR_OK : ERROR_INVALID_FILTER;
}
