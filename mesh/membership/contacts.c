/* contacts.c - see contacts.h. Links follow the table once a second instead of at each death: a
 * leaver's acknowledgements still leave, and a member that comes back finds its link. */
#include "mesh/membership/contacts.h"

#include "mesh/membership/room.h"

enum { IDLE_MS = 5000 }; /* ten periods: whoever is asked again soon is not dialled again */

struct link *contacts_link(struct membership *room, uint32_t who)
{
    if (who == room->members.self)
        return NULL;
    struct peer *peer = members_peer(&room->members, who);
    if (peer != NULL)
        peer->used_ns = room->context->now_ns;
    struct links *links = room->context->links;
    const struct descriptor *descriptor = members_descriptor(&room->members, who);
    struct link *link = links_of_instance(links, descriptor->instance);
    if (link != NULL)
        return link;
    link =
        links_open_to(links, span_text(descriptor->gossip_address), descriptors_name(descriptor));
    if (link != NULL)
        links_bind(links, link, descriptor->instance);
    return link;
}

void contacts_meet(struct membership *room, uint32_t who)
{
    struct peer *peer = members_peer_if_any(&room->members, who);
    if (peer != NULL)
        peer->is_cut_off = false; /* in an earlier life of it */
    if (members_live(&room->members) > CONTACTS_ALL)
        return; /* it is dialled when it is first asked */
    struct link *link = contacts_link(room, who);
    if (link == NULL)
        return;
    const struct descriptor *descriptor = members_descriptor(&room->members, who);
    (void)links_open_forward(room->context->links, link, span_text(descriptor->forward_address));
}

uint32_t contacts_member(const struct membership *room, const struct link *link)
{
    return link->instance == 0 ? WHO_NONE : members_find(&room->members, link->instance);
}

static bool is_in_use(const struct membership *room, uint32_t who)
{
    if (members_live(&room->members) <= CONTACTS_ALL)
        return true;
    const struct peer *peer = members_peer_if_any(&room->members, who);
    return peer != NULL && room->context->now_ns - peer->used_ns < IDLE_MS * MS_NS;
}

static bool is_wanted(const struct membership *room, const struct link *link)
{
    uint32_t who = contacts_member(room, link);
    return (who != WHO_NONE && members_is_live(&room->members, who) && is_in_use(room, who)) ||
           calls_has_link(room, link->number) || joiners_has_link(room, link->number);
}

void contacts_sweep(struct membership *room)
{
    struct links *links = room->context->links;
    struct link *link = links_next(links, NULL);
    while (link != NULL) {
        struct link *next = links_next(links, link);
        if (!is_wanted(room, link))
            links_close(links, link);
        link = next;
    }
}
