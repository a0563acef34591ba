/* paths.c - see paths.h. */
#include "tests/unit/mesh/topics/paths.h"

static const char *const words[] = {"a", "b", "a-", "a0", "abc", "z"};
enum { WORDS = sizeof words / sizeof words[0], SEGMENTS_MAX = 4 };

static size_t append(char text[PATHS_TEXT_BYTES], size_t at, const char *word)
{
    if (at > 0)
        text[at++] = '/';
    memcpy(text + at, word, strlen(word));
    return at + strlen(word);
}

struct span paths_draw(struct random *random, char text[PATHS_TEXT_BYTES])
{
    size_t bytes = 0;
    uint64_t segments = 1 + random_below(random, SEGMENTS_MAX);
    for (uint64_t i = 0; i < segments; i++)
        bytes = append(text, bytes, words[random_below(random, WORDS)]);
    return span_of(text, bytes);
}

struct span paths_draw_selector(struct random *random, char text[PATHS_TEXT_BYTES])
{
    size_t bytes = 0;
    uint64_t segments = random_below(random, SEGMENTS_MAX + 1);
    for (uint64_t i = 0; i < segments; i++)
        bytes = append(text, bytes,
                       random_below(random, 3) == 0 ? "+" : words[random_below(random, WORDS)]);
    if (segments == 0 || random_below(random, 3) == 0)
        bytes = append(text, bytes, "**");
    return span_of(text, bytes);
}
