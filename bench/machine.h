/* machine.h - what a figure was measured on. Thread: any. */
#ifndef WEFT_BENCH_MACHINE_H
#define WEFT_BENCH_MACHINE_H

#include <stdint.h>

struct machine {
    char cpu[128];
    char kernel[65];
    unsigned cores;
    uint64_t memory_bytes;
};

/* Reads the machine's description; what can't be read is empty or 0. */
void machine_read(struct machine *machine);

/* Monotonic time in ns. */
uint64_t machine_now_ns(void);

#endif
