/* ctl.h - what a run of weftctl is: its options, its verb, its client.
 * Memory: strings are argv's, the environment's or live until the program ends. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_H
#define WEFT_CLIENT_CTL_CTL_H

#include "client/weft.h"

enum { CTL_WORDS_MAX = 8, CTL_PROPERTIES_MAX = 128 };

/* Exit codes. */
enum {
    CTL_COMPLETE = 0,
    CTL_ERROR = 1,
    CTL_USAGE = 2,
    CTL_NOTHING = 3, /* nothing matched: no such session */
    CTL_PARTIAL = 4, /* a node did not answer */
};

enum ctl_format { CTL_TABLE, CTL_WIDE, CTL_JSON, CTL_JSONL, CTL_CSV };

/* Options that only some verbs take: bits of ctl_verb.takes and ctl.given. */
enum ctl_option {
    CTL_OPT_WATCH = 1 << 0,
    CTL_OPT_COUNT = 1 << 1,
    CTL_OPT_FOR = 1 << 2,
    CTL_OPT_EXPECT = 1 << 3,
    CTL_OPT_NODES = 1 << 4,
    CTL_OPT_ALL = 1 << 5,
    CTL_OPT_KEYS = 1 << 6,
    CTL_OPT_LIMIT = 1 << 7,
    CTL_OPT_REASON = 1 << 8,
    CTL_OPT_NUMBER = 1 << 9,
    CTL_OPT_TYPE = 1 << 10,
    CTL_OPT_IDEMPOTENT = 1 << 11,
    CTL_OPT_WAIT = 1 << 12,
    CTL_OPT_ECHO = 1 << 13,
    CTL_OPT_COMMAND = 1 << 14,
};

enum {
    CTL_TAKES_LISTING = CTL_OPT_WATCH | CTL_OPT_COUNT | CTL_OPT_FOR,
    CTL_TAKES_STREAM = CTL_OPT_COUNT | CTL_OPT_FOR,
};

struct ctl;

struct ctl_verb {
    const char *noun, *verb; /* verb NULL: the noun is all */
    const char *arguments;   /* for people */
    int arguments_min, arguments_max;
    unsigned takes;
    int (*run)(struct ctl *ctl); /* an exit code */
    const char *what;            /* one line */
    const char *more;            /* options and examples, for --help */
};

struct ctl {
    const char *servers, *user, *password_file;
    struct weft_property properties[CTL_PROPERTIES_MAX];
    size_t properties_count;
    enum ctl_format format;
    bool no_color, wants_help;
    uint32_t timeout_ms, watch_ms, for_ms, wait_ms;
    uint64_t count;
    uint32_t expect, nodes, limit, number;
    bool all, is_idempotent, echo;
    const char *keys, *reason, *command;
    enum weft_value_type type;
    unsigned given;
    const char *words[CTL_WORDS_MAX];
    int words_count;
    const struct ctl_verb *verb;
    const char *const *arguments;
    int arguments_count;

    struct weft_client *client;
    char mesh[129];
    int servers_count;
    int failures;        /* attempts to connect that came to nothing */
    int signals;         /* signalfd of a stream; 0: none */
    bool is_interrupted; /* INT or TERM came */
    uint64_t started_ms;
};

/* Milliseconds of the monotonic clock. */
uint64_t ctl_now_ms(void);

/* Opens a session. is_patient: servers that are not there yet are waited for, till --timeout.
 * Returns CTL_COMPLETE, or CTL_ERROR after having said why. */
int ctl_open(struct ctl *ctl, bool is_patient);

/* INT and TERM end a stream or a watch in good order from here on; --for counts from here. */
void ctl_stream_begin(struct ctl *ctl);

/* Says on stderr that the stream stands. */
void ctl_stream_ready(const struct ctl *ctl);

/* Waits for events, at most so long, and makes progress. Returns false when the stream is to end: a
 * signal, --for. */
bool ctl_stream_wait(struct ctl *ctl, int timeout_ms);

/* Says a problem on stderr, and in JSON on stdout; returns CTL_ERROR, CTL_USAGE for code "USAGE",
 * CTL_NOTHING for "NO_SUCH_SESSION". */
__attribute__((format(printf, 3, 4))) int ctl_fail(const struct ctl *ctl, const char *code,
                                                   const char *format, ...);

/* The same for an error of the mesh; its own sentence when text is empty. */
int ctl_fail_with(const struct ctl *ctl, enum weft_error error, struct weft_text text);

/* Reads the id in an argument; says USAGE when it is none. */
bool ctl_read_id(const struct ctl *ctl, const char *text, struct weft_session_id *id);

#endif
