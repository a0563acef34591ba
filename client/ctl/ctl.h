/* ctl.h - what one run of weftctl was asked for, and the session it does it with.
 * Memory: everything belongs to the run; ctl_clear frees. Thread: one. */
#ifndef WEFT_CTL_CTL_H
#define WEFT_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/ctl/output.h"
#include "client/ctl/problems.h"
#include "client/weft.h"

struct verb;

/* The verbs' own options; the number is argp's key too. */
enum ctl_flag {
    FLAG_ALL = 0x200,
    FLAG_ABSTAIN,
    FLAG_ADD,
    FLAG_ALLOW,
    FLAG_COMMAND,
    FLAG_DENY,
    FLAG_DIRECT,
    FLAG_DRY_RUN,
    FLAG_ECHO,
    FLAG_EXPECT,
    FLAG_EXPECT_MAX,
    FLAG_FILTER,
    FLAG_FOLDER,
    FLAG_IDEMPOTENT,
    FLAG_IF_ABSENT,
    FLAG_IF_VALUE,
    FLAG_IF_VERSION,
    FLAG_KEYS,
    FLAG_KIND,
    FLAG_LIMIT,
    FLAG_NODES,
    FLAG_NUMBER,
    FLAG_POLICY,
    FLAG_REASON,
    FLAG_REMOVE,
    FLAG_ROLE,
    FLAG_ROLES,
    FLAG_SESSIONS,
    FLAG_SORT,
    FLAG_TO,
    FLAG_TYPE,
    FLAG_UNSET,
    FLAG_WAIT,
    FLAG_YES,
    FLAG_END,
};

enum {
    CTL_WORDS_MAX = 130,      /* no verb takes more: an id, and as many properties as there are */
    CTL_PROPERTIES_MAX = 128, /* a session has no more */
    CTL_TIMEOUT_MS_MAX = 300000, /* a request waits no longer */
};

struct ctl {
    const struct verb *verb;
    char *words[CTL_WORDS_MAX]; /* after the verb */
    size_t words_count;
    const char *flags[FLAG_END - FLAG_ALL]; /* as given; "" for those without a value */

    const char *servers, *user;
    const char *password_file; /* NULL: not given */
    char password[4096];       /* what is in it; wiped by ctl_clear */
    size_t password_bytes;
    const char *key_file, *server_keys; /* NULL: not given */
    struct weft_property properties[CTL_PROPERTIES_MAX];
    size_t properties_count;
    char *property_texts[CTL_PROPERTIES_MAX]; /* "K\0V": what properties point into */
    uint32_t timeout_ms;
    uint64_t watch_ms; /* 0: not */
    uint64_t for_ms;   /* 0: without end */
    uint64_t count;    /* 0: without end */
    bool wants_help, wants_version;
    struct output output;

    struct weft_client *client; /* NULL until ctl_connect */
    char mesh[128];             /* the cluster's name, once there was a session */
    uint32_t servers_failed;    /* dials that came to nothing */
    bool is_patient;            /* goes on dialling until the time is over */
};

/* What INVALID_PATH means for who typed the path. */
#define CTL_PATH_RULE                                                                              \
    "that is no path: segments of 1 to 255 bytes of UTF-8 joined by '/', at most 1024 bytes in "   \
    "all, such as orders/new"

/* And for who typed a selector. */
#define CTL_SELECTOR_RULE                                                                          \
    "that is no path or selector: segments joined by '/', a `+` as a segment for any one, `**` "   \
    "as the last one for all that is below"

/* The properties that are shown when nobody says which: who a session is. */
#define CTL_KEYS_OTHERWISE "$Principal,$ClientType,$ClientIP"

/* The value of a verb's option; NULL: not given. */
const char *ctl_flag(const struct ctl *ctl, enum ctl_flag flag);

/* Reads an option's count; `otherwise` when it was not given. Returns false, reported, for a value
 * that is none. */
bool ctl_count(const struct ctl *ctl, enum ctl_flag flag, const char *name, uint64_t least,
               uint64_t most, uint64_t otherwise, uint64_t *count);

/* Fills in a client's options from the run's. */
void ctl_options(const struct ctl *ctl, struct weft_options *options);

/* Reports why weft_new gave none (errno). Returns the exit code. */
int ctl_no_client(const struct ctl *ctl);

/* Reports why there is no session within the time. Returns the exit code. */
int ctl_no_session(const struct ctl *ctl, const struct weft_client *client);

/* The instant at which a stream must end; UINT64_MAX: --for was not given. */
uint64_t ctl_end_ms(const struct ctl *ctl);

/* Makes sure that there is a session, within the run's time. A server that refuses ends the wait at
 * once when it is the last of the list, unless is_patient. Returns EXIT_COMPLETE, or
 * EXIT_ERROR with the reason reported. */
int ctl_connect(struct ctl *ctl);

/* From now on INT and TERM only set a mark, once: the second one kills. PIPE is ignored. */
void ctl_catch_signals(void);

/* Whether a stream must end: after a signal, or because nobody takes its output any longer. */
bool ctl_is_stopped(void);

/* Milliseconds of the monotonic clock. */
uint64_t ctl_now_ms(void);

/* Ends the session and frees what the run holds. */
void ctl_clear(struct ctl *ctl);

#endif
