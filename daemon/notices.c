#include "daemon/notices.h"

#include <inttypes.h>
#include <stdio.h>

enum { NOTICES_FIELDS = 4 };

struct notice_form {
    enum logger_level level;
    const char *event;
    const char *texts[3];               /* in the order of the line: texts first, */
    const char *values[NOTICES_FIELDS]; /* then values; NULL: not shown */
};

/* As NOTICE_LIST spells the levels. */
#define LEVEL_error LOGGER_ERROR
#define LEVEL_warn LOGGER_WARN
#define LEVEL_info LOGGER_INFO
#define LEVEL_debug LOGGER_DEBUG

static const struct notice_form forms[] = {
#define NOTICES_FORM(name, level_, event_)                                                         \
    [NOTICE_##name] = {.level = LEVEL_##level_, .event = (event_), NOTICES_##name},
#define NOTICES_JOINED .texts = {"via"}, .values = {"members", "took_ms"}
#define NOTICES_ALONE .values = {"seeds"}
#define NOTICES_STILL_ALONE .values = {"seeds"}
#define NOTICES_SYNCED .values = {"handlers", "sessions", "topics", "took_ms"}
#define NOTICES_READY .values = {NULL}
#define NOTICES_MEMBER .texts = {"name", "state", "why"}
#define NOTICES_REFUSED_PEER .texts = {"name", "why", "address"}
#define NOTICES_REFUSED_BY .texts = {"by", "why"}
#define NOTICES_PEER_STRUCK .texts = {"name"}
#define NOTICES_SESSION_OPENED .texts = {"principal"}
#define NOTICES_SESSION_CLOSED .texts = {"reason"}
#define NOTICES_LOGIN_DENIED .texts = {"address"}
#define NOTICES_BAD_FRAME .texts = {"address"}
#define NOTICES_PAUSED .values = {"ms"}
#define NOTICES_LEFT .values = {NULL}
#define NOTICES_NAME_LOST .texts = {"name"}
#define NOTICES_MESH_REFUSED .texts = {"by", "why"}
    NOTICE_LIST(NOTICES_FORM)
#undef NOTICES_FORM
};

static const char *notices_channel(uint64_t channel)
{
    switch (channel) {
    case CHANNEL_CLIENT:
        return "client";
    case CHANNEL_GOSSIP:
        return "gossip";
    case CHANNEL_FORWARD:
        return "forward";
    default:
        return "unknown";
    }
}

/* What is neither a plain text nor a plain number. */
static void notices_special(struct logger_line *line, const struct mesh_notice *notice)
{
    char id[36];
    switch (notice->code) {
    case NOTICE_MEMBER:
    case NOTICE_PEER_STRUCK:
        logger_hex(line, "instance", notice->values[0]);
        break;
    case NOTICE_SESSION_OPENED:
    case NOTICE_SESSION_CLOSED:
        snprintf(id, sizeof(id), "%016" PRIx64 "-%016" PRIx64, notice->values[0],
                 notice->values[1]);
        logger_text(line, "session", id);
        break;
    case NOTICE_BAD_FRAME:
        logger_text(line, "channel", notices_channel(notice->values[0]));
        break;
    case NOTICE_JOINED:
    case NOTICE_ALONE:
    case NOTICE_STILL_ALONE:
    case NOTICE_SYNCED:
    case NOTICE_READY:
    case NOTICE_REFUSED_PEER:
    case NOTICE_REFUSED_BY:
    case NOTICE_LOGIN_DENIED:
    case NOTICE_PAUSED:
    case NOTICE_LEFT:
    case NOTICE_NAME_LOST:
    case NOTICE_MESH_REFUSED:
        break;
    }
}

void notices_log(struct logger *logger, const struct mesh_notice *notice, uint64_t wall_ms)
{
    const struct notice_form *form = &forms[notice->code];
    struct logger_line line;
    logger_begin(logger, &line, form->level, form->event, wall_ms);
    for (size_t i = 0; i < sizeof(form->texts) / sizeof(form->texts[0]); i++) {
        if (form->texts[i] != NULL)
            logger_span(&line, form->texts[i], notice->texts[i]);
    }
    for (size_t i = 0; i < NOTICES_FIELDS; i++) {
        if (form->values[i] != NULL)
            logger_number(&line, form->values[i], notice->values[i]);
    }
    notices_special(&line, notice);
    logger_end(&line);
}

int notices_exit_code(enum mesh_notice_code code)
{
    return code == NOTICE_NAME_LOST || code == NOTICE_MESH_REFUSED ? 4 : 0;
}
