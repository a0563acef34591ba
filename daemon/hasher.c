#include "daemon/hasher.h"

#include <czmq.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { HASHER_ROLES_BYTES = 4096, HASHER_NICENESS = 10 };

struct hasher_job {
    atomic_bool is_asked; /* set by the loop, cleared by the thread: what lies before it is seen.
                             The pipe orders them too; but compilers and sanitizers know this */
    uint64_t number;      /* the core's */
    char hash[USERS_HASH_BYTES_MAX];
    char roles[HASHER_ROLES_BYTES];
    bool is_of_somebody; /* else the hash is the decoy, and whatever comes of it says nothing */
    bool is_right;
    size_t credentials_bytes;
    uint8_t credentials[CREDENTIALS_BYTES_MAX];
};

static void hasher_check(struct hasher_job *job)
{
    if (!atomic_load_explicit(&job->is_asked, memory_order_acquire))
        return;
    bool fits = crypto_pwhash_str_verify(job->hash, (const char *)job->credentials,
                                         job->credentials_bytes) == 0;
    job->is_right = fits && job->is_of_somebody;
    sodium_memzero(job->credentials, sizeof(job->credentials));
    atomic_store_explicit(&job->is_asked, false, memory_order_release);
}

/* The thread: takes the number of a job and gives it back, until told to end. */
static void hasher_work(zsock_t *pipe, void *jobs_in)
{
    struct hasher_job *jobs = jobs_in;
    (void)setpriority(PRIO_PROCESS, 0, HASHER_NICENESS); /* of this thread alone, on Linux */
    zsock_signal(pipe, 0);
    for (;;) {
        char *command = NULL;
        uint32_t number = 0;
        int taken = zsock_recv(pipe, "s4", &command, &number);
        bool is_job = taken == 0 && command != NULL && streq(command, "CHECK");
        zstr_free(&command);
        if (!is_job)
            return;
        hasher_check(&jobs[number]);
        zsock_send(pipe, "4", number);
    }
}

void hasher_init(struct hasher *hasher, struct poller *poller)
{
    *hasher = (struct hasher){.poller = poller};
}

void hasher_clear(struct hasher *hasher)
{
    zactor_t *actor = hasher->actor;
    zactor_destroy(&actor);
    hasher->actor = NULL;
    sodium_free(hasher->jobs);
    hasher->jobs = NULL;
}

static bool hasher_start(struct hasher *hasher)
{
    if (hasher->actor != NULL)
        return true;
    if (hasher->jobs == NULL)
        hasher->jobs = sodium_allocarray(MESH_PASSWORDS_AT_ONCE, sizeof(struct hasher_job));
    if (hasher->jobs == NULL)
        return false;
    hasher->actor = zactor_new(hasher_work, hasher->jobs);
    return hasher->actor != NULL &&
           poller_add(hasher->poller, zsock_fd(zactor_sock(hasher->actor)), POLLER_HASHER, 0);
}

/* A job that is not under way; MESH_PASSWORDS_AT_ONCE: none. */
static uint32_t hasher_free(const struct hasher *hasher)
{
    uint32_t at = 0;
    while (at < MESH_PASSWORDS_AT_ONCE && hasher->is_under_way[at])
        at++;
    return at;
}

static void hasher_fill(struct hasher_job *job, const struct users *users,
                        const struct mesh_output *order)
{
    const struct user *user = users_find(users, order->principal);
    job->number = order->number;
    job->is_of_somebody = user != NULL;
    job->is_right = false;
    snprintf(job->hash, sizeof(job->hash), "%s", user != NULL ? user->hash : users->decoy);
    snprintf(job->roles, sizeof(job->roles), "%s", user != NULL ? user->roles : "");
    job->credentials_bytes = order->credentials.bytes;
    if (order->credentials.bytes > 0)
        memcpy(job->credentials, order->credentials.data, order->credentials.bytes);
    atomic_store_explicit(&job->is_asked, true, memory_order_release);
}

void hasher_ask(struct hasher *hasher, struct facts *facts, struct batch *batch,
                const struct users *users, const struct mesh_output *order)
{
    uint32_t number = hasher_free(hasher);
    bool is_ready = number < MESH_PASSWORDS_AT_ONCE && hasher_start(hasher);
    if (is_ready) {
        hasher_fill(&hasher->jobs[number], users, order);
        hasher->is_under_way[number] = true;
        is_ready = zsock_send(hasher->actor, "s4", "CHECK", number) == 0;
        hasher->is_under_way[number] = is_ready;
    }
    if (is_ready)
        hasher_woken(hasher, facts, batch); /* the send may have eaten a wake-up */
    else
        facts_password(facts, order->number, MESH_PASSWORD_WRONG, (struct span){0});
}

static void hasher_tell(struct hasher *hasher, struct facts *facts, struct batch *batch,
                        uint32_t number)
{
    const struct hasher_job *job = &hasher->jobs[number];
    bool is_checked = !atomic_load_explicit(&job->is_asked, memory_order_acquire);
    enum mesh_password password = !job->is_of_somebody ? MESH_PASSWORD_OF_NOBODY
                                  : job->is_right      ? MESH_PASSWORD_RIGHT
                                                       : MESH_PASSWORD_WRONG;
    struct span roles = batch_copy(batch, span_text(job->roles));
    if (!is_checked || roles.bytes != strlen(job->roles)) /* no room: better none than fewer */
        password = MESH_PASSWORD_WRONG;
    hasher->is_under_way[number] = false;
    facts_password(facts, job->number, password, roles);
}

void hasher_woken(struct hasher *hasher, struct facts *facts, struct batch *batch)
{
    while (hasher->actor != NULL && (zsock_events(zactor_sock(hasher->actor)) & ZMQ_POLLIN) != 0) {
        uint32_t number = 0;
        if (zsock_recv(hasher->actor, "4", &number) == 0)
            hasher_tell(hasher, facts, batch, number);
    }
}
