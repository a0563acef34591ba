/* people.h - simulated clients as persons: each has at most one session, knows what it was told,
 * and says what it is made to say (workload.h). Those who judge watch: they hear what persons hear.
 *
 *     AWAY -> [people_call] -> CALLING -> WELCOME -> OPEN -> [people_leave] -> LEAVING -> AWAY
 *      ^--------- refused, GOODBYE, the line is lost, [people_vanish] -----------'
 *
 * A session that waits for its client outlives its line:
 *
 *     OPEN -> lost, [people_break] -> APART -> [people_resume] -> RESUMING -> WELCOME -> OPEN
 *                                      ^  '--- [people_vanish] --> AWAY  |
 *                                      '------ refused, lost ------------'  NO_SUCH_SESSION: AWAY
 *
 * The first persons are observers: one a node, connected to it whenever it serves clients. The last
 * are readers: they subscribe to topics, and may be slow.
 * Memory: people_destroy. Thread: one. */
#ifndef WEFT_TESTS_SIM_PEOPLE_H
#define WEFT_TESTS_SIM_PEOPLE_H

#include "proto/client.h"
#include "proto/kinds.h"
#include "tests/sim/letters.h"
#include "tests/sim/world.h"

enum { PEOPLE_PATHS = 12, PEOPLE_GAPS = 3, PEOPLE_WATCHERS_MAX = 32 };

/* Paths that are served and asked; some lie above others. */
extern const char *const people_paths[PEOPLE_PATHS];

/* Paths at which somebody is told what topics are missed. */
extern const char *const people_gaps[PEOPLE_GAPS];

/* Whose matter an answer is, is told by the upper half of its correlation. People themselves judge
 * DONE and ERROR to the matters up to questions, concerns (concern.h) all else. */
enum people_matter {
    MATTER_GREETING,
    MATTER_REGISTRATION,
    MATTER_REQUEST,
    MATTER_COMMAND,
    MATTER_QUESTION, /* of check_directory */
    MATTER_ROLE,
    MATTER_LISTEN,
    MATTER_DIRECT,
    MATTER_DIRECT_LISTEN,
    MATTER_LOGIN,
    MATTER_GATE,
    MATTER_MISSING,
    MATTER_TOPIC,
    MATTER_TOPIC_FETCH,
    MATTER_TOPIC_READING,
    MATTER_TOPIC_SWITCH,
};

static inline uint64_t people_correlation(enum people_matter matter, uint32_t number)
{
    return (uint64_t)matter << 32 | number;
}

static inline enum people_matter people_matter(uint64_t correlation)
{
    return (enum people_matter)(correlation >> 32);
}

enum person_state {
    PERSON_AWAY,
    PERSON_CALLING,
    PERSON_OPEN,
    PERSON_LEAVING,
    PERSON_APART,    /* has a session and no line */
    PERSON_RESUMING, /* has dialled to have it back */
};

struct person {
    enum person_state state;
    uint32_t node, life; /* where its session is, or its line leads */
    uint32_t dialled;    /* RESUMING: the node */
    uint32_t visit;      /* counts its calls: with it a session's person is named */
    uint32_t line;       /* counts its lines, also of one session */
    uint64_t since_ns;   /* of the state */
    uint64_t apart_ns;   /* when it lost the line that its session had last */
    bool was_told_last;  /* GOODBYE or REFUSED on this line */
    uint64_t said_ns;    /* when it last said anything */
    struct session_id session;
    uint32_t reconnect_ms; /* asked for, then granted; 0: the session ends with its line */
    uint8_t token[TOKEN_BYTES];
    struct letters letters; /* kept only if the session outlives its line */
    uint32_t held;          /* a bit for each path it serves, as it was told */
    uint32_t asked_path;    /* of the registration under way */
    enum kind asked;        /* REGISTER or UNREGISTER under way; 0: none */
    uint64_t asked_number;
    uint32_t unanswered; /* of a burst */
    uint32_t team;       /* a property it offers; 0: not this one */
    bool is_named; /* it claims, or has claimed, to be somebody: its roles are others' matter */
    bool asks_to_decide, decides; /* who is who: it has asked for it; it was told so */
    uint32_t creates;             /* a bit for each of people_gaps, as it was told */
    uint32_t registrations;       /* asked for until now */
    uint64_t received, granted;   /* messages that take credit */
    uint64_t received_bytes;      /* since then */
    uint32_t credit;   /* messages that a GRANT of it is for; below people.grant_every it says none
                          by itself */
    bool may_conflate; /* its node may merge what waits for it */
};

