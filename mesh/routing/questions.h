/* questions.h - keeps what handler sessions here were asked, "who is it?", and have not answered:
 * for a login of this node, or for another node. The number by which the handler knows a question
 * is its slot and generation, so an answer finds it, or finds that there is none any more, in O(1).
 * Memory: a fixed table of QUESTIONS_MAX, touched as used, and 4 bytes a session; no secrets.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_QUESTIONS_H
#define WEFT_MESH_ROUTING_QUESTIONS_H

#include "mesh/base/context.h"
#include "mesh/base/hashmap.h"

enum { QUESTIONS_MAX = 4096 }; /* four nodes' logins at once; a node beyond is told LOST */

struct question {
    uint32_t slot, generation;
    bool is_open;
    uint32_t handler; /* slot of the session that was asked */
    uint64_t asker;   /* instance; 0: this node */
    uint64_t number;  /* what the asker calls it; of this node: a login's number */
    uint64_t served;  /* number of the registration that it counts for (served.h) */
    uint64_t asked_ns;
    struct deadline deadline;
    uint32_t next, previous; /* of the same handler; free: next */
};

struct questions;

struct questions *questions_new(struct context *context, uint32_t sessions);
void questions_destroy(struct questions **questions);

/* Its deadline is set, for that purpose of the room. NULL: too many are open. The asker's number
 * must not be in use (questions_of_asker). */
struct question *questions_take(struct questions *questions, uint64_t asker, uint64_t number,
                                uint32_t handler, uint64_t ends_ns, uint8_t purpose);
void questions_release(struct questions *questions, struct question *question);

uint64_t questions_number(const struct question *question);
struct question *questions_of_number(struct questions *questions, uint64_t number);

/* By the asker's number; NULL: none. */
struct question *questions_of_asker(struct questions *questions, uint64_t asker, uint64_t number);

struct question *questions_at(struct questions *questions, uint32_t slot);

/* The first that this session was asked; NULL: none. O(1). */
struct question *questions_of_handler(struct questions *questions, uint32_t handler);

/* Walks the open ones; NULL starts, NULL ends. The one just given may be released. O(used). */
struct question *questions_next(struct questions *questions, const struct question *after);

void questions_check(const struct questions *questions);

#endif
