/* fuzz_gossip_frame.c - a frame between nodes on the gossip channel, down to its last group. */
#include "tests/fuzz/proto_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *part;
    (void)frame_walk(span_of(data, size), CHANNEL_GOSSIP, &part);
    return 0;
}
