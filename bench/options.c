#include "bench/options.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bench/cmd.h"
#include "bench/compare.h"
#include "bench/holder.h"
#include "bench/payload.h"

enum option_key {
    KEY_SERVERS = 's',
    KEY_CLIENTS = 'c',
    KEY_RATE = 'r',
    KEY_PIPELINE = 'P',
    KEY_SIZE = 'z',
    KEY_DURATION = 'd',
    KEY_NUMBER = 'n',
    KEY_HANDLERS = 0x100,
    KEY_WARMUP,
    KEY_ROUTE,
    KEY_CHECK,
    KEY_SEED,
    KEY_TIMEOUT,
    KEY_JSON,
    KEY_SPAWN,
    KEY_PROCS,
    KEY_HOLD,
    KEY_PROPERTY,
    KEY_KEY,
    KEY_SERVER_KEY,
    KEY_RECONNECT,
    KEY_REPEAT,
    KEY_COMPARE,
    KEY_PUBLISHERS,
    KEY_TOPICS,
    KEY_CONFLATE,
};

enum { SPAWN_MAX = 32, TOPICS_MAX = 100000 };

static const uint64_t SECOND_NS = 1000000000;
static const uint64_t CHURN_MARGIN_NS = 30000000000; /* for the last ones, in a stall */
static const double CHURN_RATE = 100;

struct arguments {
    struct bench_settings *settings;
    char *servers;
    bool has_seed, has_duration;
};

const char *argp_program_version = "weftbench " WEFT_VERSION;

static const struct argp_option options[] = {
    {"servers", KEY_SERVERS, "HOST:PORT,..", 0,
     "the nodes, one address each (no host: 127.0.0.1; default :7310)", 0},
    {"key", KEY_KEY, "FILE", 0, "our secret key file (weftctl key new; default: a new key)", 0},
    {"server-key", KEY_SERVER_KEY, "KEY,..", 0,
     "the nodes' public keys: files, folders of them, or keys (default: nothing is encrypted)", 0},
    {"spawn", KEY_SPAWN, "N", 0, "start N nodes of its own here, and end them (instead of -s)", 0},
    {"clients", KEY_CLIENTS, "N", 0,
     "callers, subscribers or sessions, spread over the nodes (default 10)", 0},
    {"rate", KEY_RATE, "N", 0,
     "open loop: N requests, updates or sessions a second in all (default: closed loop; churn: "
     "100)",
     0},
    {"duration", KEY_DURATION, "TIME", 0,
     "req, pubsub, churn: how long to measure: 500ms 10s 5m (default 10s); conn: how long opening "
     "may take "
     "at most (default 2m)",
     0},
    {"number", KEY_NUMBER, "N", 0,
     "req, pubsub: measure so many requests or updates instead; conn: open so many in all, of "
     "which --clients stand "
     "at a time: the oldest makes room",
     0},
    {"seed", KEY_SEED, "N", 0, "of the dice; a random one if not given", 0},
    {"json", KEY_JSON, "FILE", 0, "also write the result as JSON; '-' is standard output", 0},
    {"compare", KEY_COMPARE, "OLD.json", 0, "also print the ratios to what an earlier run wrote",
     0},
    {"procs", KEY_PROCS, "N", 0,
     "client processes (default: req 2, of which one calls and one answers; pubsub 2, of which the "
     "first publishes; else 1, of at most 4000 sessions each)",
     0},
    {"reconnect", KEY_RECONNECT, NULL, 0,
     "a session that lost its connection gets another one, and goes on (default: it is counted as "
     "lost)",
     0},
    {NULL, 0, NULL, 0, "of req and pubsub:", 2},
    {"handlers", KEY_HANDLERS, "N", 0, "echo handlers on each node (default 1)", 0},
    {"pipeline", KEY_PIPELINE, "N", 0,
     "closed loop: requests or updates outstanding a caller or publisher (default 1)", 0},
    {"size", KEY_SIZE, "BYTES", 0, "of a value, 32 (pubsub 40) to 1000000 (default 128)", 0},
    {"warmup", KEY_WARMUP, "TIME", 0, "not measured, first (default 1s)", 0},
    {"route", KEY_ROUTE, "ROUTE", 0,
     "local: caller and handler on one node, publishers and subscribers on the first; remote: on "
     "two, publishers on the first and subscribers on the others; mixed: as it falls (default "
     "mixed); nowhere: req: a path that nobody serves, whose answer is NO_HANDLER",
     0},
    {"check", KEY_CHECK, NULL, 0, "look into every payload: sequence, sender, checksum", 0},
    {"timeout", KEY_TIMEOUT, "TIME", 0, "of a request or update (default 10s)", 0},
    {"publishers", KEY_PUBLISHERS, "N", 0, "pubsub: publishers in all (default 1)", 0},
    {"topics", KEY_TOPICS, "N", 0,
     "pubsub: topics in all, each with one publisher (default 1); every subscriber has all", 0},
    {"conflate", KEY_CONFLATE, NULL, 0,
     "pubsub: the policy of topics is always and the subscribers' switch is on, so that updates "
     "may "
     "be merged; the last of each must come",
     0},
    {NULL, 0, NULL, 0, "of conn, churn and cmd:", 3},
    {"prop", KEY_PROPERTY, "KEY=VALUE", 0,
     "a property of each session, beside bench_run (the seed), bench_number (from 0) and "
     "bench_half (a, b: half of each node's); may be given several times",
     0},
    {"repeat", KEY_REPEAT, "N", 0, "cmd: run the command so often (default 20)", 0},
    {"hold", KEY_HOLD, "TIME", OPTION_ARG_OPTIONAL,
     "conn: keep the sessions once they stand: until INT or TERM, or so long; says 'holding N "
     "sessions' on standard error",
     0},
    {0},
};

