/* heal.c - see heal.h.
 *
 * *Reincarnate, then merge* needs no phase of its own. Whoever is called although held dead hears
 * so in the challenge, and goes above it before it is taken. The tables that are then exchanged
 * carry the dead, too: a death said of a member that lives here is passed on to that member, which
 * goes above it; only that makes it live again on the other side (evidence.c, E4). */
#include "mesh/membership/heal.h"

#include "mesh/membership/room.h"

enum { NEWEST = 16 };

static bool dead_call(struct membership *room, uint32_t who)
{
    if (who == WHO_NONE)
        return false;
    calls_start(room, span_text(members_descriptor(&room->members, who)->gossip_address),
                CALL_NO_SEED);
    return true;
}

static bool turn_take(struct membership *room, enum heal_turn turn)
{
    const struct members *members = &room->members;
    switch (turn) {
    case HEAL_SEED:
        return seeds_call_one(room);
    case HEAL_NEWEST:
        return dead_call(room, members_dead(members, &room->random, NEWEST));
    case HEAL_ANY:
        return dead_call(room, members_dead(members, &room->random, UINT32_MAX));
    case HEAL_TURNS:
        break;
    }
    return false;
}

void heal_call(struct membership *room)
{
    for (uint32_t tries = 0; tries < HEAL_TURNS; tries++) {
        enum heal_turn turn = (enum heal_turn)(room->heal.turn++ % HEAL_TURNS);
        if (turn_take(room, turn))
            return;
    }
}
