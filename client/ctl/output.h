/* output.h - the one writer of results: the same document as a table, JSON, JSON lines or CSV.
 *
 * A document is a JSON object: cells with a name and a typed value, and usually one list of rows,
 * themselves objects. JSON is the document as it is; the other forms show its rows by the columns
 * of a view. Memory: documents stay the caller's. Thread: one. */
#ifndef WEFT_CTL_OUTPUT_H
#define WEFT_CTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

enum output_format { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_CSV };

/* How a cell is shown in a table. CSV and JSON have it as it is. */
enum output_look {
    OUTPUT_TEXT,
    OUTPUT_NUMBER, /* to the right */
    OUTPUT_US,     /* microseconds, with a unit that fits */
    OUTPUT_MS,     /* milliseconds, the same */
    OUTPUT_YES,    /* yes, no */
    OUTPUT_MARK,   /* an asterisk, or nothing */
    OUTPUT_STATE,  /* a word with a colour */
};

struct output_column {
    const char *name;   /* of the cell */
    const char *title;  /* in a table; CSV has the name */
    const char *inside; /* the object in the row that has the cell; NULL: the row itself */
    enum output_look look;
    bool is_wide; /* only in wide tables and CSV */
};

enum { OUTPUT_COLUMNS_MAX = 160 };

struct output_view {
    const char *list;  /* the rows' name in the document; NULL: the document is the row */
    const cJSON *rows; /* shown in tables and CSV in place of them, for people; NULL: the same */
    const struct output_column *columns;
    size_t columns_count;
    const char *footer; /* below a table; NULL: nothing */
};

struct output {
    enum output_format format;
    bool is_plain;  /* no colours, although it is a terminal */
    bool has_begun; /* a stream's heading is written */
};

/* "table" .. "csv" to the format; false for anything else. */
bool output_parse_format(const char *name, enum output_format *format);

/* Whether results are documents and streams JSON. */
bool output_is_json(const struct output *output);

/* Writes a whole result on stdout. False: there was no memory for it. */
bool output_write(const struct output *output, const cJSON *document,
                  const struct output_view *view);

/* Writes one object of a stream on stdout, now. */
bool output_stream(struct output *output, const cJSON *object, const struct output_view *view);

/* Clears the terminal for the next of a repeated listing, if there is one. */
void output_restart(const struct output *output);

#endif
