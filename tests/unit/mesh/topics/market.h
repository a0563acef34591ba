/* market.h - what the tests of the whole room share: publishers and subscribers in a town of three
 * nodes, and what each subscriber was told.
 * Memory: the town's. Thread: one. */
#ifndef WEFT_TESTS_UNIT_MESH_MARKET_H
#define WEFT_TESTS_UNIT_MESH_MARKET_H

#include "proto/topic_entry.h"
#include "tests/unit/mesh/town.h"

/* Three nodes that know each other and are ready; behind town_begin, with its configurations. */
void market_open(void);

/* SET, REMOVE: what TOPIC said at once. */
struct topic_result market_set(uint32_t client, const char *path, const char *value);
struct topic_result market_set_as(uint32_t client, const struct topic_set *set, const char *value);
struct topic_result market_remove(uint32_t client, const char *selector);

/* SUBSCRIBE; DONE or the ERROR's code. */
enum error market_subscribe(uint32_t client, const char *selector);
size_t market_subscribe_late(uint32_t client, const char *selector); /* no answer is awaited */
enum error market_unsubscribe(uint32_t client, const char *selector);

/* The index-th UPDATE or UNSUBSCRIBED that the client was sent since town_forget; false: none. */
struct market_news {
    bool is_end;
    char path[64], value[64];
    struct topic_update update;
    struct unsubscribed ended;
};
bool market_news(uint32_t client, size_t index, struct market_news *news);
size_t market_news_count(uint32_t client);

/* FETCH: how many topics there are behind the selector at that client's node; *value: the first
 * one's. */
uint32_t market_fetch(uint32_t client, const char *selector, char value[64]);

/* A path that this node (0..2) sequences while all `alive` ones (bits) do; `n` tells several
 * apart. */
const char *market_path_of(uint32_t node, unsigned alive, unsigned n);

/* Whether the nodes (bits) have the same topics, by their STATUS; `client` asks. */
bool market_is_same(uint32_t client, unsigned nodes);

#endif
