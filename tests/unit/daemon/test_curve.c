#include "daemon/curve.h"

#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>

TestSuite(curve, .init = world_open_keys, .fini = world_close);

static struct address port_at(uint16_t offset)
{
    struct address address = world.ports.listen;
    address.port = (uint16_t)(address.port + offset);
    return address;
}

Test(curve, ports_with_keys_are_seen_to_refuse_a_stranger)
{
    world.keyring->takes_any_client = true; /* that one too */
    for (uint16_t i = 0; i < 3; i++) {
        struct address address = port_at(i);
        cr_assert(curve_is_shut(world.context, &address, world.keyring, &world.zap));
    }
    struct zap_tally tally;
    zap_take_tally(&world.zap, &tally);
    cr_assert_eq(tally.refused, 0, "the self-test is not counted as a stranger");
}

Test(curve, a_port_that_does_not_ask_the_handler_is_found_out)
{
    struct keyring *keyring = world_keyring("a", NULL);
    char endpoint[128];
    size_t bytes = sizeof(endpoint);
    int on = 1;
    void *context = zmq_ctx_new(); /* another one: no handler there, as if it had been forgotten */
    void *open = zmq_socket(context, ZMQ_ROUTER);
    zmq_setsockopt(open, ZMQ_CURVE_SERVER, &on, sizeof(on));
    zmq_setsockopt(open, ZMQ_CURVE_SECRETKEY, keyring->own.secret_key, KEYFILE_KEY_BYTES);
    cr_assert_eq(zmq_bind(open, "tcp://127.0.0.1:*"), 0);
    cr_assert_eq(zmq_getsockopt(open, ZMQ_LAST_ENDPOINT, endpoint, &bytes), 0);
    struct address address;
    cr_assert(address_parse(endpoint + strlen("tcp://"), 0, &address));
    cr_assert_not(curve_is_shut(world.context, &address, keyring, &world.zap));
    zmq_close(open);
    cr_assert_eq(zmq_ctx_term(context), 0);
    keyring_destroy(&keyring);
}
