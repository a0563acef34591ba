/* loop.h - the one loop: tells the core what happened, carries out what it orders, sleeps.
 * Memory: owned by main. Thread: the main one. */
#ifndef WEFT_DAEMON_LOOP_H
#define WEFT_DAEMON_LOOP_H

#include "daemon/bearers.h"
#include "daemon/dealers.h"
#include "daemon/hasher.h"
#include "daemon/inbox.h"
#include "daemon/options.h"
#include "daemon/refused.h"
#include "daemon/resolver.h"
#include "daemon/zap.h"

struct loop {
    const struct options *options; /* to load again at SIGHUP */
    struct config *config;
    struct logger logger;
    struct facts facts; /* and in it the mesh */
    struct poller poller;
    struct guard guard;
    struct inbox inboxes[GUARD_CHANNELS]; /* by channel */
    struct dealers dealers;
    struct resolver resolver;
    struct hasher hasher;
    struct users users; /* that it checks passwords of */
    struct refused refused;
    struct keyring *keyring; /* NULL: no keys are in use */
    struct zap zap;          /* runs where keys are */
    struct batch batch;
    int signals_fd;
    bool is_stopping; /* the core was told to stop */
    bool is_over;
    int exit_code;             /* once it is over */
    uint64_t stop_by_ns;       /* then it ends, whatever the core says */
    uint64_t attend_ns;        /* when those who are busy are looked at again */
    uint64_t worst_ns, lag_ns; /* the longest delay of this second; when to tell it */
    uint64_t log_dropped;      /* told to the core so far */
    uint64_t keys_refused;     /* since it was last said */
    uint64_t keys_said_ns;
};

/* Warns that whoever connects may do everything (config_is_open). */
void loop_say_open(struct loop *loop);

/* Says whose keys are taken. */
void loop_say_keys(struct loop *loop);

/* Runs until the core has stopped. Returns the process's exit code. */
int loop_run(struct loop *loop);

#endif
