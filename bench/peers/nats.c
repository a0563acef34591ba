/* nats - NATS through its own C library: a requester at one server, a responder at another (or the
 * same), in processes of their own.
 *
 *     nats PORT-OF-REQUESTER PORT-OF-RESPONDER asap|buffered BYTES OUTSTANDING SECONDS PID..
 *
 *     asap      each message is written at once
 *     buffered  messages wait for the library's flusher thread, as is its default
 *     PID..     of the servers on the way: their CPU is the nodes'
 *
 * Requests carry the requester's inbox as reply subject, and their answers come to one subscription
 * there: as the library's own asynchronous requests do, without their table. */
#include <nats/nats.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/peers/peer.h"

enum { PENDING_MAX = 1000000, TRIES = 200, WORDS_MIN = 8 };

static const char subject[] = "weft.bench.echo";

static struct {
    const char *requester, *responder;
    bool writes_at_once;
} plan;

static const struct peer_run *the_run; /* for callbacks, which the library's thread makes */
static char inbox[64], *payload;
static atomic_bool is_over;

static natsConnection *dial(const char *port)
{
    natsOptions *options = NULL;
    natsConnection *connection = NULL;
    char url[64];
    snprintf(url, sizeof url, "nats://127.0.0.1:%s", port);
    if (natsOptions_Create(&options) != NATS_OK || natsOptions_SetURL(options, url) != NATS_OK ||
        natsOptions_SetSendAsap(options, plan.writes_at_once) != NATS_OK ||
        natsOptions_SetMaxPendingMsgs(options, PENDING_MAX) != NATS_OK ||
        natsConnection_Connect(&connection, options) != NATS_OK)
        peer_fail(url);
    natsOptions_Destroy(options);
    return connection;
}

static void on_request(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                       void *user)
{
    (void)subscription, (void)user;
    (void)natsConnection_Publish(connection, natsMsg_GetReply(message), natsMsg_GetData(message),
                                 natsMsg_GetDataLength(message));
    natsMsg_Destroy(message);
}

static void be_responder(const struct peer_run *run)
{
    natsSubscription *subscription = NULL;
    (void)run;
    if (natsConnection_Subscribe(&subscription, dial(plan.responder), subject, on_request, NULL) !=
        NATS_OK)
        peer_fail("subscribe");
    for (;;)
        (void)pause();
}

static void ask(natsConnection *connection)
{
    peer_stamp(payload);
    (void)natsConnection_PublishRequest(connection, subject, inbox, payload,
                                        (int)the_run->size_bytes);
}

static void on_answer(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                      void *user)
{
    (void)subscription, (void)user;
    bool is_enough = peer_answered(the_run, natsMsg_GetData(message));
    natsMsg_Destroy(message);
    if (is_enough)
        atomic_store(&is_over, true);
    else
        ask(connection);
}

/* Asks until the responder answers: servers tell each other of subscriptions after a moment. */
static void wait_for_responder(natsConnection *connection)
{
    for (int i = 0; i < TRIES; i++) {
        natsMsg *answer = NULL;
        natsStatus status = natsConnection_Request(&answer, connection, subject, payload,
                                                   (int)the_run->size_bytes, 100);
        natsMsg_Destroy(answer);
        if (status == NATS_OK)
            return;
        (void)usleep(20000);
    }
    peer_fail("no answer from the responder");
}

static void run_requester(const struct peer_run *run)
{
    natsConnection *connection = dial(plan.requester);
    natsSubscription *subscription = NULL;
    wait_for_responder(connection);
    snprintf(inbox, sizeof inbox, "weft.bench.inbox.%d", (int)getpid());
    if (natsConnection_Subscribe(&subscription, connection, inbox, on_answer, NULL) != NATS_OK ||
        natsConnection_Flush(connection) != NATS_OK)
        peer_fail("subscribe");
    (void)usleep(100000); /* and of this one */
    for (uint32_t i = 0; i < run->outstanding; i++)
        ask(connection);
    uint64_t waited_ns = 0, limit_ns = run->warmup_ns + run->duration_ns + 10000000000u;
    while (!atomic_load(&is_over) && waited_ns < limit_ns) {
        (void)usleep(10000);
        waited_ns += 10000000;
    }
}

int main(int count, char **words)
{
    static struct peer_run run;
    if (count < WORDS_MIN || !peer_parse(&run, words + 4)) {
        fprintf(stderr, "usage: nats PORT PORT asap|buffered BYTES OUTSTANDING SECONDS PID..\n");
        return 2;
    }
    plan.requester = words[1];
    plan.responder = words[2];
    plan.writes_at_once = strcmp(words[3], "asap") == 0;
    for (int i = WORDS_MIN - 1; i < count && run.nodes_count < PEER_NODES_MAX; i++)
        run.nodes[run.nodes_count++] = (pid_t)strtol(words[i], NULL, 10);
    the_run = &run;
    payload = calloc(1, run.size_bytes);
    if (payload == NULL)
        peer_fail("calloc");
    (void)peer_fork(be_responder, &run);
    run_requester(&run);
    peer_finish(&run);
}
