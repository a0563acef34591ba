/* ctl.c - see ctl.h. */
#include "client/ctl/ctl.h"

#include "client/ctl/ctl_output.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { CREDENTIALS_MAX = 4096, SENTENCE_BYTES = 2048 };

uint64_t ctl_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int ctl_fail(const struct ctl *ctl, const char *code, const char *format, ...)
{
    char sentence[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    ctl_output_error(ctl, code, sentence);
    if (strcmp(code, "USAGE") == 0)
        return CTL_USAGE;
    return strcmp(code, "NO_SUCH_SESSION") == 0 ? CTL_NOTHING : CTL_ERROR;
}

int ctl_fail_with(const struct ctl *ctl, enum weft_error error, struct weft_text text)
{
    if (text.bytes == 0)
        return ctl_fail(ctl, weft_error_name(error), "%s", weft_error_sentence(error));
    return ctl_fail(ctl, weft_error_name(error), "%.*s", (int)text.bytes, text.data);
}

bool ctl_read_id(const struct ctl *ctl, const char *text, struct weft_session_id *id)
{
    if (weft_session_id_parse(text, id))
        return true;
    (void)ctl_fail(ctl, "USAGE",
                   "'%s' is not a session id: 16 hexadecimal digits, '-', 16 more; "
                   "`weftctl session ls` shows them",
                   text);
    return false;
}

static void on_opened(struct weft_client *client, const struct weft_opened *opened, void *user)
{
    struct ctl *ctl = user;
    (void)client;
    (void)snprintf(ctl->mesh, sizeof ctl->mesh, "%.*s", (int)opened->mesh.bytes, opened->mesh.data);
}

static void on_lost(struct weft_client *client, struct weft_text why, void *user)
{
    struct ctl *ctl = user;
    (void)client;
    (void)why;
    ctl->failures++;
}

/* The password file's content without its last newline; -1: it can't be read. */
static ssize_t read_password(const char *path, char *buffer, size_t room)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL)
        return -1;
    size_t bytes = fread(buffer, 1, room, file);
    bool is_read = ferror(file) == 0;
    if (file != stdin)
        (void)fclose(file);
    if (bytes > 0 && buffer[bytes - 1] == '\n')
        bytes--;
    return is_read ? (ssize_t)bytes : -1;
}

static int not_connected(struct ctl *ctl, enum weft_error error)
{
    const char *why = weft_last_failure(ctl->client);
    if (error == WEFT_TIMEOUT)
        return ctl_fail(ctl, "CLUSTER_ROUTING", "no server gave a session: %s",
                        why[0] == '\0' ? "none has answered yet" : why);
    return ctl_fail(ctl, weft_error_name(error), "%s", why);
}

/* Waits for the session; gives up early once each server has been tried, unless patient. */
static enum weft_error connect_client(struct ctl *ctl, bool is_patient)
{
    uint64_t end_ms = ctl_now_ms() + ctl->timeout_ms;
    enum weft_error error = WEFT_TIMEOUT;
    while (error == WEFT_TIMEOUT && ctl_now_ms() < end_ms) {
        error = weft_connect(ctl->client, 20);
        if (!is_patient && ctl->failures >= ctl->servers_count)
            break;
    }
    return error;
}

int ctl_open(struct ctl *ctl, bool is_patient)
{
    if (ctl->client != NULL)
        return CTL_COMPLETE;
    char password[CREDENTIALS_MAX];
    ssize_t password_bytes = 0;
    if (ctl->password_file != NULL)
        password_bytes = read_password(ctl->password_file, password, sizeof password);
    if (password_bytes < 0)
        return ctl_fail(ctl, "USAGE", "the password file %s can't be read", ctl->password_file);
    const struct weft_options options = {
        .servers = ctl->servers,
        .principal = ctl->user,
        .credentials = password,
        .credentials_bytes = (size_t)password_bytes,
        .properties = ctl->properties,
        .properties_count = ctl->properties_count,
        .client_type = "cli",
        .environment = "weftctl " WEFT_VERSION,
        .ends_with_connection = true,
        .request_timeout_ms = ctl->timeout_ms,
        .opened = on_opened,
        .lost = on_lost,
        .user = ctl,
    };
    ctl->servers_count = 1;
    for (const char *comma = ctl->servers; (comma = strchr(comma, ',')) != NULL; comma++)
        ctl->servers_count++;
    ctl->client = weft_new(&options);
    if (ctl->client == NULL)
        return ctl_fail(ctl, "USAGE",
                        "the server list '%s' or a property can't be used; a server is "
                        "HOST[:PORT], a property KEY=VALUE",
                        ctl->servers);
    enum weft_error error = connect_client(ctl, is_patient);
    return error == WEFT_OK ? CTL_COMPLETE : not_connected(ctl, error);
}

void ctl_stream_begin(struct ctl *ctl)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    ctl->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    ctl->started_ms = ctl_now_ms();
}

void ctl_stream_ready(const struct ctl *ctl)
{
    char id[WEFT_SESSION_ID_BYTES];
    (void)fprintf(stderr, "weftctl: ready %s\n",
                  weft_session_id_format(weft_session(ctl->client), id));
}

/* How long the stream may still wait. */
static int patience_ms(const struct ctl *ctl, int timeout_ms)
{
    if ((ctl->given & CTL_OPT_FOR) == 0)
        return timeout_ms;
    uint64_t past_ms = ctl_now_ms() - ctl->started_ms;
    int left_ms = past_ms >= ctl->for_ms ? 0 : (int)(ctl->for_ms - past_ms);
    return timeout_ms < 0 || left_ms < timeout_ms ? left_ms : timeout_ms;
}

bool ctl_stream_wait(struct ctl *ctl, int timeout_ms)
{
    struct pollfd ready[] = {
        {.fd = ctl->signals, .events = POLLIN},
        {.fd = ctl->client == NULL ? -1 : weft_fd(ctl->client), .events = POLLIN},
    };
    (void)poll(ready, 2, patience_ms(ctl, timeout_ms));
    if (ctl->client != NULL)
        (void)weft_progress(ctl->client);
    if ((ready[0].revents & POLLIN) != 0)
        ctl->is_interrupted = true;
    return !ctl->is_interrupted && patience_ms(ctl, 1) > 0;
}
