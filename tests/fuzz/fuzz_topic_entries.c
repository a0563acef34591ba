/* fuzz_topic_entries.c - a run of entries of the topics log. */
#include "tests/fuzz/proto_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)frame_walk_topic_entries(span_of(data, size));
    return 0;
}
