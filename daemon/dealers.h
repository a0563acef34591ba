/* dealers.h - the links that this node dials: one DEALER a peer and channel, which only sends (on
 * gossip also hears the answer to JOIN), each with a monitor that says when it is up and when lost.
 * Memory: a table by link number, grown as used. Thread: one owner. */
#ifndef WEFT_DAEMON_DEALERS_H
#define WEFT_DAEMON_DEALERS_H

#include "daemon/address.h"
#include "daemon/batch.h"
#include "daemon/clock.h"
#include "daemon/facts.h"
#include "daemon/keyring.h"
#include "daemon/logger.h"
#include "daemon/poller.h"

#define DEALERS_SWEEP_NS (50 * CLOCK_MS_NS)

enum { DEALERS_LINKS_MAX = 65536 };

enum { DEALERS_MEMORIES = 256 };

struct dealer;

/* Of an address that was dialled; those that meet in one place forget each other. */
struct dealers_memory {
    uint64_t address;            /* a hash of it */
    uint64_t quiet_until_ns;     /* nothing is complained of before */
    char key[KEYFILE_KEY_BYTES]; /* that was tried there last, or fitted */
};

struct dealers {
    void *context;
    struct poller *poller;
    struct logger *logger;
    const struct keyring *keyring;   /* NULL: no keys are in use */
    char source[ADDRESS_HOST_BYTES]; /* what to dial from; empty: as the system likes */
    struct dealer **table;           /* by link number and channel */
    uint32_t capacity;               /* of the table */
    bool has_due;                    /* a link waits for the next sweep */
    uint64_t sweep_ns;               /* not before that */
    struct dealers_memory memories[DEALERS_MEMORIES]; /* by a hash of the address */
};

/* host: what this node listens on; it dials from there too, unless that is every address: so
 * others see where a link comes from. */
void dealers_init(struct dealers *dealers, void *context, struct poller *poller,
                  struct logger *logger, const char *host);

/* Closes all; what was sent to forward links has a second to leave. */
void dealers_clear(struct dealers *dealers);

/* Dials the numeric address. Told later: MESH_LINK_UP. false: no memory. What can't be dialled is
 * logged and tried again with each sweep. name: of the node that is to be there; empty: not known.
 * With keys only who has a key of that name is spoken to, or of any name where it is not known. */
bool dealers_open(struct dealers *dealers, uint32_t link, enum channel channel, struct span address,
                  struct span name);

/* Hangs up; what was not sent is dropped. */
void dealers_close(struct dealers *dealers, uint32_t link, enum channel channel);

/* Writes the frame just pulled and sends it. What is not taken is kept, one a link and channel, and
 * the core told. false: no memory. */
bool dealers_send(struct dealers *dealers, struct facts *facts, const struct mesh_output *output);

/* A descriptor of the link woke the loop: its number as it stands in the event. */
void dealers_woken(struct dealers *dealers, struct facts *facts, struct batch *batch,
                   uint32_t number);
void dealers_monitor_woken(struct dealers *dealers, struct facts *facts, uint32_t number);

/* Links to nodes whose key the keyring, which replaces ours, has no more are lost now; all that are
 * down are dialled anew. */
void dealers_review(struct dealers *dealers, const struct keyring *keyring, struct facts *facts);

/* When the next sweep wants to be; UINT64_MAX: nothing waits for one. */
uint64_t dealers_sweep_ns(const struct dealers *dealers);

/* At most every 50 ms, and only links that fell due: what a send hid from the poller (it eats
 * wake-ups), and what was not dialled yet. */
void dealers_sweep(struct dealers *dealers, struct facts *facts, struct batch *batch);

#endif
