/* observers.c - see observers.h. Rendezvous hashing in place of Rapid's rings: the same few of each
 * member, no order to keep, and when one dies only its own place is filled anew. */
#include "mesh/membership/observers.h"

uint32_t observers_of(const struct members *members, uint32_t who, uint32_t most,
                      uint32_t observers[OBSERVERS_MAX])
{
    uint64_t ranks[OBSERVERS_MAX];
    uint64_t subject = members_mix(members_descriptor(members, who)->instance);
    uint32_t count = 0;
    most = most < OBSERVERS_MAX ? most : OBSERVERS_MAX;
    if (most == 0)
        return 0;
    for (uint32_t other = members_next(members, WHO_NONE); other != WHO_NONE;
         other = members_next(members, other)) {
        if (other == who || !members_is_live(members, other))
            continue;
        uint64_t rank = members_mix(members_descriptor(members, other)->instance ^ subject);
        if (count == most && rank >= ranks[most - 1])
            continue;
        uint32_t place = count < most ? count++ : most - 1;
        for (; place > 0 && ranks[place - 1] > rank; place--) {
            ranks[place] = ranks[place - 1];
            observers[place] = observers[place - 1];
        }
        ranks[place] = rank;
        observers[place] = other;
    }
    return count;
}

bool observers_has(const struct members *members, uint32_t who, uint32_t most, uint32_t candidate)
{
    uint32_t observers[OBSERVERS_MAX];
    uint32_t count = observers_of(members, who, most, observers);
    for (uint32_t i = 0; i < count; i++) {
        if (observers[i] == candidate)
            return true;
    }
    return false;
}
