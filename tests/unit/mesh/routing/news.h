/* news.h - what a town's client is told of sessions, taken apart; and the usual things that happen
 * to sessions.
 * Memory: static. Thread: one. */
#ifndef WEFT_TESTS_UNIT_MESH_ROUTING_NEWS_H
#define WEFT_TESTS_UNIT_MESH_ROUTING_NEWS_H

#include "proto/event.h"
#include "tests/unit/mesh/town.h"

enum { NEWS_MAX = 512 };

struct news {
    enum session_news event;
    struct session_id session;
    uint8_t state, reason;
    bool is_resync;
    char node;
    char value[64]; /* of the first property; "": none */
    size_t properties;
};

extern struct news news[NEWS_MAX];
extern size_t news_count;

/* Three nodes that know each other; 64 sessions each. */
void news_trio(void);

/* LISTEN with correlation 7; answered by DONE. keys: "": all. */
uint32_t news_listen(uint32_t node, const char *filter, const char *keys);

/* Takes what the client was told since the last time, with credit for more: `sequence` has no hole.
 * Returns how many. */
size_t news_take(uint32_t client);

/* How many of that kind are about that client's session; any client: TOWN_CLIENTS. */
size_t news_of(uint32_t client, enum session_news event);

/* A filter whose patterns cost, at one session with this tier, all that they may. Static. */
#define NEWS_BAIT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
const char *news_bomb(void);

/* A session's property gets another value, as by a command. */
void news_change(uint32_t client, const char *key, const char *value);

#endif
