#include "daemon/resolver.h"

#include "mesh/config.h"

#include <czmq.h>

enum { RESOLVER_TEXT_BYTES = MESH_ADDRESSES_PER_SEED_MAX * ADDRESS_TEXT_BYTES };

/* All addresses of the name, one a line; empty when there is none. */
static void resolver_look_up(const struct address *name, char text[RESOLVER_TEXT_BYTES])
{
    struct address found[MESH_ADDRESSES_PER_SEED_MAX];
    const char *reason = NULL;
    size_t count = address_resolve(name, found, MESH_ADDRESSES_PER_SEED_MAX, &reason);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char one[ADDRESS_TEXT_BYTES];
        address_format(&found[i], one);
        int wanted =
            snprintf(text + used, RESOLVER_TEXT_BYTES - used, "%s%s", i > 0 ? "\n" : "", one);
        used += wanted > 0 ? (size_t)wanted : 0;
    }
}

/* The thread: takes (seed, host, port), gives (seed, addresses), until told to end. */
static void resolver_work(zsock_t *pipe, void *unused)
{
    (void)unused;
    zsock_signal(pipe, 0);
    for (;;) {
        char *command = NULL, *host = NULL;
        uint32_t seed = 0, port = 0;
        int taken = zsock_recv(pipe, "ss44", &command, &host, &seed, &port);
        bool is_question = taken == 0 && command != NULL && streq(command, "LOOK-UP");
        if (is_question) {
            char text[RESOLVER_TEXT_BYTES];
            struct address name = {.port = (uint16_t)port};
            snprintf(name.host, sizeof(name.host), "%s", host);
            resolver_look_up(&name, text);
            zsock_send(pipe, "4s", seed, text);
        }
        zstr_free(&command);
        zstr_free(&host);
        if (!is_question)
            return;
    }
}

void resolver_init(struct resolver *resolver, struct poller *poller)
{
    *resolver = (struct resolver){.poller = poller};
}

bool resolver_clear(struct resolver *resolver)
{
    if (resolver->under_way > 0)
        return false;
    zactor_t *actor = resolver->actor;
    zactor_destroy(&actor);
    resolver->actor = NULL;
    return true;
}

static bool resolver_start(struct resolver *resolver)
{
    if (resolver->actor != NULL)
        return true;
    resolver->actor = zactor_new(resolver_work, NULL);
    return resolver->actor != NULL &&
           poller_add(resolver->poller, zsock_fd(zactor_sock(resolver->actor)), POLLER_RESOLVER, 0);
}

static void resolver_answer(struct facts *facts, struct batch *batch, uint32_t seed,
                            const char *addresses)
{
    struct span found = batch_copy(batch, span_text(addresses));
    facts_counted(facts, found.bytes > 0 ? COUNTER_seeds_resolved : COUNTER_seeds_failed, 1);
    facts_seed(facts, seed, found);
}

void resolver_ask(struct resolver *resolver, struct facts *facts, struct batch *batch,
                  uint32_t seed, const struct address *name)
{
    char text[RESOLVER_TEXT_BYTES];
    if (address_is_numeric(name->host)) {
        address_format(name, text);
        resolver_answer(facts, batch, seed, text);
    } else if (!resolver_start(resolver) ||
               zsock_send(resolver->actor, "ss44", "LOOK-UP", name->host, seed,
                          (uint32_t)name->port) != 0) {
        resolver_answer(facts, batch, seed, "");
    } else {
        resolver->under_way++;
        resolver_woken(resolver, facts, batch); /* the send may have eaten a wake-up */
    }
}

void resolver_woken(struct resolver *resolver, struct facts *facts, struct batch *batch)
{
    while (resolver->actor != NULL &&
           (zsock_events(zactor_sock(resolver->actor)) & ZMQ_POLLIN) != 0) {
        uint32_t seed = 0;
        char *addresses = NULL;
        if (zsock_recv(resolver->actor, "4s", &seed, &addresses) == 0) {
            resolver->under_way--;
            resolver_answer(facts, batch, seed, addresses);
        }
        zstr_free(&addresses);
    }
}
