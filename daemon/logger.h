/* logger.h - decides what becomes a log line, and writes it: TIME LEVEL EVENT key=value .., or the
 * same as a JSON object a line. Never blocks: what standard error does not take is dropped and
 * counted, and said when it takes lines again.
 * Memory: a line is a fixed buffer; what does not fit is cut off at a field's end.
 * Thread: one owner. */
#ifndef WEFT_DAEMON_LOGGER_H
#define WEFT_DAEMON_LOGGER_H

#include "proto/span.h"

/* 4096 is PIPE_BUF: a line of at most that is written to a pipe whole or not at all. */
enum { LOGGER_LINE_BYTES = 4096 };

enum logger_level { LOGGER_ERROR, LOGGER_WARN, LOGGER_INFO, LOGGER_DEBUG, LOGGER_LEVELS };

extern const char *const logger_level_names[LOGGER_LEVELS];

struct logger {
    int fd;
    bool owns_fd;   /* our own description of standard error: closed by logger_close */
    bool is_socket; /* written to with MSG_DONTWAIT */
    bool is_json;
    enum logger_level level; /* what is chattier is not written */
    uint64_t dropped;        /* lines, since the start */
    uint64_t unsaid;         /* of these, not yet told in a line of the log */
};

struct logger_line {
    struct logger *logger; /* NULL: too chatty, all calls do nothing */
    size_t bytes;
    char text[LOGGER_LINE_BYTES];
};

/* Writes to fd from now on (standard error: 2). A pipe or terminal is opened anew without
 * blocking, so that others who share it keep theirs. */
void logger_open(struct logger *logger, int fd);
void logger_close(struct logger *logger);

/* Begins a line; wall_ms is its time. Then fields, then logger_end writes it. */
void logger_begin(struct logger *logger, struct logger_line *line, enum logger_level level,
                  const char *event, uint64_t wall_ms);
void logger_text(struct logger_line *line, const char *key, const char *value);
void logger_span(struct logger_line *line, const char *key, struct span value);
void logger_number(struct logger_line *line, const char *key, uint64_t value);
void logger_hex(struct logger_line *line, const char *key, uint64_t value); /* 16 digits, text */
void logger_end(struct logger_line *line);

#endif
