/* ctl_output.h - how results look: one JSON tree for each result, shown as JSON, table or CSV.
 * Memory: trees are the caller's and are not freed here. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_OUTPUT_H
#define WEFT_CLIENT_CTL_CTL_OUTPUT_H

#include "client/ctl/ctl.h"

#include <cjson/cJSON.h>

enum { CTL_CELL_BYTES = 256 };

/* How a member of a row is shown in a table. */
enum ctl_cell {
    CTL_CELL_TEXT,
    CTL_CELL_NUMBER, /* right-aligned */
    CTL_CELL_STATE,  /* coloured */
    CTL_CELL_US,     /* microseconds, right-aligned, as 210us, 1.9ms */
    CTL_CELL_MS,
    CTL_CELL_NAME, /* of a node; a star when the row's self is true */
    CTL_CELL_MAP,  /* an object as k=v k=v */
};

struct ctl_column {
    const char *title; /* in tables */
    const char *key;   /* in the row, and the heading in CSV */
    enum ctl_cell cell;
    bool is_wide; /* only with -o wide (and CSV) */
};

/* Shows a listing: the whole result as JSON, or the rows of one of its arrays. columns end with a
 * NULL title. */
void ctl_output_listing(const struct ctl *ctl, const cJSON *result, const char *rows_key,
                        const struct ctl_column *columns);

/* Shows one result: as JSON, or a line of text that the verb made for people. */
__attribute__((format(printf, 3, 4))) void
ctl_output_one(const struct ctl *ctl, const cJSON *result, const char *format, ...);

/* Whether people read it: table or wide. */
bool ctl_output_is_for_people(const struct ctl *ctl);

void ctl_output_error(const struct ctl *ctl, const char *code, const char *sentence);

/* ---- making trees: each adds a member to an object ---- */
void ctl_output_text(cJSON *object, const char *key, struct weft_text text);
void ctl_output_string(cJSON *object, const char *key, const char *text);
void ctl_output_number(cJSON *object, const char *key, uint64_t number);
void ctl_output_bool(cJSON *object, const char *key, bool value);
void ctl_output_hex(cJSON *object, const char *key, uint64_t number);     /* 16 digits, a string */
void ctl_output_decimal(cJSON *object, const char *key, uint64_t number); /* a string */
void ctl_output_id(cJSON *object, const char *key, struct weft_session_id id);
void ctl_output_properties(cJSON *object, const char *key, struct weft_rows rows);
void ctl_output_value(cJSON *object, const struct weft_value *value); /* type, value, encoding */

/* nodes_asked, nodes_answered, complete; and nodes: one object for each, with `error` when it did
 * not answer, filled in by `fill` when it did. */
void ctl_output_reach(cJSON *object, const struct weft_result *result,
                      void (*fill)(cJSON *node, const struct weft_node_answer *answer, void *user),
                      void *user);

/* After a result that asked every node: says PARTIAL when one did not answer. Returns
 * CTL_COMPLETE or CTL_PARTIAL. */
int ctl_output_partial(const struct ctl *ctl, const struct weft_result *result);

const char *ctl_output_session_state(enum weft_session_state state);

#endif
