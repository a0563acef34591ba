/* Texts may come from strangers: they are quoted when they hold anything but plain characters, and
 * control bytes and bytes that are not UTF-8 never reach the terminal as they are. */
#include "daemon/logger.h"

#include "daemon/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const logger_level_names[LOGGER_LEVELS] = {"error", "warn", "info", "debug"};

enum { LOGGER_TAIL_BYTES = 4 }; /* room kept for what closes a line */

void logger_open(struct logger *logger, int fd)
{
    *logger = (struct logger){.fd = fd, .level = LOGGER_INFO};
    struct stat status;
    if (fstat(fd, &status) != 0)
        return;
    logger->is_socket = S_ISSOCK(status.st_mode);
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
        return;
    char path[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own >= 0) {
        logger->fd = own;
        logger->owns_fd = true;
    }
}

void logger_close(struct logger *logger)
{
    if (logger->owns_fd)
        close(logger->fd);
    *logger = (struct logger){.fd = -1};
}

/* Appends, or appends nothing: a line's fields are whole. */
__attribute__((format(printf, 2, 3))) static bool logger_append(struct logger_line *line,
                                                                const char *format, ...)
{
    size_t room = sizeof(line->text) - LOGGER_TAIL_BYTES - line->bytes;
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(line->text + line->bytes, room, format, arguments);
    va_end(arguments);
    if (wanted < 0 || (size_t)wanted >= room)
        return false;
    line->bytes += (size_t)wanted;
    return true;
}

void logger_begin(struct logger *logger, struct logger_line *line, enum logger_level level,
                  const char *event, uint64_t wall_ms)
{
    line->logger = level <= logger->level ? logger : NULL;
    line->bytes = 0;
    if (line->logger == NULL)
        return;
    char time[CLOCK_TEXT_BYTES];
    clock_format(wall_ms, time);

    if (logger->is_json)
        logger_append(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", time,
                      logger_level_names[level], event);
    else
        logger_append(line, "%s %s %s", time, logger_level_names[level], event);
}

static bool logger_append_key(struct logger_line *line, const char *key)
{
    return line->logger->is_json ? logger_append(line, ",\"%s\":", key)
                                 : logger_append(line, " %s=", key);
}

static bool logger_is_plain(struct span value)
{
    for (size_t i = 0; i < value.bytes; i++) {
        uint8_t c = value.data[i];
        if (c <= ' ' || c == 127 || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return value.bytes > 0 && span_is_text(value);
}

/* In double quotes, JSON's escapes; a byte that is not of well-formed UTF-8 becomes \u00XX. */
static bool logger_append_quoted(struct logger_line *line, struct span value)
{
    bool is_text = span_is_text(value);
    bool fits = logger_append(line, "\"");
    for (size_t i = 0; i < value.bytes && fits; i++) {
        uint8_t c = value.data[i];
        if (c == '"' || c == '\\')
            fits = logger_append(line, "\\%c", c);
        else if (c < ' ' || c == 127 || (c > 127 && !is_text))
            fits = logger_append(line, "\\u%04x", c);
        else
            fits = logger_append(line, "%c", c);
    }
    return fits && logger_append(line, "\"");
}

void logger_span(struct logger_line *line, const char *key, struct span value)
{
    if (line->logger == NULL)
        return;
    size_t before = line->bytes;
    bool fits = logger_append_key(line, key);
    if (fits && !line->logger->is_json && logger_is_plain(value))
        fits = logger_append(line, "%.*s", (int)value.bytes, (const char *)value.data);
    else
        fits = fits && logger_append_quoted(line, value);
    if (!fits)
        line->bytes = before;
}

void logger_text(struct logger_line *line, const char *key, const char *value)
{
    logger_span(line, key, span_text(value));
}

void logger_number(struct logger_line *line, const char *key, uint64_t value)
{
    if (line->logger == NULL)
        return;
    size_t before = line->bytes;
    if (!logger_append_key(line, key) || !logger_append(line, "%" PRIu64, value))
        line->bytes = before;
}

void logger_hex(struct logger_line *line, const char *key, uint64_t value)
{
    char text[20];
    snprintf(text, sizeof(text), "%016" PRIx64, value);
    logger_text(line, key, text);
}

/* false: not a byte of it was taken, or only a part. */
static bool logger_write(const struct logger *logger, const char *text, size_t bytes)
{
    if (!logger->owns_fd && !logger->is_socket) {
        struct pollfd writable = {.fd = logger->fd, .events = POLLOUT};
        if (poll(&writable, 1, 0) != 1 || (writable.revents & POLLOUT) == 0)
            return false;
    }
    ssize_t written;
    do {
        written = logger->is_socket ? send(logger->fd, text, bytes, MSG_DONTWAIT | MSG_NOSIGNAL)
                                    : write(logger->fd, text, bytes);
    } while (written < 0 && errno == EINTR);
    return written == (ssize_t)bytes;
}

static void logger_finish(struct logger *logger, struct logger_line *line)
{
    if (logger->is_json)
        line->text[line->bytes++] = '}';
    line->text[line->bytes++] = '\n';
    if (!logger_write(logger, line->text, line->bytes)) {
        logger->dropped++;
        logger->unsaid++;
    }
}

void logger_end(struct logger_line *line)
{
    struct logger *logger = line->logger;
    if (logger == NULL)
        return;
    uint64_t unsaid = logger->unsaid;
    logger_finish(logger, line);
    bool is_taken = logger->unsaid == unsaid;
    if (!is_taken || unsaid == 0 || logger->level < LOGGER_WARN)
        return;
    logger->unsaid = 0;
    logger_begin(logger, line, LOGGER_WARN, "log-dropped", clock_wall_ms());
    logger_number(line, "lines", unsaid);
    logger_finish(logger, line);
}
