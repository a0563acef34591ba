/* replica.h - decides what of another writer's log is missing here, whom to ask for it, and whether
 * what comes may be applied.
 *
 *     entries or a chunk came -> replica_judge_entries / replica_judge_chunk
 *         REPLICA_APPLY       -> the room applies them, then replica_applied or
 *                                replica_chunk_applied
 *                                (or replica_not_applied: nothing was, it is asked for again)
 *         REPLICA_IGNORE      -> old, late or early; what is missing has been asked for
 *         REPLICA_REFUSE      -> a strike: nobody honest sends this
 *
 * Memory: embedded in the room's record of the writer; must not move while followed.
 * Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_LOG_REPLICA_H
#define WEFT_MESH_LOG_REPLICA_H

#include "mesh/log/log.h"

struct replica {
    uint64_t writer;
    uint64_t have;    /* version up to which the room has applied it */
    uint64_t heard;   /* the head it is known to have; have or more */
    uint64_t witness; /* a peer that had more of it than this node; 0: none */
    bool is_followed; /* the writer is alive: what is missing is asked for */
    bool is_complete; /* has once been received up to the head that was told first */
    bool has_spoken;  /* the writer's link to this node was up: it can answer */
    /* The pull under way; then it is in the log's list. */
    struct replica *next, *previous;
    uint64_t source;        /* the peer asked */
    uint64_t correlation;   /* 0: no pull */
    uint32_t attempts;      /* that brought nothing, in a row */
    bool in_snapshot;       /* chunks have come and the last one has not */
    uint64_t snapshot_head; /* the lowest head that a chunk was told with */
    struct span cursor;     /* the room's memory; valid while in_snapshot */
    struct deadline retry;
    const struct ring
        *recent;     /* the room's: the newest entries, to answer others from; NULL: none */
    uint32_t number; /* in replicas.h */
};

enum replica_verdict { REPLICA_APPLY, REPLICA_IGNORE, REPLICA_REFUSE };

/* slot: the room's number for this writer, found again in the retry deadline. */
void replica_init(struct replica *replica, const struct log *log, uint64_t writer, uint32_t slot);

/* The writer is alive: its log is wanted, from now on. */
void replica_follow(struct replica *replica, struct log *log);

/* The writer is dead, and this peer has its log up to `head`: what is missing is wanted all the
 * same, until replica_unfollow. */
void replica_follow_dead(struct replica *replica, struct log *log, uint64_t peer, uint64_t head);

/* The writer is dead: nothing is asked for any more; what is here stays as it is. */
void replica_unfollow(struct replica *replica, struct log *log);

/* The forward link to the writer came up: heads are compared, both ways. */
void replica_link_up(struct replica *replica, struct log *log);

/* The writer said by gossip where its log stands. If the push does not come, it is pulled. */
void replica_heard(struct replica *replica, struct log *log, uint64_t head);

/* A peer compared heads: it has the log up to `head`. */
void replica_witnessed(struct replica *replica, struct log *log, uint64_t peer, uint64_t head);

/* This peer died: what it was asked for is asked of another. */
void replica_peer_lost(struct replica *replica, struct log *log, uint64_t peer);

/* The deadline LOG_PURPOSE_RETRY is due. */
void replica_retry(struct replica *replica, struct log *log);

/* Judges LOG_ENTRIES. replica: of entries->writer, NULL when that is no live member or this node
 * itself. On REPLICA_APPLY the first *skip entries are known already. */
enum replica_verdict replica_judge_entries(struct replica *replica, struct log *log, uint64_t peer,
                                           uint64_t correlation, const struct log_entries *entries,
                                           size_t body_bytes, uint64_t *skip);

/* Judges LOG_SNAPSHOT. On REPLICA_APPLY with `in_snapshot` still false the room starts with
 * nothing; else it goes on behind what it has. */
enum replica_verdict replica_judge_chunk(struct replica *replica, struct log *log, uint64_t peer,
                                         uint64_t correlation, const struct log_snapshot *snapshot,
                                         size_t body_bytes);

/* The judged entries are applied. */
void replica_applied(struct replica *replica, struct log *log, const struct log_entries *entries);

/* The judged chunk is kept. cursor: its last entry in the room's memory, for the next pull. After
 * the last chunk the room has put the whole in the place of what it had. */
void replica_chunk_applied(struct replica *replica, struct log *log,
                           const struct log_snapshot *snapshot, struct span cursor);

/* The judged entries or chunk were not: malformed, or no memory. A snapshot starts anew. */
void replica_not_applied(struct replica *replica, struct log *log);

#endif
