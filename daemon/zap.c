#include "daemon/zap.h"

#include <errno.h>
#include <stdio.h>
#include <zmq.h>

/* A question: version, request id, domain, address, routing id, mechanism, credentials. */
enum {
    ZAP_VERSION,
    ZAP_REQUEST,
    ZAP_DOMAIN,
    ZAP_ADDRESS,
    ZAP_ROUTING,
    ZAP_MECHANISM,
    ZAP_KEY,
    ZAP_PARTS
};

const char *zap_domain(enum channel channel)
{
    return channel == CHANNEL_CLIENT ? "client" : "peer";
}

enum zap_status zap_judge(const struct keyring *keyring, const char *probe,
                          const struct zap_request *request, char user_id[KEYFILE_KEY_BYTES])
{
    const struct keyfile *owner = NULL;
    bool is_client = span_equal(request->domain, span_text(zap_domain(CHANNEL_CLIENT)));
    user_id[0] = '\0';
    if (!span_equal(request->version, span_text("1.0")) ||
        !span_equal(request->mechanism, span_text("CURVE")) ||
        request->credentials.bytes != ZAP_KEY_BYTES ||
        (!is_client && !span_equal(request->domain, span_text(zap_domain(CHANNEL_GOSSIP)))))
        return ZAP_BROKEN;
    zmq_z85_encode(user_id, request->credentials.data, ZAP_KEY_BYTES);
    if (strcmp(user_id, probe) == 0 ||
        !keyring_takes(keyring, is_client ? CHANNEL_CLIENT : CHANNEL_GOSSIP, user_id, &owner))
        return ZAP_REFUSED;
    return ZAP_TAKEN;
}

/* -- the thread -- */

/* Takes one question; parts beyond the last are dropped. 0: the context has ended. */
static int zap_receive(void *socket, zmq_msg_t parts[ZAP_PARTS])
{
    int count = 0;
    for (bool has_more = true; has_more;) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        int got;
        do {
            got = zmq_msg_recv(&part, socket, 0);
        } while (got < 0 && errno == EINTR);
        if (got < 0)
            return 0;
        has_more = zmq_msg_more(&part) != 0;
        if (count < ZAP_PARTS)
            zmq_msg_move(&parts[count], &part);
        count++;
        zmq_msg_close(&part);
    }
    return count;
}

static struct span zap_span(zmq_msg_t *part)
{
    return span_of(zmq_msg_data(part), zmq_msg_size(part));
}

static enum zap_status zap_decide(struct zap *zap, zmq_msg_t parts[ZAP_PARTS], int count,
                                  char user_id[KEYFILE_KEY_BYTES])
{
    const struct zap_request request = {
        .version = zap_span(&parts[ZAP_VERSION]),
        .domain = zap_span(&parts[ZAP_DOMAIN]),
        .address = zap_span(&parts[ZAP_ADDRESS]),
        .mechanism = zap_span(&parts[ZAP_MECHANISM]),
        .credentials = zap_span(&parts[ZAP_KEY]),
    };
    enum zap_status status = ZAP_BROKEN;
    pthread_mutex_lock(&zap->lock);
    if (count == ZAP_PARTS)
        status = zap_judge(zap->keyring, zap->probe, &request, user_id);
    bool is_probe = zap->probe[0] != '\0' && strcmp(user_id, zap->probe) == 0;
    zap->probed += is_probe;
    if (status != ZAP_TAKEN && !is_probe) {
        zap->refused++;
        memcpy(zap->refused_key, user_id, KEYFILE_KEY_BYTES);
        snprintf(zap->refused_address, sizeof(zap->refused_address), "%.*s",
                 (int)request.address.bytes, (const char *)request.address.data);
    }
    pthread_mutex_unlock(&zap->lock);
    return status;
}

/* Version, request id, status code, status text, user id, metadata. */
static void zap_answer(void *socket, zmq_msg_t parts[ZAP_PARTS], enum zap_status status,
                       const char *user_id)
{
    char code[8];
    const char *text = status == ZAP_TAKEN ? "OK" : "no access";
    snprintf(code, sizeof(code), "%d", (int)status);
    zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    zmq_msg_send(&parts[ZAP_REQUEST], socket, ZMQ_SNDMORE);
    zmq_send(socket, code, strlen(code), ZMQ_SNDMORE);
    zmq_send(socket, text, strlen(text), ZMQ_SNDMORE);
    zmq_send(socket, user_id, status == ZAP_TAKEN ? strlen(user_id) : 0, ZMQ_SNDMORE);
    zmq_send(socket, "", 0, 0);
}

static void *zap_run(void *argument)
{
    struct zap *zap = argument;
    for (bool is_over = false; !is_over;) {
        zmq_msg_t parts[ZAP_PARTS];
        char user_id[KEYFILE_KEY_BYTES] = "";
        for (int i = 0; i < ZAP_PARTS; i++)
            zmq_msg_init(&parts[i]);
        int count = zap_receive(zap->socket, parts);
        is_over = count == 0;
        if (!is_over)
            zap_answer(zap->socket, parts, zap_decide(zap, parts, count, user_id), user_id);
        for (int i = 0; i < ZAP_PARTS; i++)
            zmq_msg_close(&parts[i]);
    }
    zmq_close(zap->socket);
    return NULL;
}

/* -- the owner's side -- */

bool zap_start(struct zap *zap, void *context, const struct keyring *keyring)
{
    int none = 0;
    *zap = (struct zap){.keyring = keyring, .socket = zmq_socket(context, ZMQ_REP)};
    if (zap->socket == NULL)
        return false;
    zmq_setsockopt(zap->socket, ZMQ_LINGER, &none, sizeof(none));
    if (zmq_bind(zap->socket, "inproc://zeromq.zap.01") == 0 &&
        pthread_mutex_init(&zap->lock, NULL) == 0) {
        errno = pthread_create(&zap->thread, NULL, zap_run, zap);
        zap->is_running = errno == 0;
    }
    if (zap->is_running)
        return true;
    int why = errno;
    zmq_close(zap->socket);
    errno = why;
    return false;
}

void zap_swap(struct zap *zap, const struct keyring *keyring)
{
    pthread_mutex_lock(&zap->lock);
    zap->keyring = keyring;
    pthread_mutex_unlock(&zap->lock);
}

void zap_set_probe(struct zap *zap, const char *public_key)
{
    pthread_mutex_lock(&zap->lock);
    snprintf(zap->probe, sizeof(zap->probe), "%s", public_key);
    zap->probed = 0;
    pthread_mutex_unlock(&zap->lock);
}

uint64_t zap_probed(struct zap *zap)
{
    pthread_mutex_lock(&zap->lock);
    uint64_t probed = zap->probed;
    pthread_mutex_unlock(&zap->lock);
    return probed;
}

void zap_take_tally(struct zap *zap, struct zap_tally *tally)
{
    pthread_mutex_lock(&zap->lock);
    tally->refused = zap->refused;
    memcpy(tally->key, zap->refused_key, sizeof(tally->key));
    memcpy(tally->address, zap->refused_address, sizeof(tally->address));
    zap->refused = 0;
    pthread_mutex_unlock(&zap->lock);
}

void zap_join(struct zap *zap)
{
    if (!zap->is_running)
        return;
    pthread_join(zap->thread, NULL);
    pthread_mutex_destroy(&zap->lock);
    zap->is_running = false;
}
