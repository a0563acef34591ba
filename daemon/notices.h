/* notices.h - turns the core's notices into log lines: which code is which event, and what its
 * values and texts are called. Memory: none. Thread: the logger's. */
#ifndef WEFT_DAEMON_NOTICES_H
#define WEFT_DAEMON_NOTICES_H

#include "daemon/logger.h"
#include "mesh/output.h"

void notices_log(struct logger *logger, const struct mesh_notice *notice, uint64_t wall_ms);

/* The exit code when the core has stopped with this notice: 0 as asked, 4 refused by the mesh. */
int notices_exit_code(enum mesh_notice_code code);

#endif
