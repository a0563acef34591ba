/* stream.h - a stream of lines from one session: when it stands, when it has been enough, and what
 * ends it. A node that is lost is followed by another one.
 * Memory: the struct is the caller's. Thread: one. */
#ifndef WEFT_CTL_STREAM_H
#define WEFT_CTL_STREAM_H

#include "client/ctl/ctl.h"

struct stream {
    struct ctl *ctl;
    unsigned wanted, standing; /* how many answers it needs to stand; and has, in this session */
    uint64_t lines;            /* written */
    bool is_ready, is_closed;
    enum weft_error error; /* why it ended */
    uint32_t line, column; /* in a filter */
    char why[256];
};

/* Fills in a client's options: the run's, and what the stream must hear. */
void stream_options(struct stream *stream, struct weft_options *options);

/* The node has answered one of those wanted; an error ends the stream. What ends a filter's is with
 * its line and column, from 1; 0: nowhere. */
void stream_answered(struct stream *stream, struct weft_client *client, enum weft_error error,
                     struct weft_text text, uint32_t line, uint32_t column);

/* Whether there were as many lines as --count says: of one frame there may be more. */
bool stream_is_full(const struct stream *stream);

/* Runs the client until the stream ends. Returns the exit code, with what is wrong reported. */
int stream_follow(struct stream *stream, struct weft_client *client);

#endif
