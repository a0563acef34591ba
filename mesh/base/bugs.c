/* bugs.c - see bugs.h. Empty in every build but the simulator's with planted bugs. */
#include "mesh/base/bugs.h"

#ifdef WEFT_PLANTED_BUGS

static enum bug planted;

bool bug_is_planted(enum bug bug)
{
    return bug == planted;
}

void bug_plant(enum bug bug)
{
    planted = bug;
}

#endif
