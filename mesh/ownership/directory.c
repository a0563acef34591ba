/* directory.c - see directory.h. */
#include "mesh/ownership/directory.h"

#include "mesh/base/require.h"

void directory_init(struct directory *directory, struct memory *memory, uint64_t salt)
{
    *directory = (struct directory){.memory = memory};
    origins_init(&directory->origins, memory, salt);
    handlers_init(&directory->handlers, memory, salt + 1);
}

void directory_clear(struct directory *directory)
{
    origins_clear(&directory->origins);
    handlers_clear(&directory->handlers);
}

void directory_add(struct directory_totals *totals, const struct directory_totals *part)
{
    totals->sessions += part->sessions;
    totals->handlers += part->handlers;
    totals->hash += part->hash;
}

void directory_subtract(struct directory_totals *totals, const struct directory_totals *part)
{
    require(totals->sessions >= part->sessions && totals->handlers >= part->handlers);
    totals->sessions -= part->sessions;
    totals->handlers -= part->handlers;
    totals->hash -= part->hash;
}
