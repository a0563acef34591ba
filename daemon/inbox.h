/* inbox.h - one bound ROUTER: frames come in, and where they are answered on the same connection,
 * replies go out. A message is one frame; a connection is the 32-bit number that the ROUTER gave
 * it. Whoever sets a routing id of his own, or sends more than one part, is dropped and cut.
 * Memory: frames live in the batch until it is cleared, after the outputs have been pulled.
 * Thread: one owner. */
#ifndef WEFT_DAEMON_INBOX_H
#define WEFT_DAEMON_INBOX_H

#include "daemon/batch.h"
#include "daemon/guard.h"

enum { INBOX_BUDGET = 256 };

struct inbox {
    void *socket;
    enum channel channel;
    uint32_t first; /* the number that the ROUTER dealt before anybody could connect */
    bool is_ready;  /* there may be frames: drain before sleeping */
    bool has_sent;  /* since it was looked at: see inbox_settle */
};

/* Opens the socket, has it watched, and binds it; for EADDRINUSE tries again until patience_ns
 * have passed. false: errno says why, and nothing stays open. */
bool inbox_open(struct inbox *inbox, void *context, enum channel channel,
                const struct address *address, uint64_t patience_ns, struct guard *guard,
                struct poller *poller);
void inbox_close(struct inbox *inbox, struct poller *poller);

/* Takes at most INBOX_BUDGET frames and tells the core each. is_ready stays true when there may be
 * more. */
void inbox_drain(struct inbox *inbox, struct guard *guard, struct facts *facts,
                 struct batch *batch);

/* Writes the frame just pulled and sends it on the connection. What is not taken is kept, one a
 * connection, and the core told. false: no memory. */
bool inbox_reply(struct inbox *inbox, struct guard *guard, struct facts *facts,
                 const struct mesh_output *output);

/* When all of a turn is sent: a send may have eaten the wake-up for what came in meanwhile, so the
 * socket is asked once whether there is something. */
void inbox_settle(struct inbox *inbox);

/* Every 10 ms while anybody is busy: sends what was kept, cuts who is due, asks after those whose
 * connection was said to be closed. inboxes: by channel. */
void inbox_attend(struct inbox inboxes[GUARD_CHANNELS], struct guard *guard, struct facts *facts);

#endif
