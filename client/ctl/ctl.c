/* ctl.c - see ctl.h. */
#include "client/ctl/ctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/ctl/values.h"

static volatile sig_atomic_t is_stopped;

const char *ctl_flag(const struct ctl *ctl, enum ctl_flag flag)
{
    return ctl->flags[flag - FLAG_ALL];
}

bool ctl_count(const struct ctl *ctl, enum ctl_flag flag, const char *name, uint64_t least,
               uint64_t most, uint64_t otherwise, uint64_t *count)
{
    const char *text = ctl_flag(ctl, flag);
    *count = otherwise;
    if (text == NULL || values_parse_count(text, least, most, count))
        return true;
    (void)problems_usage("%s takes a number from %llu to %llu, not '%s'", name,
                         (unsigned long long)least, (unsigned long long)most, text);
    return false;
}

uint64_t ctl_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t ctl_end_ms(const struct ctl *ctl)
{
    return ctl->for_ms == 0 ? UINT64_MAX : ctl_now_ms() + ctl->for_ms;
}

/* ---- signals ---- */

static void on_signal(int number)
{
    (void)number;
    is_stopped = 1;
}

void ctl_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

bool ctl_is_stopped(void)
{
    return is_stopped != 0 || ferror(stdout);
}

/* ---- the session ---- */

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
    ctl->servers_failed++;
}

void ctl_options(const struct ctl *ctl, struct weft_options *options)
{
    *options = (struct weft_options){
        .servers = ctl->servers,
        .key_file = ctl->key_file,
        .server_keys = ctl->server_keys,
        .principal = ctl->user,
        .credentials = ctl->password,
        .credentials_bytes = ctl->password_bytes,
        .properties = ctl->properties,
        .properties_count = ctl->properties_count,
        .client_type = "cli",
        .request_timeout_ms = ctl->timeout_ms,
    };
}

static uint32_t servers_count(const char *list)
{
    uint32_t count = 1;
    for (; *list != '\0'; list++)
        count += *list == ',';
    return count;
}

int ctl_no_client(const struct ctl *ctl)
{
    struct weft_options options;
    char why[1024];
    bool is_about_keys = errno == EKEYREJECTED;
    ctl_options(ctl, &options);
    if (is_about_keys && !weft_check_keys(&options, why, sizeof why))
        return problems_usage("%s", why);
    if (errno == EINVAL)
        return problems_usage("'%s' is no list of servers such as 127.0.0.1:7310,:7320 with ports "
                              "from 1 to 65535, or a --prop or --user is longer than a session "
                              "takes",
                              ctl->servers);
    return problems_report("INTERNAL", "no session: %s", strerror(errno));
}

int ctl_no_session(const struct ctl *ctl, const struct weft_client *client)
{
    const char *why = weft_last_failure(client);
    return problems_report("CLUSTER_ROUTING", "no node at %s: %s", ctl->servers,
                           *why == '\0' ? "none answered in time" : why);
}

int ctl_connect(struct ctl *ctl)
{
    if (ctl->client != NULL && weft_is_closed(ctl->client))
        weft_destroy(&ctl->client); /* a repeated listing whose session was closed: another one */
    if (ctl->client == NULL) {
        struct weft_options options;
        ctl_options(ctl, &options);
        options.opened = on_opened;
        options.lost = on_lost;
        options.user = ctl;
        options.ends_with_connection = true; /* nobody comes back for it */
        ctl->client = weft_new(&options);
        if (ctl->client == NULL)
            return ctl_no_client(ctl);
    }
    uint64_t end_ms = ctl_now_ms() + ctl->timeout_ms;
    ctl->servers_failed = 0;
    while (!weft_is_open(ctl->client)) {
        enum weft_error error = weft_connect(ctl->client, 20);
        if (error != WEFT_OK && error != WEFT_TIMEOUT)
            return problems_of_error(error, values_text(weft_last_failure(ctl->client)), 0, 0);
        bool is_tried = !ctl->is_patient && ctl->servers_failed >= servers_count(ctl->servers);
        if (error != WEFT_OK && (is_tried || ctl_now_ms() >= end_ms || ctl_is_stopped()))
            return ctl_no_session(ctl, ctl->client);
    }
    return EXIT_COMPLETE;
}

void ctl_clear(struct ctl *ctl)
{
    if (ctl->client != NULL)
        weft_destroy(&ctl->client);
    for (size_t i = 0; i < ctl->properties_count; i++)
        free(ctl->property_texts[i]);
    explicit_bzero(ctl->password, sizeof ctl->password);
    *ctl = (struct ctl){0};
}
