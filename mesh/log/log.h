/* log.h - spreads what only this node writes: its own log of one stream, pushed to every peer and
 * given again to whoever missed some. What other nodes write is followed by replica.h.
 * A mechanism for the rooms (ownership, topics): it knows versions and bytes, never what an entry
 * means, and calls nobody back: the room hands it messages and due deadlines, and does what the
 * verdicts say.
 * Memory: the ring of recent entries (ring.h); embedded in the room, must not move.
 * Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_LOG_LOG_H
#define WEFT_MESH_LOG_LOG_H

#include "mesh/base/context.h"
#include "mesh/log/ring.h"
#include "proto/log.h"

/* Of entries in an answer. Cutting a chunk takes about 150 us of the server's loop and applying it
 * 450 us of the receiver's: so long a request may have to wait for it. Four times as large: 2 ms;
 * four times as small: one writer's log comes at 0.1 Gb/s when an answer takes 1 ms. */
enum {
    LOG_CHUNK_BYTES = 64 * 1024,
    LOG_BACKLOG_BYTES_MAX = 1024 * 1024, /* a link with more queued gets nothing; it will pull */
};

/* What struct deadline.purpose says; a room's own purposes begin at LOG_PURPOSES. */
enum log_purpose {
    LOG_PURPOSE_PUSH = 1,
    LOG_PURPOSE_RETRY = 2,
    LOG_PURPOSE_COMPARE = 3,
    LOG_PURPOSES = 16
};

struct log {
    struct context *context;
    enum log_stream stream;
    enum deadline_room room;
    struct ring ring; /* its head is this node's version */
    uint64_t pushed;  /* the newest version that was pushed */
    uint64_t pushed_at_ns;
    struct deadline push;
    struct deadline compare; /* of heads, with one peer by chance */
    uint64_t compared;       /* the hash of all heads, the last time */
    uint32_t unchanged;      /* as often in a row it was the same */
    struct replica *pulling; /* those whose pull is under way, see replica.h */
    bool is_held;            /* nothing is pulled: a stream of higher priority is not there yet */
    uint64_t correlation;    /* of the newest pull this node made */
    bool is_paced;           /* pushed by the clock; else when the room says log_flush */
    bool was_passed_over;    /* the last push did not go to every link that is up */
};

/* room: whose deadlines the log sets. ring_blocks: as ring_init. */
void log_init(struct log *log, struct context *context, enum log_stream stream,
              enum deadline_room room, uint32_t ring_blocks);
void log_clear(struct log *log);

/* Writes one entry: version head + 1. Of ownership it is pushed at the next tick, or N/2 ms after
 * the last push among N nodes; of topics by log_flush. Never fails: without memory the ring is
 * emptied and peers get a snapshot. */
void log_append(struct log *log, struct span entry);

uint64_t log_head(const struct log *log);

/* The deadline LOG_PURPOSE_PUSH is due: what is new goes to every peer whose forward link is up. */
void log_push(struct log *log);

/* What is new and not pushed yet is pushed now. O(1) when there is nothing. */
void log_flush(struct log *log);

/* Tells a peer where this node's log stands; for a link that came up. */
void log_state_head(struct log *log, uint64_t peer);

/* Tells a peer that a writer's log stands at `head` here (0: nothing is known of it), without
 * entries: the answer to a pull that this node can not serve better. */
void log_answer_head(struct log *log, uint64_t peer, uint64_t correlation, uint64_t writer,
                     uint64_t head);

/* Answers a pull from the ring of that writer's log (this node's or a replica's), or says that
 * nothing is missing. False when the peer is below the floor, or in the middle of a snapshot: the
 * room answers with a chunk. */
bool log_answer(struct log *log, const struct ring *ring, uint64_t peer, uint64_t correlation,
                const struct log_pull *pull);

/* Streams of lower priority wait: while held, nothing is pulled. What is pushed is taken. */
void log_hold(struct log *log, bool is_held);

/* Whether an answer to this peer would leave: its link is up and not backed up. */
bool log_can_answer(const struct log *log, uint64_t peer);

/* Answers a pull with one chunk; body lives until the pull ends. */
void log_answer_chunk(struct log *log, uint64_t peer, uint64_t correlation,
                      const struct log_snapshot *snapshot, struct span body);

/* For replica.c: sends a message of the stream on a peer's forward link; false when it did not go:
 * no link, not up, full. */
bool log_send(struct log *log, uint64_t peer, const struct outgoing *message);

/* Sets the deadline LOG_PURPOSE_COMPARE anew: about every sync_ms of the configuration. */
void log_compare_later(struct log *log);

/* Whether to compare this time: always while the hash of all heads was new lately; when it has been
 * the same for long, one time in four. */
bool log_shall_compare(struct log *log, uint64_t hash);

/* A peer by chance whose link takes an answer, but not `except`; 0: none. O(links). */
uint64_t log_any_peer(struct log *log, uint64_t except);

/* How long N nodes wait between two pushes. */
uint64_t log_push_interval_ns(const struct log *log);

#endif
