/* conn.h - the verb `conn`: opens sessions, holds them, counts what becomes of them. One thread. */
#ifndef WEFT_BENCH_CONN_H
#define WEFT_BENCH_CONN_H

#include "bench/spawn.h"

/* Runs it and reports. BENCH_HELD: every session was opened, and no id was given twice. */
enum bench_exit conn_run(const struct bench_settings *settings, struct spawn *spawn);

#endif
