/* addresses.h - names and addresses of simulated nodes, and which node they mean.
 * Thread: pure functions. */
#ifndef WEFT_TESTS_SIM_ADDRESSES_H
#define WEFT_TESTS_SIM_ADDRESSES_H

#include <stdint.h>

#include "proto/span.h"

enum { ADDRESSES_BYTES = 32, ADDRESSES_NAME_BYTES = 16 };

/* A node's host number is its own number + 1; each move to another address adds the step. */
enum { ADDRESSES_STEP = 16384 };

/* Writes a host's addresses; NULL for those that are not wanted. */
void addresses_print(uint32_t host, char client[ADDRESSES_BYTES], char gossip[ADDRESSES_BYTES],
                     char forward[ADDRESSES_BYTES]);

/* The host of "10.a.b.c:port"; UINT32_MAX: none. */
uint32_t addresses_host(struct span address);

/* The node that lives, or once lived, at a host; UINT32_MAX: none. */
uint32_t addresses_node(uint32_t host);

/* The n-th node's name, and the node of a name; UINT32_MAX: none. */
void addresses_name(uint32_t node, char name[ADDRESSES_NAME_BYTES]);
uint32_t addresses_named(struct span name);

#endif
