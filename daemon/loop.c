/* One turn: sleep; drain gossip, then forward, then clients, each with a budget, telling the core
 * each frame; tell what links, resolver and timers have to say; pull and carry out all orders;
 * let the frames go. A probe is so answered before anything else is looked at, and everything that
 * one turn made for one destination leaves in one frame.
 *
 * The delay of a turn is how much later than wished it began, or how long it took: by that much a
 * frame that came meanwhile had to wait. */
#include "daemon/loop.h"

#include "daemon/notices.h"
#include "daemon/signals.h"

#include <stdio.h>

#define LOOP_ATTEND_NS (10 * CLOCK_MS_NS)
#define LOOP_LAG_NS CLOCK_S_NS
#define LOOP_STOP_NS (10 * CLOCK_S_NS) /* the core takes a second at most; this is for its faults */

static const enum channel loop_order[] = {CHANNEL_GOSSIP, CHANNEL_FORWARD, CHANNEL_CLIENT};

enum { LOOP_CHANNELS = sizeof(loop_order) / sizeof(loop_order[0]) };

static void loop_end(struct loop *loop, int exit_code)
{
    if (!loop->is_over)
        loop->exit_code = exit_code;
    loop->is_over = true;
}

static void loop_say(struct loop *loop, enum logger_level level, const char *event, const char *key,
                     const char *text)
{
    struct logger_line line;
    logger_begin(&loop->logger, &line, level, event, clock_wall_ms());
    if (key != NULL)
        logger_text(&line, key, text);
    logger_end(&line);
}

void loop_say_open(struct loop *loop)
{
    loop_say(loop, LOGGER_WARN, "open", "why",
             "neither auth nor permissions is configured: whoever connects may do everything; on "
             "loopback only");
}

/* -- keys -- */

void loop_say_keys(struct loop *loop)
{
    struct logger_line line;
    const struct keyring *keyring = loop->keyring;
    logger_begin(&loop->logger, &line, LOGGER_INFO, "keys", clock_wall_ms());
    logger_text(&line, "own", keyring->own.public_key);
    logger_number(&line, "peers", keyring->peers.count);
    if (keyring->takes_any_client)
        logger_text(&line, "clients", "any");
    else
        logger_number(&line, "clients", keyring->clients.count);
    logger_end(&line);
}

/* The new keyring holds for handshakes from the swap on, and for all that stands after the reviews.
 * Our own key stays: the ports were opened under it. */
static void loop_take_keys(struct loop *loop, struct keyring *fresh)
{
    struct keyring *old = loop->keyring;
    fresh->own = old->own;
    loop->keyring = fresh;
    zap_swap(&loop->zap, fresh);
    bearers_review(&loop->guard, fresh, &loop->facts);
    dealers_review(&loop->dealers, fresh, &loop->facts);
    keyring_destroy(&old);
    loop_say_keys(loop);
}

/* Counts what the handler refused; once a minute at most says whose it was last. */
static void loop_tell_keys(struct loop *loop)
{
    struct zap_tally tally;
    struct logger_line line;
    if (loop->keyring == NULL)
        return;
    zap_take_tally(&loop->zap, &tally);
    facts_counted(&loop->facts, COUNTER_keys_refused, tally.refused);
    loop->keys_refused += tally.refused;
    if (loop->keys_refused == 0 || loop->facts.now_ns < loop->keys_said_ns)
        return;
    logger_begin(&loop->logger, &line, LOGGER_WARN, "keys-refused", loop->facts.wall_ms);
    logger_number(&line, "handshakes", loop->keys_refused);
    logger_text(&line, "last", tally.key);
    logger_text(&line, "address", tally.address);
    logger_end(&line);
    loop->keys_refused = 0;
    loop->keys_said_ns = loop->facts.now_ns + 60 * CLOCK_S_NS;
}

/* -- signals -- */

static void loop_stop(struct loop *loop)
{
    if (loop->is_stopping) {
        loop_say(loop, LOGGER_WARN, "stopping", "how", "at once");
        loop_end(loop, 0);
        return;
    }
    loop_say(loop, LOGGER_INFO, "stopping", NULL, NULL);
    loop->is_stopping = true;
    loop->stop_by_ns = loop->facts.now_ns + LOOP_STOP_NS;
    facts_plain(&loop->facts, MESH_STOP);
}

