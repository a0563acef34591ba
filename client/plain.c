/* plain.c - the plain data of weft.h and weft_topics.h: names of errors, ids and versions as text,
 * values. */
#include "client/weft_topics.h"

#include "proto/error.h"
#include "proto/request.h"
#include "proto/topic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The public numbers are the wire's; whoever adds one here or there hears of the other. */
#define PLAIN_SAME(public_name, wire_name)                                                         \
    _Static_assert((int)(public_name) == (int)(wire_name), #public_name " differs from the wire")
PLAIN_SAME(WEFT_OK, ERROR_OK);
PLAIN_SAME(WEFT_REJECTED, ERROR_REJECTED);
PLAIN_SAME(WEFT_HANDLER_ERROR, ERROR_HANDLER_ERROR);
PLAIN_SAME(WEFT_NO_HANDLER, ERROR_NO_HANDLER);
PLAIN_SAME(WEFT_UNHANDLED, ERROR_UNHANDLED);
PLAIN_SAME(WEFT_NO_SUCH_SESSION, ERROR_NO_SUCH_SESSION);
PLAIN_SAME(WEFT_DENIED, ERROR_DENIED);
PLAIN_SAME(WEFT_OVERLOADED, ERROR_OVERLOADED);
PLAIN_SAME(WEFT_HANDLER_LOST, ERROR_HANDLER_LOST);
PLAIN_SAME(WEFT_TIMEOUT, ERROR_TIMEOUT);
PLAIN_SAME(WEFT_CANCELLED, ERROR_CANCELLED);
PLAIN_SAME(WEFT_SESSION_CLOSED, ERROR_SESSION_CLOSED);
PLAIN_SAME(WEFT_ACCESS_DENIED, ERROR_ACCESS_DENIED);
PLAIN_SAME(WEFT_INVALID_ARGUMENT, ERROR_INVALID_ARGUMENT);
PLAIN_SAME(WEFT_INVALID_FILTER, ERROR_INVALID_FILTER);
PLAIN_SAME(WEFT_INVALID_PATH, ERROR_INVALID_PATH);
PLAIN_SAME(WEFT_INVALID_MESSAGE, ERROR_INVALID_MESSAGE);
PLAIN_SAME(WEFT_HANDLER_CONFLICT, ERROR_HANDLER_CONFLICT);
PLAIN_SAME(WEFT_TOPIC_EXISTS_MISMATCH, ERROR_TOPIC_EXISTS_MISMATCH);
PLAIN_SAME(WEFT_NO_SUCH_TOPIC, ERROR_NO_SUCH_TOPIC);
PLAIN_SAME(WEFT_UNSATISFIED_CONSTRAINT, ERROR_UNSATISFIED_CONSTRAINT);
PLAIN_SAME(WEFT_CLUSTER_ROUTING, ERROR_CLUSTER_ROUTING);
PLAIN_SAME(WEFT_CLUSTER_REPARTITION, ERROR_CLUSTER_REPARTITION);
PLAIN_SAME(WEFT_OUTCOME_UNKNOWN, ERROR_OUTCOME_UNKNOWN);
PLAIN_SAME(WEFT_NOT_READY, ERROR_NOT_READY);
PLAIN_SAME(WEFT_VERSION_MISMATCH, ERROR_VERSION_MISMATCH);
PLAIN_SAME(WEFT_NAME_IN_USE, ERROR_NAME_IN_USE);
PLAIN_SAME(WEFT_LIMIT_REACHED, ERROR_LIMIT_REACHED);
PLAIN_SAME(WEFT_INTERNAL, ERROR_INTERNAL);
PLAIN_SAME(WEFT_WRONG_MESH, ERROR_WRONG_MESH);
PLAIN_SAME(WEFT_CLOSED_BY_CLIENT, CLOSE_REASON_CLOSED_BY_CLIENT);
PLAIN_SAME(WEFT_CLOSED_BY_CONTROLLER, CLOSE_REASON_CLOSED_BY_CONTROLLER);
PLAIN_SAME(WEFT_CLOSED_CONNECTION_LOST, CLOSE_REASON_CONNECTION_LOST);
PLAIN_SAME(WEFT_CLOSED_QUEUE_LIMIT_REACHED, CLOSE_REASON_QUEUE_LIMIT_REACHED);
PLAIN_SAME(WEFT_CLOSED_MESSAGE_TOO_LARGE, CLOSE_REASON_MESSAGE_TOO_LARGE);
PLAIN_SAME(WEFT_CLOSED_INVALID_MESSAGE, CLOSE_REASON_INVALID_MESSAGE);
PLAIN_SAME(WEFT_CLOSED_ACCESS_DENIED, CLOSE_REASON_ACCESS_DENIED);
PLAIN_SAME(WEFT_CLOSED_EXPIRED, CLOSE_REASON_EXPIRED);
PLAIN_SAME(WEFT_CLOSED_INTERNAL_ERROR, CLOSE_REASON_INTERNAL_ERROR);
PLAIN_SAME(WEFT_CLOSED_NODE_STOPPING, CLOSE_REASON_NODE_STOPPING);
PLAIN_SAME(WEFT_CLOSED_MOVED, CLOSE_REASON_MOVED);
PLAIN_SAME(WEFT_JSON, VALUE_JSON);
PLAIN_SAME(WEFT_STRING, VALUE_STRING);
PLAIN_SAME(WEFT_BINARY, VALUE_BINARY);
PLAIN_SAME(WEFT_INT64, VALUE_INT64);
PLAIN_SAME(WEFT_DOUBLE, VALUE_DOUBLE);

const char *weft_error_name(enum weft_error error)
{
    return error_name(error);
}

const char *weft_error_sentence(enum weft_error error)
{
    return error_sentence(error);
}

const char *weft_close_reason_name(enum weft_close_reason reason)
{
    return close_reason_name(reason);
}

const char *weft_version(void)
{
    return WEFT_VERSION;
}

char *weft_session_id_format(struct weft_session_id id, char text[WEFT_SESSION_ID_BYTES])
{
    (void)snprintf(text, WEFT_SESSION_ID_BYTES, "%016" PRIx64 "-%016" PRIx64, id.instance,
                   id.serial);
    return text;
}

static bool parse_half(const char *text, uint64_t *half)
{
    uint64_t value = 0;
    for (int i = 0; i < 16; i++) {
        char c = text[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *half = value;
    return true;
}

bool weft_session_id_parse(const char *text, struct weft_session_id *id)
{
    struct weft_session_id parsed;
    if (strlen(text) != WEFT_SESSION_ID_BYTES - 1 || text[16] != '-' ||
        !parse_half(text, &parsed.instance) || !parse_half(text + 17, &parsed.serial))
        return false;
    *id = parsed;
    return true;
}

/* ---- versions ---- */

static struct topic_version wire_version(struct weft_version version)
{
    return (struct topic_version){version.term, version.instance, version.n};
}

int weft_version_order(struct weft_version a, struct weft_version b)
{
    const struct topic_version one = wire_version(a), other = wire_version(b);
    return topic_version_order(&one, &other);
}

char *weft_version_format(struct weft_version version, char text[WEFT_VERSION_BYTES])
{
    (void)snprintf(text, WEFT_VERSION_BYTES, "%" PRIu64 "-%016" PRIx64 "-%" PRIu64, version.term,
                   version.instance, version.n);
    return text;
}

/* Reads a number as it is written, at *text, and moves behind it: no zero before another digit. */
static bool parse_decimal(const char **text, uint64_t *number)
{
    size_t digits = strspn(*text, "0123456789");
    uint64_t value = 0;
    if (digits == 0 || (digits > 1 && **text == '0'))
        return false;
    for (size_t i = 0; i < digits; i++) {
        unsigned digit = (unsigned)((*text)[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *text += digits;
    *number = value;
    return true;
}

bool weft_version_parse(const char *text, struct weft_version *version)
{
    struct weft_version parsed;
    if (!parse_decimal(&text, &parsed.term) || *text++ != '-' || strnlen(text, 17) < 17 ||
        !parse_half(text, &parsed.instance) || text[16] != '-')
        return false;
    text += 17;
    if (!parse_decimal(&text, &parsed.n) || *text != '\0')
        return false;
    *version = parsed;
    return true;
}

const char *weft_policy_name(enum weft_policy policy)
{
    return topic_policy_name((unsigned)policy);
}

const char *weft_unsubscribed_reason_name(enum weft_unsubscribed_reason reason)
{
    return topic_unsubscribed_name((unsigned)reason);
}

/* ---- values ---- */

struct weft_value weft_json(const char *text)
{
    return (struct weft_value){.type = WEFT_JSON, .data = text, .bytes = strlen(text)};
}

struct weft_value weft_string(const char *text)
{
    return (struct weft_value){.type = WEFT_STRING, .data = text, .bytes = strlen(text)};
}

struct weft_value weft_binary(const void *data, size_t bytes)
{
    return (struct weft_value){.type = WEFT_BINARY, .data = data, .bytes = bytes};
}

struct weft_value weft_int64(int64_t value)
{
    return (struct weft_value){.type = WEFT_INT64, .int64 = value};
}

struct weft_value weft_double(double value)
{
    return (struct weft_value){.type = WEFT_DOUBLE, .number = value};
}
