/* patterns.c - see patterns.h. PCRE2's interpreter, not its just-in-time compiler: that would need
 * memory that is writable and executable. PCRE2's own match limit would not do: it does not tell
 * what was used of it, and one of its steps may walk along a whole value, again and again, in a
 * possessive repeat or a look-ahead. It stays as a second fence. */
#include "mesh/filter/patterns.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    MATCH_STEPS_MIN = 4,      /* what PCRE2 takes before the first callout */
    MATCH_STEPS_MAX = 16384,  /* .*x.* on the longest value there is, and not its square */
    MATCH_LIMIT = 1 << 20,    /* PCRE2's own */
    MATCH_HEAP_KIB = 4096,    /* for as many frames of 128 bytes as there are steps, twice */
    STEP_BYTES = 8,           /* to walk so far takes about as long as a callout */
    PATTERN_NESTING_MAX = 64, /* PCRE2 compiles nested groups by recursion */
    BLOCK_BYTES = 16,         /* before each block: its size; keeps PCRE2's alignment */
};

/* What the match that is under way may still cost. */
struct toll {
    uint64_t left; /* steps */
    size_t at;     /* where in the value the last callout was */
    bool is_over;
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
    (void)pcre2_set_match_limit(patterns->matching, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(patterns->matching, MATCH_LIMIT);
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

/* \C would cut characters in two. */
struct pattern *pattern_new(struct patterns *patterns, struct span text, struct sentence *reason)
{
    const uint32_t options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
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

/* Called before each item of the pattern; not 0 ends the match. */
static int toll_take(pcre2_callout_block *callout, void *data)
{
    struct toll *toll = data;
    size_t at = callout->current_position;
    uint64_t steps = 1 + (at > toll->at ? at - toll->at : toll->at - at) / STEP_BYTES;
    toll->at = at;
    toll->is_over = steps > toll->left;
    toll->left -= toll->is_over ? toll->left : steps;
    return toll->is_over ? PCRE2_ERROR_CALLOUT : 0;
}

/* A value that is no UTF-8 does not match: PCRE2 looks before it starts. */
enum pattern_verdict pattern_match(struct patterns *patterns, const struct pattern *pattern,
                                   struct span value, uint64_t *steps)
{
    static const uint8_t nothing[1] = {0};
    uint64_t start = MATCH_STEPS_MIN + value.bytes / STEP_BYTES;
    if (*steps < start) {
        *steps = 0;
        return PATTERN_SPENT;
    }
    *steps -= start;
    uint64_t allowed = *steps < MATCH_STEPS_MAX ? *steps : MATCH_STEPS_MAX;
    struct toll toll = {.left = allowed};
    (void)pcre2_set_callout(patterns->matching, toll_take, &toll);
    int result = pcre2_match(code_of(pattern), value.bytes > 0 ? value.data : nothing, value.bytes,
                             0, 0, patterns->match, patterns->matching);
    bool is_last = allowed == *steps;
    *steps -= allowed - toll.left;
    if (result >= 0)
        return PATTERN_YES;
    if (toll.is_over)
        return is_last ? PATTERN_SPENT : PATTERN_EXCEEDED;
    if (result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_DEPTHLIMIT ||
        result == PCRE2_ERROR_HEAPLIMIT || result == PCRE2_ERROR_NOMEMORY)
        return PATTERN_EXCEEDED;
    return PATTERN_NO;
}
