/* filter.h - decides which sessions a filter means: one parser and one evaluator for everything
 * that takes a filter. A filter is parsed once into a program of tests with two exits each, so that
 * evaluating it is a walk forwards without recursion.
 *
 *     or(and(not(a), b), c)    0 a  true -> 2   false -> 1
 *                              1 b  true -> MET false -> 2
 *                              2 c  true -> MET false -> UNMET
 *
 * Memory: a filter is one block of MEMORY_TABLES (and its compiled regular expressions), at most
 * FILTER_BYTES_MAX of text make at most FILTER_TERMS_MAX tests. Evaluating allocates nothing, but
 * that the engine's room for regular expressions grows to what the deepest match needed, once.
 * Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_FILTER_FILTER_H
#define WEFT_MESH_FILTER_FILTER_H

#include "mesh/base/memory.h"
#include "mesh/filter/complaints.h"
#include "mesh/filter/subject.h"
#include "proto/command.h"

/* FILTER_BYTES_MAX, of the text and of its canonical form, is the wire's. */
enum {
    FILTER_NESTING_MAX = 64, /* parentheses and nots around a term */
    FILTER_TERMS_MAX = 1024,
    FILTER_PATTERN_BYTES_MAX = 512 * 1024, /* of a filter's compiled regular expressions */
};

/* What all filters of one core share: room to parse in, and to match regular expressions in. */
struct filter_engine;

/* NULL when memory is not to be had; about 250 KiB of MEMORY_TABLES, touched as used. The memory
 * must outlive the engine, and the engine its filters. */
struct filter_engine *filter_engine_new(struct memory *memory);
void filter_engine_destroy(struct filter_engine **engine);

struct filter;

/* Parses a filter. Returns ERROR_OK; ERROR_INVALID_FILTER with at least one complaint;
 * ERROR_LIMIT_REACHED when memory is not to be had: *filter is NULL then. The text need not live
 * on. O(text), and what PCRE2 needs to compile each regular expression. */
enum error filter_parse(struct filter_engine *engine, struct span text, struct filter **filter,
                        struct complaints *complaints);
void filter_destroy(struct filter **filter);

/* What the regular expressions of one command may cost on this node. */
struct filter_budget {
    struct filter_engine *engine;
    uint64_t steps;    /* left */
    uint32_t exceeded; /* matches that met a limit of their own and so failed: for a counter */
    bool is_spent;     /* the command is to be answered with an error, and nothing applied */
    bool is_shared;    /* what it spends, others can't for a while */
    bool is_short;     /* others have spent of it: once it is spent, a whole one may suffice */
};

/* A whole budget of its own. */
void filter_budget_start(struct filter_budget *budget, struct filter_engine *engine);

/* A budget out of what one node's commands and listeners may cost together: a whole one, and what
 * was spent comes back within 250 ms. So filters leave the node most of its time, however many come
 * in one frame or in many. One is used up before the next one starts.
 *   now_ns  the node's clock; never goes back */
void filter_budget_share(struct filter_budget *budget, struct filter_engine *engine,
                         uint64_t now_ns);

/* Whether the session matches. False also when the budget is spent: look at is_spent when all is
 * done (a spent budget stays spent). O(tests); each O(1) but for hasRoles and matches. */
bool filter_matches(const struct filter *filter, const struct subject *subject,
                    struct filter_budget *budget);

/* The canonical text; lives as long as the filter. Parsed again it gives the same program. */
struct span filter_print(const struct filter *filter);

/* The values of one fixed key, one of which every session that matches has. */
struct filter_pins {
    const struct filter *filter;
    uint32_t first, count;
};

/* Whether only sessions with certain values of `key` (KEY_SESSION_ID, KEY_PRINCIPAL) can match:
 * then *pins lists these values, without repeats, and nobody need scan; whoever has one of them
 * must still be asked by filter_matches. O(tests). */
bool filter_pins(const struct filter *filter, enum key key, struct filter_pins *pins);

/* The i-th value, i < pins->count; lives as long as the filter. */
struct span filter_pin(const struct filter_pins *pins, uint32_t i);

#endif
