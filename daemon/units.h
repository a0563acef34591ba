/* units.h - reads and writes durations (250ms 2s 5m 1h), sizes (128 4KiB 1MiB) and plain numbers
 * as people write them. Memory: the caller's. Thread: pure functions. */
#ifndef WEFT_DAEMON_UNITS_H
#define WEFT_DAEMON_UNITS_H

#include <stdbool.h>
#include <stdint.h>

enum { UNITS_TEXT_BYTES = 32 };

/* Each reads the whole text; false when it is not of that kind or does not fit; then *value is
 * unchanged. Numbers are decimal digits alone: no sign, no blank. */
bool units_parse_number(const char *text, uint64_t *value);
bool units_parse_duration_ms(const char *text, uint64_t *value); /* a unit is needed, but for 0 */
bool units_parse_size(const char *text, uint64_t *value);        /* B, KiB, MiB, GiB or none */
bool units_parse_real(const char *text, double *value);          /* digits, at most one point */

/* The shortest exact form: 1500 -> 1500ms, 60000 -> 1m; 4096 -> 4KiB. */
void units_format_duration_ms(uint64_t value, char text[UNITS_TEXT_BYTES]);
void units_format_size(uint64_t value, char text[UNITS_TEXT_BYTES]);

#endif
