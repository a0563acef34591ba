/* client.c - see client.h: a client's beginning, its turns, and its end. */
#include "client/client.h"

#include "client/calls.h"
#include "client/dialogue.h"
#include "client/hear.h"
#include "proto/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECONNECT_MS = 60000,
    CONNECT_TIMEOUT_MS = 5000,
    REQUEST_TIMEOUT_MS = 10000,
    SILENCE_MS = 30000,
    IN_FLIGHT_MAX = 65536,
    QUEUE_BYTES_MAX = 16 * 1024 * 1024,
    GRANT_MESSAGES = 1024,         /* in a millisecond's round trip: a million a second */
    GRANT_BYTES = 2 * 1024 * 1024, /* twice the largest message */
    TURN_FRAMES_MAX = 64,          /* then it is the next client's turn */
    FRAMES_AT_ONCE_MAX = 16,
};

static void timer_fired(struct timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    struct weft_client *client = (struct weft_client *)timer;
    dialogue_timer_fired(client);
}

void client_set_timer(struct weft_client *client, uint64_t due_ns)
{
    reactor_set_timer(client->context, &client->timer, due_ns);
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value == 0 ? fallback : value;
}

static void fill_in(struct weft_options *options)
{
    options->reconnect_ms = options->ends_with_connection || options->no_reconnect
                                ? 0
                                : or_default(options->reconnect_ms, RECONNECT_MS);
    options->connect_timeout_ms = or_default(options->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    options->request_timeout_ms = or_default(options->request_timeout_ms, REQUEST_TIMEOUT_MS);
    options->silence_ms = or_default(options->silence_ms, SILENCE_MS);
    options->in_flight_max = or_default(options->in_flight_max, IN_FLIGHT_MAX);
    options->queue_bytes_max = or_default(options->queue_bytes_max, QUEUE_BYTES_MAX);
    options->grant_messages = or_default(options->grant_messages, GRANT_MESSAGES);
    options->grant_bytes = or_default(options->grant_bytes, GRANT_BYTES);
    if (options->servers == NULL)
        options->servers = "127.0.0.1";
    if (options->client_type == NULL)
        options->client_type = "c";
    if (options->environment == NULL)
        options->environment = "libweft " WEFT_VERSION;
}

static bool is_property(const struct weft_property *property)
{
    if (property->key == NULL || property->value == NULL || property->key[0] == '$')
        return false;
    size_t key_bytes = strlen(property->key);
    return key_bytes > 0 && key_bytes <= PROPERTY_KEY_BYTES_MAX &&
           strcspn(property->key, " \t\r\n\"'()[],") == key_bytes &&
           strlen(property->value) <= PROPERTY_VALUE_BYTES_MAX &&
           span_is_text(span_text(property->key)) && span_is_text(span_text(property->value));
}

static bool is_text_of(const char *text, size_t bytes_max)
{
    return text == NULL || (strlen(text) <= bytes_max && span_is_text(span_text(text)));
}

static bool are_in_range(const struct weft_options *options)
{
    if (!is_text_of(options->mesh, NAME_BYTES_MAX) ||
        !is_text_of(options->principal, PRINCIPAL_BYTES_MAX) ||
        !is_text_of(options->client_type, NAME_BYTES_MAX) ||
        !is_text_of(options->environment, TEXT_BYTES_MAX) ||
        options->credentials_bytes > CREDENTIALS_BYTES_MAX ||
        options->request_timeout_ms > REQUEST_TIMEOUT_MS_MAX ||
        options->properties_count > PROPERTIES_MAX)
        return false;
    for (size_t i = 0; i < options->properties_count; i++) {
        if (!is_property(&options->properties[i]))
            return false;
    }
    return true;
}

static struct property wire_property(const struct weft_property *property)
{
    return (struct property){.key = span_text(property->key), .value = span_text(property->value)};
}

/* Copies a run to the end of the writer's buffer; the copy. */
static struct span copied(struct writer *writer, struct span bytes)
{
    if (bytes.bytes == 0)
        return (struct span){0};
    struct span copy = span_of(writer->next, bytes.bytes);
    writer_span(writer, bytes);
    return copy;
}

/* Keeps what every HELLO says in one allocation. */
static bool keep_hello(struct weft_client *client, const struct weft_options *options)
{
    struct client_hello hello = {
        .version_min = WIRE_VERSION_MIN,
        .version_max = WIRE_VERSION_MAX,
        .mesh = span_text(options->mesh),
        .client_type = span_text(options->client_type),
        .environment = span_text(options->environment),
        .principal = span_text(options->principal),
        .credentials = span_of(options->credentials, options->credentials_bytes),
        .reconnect_ms = options->reconnect_ms,
    };
    size_t properties_bytes = 0;
    for (size_t i = 0; i < options->properties_count; i++) {
        struct property property = wire_property(&options->properties[i]);
        properties_bytes += 4 + schema_measure(&property_schema, &property);
    }
    size_t bytes = hello.mesh.bytes + hello.client_type.bytes + hello.environment.bytes +
                   hello.principal.bytes + hello.credentials.bytes + properties_bytes;
    client->hello_memory = malloc(bytes + 1);
    client->hello_bytes = bytes;
    if (client->hello_memory == NULL)
        return false;
    struct writer writer;
    writer_init(&writer, client->hello_memory, bytes);
    hello.mesh = copied(&writer, hello.mesh);
    hello.client_type = copied(&writer, hello.client_type);
    hello.environment = copied(&writer, hello.environment);
    hello.principal = copied(&writer, hello.principal);
    hello.credentials = copied(&writer, hello.credentials);
    client->hello_properties = span_of(writer.next, properties_bytes);
    for (size_t i = 0; i < options->properties_count; i++) {
        struct property property = wire_property(&options->properties[i]);
        group_encode(&property_schema, &property, &writer);
    }
    client->hello = hello;
    return !writer.is_bad;
}

/* Nothing of the caller's is looked at again. */
static void forget_pointers(struct weft_options *options)
{
    options->context = NULL;
    options->servers = NULL;
    options->key_file = options->server_keys = NULL;
    options->mesh = options->principal = options->client_type = options->environment = NULL;
    options->credentials = NULL;
    options->properties = NULL;
}

/* The client without a context; NULL and errno. */
static struct weft_client *client_make(const struct weft_options *options)
{
    struct weft_options complete = *options;
    fill_in(&complete);
    errno = EINVAL;
    if (!are_in_range(&complete))
        return NULL;
    struct weft_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    errno = EINVAL;
    if (!servers_init(&client->servers, complete.servers)) {
        free(client);
        return NULL;
    }
    char why[KEYSTORE_WHY_BYTES];
    if (!keys_init(&client->keys, &complete, why)) {
        client_free(client);
        errno = EKEYREJECTED;
        return NULL;
    }
    servers_set_keys(&client->servers, client->keys.count);
    if (!keep_hello(client, &complete)) {
        client_free(client);
        errno = ENOMEM;
        return NULL;
    }
    client->options = complete;
    forget_pointers(&client->options);
    client->timer.fire = timer_fired;
    client->message_bytes_max = CLIENT_MESSAGE_BYTES_MAX;
    client->dealer.tcp = -1;
    batch_init(&client->batch, complete.queue_bytes_max);
    slots_init(&client->slots, complete.in_flight_max);
    return client;
}

bool weft_check_keys(const struct weft_options *options, char *why, size_t why_bytes)
{
    struct keys keys;
    char sentence[KEYSTORE_WHY_BYTES];
    bool is_good = keys_init(&keys, options, sentence);
    if (is_good)
        keys_clear(&keys);
    else
        (void)snprintf(why, why_bytes, "%s", sentence);
    return is_good;
}

struct weft_client *weft_new(const struct weft_options *options)
{
    struct weft_client *client = client_make(options);
    if (client == NULL)
        return NULL;
    client->context = options->context;
    if (client->context == NULL) {
        client->context = weft_context_new(1);
        client->owns_context = true;
    }
    if (client->context == NULL || !reactor_add(client->context, client)) {
        if (client->owns_context && client->context != NULL)
            weft_context_destroy(&client->context);
        client_free(client);
        errno = EMFILE;
        return NULL;
    }
    dialogue_begin(client);
    return client;
}

void client_free(struct weft_client *client)
{
    batch_clear(&client->batch);
    servers_clear(&client->servers);
    keys_clear(&client->keys);
    serve_clear(&client->serve);
    listen_clear(client);
    subscriptions_clear(&client->subscriptions);
    free(client->answer.memory);
    if (client->hello_memory != NULL) /* credentials are in it */
        explicit_bzero(client->hello_memory, client->hello_bytes);
    free(client->hello_memory);
    free(client);
}

void weft_destroy(struct weft_client **client_in)
{
    struct weft_client *client = *client_in;
    if (client == NULL)
        return;
    *client_in = NULL;
    struct weft_context *context = client->context;
    bool owns_context = client->owns_context;
    client->is_destroyed = true; /* no callback from here on */
    if (client->state != CLIENT_CLOSED)
        dialogue_leave(client);
    slots_clear(&client->slots, &context->timers);
    reactor_remove(context, client);
    reactor_bury(context, client);
    if (!owns_context)
        return;
    if (context->is_progressing)
        context->is_doomed = true;
    else
        weft_context_destroy(&context);
}

void weft_close(struct weft_client *client)
{
    if (client->state == CLIENT_CLOSED)
        return;
    client->is_closing = true;
    reactor_make_ready(client->context, client);
}

/* Receives at most so many frames; returns how many. */
static int receive(struct weft_client *client, int frames_max)
{
    int frames = 0;
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    while (frames < frames_max && dealer_receive(&client->dealer, &frame)) {
        frames++;
        if (hear_frame(client, span_of(zmq_msg_data(&frame), zmq_msg_size(&frame))))
            explicit_bzero(zmq_msg_data(&frame), zmq_msg_size(&frame));
        if (client->is_destroyed || client->is_closing)
            break;
    }
    (void)zmq_msg_close(&frame);
    return frames;
}

static bool has_dealer(const struct weft_client *client)
{
    return !client->is_destroyed && !client->is_closing && client->dealer.state != DEALER_NONE;
}

/* Whether the check has left something to do at once. */
static bool is_unfinished(const struct weft_client *client)
{
    return client->dealer.has_more ||
           (client->state == CLIENT_OPEN && client->dealer.state == DEALER_UP &&
            !batch_is_empty(&client->batch));
}

/* Receives, sends, and ends with a look at the socket: see dealer_check. The number of frames taken
 * at once doubles, so that one frame costs one look and many cost few. */
static void talk(struct weft_client *client)
{
    int at_once = client->is_woken ? 1 : 0;
    int total = 0;
    client->is_woken = false;
    for (;;) {
        total += receive(client, at_once);
        if (!has_dealer(client))
            return;
        if (client->state == CLIENT_OPEN) {
            dialogue_grant(client);
            (void)batch_flush(&client->batch, &client->dealer);
        }
        dealer_check(&client->dealer);
        if (client->dealer.state == DEALER_LOST) {
            dialogue_lost(client);
            return;
        }
        if (!is_unfinished(client))
            return;
        if (total >= TURN_FRAMES_MAX)
            break;
        at_once = at_once == 0 ? 1 : at_once < FRAMES_AT_ONCE_MAX ? at_once * 2 : at_once;
    }
    client->is_woken = true;
    reactor_make_ready(client->context, client);
}

void client_turn(struct weft_client *client)
{
    if (client->state == CLIENT_DIALING) {
        dealer_check(&client->dealer);
        if (client->dealer.state == DEALER_UP)
            dialogue_greet(client);
        else if (client->dealer.state == DEALER_LOST)
            dialogue_lost(client);
    }
    if (client->state == CLIENT_GREETING || client->state == CLIENT_OPEN)
        talk(client);
    if (client->is_closing && !client->is_destroyed && client->state != CLIENT_CLOSED)
        dialogue_leave(client);
}

struct weft_context *weft_context_of(struct weft_client *client)
{
    return client->context;
}

bool weft_is_open(const struct weft_client *client)
{
    return client->state == CLIENT_OPEN;
}

bool weft_is_closed(const struct weft_client *client)
{
    return client->state == CLIENT_CLOSED;
}

struct weft_session_id weft_session(const struct weft_client *client)
{
    return client_id(client->session);
}

const char *weft_node(const struct weft_client *client)
{
    return client->node;
}

enum weft_error weft_last_refusal(const struct weft_client *client)
{
    return client->refusal;
}

const char *weft_last_failure(const struct weft_client *client)
{
    return client->failure;
}

int weft_fd(const struct weft_client *client)
{
    return weft_context_fd(client->context);
}

int weft_progress(struct weft_client *client)
{
    return weft_context_progress(client->context);
}

int weft_run(struct weft_client *client, int timeout_ms)
{
    return weft_context_run(client->context, timeout_ms);
}
