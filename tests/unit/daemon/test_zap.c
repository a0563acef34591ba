#include "daemon/zap.h"

#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <zmq.h>

/* A question about a key, as libzmq asks it. */
static struct zap_request question(const char *domain, const char *name)
{
    static uint8_t key[ZAP_KEY_BYTES];
    cr_assert_not_null(zmq_z85_decode(key, world_pair(name)->public_key));
    return (struct zap_request){
        .version = span_text("1.0"),
        .domain = span_text(domain),
        .address = span_text("10.0.0.1"),
        .mechanism = span_text("CURVE"),
        .credentials = span_of(key, sizeof(key)),
    };
}

static enum zap_status judge(const struct keyring *keyring, const char *domain, const char *name)
{
    char user_id[KEYFILE_KEY_BYTES];
    struct zap_request request = question(domain, name);
    return zap_judge(keyring, "", &request, user_id);
}

Test(zap, each_folder_opens_its_own_ports_only)
{
    struct keyring *keyring = world_keyring("a", "b", NULL);
    cr_assert_eq(judge(keyring, "peer", "a"), ZAP_TAKEN);
    cr_assert_eq(judge(keyring, "peer", "b"), ZAP_TAKEN);
    cr_assert_eq(judge(keyring, "client", "ana"), ZAP_TAKEN);
    cr_assert_eq(judge(keyring, "peer", "ana"), ZAP_REFUSED);
    cr_assert_eq(judge(keyring, "client", "b"), ZAP_REFUSED);
    cr_assert_eq(judge(keyring, "peer", "stranger"), ZAP_REFUSED);
    cr_assert_eq(judge(keyring, "client", "stranger"), ZAP_REFUSED);
    keyring_destroy(&keyring);
}

Test(zap, any_client_means_clients_and_not_nodes)
{
    struct keyring *keyring = world_keyring("a", NULL);
    keyring->takes_any_client = true;
    cr_assert_eq(judge(keyring, "client", "stranger"), ZAP_TAKEN);
    cr_assert_eq(judge(keyring, "peer", "stranger"), ZAP_REFUSED);
    keyring_destroy(&keyring);
}

Test(zap, the_key_of_the_self_test_is_refused_whatever_is_taken)
{
    char user_id[KEYFILE_KEY_BYTES];
    struct keyring *keyring = world_keyring("a", "b", NULL);
    keyring->takes_any_client = true;
    struct zap_request request = question("client", "stranger");
    const char *probe = world_pair("stranger")->public_key;
    cr_assert_eq(zap_judge(keyring, probe, &request, user_id), ZAP_REFUSED);
    cr_assert_str_eq(user_id, probe);
    keyring_destroy(&keyring);
}

Test(zap, what_libzmq_never_asks_is_not_taken)
{
    char user_id[KEYFILE_KEY_BYTES];
    struct keyring *keyring = world_keyring("a", NULL);
    struct zap_request good = question("peer", "a"), bad[] = {good, good, good, good, good};
    bad[0].version = span_text("2.0");
    bad[1].mechanism = span_text("NULL");
    bad[2].domain = span_text("");
    bad[3].credentials.bytes = ZAP_KEY_BYTES - 1;
    bad[4].domain = span_text("peers");
    cr_assert_eq(zap_judge(keyring, "", &good, user_id), ZAP_TAKEN);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_eq(zap_judge(keyring, "", &bad[i], user_id), ZAP_BROKEN, "%zu", i);
    keyring_destroy(&keyring);
}

/* -- the thread -- */

static void part(void *socket, struct span bytes, int flags)
{
    cr_assert_geq(zmq_send(socket, bytes.data, bytes.bytes, flags), 0);
}

static void ask(void *socket, const struct zap_request *request)
{
    part(socket, request->version, ZMQ_SNDMORE);
    part(socket, span_text("7"), ZMQ_SNDMORE);
    part(socket, request->domain, ZMQ_SNDMORE);
    part(socket, request->address, ZMQ_SNDMORE);
    part(socket, span_text(""), ZMQ_SNDMORE);
    part(socket, request->mechanism, ZMQ_SNDMORE);
    part(socket, request->credentials, 0);
}

/* The status code of the answer, and its user id. */
static unsigned hear(void *socket, char user_id[64])
{
    char parts[6][64] = {""};
    for (int i = 0; i < 6; i++) {
        int bytes = zmq_recv(socket, parts[i], sizeof(parts[i]) - 1, 0);
        cr_assert_geq(bytes, 0);
        parts[i][bytes] = '\0';
    }
    cr_assert_str_eq(parts[0], "1.0");
    cr_assert_str_eq(parts[1], "7");
    memcpy(user_id, parts[4], 64);
    return (unsigned)strtoul(parts[2], NULL, 10);
}

Test(zap, the_thread_answers_while_keyrings_are_swapped)
{
    char user_id[64];
    struct zap zap;
    struct zap_tally tally;
    struct keyring *with = world_keyring("a", "b", NULL), *without = world_keyring("a", NULL);
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_REQ);
    cr_assert(zap_start(&zap, context, with));
    cr_assert_eq(zmq_connect(socket, "inproc://zeromq.zap.01"), 0);
    struct zap_request request = question("peer", "b");
    for (unsigned i = 0; i < 200; i++) {
        ask(socket, &request);
        zap_swap(&zap, i % 2 == 0 ? without : with); /* before the answer or after it */
        unsigned status = hear(socket, user_id);
        cr_assert(status == ZAP_TAKEN || status == ZAP_REFUSED);
    }
    zap_swap(&zap, with);
    ask(socket, &request);
    cr_assert_eq(hear(socket, user_id), ZAP_TAKEN);
    cr_assert_str_eq(user_id, world_pair("b")->public_key);
    zap_take_tally(&zap, &tally);
    zap_swap(&zap, without);
    ask(socket, &request);
    cr_assert_eq(hear(socket, user_id), ZAP_REFUSED);
    cr_assert_str_empty(user_id);
    zap_take_tally(&zap, &tally);
    cr_assert_eq(tally.refused, 1);
    cr_assert_str_eq(tally.key, world_pair("b")->public_key);
    cr_assert_str_eq(tally.address, "10.0.0.1");
    zmq_close(socket);
    cr_assert_eq(zmq_ctx_term(context), 0);
    zap_join(&zap);
    keyring_destroy(&with);
    keyring_destroy(&without);
}

Test(zap, a_question_with_too_few_parts_is_answered_and_opens_nothing)
{
    char user_id[64];
    struct zap zap;
    struct keyring *keyring = world_keyring("a", NULL);
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_REQ);
    cr_assert(zap_start(&zap, context, keyring));
    cr_assert_eq(zmq_connect(socket, "inproc://zeromq.zap.01"), 0);
    part(socket, span_text("1.0"), ZMQ_SNDMORE);
    part(socket, span_text("7"), 0);
    cr_assert_eq(hear(socket, user_id), ZAP_BROKEN);
    zmq_close(socket);
    cr_assert_eq(zmq_ctx_term(context), 0);
    zap_join(&zap);
    keyring_destroy(&keyring);
}