static double number(struct argp_state *state, const char *text, const char *what, double least,
                     double most)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !isfinite(value) || value < least ||
        value > most)
        argp_error(state, "%s takes a number from %.0f to %.0f, not '%s'", what, least, most, text);
    return value;
}

static uint64_t duration_ns(struct argp_state *state, const char *text, const char *what)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    char *end = NULL;
    double value = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (end != text && strcmp(end, units[i].unit) == 0 && value >= 0 &&
            value * units[i].ns < 1e15)
            return (uint64_t)(value * units[i].ns);
    argp_error(state, "%s takes a time such as 500ms, 10s or 5m, not '%s'", what, text);
    return 0;
}

static enum bench_route route(struct argp_state *state, const char *text)
{
    for (int i = ROUTE_LOCAL; i <= ROUTE_NOWHERE; i++)
        if (strcmp(text, bench_route_name((enum bench_route)i)) == 0)
            return (enum bench_route)i;
    argp_error(state, "--route takes local, remote, mixed or nowhere, not '%s'", text);
    return ROUTE_MIXED;
}

static void property(struct argp_state *state, char *text, struct bench_settings *settings)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        argp_error(state, "--prop takes KEY=VALUE, not '%s'", text);
    if (settings->properties_count == BENCH_PROPERTIES)
        argp_error(state, "--prop can be given %d times at most", BENCH_PROPERTIES);
    *equals = '\0';
    settings->properties[settings->properties_count++] = (struct weft_property){text, equals + 1};
}

