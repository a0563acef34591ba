/* test_mutes.c - once a minute for each source. */
#include "mesh/membership/mutes.h"

#include <criterion/criterion.h>

#define SECOND_NS UINT64_C(1000000000)

Test(mutes, a_source_speaks_once_a_minute)
{
    struct mutes mutes = {0};
    cr_assert(mutes_admit(&mutes, 5, SECOND_NS));
    cr_assert(!mutes_admit(&mutes, 5, 60 * SECOND_NS));
    cr_assert(mutes_admit(&mutes, 6, 60 * SECOND_NS));
    cr_assert(mutes_admit(&mutes, 5, 61 * SECOND_NS));
}

Test(mutes, a_flood_of_sources_keeps_the_table_small_and_the_youngest_mute)
{
    struct mutes mutes = {0};
    for (uint64_t source = 1; source <= 1000; source++)
        cr_assert(mutes_admit(&mutes, source, SECOND_NS + source));
    cr_assert(!mutes_admit(&mutes, 1000, 2 * SECOND_NS));
    cr_assert(!mutes_admit(&mutes, 1000 - MUTES + 1, 2 * SECOND_NS));
    cr_assert(mutes_admit(&mutes, 1, 2 * SECOND_NS));
}
