/* require.c - see require.h. The one place of the core that speaks to the world by itself: when
 * our own code is wrong there is nobody left to hand a notice to. */
#include "mesh/base/require.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_DIGITS = 12 };

_Noreturn void require_failed(const char *file, int line, const char *condition)
{
    char digits[LINE_DIGITS] = {0};
    size_t at = sizeof digits - 1;
    for (int left = line; left > 0 && at > 0; left /= 10)
        digits[--at] = (char)('0' + left % 10);
    fputs("weft: a mistake of ours at ", stderr);
    fputs(file, stderr);
    fputs(":", stderr);
    fputs(&digits[at], stderr);
    fputs(": required ", stderr);
    fputs(condition, stderr);
    fputs("\n", stderr);
    abort();
}
