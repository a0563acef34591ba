/* weftbench - shows what a mesh can do: brings its own callers and handlers, measures, checks. */

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bench/bench.h"
#include "bench/payload.h"
#include "bench/report.h"
#include "bench/req.h"

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
};

struct arguments {
    struct bench_settings settings;
    const char *verb;
    char *servers;
    bool has_seed;
};

const char *argp_program_version = "weftbench " WEFT_VERSION;

static const struct argp_option options[] = {
    {"servers", KEY_SERVERS, "HOST:PORT,..", 0,
     "the nodes, one address each (no host: 127.0.0.1; default :7310)", 0},
    {"clients", KEY_CLIENTS, "N", 0, "callers, spread over the nodes (default 10)", 0},
    {"handlers", KEY_HANDLERS, "N", 0, "echo handlers on each node (default 1)", 0},
    {"rate", KEY_RATE, "N", 0, "open loop: N requests a second in all (default: closed loop)", 0},
    {"pipeline", KEY_PIPELINE, "N", 0, "closed loop: requests outstanding a caller (default 1)", 0},
    {"size", KEY_SIZE, "BYTES", 0, "of a request's value, 32 to 1000000 (default 128)", 0},
    {"duration", KEY_DURATION, "TIME", 0, "how long to measure: 500ms 10s 5m (default 10s)", 0},
    {"number", KEY_NUMBER, "N", 0, "measure so many requests instead", 0},
    {"warmup", KEY_WARMUP, "TIME", 0, "not measured, first (default 1s)", 0},
    {"route", KEY_ROUTE, "ROUTE", 0,
     "local: caller and handler on one node; remote: on two; mixed: as it falls (default mixed)",
     0},
    {"check", KEY_CHECK, NULL, 0, "look into every payload: sequence, sender, checksum", 0},
    {"timeout", KEY_TIMEOUT, "TIME", 0, "of a request (default 10s)", 0},
    {"seed", KEY_SEED, "N", 0, "of the dice; a random one if not given", 0},
    {"json", KEY_JSON, "FILE", 0, "also write the result as JSON; '-' is standard output", 0},
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
    for (int i = ROUTE_LOCAL; i <= ROUTE_MIXED; i++)
        if (strcmp(text, bench_route_name((enum bench_route)i)) == 0)
            return (enum bench_route)i;
    argp_error(state, "--route takes local, remote or mixed, not '%s'", text);
    return ROUTE_MIXED;
}

static error_t parse_size(int key, char *text, struct argp_state *state)
{
    struct bench_settings *settings = &((struct arguments *)state->input)->settings;
    switch (key) {
    case KEY_CLIENTS:
        settings->clients = (uint32_t)number(state, text, "--clients", 1, 10000);
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

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct bench_settings *settings = &arguments->settings;
    switch (key) {
    case KEY_SERVERS:
        arguments->servers = text;
        return 0;
    case KEY_DURATION:
        settings->duration_ns = duration_ns(state, text, "--duration");
        return 0;
    case KEY_WARMUP:
        settings->warmup_ns = duration_ns(state, text, "--warmup");
        return 0;
    case KEY_TIMEOUT:
        settings->timeout_ms = (uint32_t)(duration_ns(state, text, "--timeout") / 1000000);
        if (settings->timeout_ms < 1 || settings->timeout_ms > 300000)
            argp_error(state, "--timeout is from 1ms to 5m, not '%s'", text);
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
    case ARGP_KEY_ARG:
        if (arguments->verb != NULL || strcmp(text, "req") != 0)
            argp_error(state, "the verb is 'req'; '%s' is not known here", text);
        arguments->verb = text;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which verb? There is 'req'");
        return 0;
    default: /* argp's own keys, and sizes */
        return parse_size(key, text, state);
    }
}

/* "a:1,:2" -> full addresses. The texts live as long as the program. */
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
    }
    return settings->servers_count > 0;
}

int main(int count, char **words)
{
    static const struct argp parser = {
        .options = options,
        .parser = parse,
        .args_doc = "req",
        .doc = "Measures requests through a mesh: callers and echo handlers are its own.\v"
               "  weftbench req -s :7310,:7320,:7330 -c 50 -r 20000 -d 30s --route remote --check\n"
               "\nWith --rate latency counts from the time a request was due, so a stall shows in "
               "every request that it delayed; without, from its sending.\n\nExit: 0 all held, 1 "
               "something that must hold was broken, 2 wrong options, 3 could not run.",
    };
    static struct bench_report report;
    static struct arguments arguments = {.settings = {.clients = 10,
                                                      .handlers = 1,
                                                      .pipeline = 1,
                                                      .size_bytes = 128,
                                                      .duration_ns = 10000000000,
                                                      .warmup_ns = 1000000000,
                                                      .route = ROUTE_MIXED,
                                                      .timeout_ms = 10000}};
    char one_server[] = ":7310";
    struct bench_settings *settings = &arguments.settings;
    argp_err_exit_status = BENCH_USAGE;
    argp_parse(&parser, count, words, 0, NULL, &arguments);
    if (!split_servers(settings, arguments.servers == NULL ? one_server : arguments.servers)) {
        fprintf(stderr, "weftbench: --servers takes 1 to %d addresses\n", BENCH_NODES_MAX);
        return BENCH_USAGE;
    }
    if (settings->route == ROUTE_REMOTE && settings->servers_count < 2) {
        fprintf(stderr, "weftbench: --route remote needs two nodes in --servers\n");
        return BENCH_USAGE;
    }
    if (!arguments.has_seed && getrandom(&settings->seed, sizeof settings->seed, 0) < 0)
        settings->seed = 1;
    settings->seed &= ((uint64_t)1 << 53) - 1;
    enum bench_exit code = req_run(settings, &report);
    if (code != BENCH_HELD)
        return (int)code;
    if (settings->json_file == NULL || strcmp(settings->json_file, "-") != 0)
        report_print(settings, &report);
    if (settings->json_file != NULL && !report_write_json(arguments.verb, settings, &report))
        return BENCH_NOT_RUN;
    return bench_has_held(settings, &report) ? BENCH_HELD : BENCH_BROKEN;
}
