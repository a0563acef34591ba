/* wipe.c - see wipe.h. */
#include "mesh/base/wipe.h"

#include "mesh/base/outbox.h"

void wipe_bytes(void *bytes, size_t count)
{
    volatile uint8_t *at = bytes;
    for (size_t i = 0; i < count; i++)
        at[i] = 0;
}

void wipe_input(struct outbox *outbox)
{
    outbox_order(outbox, &(struct mesh_output){.order = MESH_WIPE});
}
