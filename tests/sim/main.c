/* weftsim - a mesh in one process and in virtual time: same version, same options, same run. */

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "tests/sim/run.h"
#include "tests/sim/world.h"

enum { EXIT_CHECK_FAILED = 1, EXIT_USAGE = 2 };

enum option_key {
    KEY_SEED = 's',
    KEY_RUNS = 'r',
    KEY_NODES = 'n',
    KEY_MINUTES = 'm',
    KEY_TRACE = 't'
};

struct arguments {
    struct run_options run;
    uint32_t runs;
    bool has_seed;
};

const char *argp_program_version = "weftsim " WEFT_VERSION;

static const struct argp_option options[] = {
    {"seed", KEY_SEED, "N", 0, "the first run's seed; a random one if not given", 0},
    {"runs", KEY_RUNS, "N", 0, "so many seeds, counting up (default 1)", 0},
    {"nodes", KEY_NODES, "N", 0, "nodes in the mesh, 1 to 1024 (default 5)", 0},
    {"minutes", KEY_MINUTES, "N", 0, "virtual minutes of each run (default 10)", 0},
    {"trace", KEY_TRACE, "FILE", 0, "write what happens, a line each, to FILE", 0},
    {0},
};

static uint64_t number(struct argp_state *state, const char *text, const char *what, uint64_t least,
                       uint64_t most)
{
    char *end = NULL;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value < least || value > most)
        argp_error(state, "--%s takes a number from %" PRIu64 " to %" PRIu64 ", not '%s'", what,
                   least, most, text);
    return value;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_SEED:
        arguments->run.seed = number(state, text, "seed", 0, UINT64_MAX);
        arguments->has_seed = true;
        return 0;
    case KEY_RUNS:
        arguments->runs = (uint32_t)number(state, text, "runs", 1, 1000000);
        return 0;
    case KEY_NODES:
        arguments->run.nodes = (uint32_t)number(state, text, "nodes", 1, WORLD_NODES_MAX);
        return 0;
    case KEY_MINUTES:
        arguments->run.minutes = (uint32_t)number(state, text, "minutes", 0, 100000);
        return 0;
    case KEY_TRACE:
        arguments->run.trace = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "takes no argument '%s'", text);
        return 0;
    default: /* argp's own keys */
        return ARGP_ERR_UNKNOWN;
    }
}

static void report(const struct run_options *run, const struct run_result *result)
{
    printf("%s seed=%" PRIu64 " nodes=%" PRIu32 " minutes=%" PRIu32,
           result->has_passed ? "PASS" : "FAIL", run->seed, run->nodes, run->minutes);
    if (!result->has_passed)
        printf(" check=%s at_s=%.3f", result->failed_check, result->failed_at_s);
    printf(" events=%" PRIu64 " hash=%016" PRIx64 " wall_s=%.1f\n", result->events, result->hash,
           result->wall_s);
    printf("replay: weftsim --seed %" PRIu64 " --nodes %" PRIu32 " --minutes %" PRIu32 "\n",
           run->seed, run->nodes, run->minutes);
    fflush(stdout);
}

int main(int count, char **words)
{
    static const struct argp parser = {
        .options = options,
        .parser = parse,
        .doc = "Runs a mesh of cores in one process, in virtual time, and checks it from outside."
               "\vTwo lines a run: the verdict, and the command that repeats it. The same version "
               "with the same options always ends in the same hash.\n\nExit: 0 passed, 1 a check "
               "failed (why: standard error), 2 wrong options.",
    };
    struct arguments arguments = {.run = {.nodes = 5, .minutes = 10}, .runs = 1};
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&parser, count, words, 0, NULL, &arguments);
    if (!arguments.has_seed && getrandom(&arguments.run.seed, sizeof arguments.run.seed, 0) < 0)
        arguments.run.seed = 1;
    if (!arguments.has_seed)
        arguments.run.seed %= 1000000000;
    int code = 0;
    for (uint32_t run = 0; run < arguments.runs; run++, arguments.run.seed++) {
        struct run_result result = run_world(&arguments.run);
        report(&arguments.run, &result);
        if (!result.has_passed)
            code = EXIT_CHECK_FAILED;
    }
    return code;
}
