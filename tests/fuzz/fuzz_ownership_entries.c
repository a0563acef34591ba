/* fuzz_ownership_entries.c - a run of entries of the ownership log; the first eight bytes are the
 * instance whose log it is. */
#include "tests/fuzz/proto_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader;
    reader_init(&reader, span_of(data, size));
    uint64_t writer_instance = reader_u64(&reader);
    (void)frame_walk_entries(reader_rest(&reader), writer_instance);
    return 0;
}
