/* counters.c - see counters.h. */
#include "mesh/counters.h"

#include <stddef.h>

const char *counters_name(enum counter counter)
{
    static const char *const names[] = {
#define COUNTER_NAME(name) #name,
        COUNTER_LIST(COUNTER_NAME)
#undef COUNTER_NAME
    };
    return (size_t)counter < sizeof names / sizeof names[0] ? names[counter] : "unknown_counter";
}
