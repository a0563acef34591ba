/* hasher.h - checks passwords without stopping the loop: Argon2id is made to take its time, so it
 * has a thread of its own, which gives way to all others.
 * Memory: MESH_PASSWORDS_AT_ONCE jobs, locked and kept out of core dumps; a password is wiped as
 * soon as it was checked. Thread: one owner; a job is the thread's while it is under way. */
#ifndef WEFT_DAEMON_HASHER_H
#define WEFT_DAEMON_HASHER_H

#include "daemon/batch.h"
#include "daemon/facts.h"
#include "daemon/poller.h"
#include "daemon/users.h"

struct hasher_job;

struct hasher {
    void *actor; /* zactor_t; NULL until the first password */
    struct poller *poller;
    struct hasher_job *jobs;
    bool is_under_way[MESH_PASSWORDS_AT_ONCE];
};

/* The thread starts with the first password. */
void hasher_init(struct hasher *hasher, struct poller *poller);

/* Ends the thread, when it has finished what it is at. */
void hasher_clear(struct hasher *hasher);

/* Carries out MESH_CHECK_PASSWORD; told at once or later as MESH_PASSWORD_CHECKED. Without memory
 * or thread the password is wrong. */
void hasher_ask(struct hasher *hasher, struct facts *facts, struct batch *batch,
                const struct users *users, const struct mesh_output *order);

/* The actor's pipe woke the loop. */
void hasher_woken(struct hasher *hasher, struct facts *facts, struct batch *batch);

#endif