static error_t parse_size(int key, char *text, struct argp_state *state)
{
    struct bench_settings *settings = ((struct arguments *)state->input)->settings;
    switch (key) {
    case KEY_CLIENTS:
        settings->clients = (uint32_t)number(state, text, "--clients", 1,
                                             (double)HOLDER_SESSIONS_MAX * BENCH_PROCS_MAX);
        return 0;
    case KEY_SPAWN:
        settings->spawn = (uint32_t)number(state, text, "--spawn", 1, SPAWN_MAX);
        return 0;
    case KEY_REPEAT:
        settings->repeat = (uint32_t)number(state, text, "--repeat", 1, 1e6);
        return 0;
    case KEY_PROCS:
        settings->procs = (uint32_t)number(state, text, "--procs", 1, BENCH_PROCS_MAX);
        return 0;
    case KEY_PUBLISHERS:
        settings->publishers = (uint32_t)number(state, text, "--publishers", 1, 1000);
        return 0;
    case KEY_TOPICS:
        settings->topics = (uint32_t)number(state, text, "--topics", 1, TOPICS_MAX);
        return 0;
    case KEY_HANDLERS:
        settings->handlers = (uint32_t)number(state, text, "--handlers", 1, 1000);
        return 0;
    case KEY_RATE:
        settings->rate = number(state, text, "--rate", 1, 1e8);
        return 0;
    case KEY_PIPELINE:
        settings->pipeline = (uint32_t)number(state, text, "--pipeline", 1, 65536);
        return 0;
    case KEY_SIZE:
        settings->size_bytes = (uint32_t)number(state, text, "--size", PAYLOAD_BYTES_MIN, 1000000);
        return 0;
    case KEY_NUMBER:
        settings->number = (uint64_t)number(state, text, "--number", 1, 1e12);
        return 0;
    default: /* not one of the sizes */
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_time(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct bench_settings *settings = arguments->settings;
    switch (key) {
    case KEY_DURATION:
        settings->duration_ns = duration_ns(state, text, "--duration");
        arguments->has_duration = true;
        return 0;
    case KEY_WARMUP:
        settings->warmup_ns = duration_ns(state, text, "--warmup");
        return 0;
    case KEY_HOLD:
        settings->hold_ns = text == NULL ? UINT64_MAX : duration_ns(state, text, "--hold");
        return 0;
    case KEY_TIMEOUT:
        settings->timeout_ms = (uint32_t)(duration_ns(state, text, "--timeout") / 1000000);
        if (settings->timeout_ms < 1 || settings->timeout_ms > 300000)
            argp_error(state, "--timeout is from 1ms to 5m, not '%s'", text);
        return 0;
    default: /* argp's own keys, and sizes */
        return parse_size(key, text, state);
    }
}

/* The verb, and for `cmd` the command. */
static void word(struct argp_state *state, const char *text, struct bench_settings *settings)
{
    static const char *const verbs[] = {"req", "pubsub", "conn", "churn", "cmd"};
    if (settings->verb != NULL) {
        if (strcmp(settings->verb, "cmd") != 0 || settings->command != NULL || !cmd_is_known(text))
            argp_error(state,
                       "'%s' is not known here; cmd takes one of close, conflate, roles, "
                       "set and ls",
                       text);
        settings->command = text;
        return;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(text, verbs[i]) == 0)
            settings->verb = verbs[i];
    if (settings->verb == NULL)
        argp_error(state, "the verb is req, pubsub, conn, churn or cmd; '%s' is not known", text);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct bench_settings *settings = arguments->settings;
    switch (key) {
    case KEY_SERVERS:
        arguments->servers = text;
        return 0;
    case KEY_ROUTE:
        settings->route = route(state, text);
        return 0;
    case KEY_CHECK:
        settings->checks = true;
        return 0;
    case KEY_SEED:
        settings->seed = (uint64_t)number(state, text, "--seed", 0, 9e15);
        arguments->has_seed = true;
        return 0;
    case KEY_JSON:
        settings->json_file = text;
        return 0;
    case KEY_COMPARE:
        settings->compare_file = text;
        return 0;
    case KEY_KEY:
        settings->key_file = text;
        return 0;
    case KEY_SERVER_KEY:
        settings->server_keys = text;
        return 0;
    case KEY_PROPERTY:
        property(state, text, settings);
        return 0;
    case KEY_CONFLATE:
        settings->conflates = true;
        return 0;
    case KEY_RECONNECT:
        settings->reconnects = true;
        return 0;
    case ARGP_KEY_ARG:
        word(state, text, settings);
        return 0;
    case ARGP_KEY_END:
        if (settings->verb == NULL)
            argp_error(state, "which verb? There are req, pubsub, conn, churn and cmd");
        if (strcmp(settings->verb, "cmd") == 0 && settings->command == NULL)
            argp_error(state, "which command? There are close, conflate, roles, set and ls");
        return 0;
    default: /* times and sizes */
        return parse_time(key, text, state);
    }
}

static bool has_port(const char *address)
{
    const char *port = strrchr(address, ':') + 1; /* split_servers has put one there */
    char *end = NULL;
    unsigned long number = strtoul(port, &end, 10);
    return end != port && *end == '\0' && *port != '-' && number > 0 && number <= UINT16_MAX;
}

/* "a:1,:2" -> full addresses. */
static bool split_servers(struct bench_settings *settings, char *list)
{
    char *rest = NULL;
    for (char *word = strtok_r(list, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
        const char *host = word[0] == ':' ? "127.0.0.1" : "";
        const char *port = strchr(word, ':') == NULL ? ":7310" : "";
        char *address = NULL;
        if (settings->servers_count == BENCH_NODES_MAX ||
            asprintf(&address, "%s%s%s", host, word, port) < 0)
            return false;
        settings->servers[settings->servers_count++] = address;
        if (!has_port(address))
            return false;
    }
    return settings->servers_count > 0;
}

static bool is_verb(const struct bench_settings *settings, const char *verb)
{
    return strcmp(settings->verb, verb) == 0;
}

/* What follows from the verb where nothing was said. */
static void fill_in(struct arguments *arguments)
{
    struct bench_settings *settings = arguments->settings;
    bool is_req = is_verb(settings, "req") || is_verb(settings, "pubsub");
    bool is_churn = is_verb(settings, "churn");
    if (!arguments->has_duration)
        settings->duration_ns = is_req || is_churn ? 10 * SECOND_NS : 120 * SECOND_NS;
    if (settings->procs == 0)
        settings->procs = is_req ? 2 : 1;
    settings->opening_ns = settings->duration_ns;
    if (is_churn) {
        settings->opening_ns += CHURN_MARGIN_NS;
        settings->rate = settings->rate > 0 ? settings->rate : CHURN_RATE;
        settings->number = (uint64_t)(settings->rate * (double)settings->duration_ns / 1e9 + 0.5);
        settings->number += settings->number == 0;
    }
    if (!arguments->has_seed && getrandom(&settings->seed, sizeof settings->seed, 0) < 0)
        settings->seed = 1;
    settings->seed &= ((uint64_t)1 << 53) - 1;
}

static const char *judge_sessions(const struct bench_settings *settings)
{
    static char text[160];
    if (settings->number > UINT32_MAX / 2)
        return "at most 2147483647 sessions can be opened (--number; churn: --rate x --duration)";
    /* cmd has as many bystanders. */
    uint32_t sessions = settings->clients * (is_verb(settings, "cmd") ? 2 : 1);
    uint32_t procs = (sessions + HOLDER_SESSIONS_MAX - 1) / HOLDER_SESSIONS_MAX;
    if (settings->procs >= procs)
        return NULL;
    snprintf(text, sizeof text, "a process holds at most %d sessions: %u of them need --procs %u",
             HOLDER_SESSIONS_MAX, sessions, procs);
    return text;
}

static const char *judge_pubsub(const struct bench_settings *settings)
{
    uint32_t hearing = settings->procs == 1 ? 1 : settings->procs - 1;
    if (settings->size_bytes < PAYLOAD_TIMED_BYTES_MIN)
        return "pubsub needs a --size of 40 at least: a value says when it was due";
    if (settings->topics < settings->publishers)
        return "each topic has one publisher: give at least as many --topics as --publishers";
    if ((uint64_t)settings->topics * settings->clients > 100000000)
        return "at most 100000000 --topics times --clients: each pair is kept in memory";
    if (settings->clients / hearing > HOLDER_SESSIONS_MAX)
        return "a process subscribes at most 4000 times: give more --procs";
    return NULL;
}

/* What does not fit together; NULL: all does. */
static const char *judge(const struct arguments *arguments)
{
    const struct bench_settings *settings = arguments->settings;
    uint32_t nodes = settings->spawn > 0 ? settings->spawn : settings->servers_count;
    if (arguments->servers != NULL && settings->spawn > 0)
        return "--servers names the nodes, --spawn starts them: give one of the two";
    if (settings->route == ROUTE_REMOTE && nodes < 2)
        return "--route remote needs two nodes";
    if (settings->route == ROUTE_NOWHERE && (!is_verb(settings, "req") || settings->checks))
        return "--route nowhere is of req, and nothing comes back that --check could look into";
    if (is_verb(settings, "pubsub"))
        return judge_pubsub(settings);
    if (!is_verb(settings, "req"))
        return judge_sessions(settings);
    return settings->clients > 10000 ? "req takes at most 10000 --clients" : NULL;
}

/* An old result is looked at before a long run, not after it. */
static bool can_compare(const struct bench_settings *settings)
{
    if (settings->compare_file == NULL)
        return true;
    cJSON *older = compare_load(settings->compare_file);
    cJSON_Delete(older);
    return older != NULL;
}

static void finish(struct arguments *arguments)
{
    static char one_server[] = ":7310";
    struct bench_settings *settings = arguments->settings;
    char *servers = arguments->servers == NULL ? one_server : arguments->servers;
    const char *problem = NULL;
    fill_in(arguments);
    if (settings->spawn == 0 && !split_servers(settings, servers))
        problem =
            "--servers takes 1 to 64 addresses such as 127.0.0.1:7310,:7320 with ports from 1 "
            "to 65535";
    else
        problem = judge(arguments);
    if (problem != NULL)
        fprintf(stderr, "weftbench: %s\n", problem);
    if (problem != NULL || !can_compare(settings))
        exit(BENCH_USAGE);
}

void options_parse(int count, char **words, struct bench_settings *settings)
{
    static const struct argp parser = {
        .options = options,
        .parser = parse,
        .args_doc = "req\npubsub\nconn\nchurn\ncmd close|conflate|roles|set|ls",
        .doc =
            "Measures a mesh from outside. req: requests between callers and echo handlers of "
            "its own. pubsub: topics, from the publishing of an update to "
            "each receipt. conn: sessions opened, held, and what becomes of them. churn: sessions "
            "that open at --rate and end when --clients younger ones stand, beside any other "
            "load. cmd: one filter command on --clients sessions among twice as many, to the "
            "last answer.\v"
            "  weftbench req -s :7310,:7320,:7330 -c 50 -r 20000 -d 30s --route remote --check\n"
            "  weftbench req --spawn 3 -c 1 -P 64 -z 64 --route remote --check --json new.json "
            "--compare old.json\n"
            "  weftbench pubsub --spawn 3 -c 3000 -r 20 -d 30s\n"
            "  weftbench churn -s :7310,:7320,:7330 -c 100 -r 200 -d 1m\n"
            "  weftbench conn --spawn 5 -c 20000 --procs 5 -r 2000\n"
            "  weftbench cmd close --spawn 3 -c 10000 --procs 5 --repeat 3\n"
            "\nWith --rate latency counts from the time a request or session was due, so a "
            "stall shows in all that it delayed; without, from its sending.\n\nExit: 0 all "
            "held, 1 something that must hold was broken, 2 wrong options, 3 could not run.",
    };
    struct arguments arguments = {.settings = settings};
    *settings = (struct bench_settings){.clients = 10,
                                        .handlers = 1,
                                        .publishers = 1,
                                        .topics = 1,
                                        .repeat = 20,
                                        .pipeline = 1,
                                        .size_bytes = 128,
                                        .warmup_ns = 1000000000,
                                        .route = ROUTE_MIXED,
                                        .timeout_ms = 10000};
    argp_err_exit_status = BENCH_USAGE;
    argp_parse(&parser, count, words, 0, NULL, &arguments);
    finish(&arguments);
}
