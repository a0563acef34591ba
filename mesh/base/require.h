/* require.h - stops the process where our own code is wrong; stays on in release.
 * Never for what a peer, a client or the operating system did. Thread: any. */
#ifndef WEFT_MESH_BASE_REQUIRE_H
#define WEFT_MESH_BASE_REQUIRE_H

/* Prints file, line and condition on standard error and aborts (exit 134). */
_Noreturn void require_failed(const char *file, int line, const char *condition);

#define require(condition) ((condition) ? (void)0 : require_failed(__FILE__, __LINE__, #condition))

#endif
