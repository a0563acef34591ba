/* pause.c - see pause.h.
 *
 * A tick that comes pause_ms late says that we slept, whatever the reason. Probes that were running
 * prove nothing, suspicions get the time back, and the health score rises. After more than the
 * shortest suspicion the others may have held us dead: we refute unasked, ask for what changed, and
 * accuse nobody for a second. After more than a tombstone's age we may know members whose end all
 * others have forgotten: everybody is held dead here and called, and those who live come back by
 * themselves (promise: no ghosts). */
#include "mesh/membership/pause.h"

#include "mesh/membership/room.h"

enum { DAZED_MS = 1000, PAUSED_SOURCE = 1 };

#define HOUR_NS UINT64_C(3600000000000)

static void forget_all(struct membership *room)
{
    for (uint32_t who = members_next(&room->members, WHO_NONE); who != WHO_NONE;
         who = members_next(&room->members, who)) {
        if (who != room->members.self)
            evidence_forgotten(room, who);
    }
}

static void wake(struct membership *room, uint64_t slept_ns)
{
    room->pause.dazed_until_ns = room->context->now_ns + DAZED_MS * MS_NS;
    self_rise(room, self_incarnation(room), false);
    if (slept_ns >= room_config(room)->tombstone_h * HOUR_NS)
        forget_all(room);
    else
        sync_pull(room);
}

void pause_check(struct membership *room, const struct deadline *due)
{
    uint64_t now_ns = room->context->now_ns;
    uint64_t late_ns = now_ns - due->at_ns;
    if (late_ns < room_config(room)->pause_ms * MS_NS || room->pause.noticed_ns == now_ns ||
        leave_has_begun(room))
        return;
    room->pause.noticed_ns = now_ns;
    health_worsened(&room->health, 1);
    probe_void(room);
    relays_void(room);
    crash_void(room);
    suspects_slept(room, late_ns);
    if (mutes_admit(&room->mutes, PAUSED_SOURCE, now_ns)) {
        const uint64_t values[4] = {late_ns / MS_NS};
        outbox_notice(room->context->outbox, NOTICE_PAUSED, values, NULL);
    }
    if (late_ns >= suspicion_min_ns(room_config(room), members_live(&room->members)))
        wake(room, late_ns);
}

bool pause_is_dazed(const struct membership *room)
{
    return room->context->now_ns < room->pause.dazed_until_ns;
}
