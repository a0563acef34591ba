#include "tests/sim/planted.h"

#include <inttypes.h>
#include <stdio.h>

#include "mesh/base/bugs.h"

bool planted_is_possible(void)
{
#ifdef WEFT_PLANTED_BUGS
    return true;
#else
    return false;
#endif
}

bool planted_choose(uint32_t number)
{
    if (number == 0 || number >= BUGS)
        return false;
#ifdef WEFT_PLANTED_BUGS
    bug_plant((enum bug)number);
#endif
    return true;
}

void planted_list(void)
{
    static const char *const lines[] = {
#define PLANTED_LINE(name, invariant, text) invariant " " text,
        BUG_LIST(PLANTED_LINE)
#undef PLANTED_LINE
    };
    for (uint32_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        printf("%" PRIu32 " %s\n", i + 1, lines[i]);
}
