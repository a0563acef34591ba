/* patterns.c - see patterns.h. PCRE2's interpreter, not its just-in-time compiler: that would need
 * memory that is writable and executable, and counts steps in another way.
 *
 * A step may look at the whole rest of a value (a possessive .*+, a look-ahead), so the steps of
 * long values cost more: one more for each STEP_BYTES. */
#include "mesh/filter/patterns.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    TRY_STEPS_FIRST = 64,    /* nearly every honest match of a short value ends within */
    TRY_STEPS_FACTOR = 4,    /* 2: more tries; 8: charges more than was spent */
    MATCH_STEPS_MAX = 16384, /* .*x.* on the longest value there is, and not its square */
    MATCH_HEAP_KIB = 2048,   /* for as many frames of 128 bytes as there are steps */
    STEP_BYTES = 128,
    PATTERN_NESTING_MAX = 64, /* PCRE2 compiles nested groups by recursion */
    BLOCK_BYTES = 16,         /* before each block: its size; keeps PCRE2's alignment */
};

struct patterns {
    struct memory *memory;
    pcre2_general_context *general;
    pcre2_compile_context *compiling;
    pcre2_match_context *matching;
    pcre2_match_data *match; /* holds the frames of the deepest match so far */
};

/* PCRE2's memory is counted like ours. */
static void *block_new(size_t bytes, void *memory)
{
    if (bytes > SIZE_MAX - BLOCK_BYTES)
        return NULL;
    uint8_t *block = memory_new(memory, MEMORY_TABLES, BLOCK_BYTES + bytes);
    if (block == NULL)
        return NULL;
    memcpy(block, &bytes, sizeof bytes);
    return block + BLOCK_BYTES;
}

static void block_free(void *data, void *memory)
{
    size_t bytes;
    if (data == NULL)
        return;
    uint8_t *block = (uint8_t *)data - BLOCK_BYTES;
    memcpy(&bytes, block, sizeof bytes);
    memory_free(memory, MEMORY_TABLES, block, BLOCK_BYTES + bytes);
}

struct patterns *patterns_new(struct memory *memory)
{
    struct patterns *patterns = memory_new(memory, MEMORY_TABLES, sizeof *patterns);
    if (patterns == NULL)
        return NULL;
    patterns->memory = memory;
    patterns->general = pcre2_general_context_create(block_new, block_free, memory);
    if (patterns->general != NULL) {
        patterns->compiling = pcre2_compile_context_create(patterns->general);
        patterns->matching = pcre2_match_context_create(patterns->general);
        patterns->match = pcre2_match_data_create(1, patterns->general);
    }
    if (patterns->compiling == NULL || patterns->matching == NULL || patterns->match == NULL) {
        patterns_destroy(&patterns);
        return NULL;
    }
    (void)pcre2_set_parens_nest_limit(patterns->compiling, PATTERN_NESTING_MAX);
    (void)pcre2_set_depth_limit(patterns->matching, MATCH_STEPS_MAX);
    (void)pcre2_set_heap_limit(patterns->matching, MATCH_HEAP_KIB);
    return patterns;
}

void patterns_destroy(struct patterns **patterns)
{
    struct patterns *old = *patterns;
    *patterns = NULL;
    if (old == NULL)
        return;
    pcre2_match_data_free(old->match);
    pcre2_match_context_free(old->matching);
    pcre2_compile_context_free(old->compiling);
    pcre2_general_context_free(old->general);
    memory_free(old->memory, MEMORY_TABLES, old, sizeof *old);
}

/* struct pattern is never defined: it is PCRE2's own. */
static const pcre2_code *code_of(const struct pattern *pattern)
{
    return (const pcre2_code *)(const void *)pattern;
}

static void reason_write(struct sentence *reason, int code, size_t offset)
{
    PCRE2_UCHAR words[256];
    if (pcre2_get_error_message(code, words, sizeof words) < 0)
        words[0] = '\0';
    sentence_start(reason, (const char *)words);
    sentence_add(reason, " (at byte ");
    sentence_add_number(reason, offset);
    sentence_add(reason, " of it)");
}

/* \C would cut characters in two, and a callout calls nobody. */
struct pattern *pattern_new(struct patterns *patterns, struct span text, struct sentence *reason)
{
    const uint32_t options =
        PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C;
    static const uint8_t nothing[1] = {0};
    int code;
    PCRE2_SIZE offset;
    sentence_start(reason, "");
    pcre2_code *compiled = pcre2_compile(text.bytes > 0 ? text.data : nothing, text.bytes, options,
                                         &code, &offset, patterns->compiling);
    if (compiled == NULL && code != PCRE2_ERROR_HEAP_FAILED)
        reason_write(reason, code, offset);
    return (struct pattern *)(void *)compiled;
}

void pattern_destroy(struct pattern **pattern)
{
    pcre2_code_free((pcre2_code *)(void *)*pattern);
    *pattern = NULL;
}

size_t pattern_bytes(const struct pattern *pattern)
{
    size_t bytes = 0;
    (void)pcre2_pattern_info(code_of(pattern), PCRE2_INFO_SIZE, &bytes);
    return bytes;
}

/* A value that is no UTF-8 does not match: PCRE2 looks before it starts. */
static enum pattern_verdict match_try(struct patterns *patterns, const struct pattern *pattern,
                                      struct span value, uint32_t steps)
{
    static const uint8_t nothing[1] = {0};
    (void)pcre2_set_match_limit(patterns->matching, steps);
    int result = pcre2_match(code_of(pattern), value.bytes > 0 ? value.data : nothing, value.bytes,
                             0, 0, patterns->match, patterns->matching);
    if (result >= 0)
        return PATTERN_YES;
    if (result == PCRE2_ERROR_MATCHLIMIT)
        return PATTERN_SPENT;
    if (result == PCRE2_ERROR_DEPTHLIMIT || result == PCRE2_ERROR_HEAPLIMIT ||
        result == PCRE2_ERROR_NOMEMORY)
        return PATTERN_EXCEEDED;
    return PATTERN_NO;
}

enum pattern_verdict pattern_match(struct patterns *patterns, const struct pattern *pattern,
                                   struct span value, uint64_t *steps)
{
    uint64_t weight = 1 + value.bytes / STEP_BYTES;
    for (uint32_t limit = TRY_STEPS_FIRST; limit <= MATCH_STEPS_MAX; limit *= TRY_STEPS_FACTOR) {
        if (*steps < limit * weight) {
            *steps = 0;
            return PATTERN_SPENT;
        }
        *steps -= limit * weight;
        enum pattern_verdict verdict = match_try(patterns, pattern, value, limit);
        if (verdict != PATTERN_SPENT)
            return verdict;
    }
    return PATTERN_EXCEEDED;
}