static void loop_list(char *list, size_t room, const char *name)
{
    size_t used = strlen(list);
    snprintf(list + used, room - used, "%s%s", used > 0 ? "," : "", name);
}

/* Takes over what can change while running, and names what needs a restart. A configuration with
 * a fault changes nothing. */
static void loop_reload(struct loop *loop)
{
    static struct config fresh;
    struct config_error error;
    char changed[1024] = "", restart[1024] = "";
    bool was_open = config_is_open(loop->config);
    struct keyring *keys = NULL;
    struct users users = {.text = NULL};
    bool is_good =
        options_load(loop->options, &fresh, &error) && users_read(&users, fresh.users_file, &error);
    if (is_good && loop->keyring != NULL && keyring_is_wanted(&fresh)) {
        keys = keyring_read(&fresh, &error);
        is_good = keys != NULL;
    }
    if (!is_good) {
        users_clear(&users);
        loop_say(loop, LOGGER_ERROR, "reload-failed", "why", error.text);
        return;
    }
    if (keys != NULL && strcmp(keys->own.public_key, loop->keyring->own.public_key) != 0)
        loop_list(restart, sizeof(restart), "curve.key_file");
    for (unsigned i = 0; i < CONFIG_KEYS; i++) {
        enum config_key key = (enum config_key)i;
        char now[CONFIG_VALUE_BYTES], then[CONFIG_VALUE_BYTES];
        config_get(loop->config, key, now);
        config_get(&fresh, key, then);
        if (config_is_live(key)) /* what follows from a key being set at all, follows too */
            loop->config->origins[key] = fresh.origins[key];
        bool is_name = key == CONFIG_NAME && then[0] == '\0'; /* was filled in at start */
        bool is_listed = key == CONFIG_CURVE_KEY_FILE && restart[0] != '\0';
        if (strcmp(now, then) == 0 || is_name || is_listed)
            continue;
        bool is_live = config_is_live(key);
        loop_list(is_live ? changed : restart, sizeof(changed), config_key_name(key));
        if (is_live)
            config_set(loop->config, key, then, fresh.origins[key], &error);
    }
    config_apply_live(loop->config);
    users_clear(&loop->users);
    loop->users = users;
    loop->guard.sources.failures_per_min = loop->config->failures_per_address;
    facts_plain(&loop->facts, MESH_RECONFIGURED);
    if (keys != NULL)
        loop_take_keys(loop, keys);
    if (config_is_open(loop->config) && !was_open)
        loop_say_open(loop);
    loop->logger.level = loop->config->log_level;
    loop->logger.is_json = loop->config->log_json;
    struct logger_line line;
    logger_begin(&loop->logger, &line, LOGGER_INFO, "reloaded", clock_wall_ms());
    logger_text(&line, "changed", changed[0] != '\0' ? changed : "nothing");
    if (restart[0] != '\0')
        logger_text(&line, "needs_restart", restart);
    logger_end(&line);
}

static void loop_signals(struct loop *loop)
{
    for (;;) {
        switch (signals_next(loop->signals_fd)) {
        case SIGNALS_NONE:
            return;
        case SIGNALS_STOP:
            loop_stop(loop);
            break;
        case SIGNALS_RELOAD:
            loop_reload(loop);
            break;
        case SIGNALS_DRAIN:
            loop_say(loop, LOGGER_WARN, "ignored", "why",
                     "SIGUSR2 would drain, which this version does not do; TERM leaves the mesh");
            break;
        }
    }
}

/* -- in -- */

static void loop_woken(struct loop *loop, struct poller_event event)
{
    switch (event.source) {
    case POLLER_INBOX:
        loop->inboxes[event.number].is_ready = true;
        break;
    case POLLER_MONITOR:
        break; /* drained every turn that had an event */
    case POLLER_LINK:
        dealers_woken(&loop->dealers, &loop->facts, &loop->batch, event.number);
        break;
    case POLLER_LINK_MONITOR:
        dealers_monitor_woken(&loop->dealers, &loop->facts, event.number);
        break;
    case POLLER_RESOLVER:
        resolver_woken(&loop->resolver, &loop->facts, &loop->batch);
        break;
    case POLLER_HASHER:
        hasher_woken(&loop->hasher, &loop->facts, &loop->batch);
        break;
    case POLLER_REFUSED:
        refused_woken(&loop->refused, &loop->facts, event.number);
        break;
    case POLLER_SIGNALS:
        loop_signals(loop);
        break;
    }
}

