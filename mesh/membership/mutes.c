/* mutes.c - see mutes.h. */
#include "mesh/membership/mutes.h"

#define MUTE_NS UINT64_C(60000000000)

bool mutes_admit(struct mutes *mutes, uint64_t source, uint64_t now_ns)
{
    size_t oldest = 0;
    for (size_t i = 0; i < MUTES; i++) {
        if (mutes->places[i].source == source && now_ns < mutes->places[i].until_ns)
            return false;
        if (mutes->places[i].until_ns < mutes->places[oldest].until_ns)
            oldest = i;
    }
    mutes->places[oldest].source = source;
    mutes->places[oldest].until_ns = now_ns + MUTE_NS;
    return true;
}
