/* guard.h - decides which connections may stay: the descriptors are ours too, and libzmq itself
 * drops nobody. Listens to the monitors of the bound sockets, knows each connection from the moment
 * it is accepted, and ends those that are silent, endless or too many.
 * Memory: one record a connection. Thread: one owner. */
#ifndef WEFT_DAEMON_GUARD_H
#define WEFT_DAEMON_GUARD_H

#include "daemon/clock.h"
#include "daemon/connections.h"
#include "daemon/facts.h"
#include "daemon/keyring.h"
#include "daemon/poller.h"

#define GUARD_SILENT_NS (5 * CLOCK_S_NS)       /* a first frame is due by then */
#define GUARD_LOOK_NS (100 * CLOCK_MS_NS)      /* between two looks */
#define GUARD_LOOK_EARLY_NS (50 * CLOCK_MS_NS) /* so much earlier if the thread is awake anyway */
#define GUARD_CHECK_NS (100 * CLOCK_MS_NS)     /* from "disconnected" to "is it really gone?" */
#define GUARD_CUT_NS (200 * CLOCK_MS_NS)   /* for last words to leave, where descriptors are few */
#define GUARD_CUT_LAST_NS (3 * CLOCK_S_NS) /* for a client to read them and to hang up itself */

enum { GUARD_CHANNELS = 4 }; /* tables by enum channel, 0 unused */

struct guard {
    struct sources sources;
    struct connections connections;
    const struct keyring *keyring; /* NULL: no keys are in use */
    void *monitors[GUARD_CHANNELS];
    int fds_max;
    int position;            /* of the rotation over descriptors */
    uint64_t resident_bytes; /* of the process, least since it last grew much */
    uint64_t page_bytes;
    int statm; /* where the kernel says how much is resident; open when has_statm */
    bool has_statm;
    uint64_t look_ns;                  /* when the next look is due */
    bool has_failed[GUARD_CHANNELS];   /* a handshake: its connection is the next to close */
    uint32_t accepted[GUARD_CHANNELS]; /* connections since the start, modulo 2^32 */
    uint64_t turned_away;              /* for want of descriptors, since it was last said */
    uint64_t said_ns;
};

/* -- decisions, each a pure function -- */

/* Whether a connection accepted with that descriptor may stay: descriptors are dealt lowest first,
 * so one in the last tenth says that nine tenths are in use. */
bool guard_admits(int fd, int fds_max);

/* Whether a connection that has said nothing for so long is cut. Clients: after 5 s. A peer's link
 * may have nothing to say for long; it is cut after 5 s only when descriptors are running out. */
bool guard_is_silent(enum channel channel, uint64_t silent_ns, bool is_crowded);

/* Whether the ROUTER itself dealt that number: it counts up from the one it dealt to us before the
 * port was opened, once for each connection. Any other was chosen by the client. */
bool guard_is_dealt(uint32_t number, uint32_t first, uint32_t accepted);

/* Whether a connection is shut now that was told to go so long ago. Who reads hangs up itself; the
 * end of TCP may overtake what was sent: a libzmq client that has not read it then never will. */
bool guard_is_cut_due(uint64_t waited_ns, bool has_sent, bool is_crowded);

/* Whether so many bytes without one delivered frame can be no honest frame. */
bool guard_is_endless(enum channel channel, uint64_t bytes);

/* -- */

/* fds_max: no descriptor is greater or equal. false: no memory. */
bool guard_init(struct guard *guard, int fds_max);
void guard_clear(struct guard *guard);

/* Watches a bound socket. To be called before it is bound. false: errno says why. */
bool guard_watch(struct guard *guard, void *context, void *socket, enum channel channel,
                 struct poller *poller);

/* Takes in all that the monitors have to say. */
void guard_drain(struct guard *guard, struct facts *facts);

/* The record for a number that is not known yet, whose first frame came from fd; the monitors were
 * drained just before. NULL: no memory; the frame is to be dropped. */
struct connection *guard_first_frame(struct guard *guard, enum channel channel, uint32_t number,
                                     int fd, struct facts *facts);

/* Ends the connection now, or what is left of it is asked after. */
void guard_shut(struct guard *guard, struct connection *connection, struct facts *facts);

/* The same a little later, so that what was sent leaves before; from now on it is not heard. */
void guard_shut_soon(struct guard *guard, struct connection *connection, uint64_t now_ns);

/* Shuts a connection whose time has come (connection->cut_ns is set); looks at TCP first. */
void guard_cut(struct guard *guard, struct connection *connection, struct facts *facts);

/* Every 100 ms: the silent, the endless. */
void guard_look(struct guard *guard, struct facts *facts);

#endif
