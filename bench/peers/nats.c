/* nats - NATS through its own C library: a requester at one server, a responder at another (or the
 * same), in processes of their own; or a publisher at one and 100 subscribers at two others.
 *
 *     nats PORT,PORT asap|buffered BYTES OUTSTANDING SECONDS PID..
 *     nats PORT,PORT,PORT asap|buffered BYTES OUTSTANDING SECONDS PID..
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

enum { PENDING_MAX = 1000000, TRIES = 200, WORDS_MIN = 7, PORTS_MAX = 3 };

static const char subject[] = "weft.bench.echo";

static struct {
    const char *ports[PORTS_MAX]; /* requester, responder; publisher, subscribers, subscribers */
    uint32_t ports_count;
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
        natsOptions_UseGlobalMessageDelivery(options, plan.ports_count == PORTS_MAX) != NATS_OK ||
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
    if (natsConnection_Subscribe(&subscription, dial(plan.ports[1]), subject, on_request, NULL) !=
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

/* Until the library's thread says that it is over. */
static void wait_over(const struct peer_run *run)
{
    uint64_t waited_ns = 0, limit_ns = run->warmup_ns + run->duration_ns + 10000000000u;
    while (!atomic_load(&is_over) && waited_ns < limit_ns) {
        (void)usleep(10000);
        waited_ns += 10000000;
    }
}

static void run_requester(const struct peer_run *run)
{
    natsConnection *connection = dial(plan.ports[0]);
    natsSubscription *subscription = NULL;
    wait_for_responder(connection);
    snprintf(inbox, sizeof inbox, "weft.bench.inbox.%d", (int)getpid());
    if (natsConnection_Subscribe(&subscription, connection, inbox, on_answer, NULL) != NATS_OK ||
        natsConnection_Flush(connection) != NATS_OK)
        peer_fail("subscribe");
    (void)usleep(100000); /* and of this one */
    for (uint32_t i = 0; i < run->outstanding; i++)
        ask(connection);
    wait_over(run);
}

/* ---- fan-out ---------------------------------------------------------------------------------*/

static natsConnection *publisher;

static void publish(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        peer_stamp(payload);
        (void)natsConnection_Publish(publisher, subject, payload, (int)the_run->size_bytes);
    }
}

/* Of all subscribers, in one thread of the library: it is told to have no more. */
static void on_update(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                      void *user)
{
    (void)connection, (void)subscription;
    uint32_t number = (uint32_t)(uintptr_t)user;
    bool is_enough = peer_answered(the_run, natsMsg_GetData(message));
    natsMsg_Destroy(message);
    if (is_enough)
        atomic_store(&is_over, true);
    else
        publish(peer_fan_received(number));
}

static void run_fan(const struct peer_run *run)
{
    if (nats_SetMessageDeliveryPoolSize(1) != NATS_OK)
        peer_fail("nats_SetMessageDeliveryPoolSize");
    for (uintptr_t i = 0; i < PEER_SUBSCRIBERS; i++) {
        natsSubscription *subscription = NULL;
        natsConnection *connection = dial(plan.ports[1 + i % 2]);
        if (natsConnection_Subscribe(&subscription, connection, subject, on_update, (void *)i) !=
                NATS_OK ||
            natsConnection_Flush(connection) != NATS_OK)
            peer_fail("subscribe");
    }
    publisher = dial(plan.ports[0]);
    (void)usleep(500000); /* servers tell each other of subscriptions */
    publish(run->outstanding);
    wait_over(run);
}

int main(int count, char **words)
{
    static struct peer_run run;
    if (count < WORDS_MIN || !peer_parse(&run, words + 3)) {
        fprintf(stderr, "usage: nats PORT,PORT[,PORT] asap|buffered BYTES OUTSTANDING SECONDS "
                        "PID..\n");
        return 2;
    }
    char *rest = NULL;
    for (char *port = strtok_r(words[1], ",", &rest); port != NULL && plan.ports_count < PORTS_MAX;
         port = strtok_r(NULL, ",", &rest))
        plan.ports[plan.ports_count++] = port;
    plan.writes_at_once = strcmp(words[2], "asap") == 0;
    for (int i = WORDS_MIN - 1; i < count && run.nodes_count < PEER_NODES_MAX; i++)
        run.nodes[run.nodes_count++] = (pid_t)strtol(words[i], NULL, 10);
    the_run = &run;
    payload = calloc(1, run.size_bytes);
    if (payload == NULL)
        peer_fail("calloc");
    if (plan.ports_count == PORTS_MAX) {
        run_fan(&run);
    } else {
        (void)peer_fork(be_responder, &run);
        run_requester(&run);
    }
    peer_finish(&run);
}
