/* core.h - what the files of the door share: the rooms of one mesh, and what the door itself
 * remembers. For mesh/ NAME.c only; rooms never see it.
 * Memory: owned by mesh.c. Thread: one owner. */
#ifndef WEFT_MESH_CORE_H
#define WEFT_MESH_CORE_H

#include "mesh/base/admission.h"
#include "mesh/base/context.h"
#include "mesh/membership/membership.h"
#include "mesh/mesh.h"
#include "mesh/ownership/ownership.h"
#include "mesh/routing/routing.h"
#include "mesh/sessions/sessions.h"
#include "mesh/topics/topics.h"

/* How far the node has come; it only moves forward. */
enum mesh_stage {
    MESH_BORN,      /* nothing has happened yet */
    MESH_JOINING,   /* looks for the mesh */
    MESH_SYNCING,   /* is a member, or alone; awaits the others' logs */
    MESH_EXPECTING, /* has everything; fewer members than config.expect */
    MESH_READY,
    MESH_STOPPING, /* has said goodbye to clients and members */
    MESH_OVER,     /* MESH_STOPPED was ordered: nothing is taken and nothing is said any more */
};

struct mesh {
    struct memory birth; /* counts this struct alone: the context's own memory lies in it */
    struct context context;
    struct admission *admission;
    struct membership *membership;
    struct ownership *ownership;
    struct sessions *sessions;
    struct routing *routing;
    struct topics *topics;
    enum mesh_stage stage;
    uint64_t joined_ns;      /* when the stage became SYNCING */
    enum mesh_excess excess; /* of the client's frame being read */
    uint32_t lag_us;         /* as the daemon said last */
    bool has_new_addresses;  /* members came or went since sessions were told whom to name */
};

/* Hands all waiting events to the rooms, and lets each look after what changed elsewhere. After
 * each message and each deadline, so that no room ever works on another's old news. */
void mesh_pump(struct mesh *mesh);

/* Enough after a request or a response, which change nothing that rooms look after: pumps only if
 * there is an event. */
void mesh_pump_events(struct mesh *mesh);

#endif
