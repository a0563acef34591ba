#include "tests/sim/addresses.h"

#include <inttypes.h>
#include <stdio.h>

void addresses_print(uint32_t host, char client[ADDRESSES_BYTES], char gossip[ADDRESSES_BYTES],
                     char forward[ADDRESSES_BYTES])
{
    char *const to[] = {client, gossip, forward};
    for (unsigned i = 0; i < 3; i++)
        if (to[i] != NULL)
            snprintf(to[i], ADDRESSES_BYTES, "10.%" PRIu32 ".%" PRIu32 ".%" PRIu32 ":%u",
                     host >> 16 & 255, host >> 8 & 255, host & 255, 7310 + i);
}

uint32_t addresses_host(struct span address)
{
    uint32_t parts[4] = {0};
    size_t part = 0;
    for (size_t i = 0; i < address.bytes && address.data[i] != ':'; i++) {
        uint8_t c = address.data[i];
        if (c == '.' && ++part < 4)
            continue;
        if (part > 3 || c < '0' || c > '9' || parts[part] > 255)
            return UINT32_MAX;
        parts[part] = parts[part] * 10 + (uint32_t)(c - '0');
    }
    return part == 3 && parts[0] == 10 ? parts[1] << 16 | parts[2] << 8 | parts[3] : UINT32_MAX;
}

uint32_t addresses_node(uint32_t host)
{
    return host == UINT32_MAX || host % ADDRESSES_STEP == 0 ? UINT32_MAX
                                                            : host % ADDRESSES_STEP - 1;
}

void addresses_name(uint32_t node, char name[ADDRESSES_NAME_BYTES])
{
    snprintf(name, ADDRESSES_NAME_BYTES, "n%05" PRIu32, node);
}

uint32_t addresses_named(struct span name)
{
    uint32_t node = 0;
    if (name.bytes != 6 || name.data[0] != 'n')
        return UINT32_MAX;
    for (size_t i = 1; i < name.bytes; i++) {
        if (name.data[i] < '0' || name.data[i] > '9')
            return UINT32_MAX;
        node = node * 10 + (uint32_t)(name.data[i] - '0');
    }
    return node;
}
