/* payload.h - what a bench request carries, so that whoever gets it back can tell a lost, repeated,
 * swapped or damaged one: run, sender, sequence, size and a checksum over all of it.
 * Thread: pure functions. */
#ifndef WEFT_BENCH_PAYLOAD_H
#define WEFT_BENCH_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAYLOAD_BYTES_MIN = 32, PAYLOAD_TIMED_BYTES_MIN = 40 };

struct payload {
    uint64_t run;      /* the seed: payloads of another run are recognised */
    uint32_t sender;   /* number of the caller */
    uint64_t sequence; /* of that caller, from 1 */
    uint64_t from_ns;  /* when it was due; only in payloads of PAYLOAD_TIMED_BYTES_MIN and more */
};

/* Fills the buffer (at least PAYLOAD_BYTES_MIN bytes) with the payload, filler and checksum. */
void payload_write(const struct payload *payload, void *buffer, size_t bytes);

/* Reads it back; false when anything in it is not as it was written. */
bool payload_read(const void *buffer, size_t bytes, struct payload *payload);

#endif
