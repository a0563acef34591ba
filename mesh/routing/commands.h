/* commands.h - decides who decides about a command: by_id.h, by_filter.h, gather.h, or this node's
 * memory; and says what came of it.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_COMMANDS_H
#define WEFT_MESH_ROUTING_COMMANDS_H

#include "mesh/base/sentence.h"
#include "mesh/routing/answers.h"
#include "mesh/routing/inquiries.h"

/* COMMAND of a session here. ERROR_OK: it has or will have its RESULT; else what is wrong with the
 * message. */
enum error commands_from_session(struct routing *routing, struct session *session,
                                 const struct message *message);

/* COMMAND of another node: carried out here, or answered `moved`. An error is a strike. */
enum error commands_from_node(struct routing *routing, const struct node *node,
                              const struct message *message);

/* RESULT of another node that was asked. An error is a strike. */
enum error commands_result_from_node(struct routing *routing, const struct node *node,
                                     const struct message *message);

/* MEMBERS or VERDICTS was asked for, and only the door can answer: it looks after each COMMAND
 * (NULL: no question is open), and tells; the answer's spans must live until the pull ends. */
const struct command *commands_question(const struct routing *routing);
void commands_tell(struct routing *routing, struct answer *answer);

/* Losses: whoever waited for the node waits no more; whoever asked is gone. */
void commands_node_lost(struct routing *routing, const struct node *node, const char *why);
void commands_session_ended(struct routing *routing, const struct session *session);
void commands_due(struct routing *routing, struct inquiry *inquiry);

/* For the files that carry commands out. A command as it goes to nodes: with the inquiry's id, time
 * and round. */
void commands_prepare(const struct routing *routing, const struct inquiry *inquiry,
                      const struct command *command, struct command *forwarded);

/* Sends it to a node, with the inquiry's number; false: no way there now. The body lives until the
 * pull ends. */
bool commands_forward(struct routing *routing, const struct inquiry *inquiry,
                      const struct node *node, const struct command *forwarded, struct span body);

/* RESULT to the session that asked. */
void commands_reply(struct routing *routing, struct session *session, uint64_t correlation,
                    const struct answer *answer);
void commands_refuse(struct routing *routing, struct session *session, uint64_t correlation,
                     enum error code, const char *text);
void commands_refuse_in_words(struct routing *routing, struct session *session,
                              uint64_t correlation, enum error code, const struct sentence *why);

/* RESULT to the node that asked. */
void commands_reply_to_node(struct routing *routing, const struct node *node, uint64_t correlation,
                            const struct answer *answer);

/* Begins a change that another node asked for, once for each command id: true, with the entry of
 * applied.h to answer; false: it is at work, was answered again, or was refused for want of
 * room. */
bool commands_begin_once(struct routing *routing, const struct node *node, uint64_t correlation,
                         struct span id, size_t answer_bytes, uint32_t *entry);

#endif
