/* echoes.h - the handlers of one client process: answer every request with what it carried, and
 * judge the order in which each caller's requests come.
 * Memory: its own until echoes_clear. Thread: that of the context. */
#ifndef WEFT_BENCH_ECHOES_H
#define WEFT_BENCH_ECHOES_H

#include "bench/tally.h"

struct echoes {
    const struct bench_settings *settings;
    struct weft_context *context;
    struct tally *tally;  /* its checks */
    uint64_t *seen;       /* of struct tally_marks; NULL: nothing is looked into */
    uint32_t first, step; /* handlers first, first + step, .. of all are these */
    uint32_t count, registered, refused;
    struct echo *all;
};

/* Handlers in all; handler k serves on server k modulo the servers. */
uint32_t echoes_wanted(const struct bench_settings *settings);

/* Sets the rest of `echoes` from what is set: settings to seen, first, step. Begins to open the
 * sessions and to register. false: no memory, or a session could not be made. */
bool echoes_open(struct echoes *echoes);

/* All are registered; *problem: a session that is not open, if not. */
bool echoes_are_registered(const struct echoes *echoes, const struct weft_client **problem);

/* Notes the names of the nodes that the handlers are on, by server. */
void echoes_name_nodes(const struct echoes *echoes, char names[BENCH_NODES_MAX][BENCH_NAME_BYTES]);

void echoes_clear(struct echoes *echoes);

#endif
