/* clock.h - what time it is: for decisions (monotonic) and for people (since 1970).
 * Thread: any, but only one thread may use clock_now_ns. */
#ifndef WEFT_DAEMON_CLOCK_H
#define WEFT_DAEMON_CLOCK_H

#include <stdint.h>

enum { CLOCK_TEXT_BYTES = 32 };

#define CLOCK_MS_NS UINT64_C(1000000)
#define CLOCK_S_NS UINT64_C(1000000000)

/* Nanoseconds since the machine started, those it slept included; never smaller than before. */
uint64_t clock_now_ns(void);

/* Milliseconds since 1970, as the machine believes; decides nothing. */
uint64_t clock_wall_ms(void);

/* Writes a wall time as 2026-11-22T08:40:01.002Z. */
void clock_format(uint64_t wall_ms, char text[CLOCK_TEXT_BYTES]);

#endif
