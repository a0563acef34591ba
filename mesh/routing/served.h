/* served.h - keeps what sessions here serve, one record for each registration, and what became of
 * what was handed over for it (requests, questions, notices); so it decides whether a session here
 * listens on a path, and for which of the sender's properties it asked. Requests to a session are
 * known here only: no other node needs to find them (the look-up finds the session).
 * Memory: about 200 bytes, path and keys of MEMORY_PROPERTIES for each registration, and 864 more
 * with its first request. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_SERVED_H
#define WEFT_MESH_ROUTING_SERVED_H

#include "mesh/base/context.h"
#include "mesh/base/hashmap.h"
#include "mesh/base/loglinear.h"
#include "proto/request.h"

#define SERVED_NONE 0 /* the number of no registration */

enum {
    SERVED_OF_ONE_MAX = 2048, /* of one session: 1,024 in the log, and as many for itself */
    SERVED_ERROR_BYTES = 64,  /* of a handler's words that are kept */
    SERVED_BITS = 4,          /* of a time: known to within an eighth */
    SERVED_BUCKETS = LOGLINEAR_BUCKETS(SERVED_BITS, 29), /* up to 2^29 us: the longest deadline */
};

struct served {
    bool is_used;
    uint32_t slot, generation;
    uint32_t session;        /* its slot */
    uint32_t next, previous; /* of the same session; next: of the free ones */
    uint32_t next_of_key;    /* slot + 1: others under the same hash */
    uint8_t kind;            /* enum handler_kind */
    uint16_t path_bytes, keys_bytes;
    uint8_t *text; /* path, and behind it the keys */
    uint32_t in_flight;
    uint64_t requests, ended, errors;
    uint64_t sum_us;     /* over those that ended */
    uint32_t *times;     /* SERVED_BUCKETS counts; NULL: none yet, or no memory */
    uint16_t last_error; /* enum error; ERROR_OK: none */
    uint8_t last_bytes;
    char last_words[SERVED_ERROR_BYTES];
};

struct served_table;

struct served_table *served_new(struct context *context, uint32_t sessions);
void served_destroy(struct served_table **table);

/* A session here has registered that. Returns ERROR_OK; ERROR_HANDLER_CONFLICT: it is here already;
 * ERROR_LIMIT_REACHED: more than SERVED_OF_ONE_MAX of the session, or no memory. */
enum error served_add(struct served_table *table, uint32_t session, enum handler_kind kind,
                      struct span path, struct span keys);

/* It has not any more; false: it had not. What is in flight has no record then. */
bool served_remove(struct served_table *table, uint32_t session, enum handler_kind kind,
                   struct span path);
void served_session_ended(struct served_table *table, uint32_t session);

/* The session's registration at exactly this path; NULL: none. O(1). */
struct served *served_find(const struct served_table *table, uint32_t session,
                           enum handler_kind kind, struct span path);

/* The most specific one at or above the path; NULL: none. O(depth). */
struct served *served_find_above(const struct served_table *table, uint32_t session,
                                 enum handler_kind kind, struct span path);

/* The record's number, and back; NULL: it is gone. */
uint64_t served_number(const struct served *served);
struct served *served_of_number(struct served_table *table, uint64_t number);

/* A request was handed over; it ended so, after that time; it was taken back before it left, and
 * counts as never handed over. */
void served_began(struct served *served);
void served_ended(struct served_table *table, struct served *served, enum error outcome,
                  struct span words, uint64_t took_ns);
void served_withdrawn(struct served *served);

/* It was told something that wants no answer, and so takes no time. */
void served_told(struct served *served);

struct span served_path(const struct served *served);
struct span served_keys(const struct served *served);

/* Over all that ended; 0: none did. */
uint64_t served_mean_us(const struct served *served);
uint64_t served_p99_us(const struct served *served);

/* Walks all records; NULL starts, NULL ends. */
const struct served *served_next(const struct served_table *table, const struct served *after);

uint32_t served_count(const struct served_table *table);
void served_check(const struct served_table *table);

#endif
