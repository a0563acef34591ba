/* fanout.c - what one update of a topic costs for each session of this node that it goes to:
 * queued, written into a frame, held for resending, acknowledged.
 *
 *     bench_fanout [sessions [bytes of the value [updates [slow sessions]]]]
 *     valgrind --tool=callgrind --toggle-collect=fan_out bench_fanout 1000 200 100
 *
 * No socket: frames are written into one buffer. Slow sessions are blocked, so that their updates
 * wait and merge (`always`). A bench, not a test: it prints, and judges nothing. */
#include "mesh/base/updates.h"
#include "proto/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TOPICS = 100 };

static struct memory memory;
static struct outbox *outbox;
static struct outbound *queues;
static uint8_t *frame;
static uint64_t frames, deliveries;

void fan_out(uint32_t key, struct span value, uint32_t sessions); /* for --toggle-collect */

void fan_out(uint32_t key, struct span value, uint32_t sessions)
{
    static uint64_t n;
    char path[] = "prices/eu/000000000";
    path[sizeof path - 2] = (char)('0' + key % 10);
    const struct topic_update fields = {
        .path = span_text(path), .term = 7, .instance = 0x0102030405060708, .n = ++n};
    const struct outgoing message = {
        .kind = KIND_UPDATE, .schema = &topic_update_schema, .fields = &fields, .body = value};
    struct update update = {
        .message = updates_share(outbox, &message), .key = key, .policy = TOPIC_POLICY_ALWAYS};
    struct mesh_output output;
    for (uint32_t i = 0; update.message != NULL && i < sessions; i++)
        deliveries += updates_send(&queues[i], &update) == ERROR_OK;
    updates_unshare(outbox, &update.message);
    while (outbox_next(outbox, &output)) {
        outbox_write(outbox, frame);
        frames++;
    }
    for (uint32_t i = 0; n % 64 == 0 && i < sessions; i++)
        (void)outbound_acknowledge(&queues[i], queues[i].credit_messages_sent);
}

static double seconds_now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static uint32_t argument(int argc, char **argv, int at, uint32_t otherwise)
{
    return argc > at ? (uint32_t)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    uint32_t sessions = argument(argc, argv, 1, 1000), bytes = argument(argc, argv, 2, 200);
    uint32_t updates = argument(argc, argv, 3, 20000), slow = argument(argc, argv, 4, 0);
    const struct envelope envelope = {.version = 1, .channel = CHANNEL_CLIENT};
    memory.limit[MEMORY_TABLES] = UINT64_C(1) << 30;
    memory.limit[MEMORY_QUEUES] = UINT64_C(1) << 32;
    outbox = outbox_new(&memory);
    queues = calloc(sessions, sizeof *queues);
    frame = malloc(CLIENT_FRAME_BYTES_MAX);
    uint8_t *value = calloc(1, bytes + 1);
    if (outbox == NULL || queues == NULL || frame == NULL || value == NULL)
        return 1;
    for (uint32_t i = 0; i < sessions; i++) {
        outbound_init(&queues[i], outbox, MESH_REPLY, i, &envelope, 10000, 16 << 20);
        outbox_may_give_up(outbox, &queues[i], i);
        updates_switch(&queues[i], true);
        outbound_keep_sent(&queues[i]);
        if (i < slow)
            outbound_block(&queues[i]);
    }
    double before_s = seconds_now();
    for (uint32_t i = 0; i < updates; i++)
        fan_out(i % TOPICS, span_of(value, bytes), sessions);
    double took_s = seconds_now() - before_s;
    uint64_t merged = outbox_relief(outbox)->merged;
    printf("%u sessions, %u of them slow, values of %u bytes: %lu deliveries in %lu frames, "
           "%lu merged, %.1f ns of CPU each, %.1f MiB of queues\n",
           sessions, slow, bytes, (unsigned long)deliveries, (unsigned long)frames,
           (unsigned long)merged, took_s * 1e9 / (double)(deliveries == 0 ? 1 : deliveries),
           (double)memory.used[MEMORY_QUEUES] / 1048576);
    for (uint32_t i = 0; i < sessions; i++)
        outbound_clear(&queues[i]);
    outbox_destroy(&outbox);
    free(queues);
    free(frame);
    free(value);
    return 0;
}