static void loop_hear(struct loop *loop, const struct poller_event *events, unsigned count)
{
    bool has_monitor = false;
    for (unsigned i = 0; i < count; i++) {
        has_monitor = has_monitor || events[i].source == POLLER_MONITOR;
        if (events[i].source == POLLER_INBOX)
            loop_woken(loop, events[i]);
    }
    if (has_monitor)
        guard_drain(&loop->guard, &loop->facts);
    for (unsigned i = 0; i < LOOP_CHANNELS; i++) {
        struct inbox *inbox = &loop->inboxes[loop_order[i]];
        if (inbox->is_ready)
            inbox_drain(inbox, &loop->guard, &loop->facts, &loop->batch);
    }
    for (unsigned i = 0; i < count; i++) {
        if (events[i].source != POLLER_INBOX)
            loop_woken(loop, events[i]);
    }
}

/* Once a minute at most: how many were turned away because descriptors ran out. */
static void loop_say_turned_away(struct loop *loop)
{
    struct guard *guard = &loop->guard;
    if (guard->turned_away == 0 || loop->facts.now_ns < guard->said_ns)
        return;
    struct logger_line line;
    logger_begin(&loop->logger, &line, LOGGER_WARN, "turned-away", loop->facts.wall_ms);
    logger_number(&line, "connections", guard->turned_away);
    logger_number(&line, "descriptors", (uint64_t)guard->fds_max);
    logger_end(&line);
    guard->turned_away = 0;
    guard->said_ns = loop->facts.now_ns + 60 * CLOCK_S_NS;
}

static void loop_tell_lag(struct loop *loop)
{
    if (loop->facts.now_ns < loop->lag_ns)
        return;
    facts_lagged(&loop->facts, loop->worst_ns / 1000);
    facts_counted(&loop->facts, COUNTER_log_lines_dropped,
                  loop->logger.dropped - loop->log_dropped);
    loop->log_dropped = loop->logger.dropped;
    loop_tell_keys(loop);
    loop->worst_ns = 0;
    loop->lag_ns = loop->facts.now_ns + LOOP_LAG_NS;
    refused_sweep(&loop->refused, loop->facts.now_ns);
    loop_say_turned_away(loop);
}

static void loop_timers(struct loop *loop)
{
    struct facts *facts = &loop->facts;
    dealers_sweep(&loop->dealers, facts, &loop->batch);
    guard_look(&loop->guard, facts);
    if (loop->guard.connections.busy != NULL && facts->now_ns >= loop->attend_ns) {
        inbox_attend(loop->inboxes, &loop->guard, facts);
        loop->attend_ns = facts->now_ns + LOOP_ATTEND_NS;
    }
    loop_tell_lag(loop);
    if (facts->now_ns >= mesh_deadline_ns(facts->mesh))
        facts_plain(facts, MESH_TICK);
    if (loop->is_stopping && facts->now_ns >= loop->stop_by_ns) {
        loop_say(loop, LOGGER_ERROR, "stopping", "why", "the core did not come to an end in time");
        loop_end(loop, 1);
    }
}

/* -- out -- */

static void loop_cut(struct loop *loop, const struct mesh_output *output)
{
    struct connection *connection =
        connections_find(&loop->guard.connections, output->channel, output->connection);
    if (connection != NULL)
        guard_shut_soon(&loop->guard, connection, loop->facts.now_ns);
}

static void loop_login_failed(struct loop *loop, const struct mesh_output *output)
{
    struct guard *guard = &loop->guard;
    struct connection *connection =
        connections_find(&guard->connections, output->channel, output->connection);
    if (connection != NULL)
        sources_login_failed(&guard->sources, connection->origin, loop->facts.now_ns);
}