struct people_watcher {
    void *state;
    void (*on_hello)(void *state, struct world *world, uint32_t who,
                     struct client_hello *hello); /* before that: may fill in who it is */
    void (*on_called)(void *state, struct world *world, uint32_t who); /* it dials and says HELLO */
    /* A message reached a person; its state is still the one before. */
    void (*on_heard)(void *state, struct world *world, uint32_t who, const struct message *message);
    /* Its session, or its attempt, is over: state, session and held are still there. */
    void (*on_over)(void *state, struct world *world, uint32_t who);
    /* It has said something in its session; it is about to hear something. Its line may break now:
     * then that is lost. */
    void (*on_said)(void *state, struct world *world, uint32_t who);
    void (*on_coming)(void *state, struct world *world, uint32_t who);
    /* Its node's core has what people_ask said. */
    void (*on_delivered)(void *state, struct world *world, uint32_t who, uint64_t correlation);
    /* Some node knows that this connection is over. */
    void (*on_gone)(void *state, struct world *world, uint32_t connection);
    void (*on_due)(void *state, struct world *world, uint32_t who); /* its alarm */
};

struct people {
    uint32_t count, observers;
    uint32_t readers; /* the first of them; count: there are none */
    uint32_t grant_every;
    bool is_quiet;       /* nobody begins anything */
    uint64_t said_again; /* messages, over another line */
    struct person *persons;
    struct people_watcher watchers[PEOPLE_WATCHERS_MAX];
    uint32_t watchers_count;
};

/* An observer for each node, so many visitors behind them, and readers behind those. */
struct people *people_new(struct world *world, uint32_t visitors, uint32_t readers);
void people_destroy(struct people **people);
void people_watch(struct people *people, struct people_watcher watcher);

/* Dials a node and says HELLO, as one of a team (0: of none; 1 red, 2 blue, 3 green); the session
 * is to wait for so long when the line is lost. */
void people_call(struct people *people, struct world *world, uint32_t who, uint32_t node,
                 uint32_t team, uint32_t reconnect_ms);

/* The person's line breaks (clients_break). It is APART then, or its session is over. */
void people_break(struct people *people, struct world *world, uint32_t who, enum line_break how);

/* One that is APART dials a node to have its session back. */
void people_resume(struct people *people, struct world *world, uint32_t who, uint32_t node);

void people_leave(struct people *people, struct world *world, uint32_t who);  /* GOODBYE */
void people_vanish(struct people *people, struct world *world, uint32_t who); /* for good */

/* Says one message. Nothing happens while the person is away. */
void people_say(struct people *people, struct world *world, uint32_t who, enum kind kind,
                uint64_t correlation, const struct schema *schema, const void *fields,
                struct span body);

/* The same; on_delivered tells when the node's core has it. */
void people_ask(struct people *people, struct world *world, uint32_t who, enum kind kind,
                uint64_t correlation, const struct schema *schema, const void *fields,
                struct span body);

/* REGISTER or UNREGISTER of a path; the answer is awaited before the next one. */
void people_register(struct people *people, struct world *world, uint32_t who, enum kind kind,
                     uint32_t path);

/* From now on the person is ready for so many messages at a time; 0: it takes none. */
void people_take(struct people *people, struct world *world, uint32_t who, uint32_t messages);

/* Registers and unregisters so many long paths in a few frames. */
void people_burst(struct people *people, struct world *world, uint32_t who, uint32_t registrations);

/* Open, and at a node that is one of those whose agreement is looked at. */
bool people_is_present(const struct people *people, const struct world *world, uint32_t who);

/* The person that has this session now; UINT32_MAX: nobody. */
uint32_t people_of_session(const struct people *people, struct session_id session);

#endif
