/* by_filter.h - decides how a command reaches every session that matches: what is asked for is
 * judged here first, every member is asked, and with an expectation asked twice; and what this node
 * does when it is asked.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_BY_FILTER_H
#define WEFT_MESH_ROUTING_BY_FILTER_H

#include "mesh/routing/answers.h"
#include "mesh/routing/inquiries.h"

/* A command of a session here: it has or will have its RESULT, or ERROR for a filter that can't be
 * read. ERROR_INVALID_MESSAGE: malformed groups, and no RESULT. */
enum error by_filter_from_session(struct routing *routing, struct session *asker,
                                  const struct command *command, const struct message *message,
                                  uint32_t timeout_ms);

/* ERROR to the asker: the filter can't be read; with the place of the first mistake. */
struct complaints;
void by_filter_refuse(struct routing *routing, struct session *asker, uint64_t correlation,
                      const struct complaints *complaints);

/* A change asked for by another node: it has or will have its RESULT. ERROR_OK, or what is wrong
 * with the message. */
enum error by_filter_from_node(struct routing *routing, const struct node *node,
                               const struct command *command, const struct message *message);

/* For gather.c: this node's own part of a change. `command` is as it goes to the others, fields and
 * body as they came. True: *answer is it; false: gather hears of it later. */
bool by_filter_here(struct routing *routing, struct inquiry *inquiry, const struct command *command,
                    const struct message *message, struct answer *answer);

/* For gather.c: all have counted, or were given up. Whether the command may be applied now; false:
 * the answer says why not. */
bool by_filter_may_go_on(const struct routing *routing, const struct inquiry *inquiry,
                         struct answer *answer);

/* For gather.c: the result was queued; if the asker's own session is among those closed, it is
 * closed now. */
void by_filter_answered(struct routing *routing, const struct inquiry *inquiry);

/* A slice of a sweep is due. */
void by_filter_due(struct routing *routing, uint32_t sweep);

#endif