/* false: no memory for a frame. */
static bool loop_carry_out(struct loop *loop, const struct mesh_output *output)
{
    struct facts *facts = &loop->facts;
    switch (output->order) {
    case MESH_SEND:
        return dealers_send(&loop->dealers, facts, output);
    case MESH_REPLY:
        return inbox_reply(&loop->inboxes[output->channel], &loop->guard, facts, output);
    case MESH_OPEN_LINK:
        return dealers_open(&loop->dealers, output->link, output->channel, output->address,
                            output->name);
    case MESH_CLOSE_LINK:
        dealers_close(&loop->dealers, output->link, output->channel);
        return true;
    case MESH_PROBE_REFUSED:
        refused_probe(&loop->refused, facts, output->link, output->address);
        return true;
    case MESH_CUT:
        loop_cut(loop, output);
        return true;
    case MESH_RESOLVE_SEED:
        resolver_ask(&loop->resolver, facts, &loop->batch, output->seed,
                     &loop->config->seed[output->seed]);
        return true;
    case MESH_CHECK_PASSWORD:
        hasher_ask(&loop->hasher, facts, &loop->batch, &loop->users, output);
        return true;
    case MESH_LOGIN_FAILED:
        loop_login_failed(loop, output);
        return true;
    case MESH_WIPE:
        loop->batch.is_secret = true;
        return true;
    case MESH_NOTICE:
        notices_log(&loop->logger, &output->notice, facts->wall_ms);
        return true;
    case MESH_STOPPED:
        if (output->notice.code != NOTICE_LEFT)
            notices_log(&loop->logger, &output->notice, facts->wall_ms);
        loop_end(loop, notices_exit_code(output->notice.code));
        return true;
    }
    return true;
}

static void loop_pull(struct loop *loop)
{
    struct mesh_output output;
    while (mesh_next_output(loop->facts.mesh, &output)) {
        if (loop_carry_out(loop, &output))
            continue;
        loop_say(loop, LOGGER_ERROR, "no-memory", "for", "a frame");
        loop_end(loop, 1);
        return;
    }
    batch_clear(&loop->batch);
    connections_bury(&loop->guard.connections);
    for (unsigned i = 0; i < LOOP_CHANNELS; i++)
        inbox_settle(&loop->inboxes[loop_order[i]]);
}

/* -- sleep -- */

static uint64_t loop_earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t loop_wake_ns(const struct loop *loop)
{
    uint64_t wake_ns = loop_earlier(mesh_deadline_ns(loop->facts.mesh), loop->lag_ns);
    wake_ns = loop_earlier(wake_ns, loop->guard.look_ns);
    wake_ns = loop_earlier(wake_ns, dealers_sweep_ns(&loop->dealers));
    if (loop->guard.connections.busy != NULL)
        wake_ns = loop_earlier(wake_ns, loop->attend_ns);
    for (unsigned i = 0; i < LOOP_CHANNELS; i++) {
        if (loop->inboxes[loop_order[i]].is_ready)
            return 0;
    }
    return wake_ns;
}

static unsigned loop_sleep(struct loop *loop, struct poller_event events[POLLER_EVENTS_MAX])
{
    uint64_t begin_ns = clock_now_ns();
    uint64_t wake_ns = loop_wake_ns(loop);
    uint64_t took_ns = begin_ns - loop->facts.now_ns;
    if (took_ns > loop->worst_ns)
        loop->worst_ns = took_ns;
    unsigned count =
        poller_wait(&loop->poller, wake_ns > begin_ns ? wake_ns - begin_ns : 0, events);
    facts_set_time(&loop->facts);
    uint64_t wished_ns = wake_ns > begin_ns ? wake_ns : begin_ns;
    if (count == 0 && loop->facts.now_ns > wished_ns &&
        loop->facts.now_ns - wished_ns > loop->worst_ns)
        loop->worst_ns = loop->facts.now_ns - wished_ns;
    return count;
}

int loop_run(struct loop *loop)
{
    struct poller_event events[POLLER_EVENTS_MAX];
    facts_set_time(&loop->facts);
    facts_plain(&loop->facts, MESH_TICK);
    loop_pull(loop);
    while (!loop->is_over) {
        unsigned count = loop_sleep(loop, events);
        loop_hear(loop, events, count);
        loop_timers(loop);
        loop_pull(loop);
    }
    return loop->exit_code;
}
