/* town.h - whole cores behind their doors, wired together in one thread and in virtual time: what
 * one orders is what the other is told. No loss, no delay: tests of the door's promises, not of the
 * network's malice (that is weftsim's). What a core holds is checked whole behind each of its
 * first 1,000 steps, behind every 20th from then on, and at the end.
 * Memory: town_end frees all. Thread: one. */
#ifndef WEFT_TESTS_UNIT_MESH_TOWN_H
#define WEFT_TESTS_UNIT_MESH_TOWN_H

#include "mesh/mesh.h"
#include "proto/client.h"
#include "proto/command.h"
#include "proto/kinds.h"
#include "proto/request.h"

enum { TOWN_NODES = 3, TOWN_LINKS = 64, TOWN_CLIENTS = 512, TOWN_INBOX = 64 };

/* A message that a client was sent; fields and body are copies. */
struct letter {
    struct message message;
    uint8_t *bytes;
};

struct town_client {
    uint32_t node;
    bool is_cut;
    struct session_id session;
    size_t letters_count;
    struct letter letters[TOWN_INBOX];
};

struct town_link {
    bool is_open[4]; /* by channel */
    uint32_t to;     /* node */
};

struct town_node {
    struct mesh *mesh; /* NULL: not running */
    struct mesh_config config;
    struct town_link links[TOWN_LINKS];
    uint32_t seed; /* the node that the one seed leads to */
    enum mesh_notice_code notices[256];
    size_t notices_count;
    uint32_t logins_failed, wipes; /* orders */
    bool is_stopped, is_full;      /* full: client frames are not taken */
    bool is_cut_off;               /* no frame of another node reaches it, nor of it another */
    enum mesh_notice_code stopped_with;
};

/* A password that a node wants to have checked. */
struct town_check {
    uint32_t node;
    uint64_t number;
    char principal[64], credentials[64];
};

struct town_event;

extern struct town_node town_nodes[TOWN_NODES];
extern struct town_client town_clients[TOWN_CLIENTS];
extern uint64_t town_now_ns;
extern enum mesh_excess town_excess;        /* what frames of clients are told with */
extern const char *town_owners[TOWN_NODES]; /* whose key a node speaks under; NULL: no keys */
extern const char *town_client_owner;       /* the same for clients, what they say from now on */
extern bool town_repeats;                   /* forward frames come twice */
extern uint64_t town_hash;                  /* of every order and every byte that left */
extern struct town_check town_checks[64];
extern size_t town_checks_count;

/* Forgets everything; then configs may be changed before town_start. Node i's seed is node 0. */
void town_begin(void);
void town_start(uint32_t node);
void town_end(void);

/* Carries everything out until nothing is left to do at this moment. */
void town_settle(void);

/* Lets so much time pass. */
void town_wait_ms(uint64_t ms);

/* Two nodes that know each other and are ready. */
void town_pair(void);

/* The node is gone, without a word, and its links break. */
void town_crash(uint32_t node);

/* The forward link from one node to another breaks, and comes up again. */
void town_break_forward(uint32_t from, uint32_t to);
void town_mend_forward(uint32_t from, uint32_t to);

/* It takes nothing more, until it has broken and come up again: what is sent waits. */
void town_clog_forward(uint32_t from, uint32_t to);

/* No link between the node and the others works; and they all come up again. */
void town_cut_off(uint32_t node);
void town_heal(uint32_t node);

/* A client's connection; nothing was said yet. */
uint32_t town_connect(uint32_t node);
void town_disconnect(uint32_t client);

/* Says one message in a frame of its own, and settles. */
void town_say(uint32_t client, enum kind kind, uint64_t correlation, const struct schema *schema,
              const void *fields, struct span body);
void town_say_bytes(uint32_t client, const void *bytes, size_t count);
void town_tell(uint32_t client, enum mesh_fact fact); /* CONNECTION_FULL, _WRITABLE, _LOST */

/* Connects, says HELLO with that property (NULL: none), and has been welcomed. */
uint32_t town_open(uint32_t node, const char *key, const char *value);

/* The first letter of that kind (and that correlation, unless 0); NULL: none. Valid until
 * town_forget. */
const struct message *town_find(uint32_t client, enum kind kind, uint64_t correlation);
size_t town_letters(uint32_t client, enum kind kind);
void town_forget(uint32_t client);

/* The usual things to say, and what came of them. */
void town_register(uint32_t client, const char *path);
void town_request(uint32_t client, uint64_t correlation, const char *path, const char *value);
void town_respond(uint32_t client, uint64_t correlation, const char *value);
enum error town_outcome(uint32_t client, uint64_t correlation); /* of the RESPONSE */
struct result town_command(uint32_t client, const struct command *command, uint64_t correlation);

uint64_t town_count(uint32_t node, enum counter counter);
bool town_heard(uint32_t node, enum mesh_notice_code code);

/* Answers the password's check; takes it off the list. */
void town_check(size_t index, enum mesh_password password, const char *roles);

/* The nodes' parts of a RESULT that the client was sent; returns how many, `most` at most. */
size_t town_answers(uint32_t client, uint64_t correlation, struct node_answer *answers,
                    size_t most);

/* What the registration of that path has done, as the client is told under that
 * correlation; there must be one. */
struct handler_row town_handler_stats(uint32_t client, uint64_t correlation, const char *path);

#endif
