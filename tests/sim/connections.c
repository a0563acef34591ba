#include "tests/sim/connections.h"

#include <stdlib.h>

#include "mesh/base/require.h"

uint32_t connections_new(struct connections *connections, struct sim_dialler dialler)
{
    if (connections->count == connections->capacity) {
        uint32_t capacity = connections->capacity == 0 ? 1024 : connections->capacity * 2;
        struct sim_dialler *grown = realloc(connections->diallers, capacity * sizeof *grown);
        require(grown != NULL);
        connections->diallers = grown;
        connections->capacity = capacity;
    }
    connections->diallers[connections->count] = dialler;
    return ++connections->count;
}

const struct sim_dialler *connections_dialler(const struct connections *connections,
                                              uint32_t number)
{
    bool is_known = number != 0 && number <= connections->count;
    return is_known ? &connections->diallers[number - 1] : NULL;
}

void connections_reset(struct connections *connections, uint32_t number)
{
    if (number != 0 && number <= connections->count)
        connections->diallers[number - 1].is_reset = true;
}

void connections_clear(struct connections *connections)
{
    free(connections->diallers);
    *connections = (struct connections){.count = 0};
}
