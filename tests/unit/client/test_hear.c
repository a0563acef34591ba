/* test_hear.c - whatever a node sends, the client stands: frames changed at random; long frames. */
#include <criterion/criterion.h>

#include "client/client.h"
#include "client/hear.h"
#include "proto/command.h"
#include "proto/kinds.h"
#include "proto/request.h"
#include "tests/unit/client/node.h"

enum { FRAME_BYTES = 512, ROUNDS = 20000 };

struct sample {
    uint8_t bytes[FRAME_BYTES];
    size_t used;
};

static void put(struct sample *sample, const struct schema *schema, const void *fields,
                enum kind kind, uint64_t correlation, struct span body)
{
    const struct envelope envelope = {.version = 1, .channel = CHANNEL_CLIENT};
    struct writer writer;
    writer_init(&writer, sample->bytes, sizeof sample->bytes);
    envelope_encode(&envelope, &writer);
    message_encode(schema, fields, (uint8_t)kind, 0, correlation, body.bytes, &writer);
    writer_span(&writer, body);
    sample->used = sizeof sample->bytes - writer.left;
}

static int make_samples(struct sample *samples, uint64_t request, uint64_t command)
{
    static const uint8_t token[TOKEN_BYTES] = {7};
    const struct client_welcome welcome = {
        .version = 1,
        .session = {1, 2},
        .token = span_of(token, sizeof token),
        .node = span_text("n"),
    };
    const struct client_goodbye goodbye = {.reason = 2, .text = span_text("over")};
    const struct client_refused refused = {.code = ERROR_NOT_READY, .text = span_text("wait")};
    const struct client_error error = {.code = ERROR_INTERNAL, .text = span_text("oh")};
    const struct response response = {.outcome = 0, .type = VALUE_INT64};
    const struct request incoming = {.path = span_text("a/b"), .type = VALUE_STRING};
    const struct result result = {.code = 0, .nodes_asked = 1};
    const struct span body = span_text("12345678");
    put(&samples[0], &client_welcome_schema, &welcome, KIND_WELCOME, 1, body);
    put(&samples[1], &client_goodbye_schema, &goodbye, KIND_GOODBYE, 0, body);
    put(&samples[2], &client_refused_schema, &refused, KIND_REFUSED, 0, body);
    put(&samples[3], &client_error_schema, &error, KIND_ERROR, request, body);
    put(&samples[4], &response_schema, &response, KIND_RESPONSE, request, body);
    put(&samples[5], &request_schema, &incoming, KIND_REQUEST, 3, body);
    put(&samples[6], &result_schema, &result, KIND_RESULT, command, body);
    put(&samples[7], NULL, NULL, KIND_DONE, request, body);
    put(&samples[8], NULL, NULL, KIND_PING, 5, body);
    put(&samples[9], NULL, NULL, KIND_CANCEL, 3, body);
    return 10;
}

static int ended;

static void on_response(struct weft_client *client, const struct weft_response *response,
                        void *user)
{
    (void)client;
    (void)response;
    (void)user;
    ended++;
}

static void on_result(struct weft_client *client, const struct weft_result *result, void *user)
{
    struct weft_rows nodes = result->nodes;
    struct weft_node_answer answer;
    struct weft_session_row row;
    (void)client;
    (void)user;
    while (weft_next_node(&nodes, &answer)) {
        while (weft_next_session(&answer.rows, &row)) {
        }
    }
    ended++;
}

static void on_request(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    (void)user;
    if (incoming->timeout_ms % 2 == 0)
        (void)weft_respond(client, incoming->responder, &incoming->value);
}

/* One client, opened by hand, hears one frame. */
static void hear_one(struct weft_context *context, uint64_t *random)
{
    struct sample samples[10];
    uint64_t request = 0;
    const struct weft_options options = {.context = context, .servers = "127.0.0.1:1"};
    struct weft_client *client = weft_new(&options);
    client->state = CLIENT_OPEN;
    ended = 0;
    cr_assert_eq(weft_handle(client, "a", on_request, NULL, NULL), WEFT_OK);
    cr_assert_eq(weft_request(client, "x", NULL, NULL, on_response, NULL, &request), WEFT_OK);
    cr_assert_eq(weft_status(client, 0, on_result, NULL), WEFT_OK);
    int count = make_samples(samples, request, 1ULL << 32 | 2);
    *random = *random * 6364136223846793005U + 1442695040888963407U;
    struct sample *sample = &samples[*random % (unsigned)count];
    for (uint64_t flips = *random >> 60; flips > 0; flips--) {
        *random = *random * 6364136223846793005U + 1442695040888963407U;
        sample->bytes[(*random >> 20) % sample->used] = (uint8_t)(*random >> 40);
    }
    if (*random >> 62 == 0)
        sample->used = (*random >> 30) % (sample->used + 1);
    hear_frame(client, span_of(sample->bytes, sample->used));
    weft_destroy(&client);
    cr_assert_leq(ended, 2);
}

Test(hear, no_frame_breaks_a_client, .timeout = 60)
{
    uint64_t random = 42;
    struct weft_context *context = weft_context_new(2);
    for (int i = 0; i < ROUNDS; i++)
        hear_one(context, &random);
    weft_context_destroy(&context);
}

enum { PINGS_LONG_BYTES = 16 * 1024, PINGS_SHORT_BYTES = 8 * 1024 };

/* Says so many bytes of PINGs in one frame; returns in how many frames the PONGs came. */
static int frames_of_pongs(struct node *node, struct weft_client *client, size_t bytes)
{
    static uint8_t frame[PINGS_LONG_BYTES];
    const struct envelope envelope = {.version = 1, .channel = CHANNEL_CLIENT};
    struct writer writer;
    int pings = 0, before = node->frames;
    node->pongs = 0;
    writer_init(&writer, frame, bytes);
    envelope_encode(&envelope, &writer);
    for (; writer.left >= MESSAGE_HEADER_BYTES; pings++)
        message_encode(NULL, NULL, KIND_PING, 0, (uint64_t)pings, 0, &writer);
    node_send_raw(node, 0, frame, bytes - writer.left);
    node_until(node, weft_context_of(client), node->pongs == pings);
    return node->frames - before;
}

Test(hear, a_long_frame_is_answered_in_two_a_short_one_in_one)
{
    struct node node = {.zmq = NULL};
    node_start(&node);
    const struct weft_options options = {.servers = node.address};
    struct weft_client *client = weft_new(&options);
    node_until(&node, weft_context_of(client), node.sessions[0].grants == 1);
    cr_assert_eq(frames_of_pongs(&node, client, PINGS_SHORT_BYTES), 1);
    cr_assert_eq(frames_of_pongs(&node, client, PINGS_LONG_BYTES), 2);
    weft_destroy(&client);
    node_stop(&node);
}
