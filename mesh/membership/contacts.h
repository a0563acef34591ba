/* contacts.h - decides which members this node has links to: all live ones, up to CONTACTS_ALL of
 * them; in a larger mesh those it lately had to do with.
 * Memory: links.h. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_CONTACTS_H
#define WEFT_MESH_MEMBERSHIP_CONTACTS_H

#include "mesh/base/links.h"

struct membership;

/* As many nodes as are supported in practice: six descriptors a link. */
enum { CONTACTS_ALL = 300 };

/* The first news of a live member: both channels are dialled, unless the mesh is too large. */
void contacts_meet(struct membership *room, uint32_t who);

/* The link to a member, opened if need be. NULL: this node itself, or no more links. */
struct link *contacts_link(struct membership *room, uint32_t who);

/* The member a link leads to; WHO_NONE: nobody known. */
uint32_t contacts_member(const struct membership *room, const struct link *link);

/* Hangs up where nobody lives any more and no call is under way. */
void contacts_sweep(struct membership *room);

#endif
