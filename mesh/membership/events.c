/* events.c - see events.h. */
#include "mesh/membership/events.h"

bool events_init(struct events *events, struct memory *memory)
{
    *events = (struct events){0};
    events->list = memory_new(memory, MEMORY_MEMBERS, EVENTS_MAX * sizeof events->list[0]);
    return events->list != NULL;
}

void events_clear(struct events *events, struct memory *memory)
{
    memory_free(memory, MEMORY_MEMBERS, events->list, EVENTS_MAX * sizeof events->list[0]);
}

bool events_has_room(const struct events *events)
{
    return events->count + EVENTS_PER_RECORD <= EVENTS_MAX;
}

void events_add(struct events *events, enum member_event_kind kind, uint64_t instance,
                uint64_t log_head)
{
    require(events->count < EVENTS_MAX);
    uint32_t place = (events->first + events->count++) % EVENTS_MAX;
    events->list[place] = (struct member_event){kind, instance, log_head};
}

bool events_next(struct events *events, struct member_event *event)
{
    if (events->count == 0)
        return false;
    *event = events->list[events->first];
    events->first = (events->first + 1) % EVENTS_MAX;
    if (--events->count == 0)
        events->first = 0; /* the pages in front stay the only ones touched */
    return true;
}
