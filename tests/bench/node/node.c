/* node.c - weftd as it is, with two things done at the core's door: it comes up hosting as many
 * sessions as WEFT_NODE_SESSIONS says (in the directory and its log; no client is behind them), and
 * writes each round trip of a gossip ping to the file WEFT_NODE_PINGS, a line
 *
 *     NS_SINCE_BOOT INSTANCE_OF_THE_PEER ROUND_TRIP_US
 *
 * The linker puts these functions in the place of the door's (--wrap), so that loop, sockets and
 * core are those of weftd. For measuring only (snapshot.py). */
#include "daemon/clock.h"
#include "mesh/core.h"
#include "proto/kinds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PINGS = 1024 }; /* under way; an old one that was never answered gives way */

struct ping {
    uint64_t correlation, receiver, sent_ns;
};

static struct ping pings[PINGS];
static struct mesh_output last; /* the order that was pulled last */
static bool is_loaded;

void __real_mesh_receive(struct mesh *mesh, const struct mesh_input *input);
void __wrap_mesh_receive(struct mesh *mesh, const struct mesh_input *input);
bool __real_mesh_next_output(struct mesh *mesh, struct mesh_output *output);
bool __wrap_mesh_next_output(struct mesh *mesh, struct mesh_output *output);
void __real_mesh_write_output(struct mesh *mesh, void *frame);
void __wrap_mesh_write_output(struct mesh *mesh, void *frame);

/* A bijection (the end of SplitMix64): serials that spread as real ones do and never repeat. */
static uint64_t serial_of(uint64_t number)
{
    number *= UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static void load(struct mesh *mesh)
{
    const char *wanted = getenv("WEFT_NODE_SESSIONS");
    uint64_t count = wanted == NULL ? 0 : strtoull(wanted, NULL, 10);
    struct session_id id = {.instance = mesh_instance(mesh)};
    for (uint64_t i = 1; i <= count; i++) {
        id.serial = serial_of(i);
        if (ownership_session_opened(mesh->ownership, id) == ERROR_OK)
            continue;
        fprintf(stderr, "bench_node: the directory takes no more than %" PRIu64 " sessions\n", i);
        exit(1);
    }
}

static FILE *pings_file(void)
{
    static FILE *file;
    const char *path = getenv("WEFT_NODE_PINGS");
    if (file == NULL && path != NULL)
        file = fopen(path, "ae");
    return file;
}

static void answered(uint64_t sender, uint64_t correlation, uint64_t now_ns)
{
    struct ping *ping = &pings[correlation % PINGS];
    if (ping->correlation != correlation || ping->receiver != sender || ping->sent_ns == 0)
        return;
    if (pings_file() != NULL && now_ns >= ping->sent_ns) {
        fprintf(pings_file(), "%" PRIu64 " %016" PRIx64 " %" PRIu64 "\n", now_ns, sender,
                (now_ns - ping->sent_ns) / 1000);
        fflush(pings_file());
    }
    ping->sent_ns = 0;
}

/* Looks for pings or their answers in a frame; what can't be read is the core's business. */
static void look(struct span bytes, enum kind kind, uint64_t now_ns)
{
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error;
    reader_init(&reader, bytes);
    if (envelope_decode(&reader, CHANNEL_GOSSIP, &envelope) != ERROR_OK)
        return;
    while (message_next(&reader, &message, &error)) {
        if (message.kind == kind && kind == KIND_SWIM_ACK)
            answered(envelope.sender, message.correlation, now_ns);
        else if (message.kind == kind)
            pings[message.correlation % PINGS] =
                (struct ping){message.correlation, envelope.receiver, now_ns};
    }
}

void __wrap_mesh_receive(struct mesh *mesh, const struct mesh_input *input)
{
    if (input->fact == MESH_FRAME && input->channel == CHANNEL_GOSSIP)
        look(input->bytes, KIND_SWIM_ACK, clock_now_ns());
    __real_mesh_receive(mesh, input);
    if (!is_loaded) { /* the clock of the core stands since its first fact */
        is_loaded = true;
        load(mesh);
    }
}

bool __wrap_mesh_next_output(struct mesh *mesh, struct mesh_output *output)
{
    bool is_there = __real_mesh_next_output(mesh, output);
    if (is_there)
        last = *output;
    return is_there;
}

void __wrap_mesh_write_output(struct mesh *mesh, void *frame)
{
    __real_mesh_write_output(mesh, frame);
    if (last.order == MESH_SEND && last.channel == CHANNEL_GOSSIP)
        look(span_of(frame, last.bytes), KIND_SWIM_PING, clock_now_ns());
}
