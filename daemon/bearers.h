/* bearers.h - decides whose a connection is, by the key that it came under: once, at its first
 * frame, and again when the keys change. libzmq asks the ZAP handler at the handshake only.
 * Memory: none; owners point into the guard's keyring. Thread: one owner. */
#ifndef WEFT_DAEMON_BEARERS_H
#define WEFT_DAEMON_BEARERS_H

#include "daemon/guard.h"

/* Takes in the user id of a connection's first frame, which is the key that the ZAP handler took.
 * Without a keyring nobody has one. false: the key is not taken any more, or there is none; the
 * connection is shut, and its frame is to be dropped. */
bool bearers_learn(struct guard *guard, struct connection *connection, const char *user_id,
                   struct facts *facts);

/* Judges all connections anew, by a keyring that replaces the guard's. Those whose key is not taken
 * any more end now: a client's session, a peer's link. Those that have not spoken yet are judged
 * when they do. */
void bearers_review(struct guard *guard, const struct keyring *keyring, struct facts *facts);

#endif
