/* weftsim - a mesh in one process and in virtual time: same version, same options, same run. */

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/sim/measure.h"
#include "tests/sim/planted.h"
#include "tests/sim/run.h"
#include "tests/sim/tally.h"
#include "tests/sim/world.h"
#include "weft_commit.h"

enum { EXIT_CHECK_FAILED = 1, EXIT_USAGE = 2, MAPPED_BYTES = 65536 };

enum option_key {
    KEY_SEED = 's',
    KEY_RUNS = 'r',
    KEY_NODES = 'n',
    KEY_MINUTES = 'm',
    KEY_FAULTS = 'f',
    KEY_TRACE = 't',
    KEY_BUG = 'b',
    KEY_BENCH = 256,
    KEY_SOMETIMES,
    KEY_TWICE,
    KEY_MEASURE,
    KEY_ALONE,
    KEY_ASKS,
};

struct arguments {
    struct run_options run;
    uint32_t runs, bug;
    const char *faults;
    const char *measure;
    bool has_seed, has_nodes, has_runs, is_bench, is_sometimes, is_twice, is_alone;
};

const char *argp_program_version = "weftsim " WEFT_VERSION;

static const struct argp_option options[] = {
    {"seed", KEY_SEED, "N", 0, "the first run's seed; a random one if not given", 0},
    {"runs", KEY_RUNS, "N", 0, "so many seeds, counting up (default 1)", 0},
    {"nodes", KEY_NODES, "N", 0, "nodes in the mesh, 1 to 10000 (default 5)", 0},
    {"minutes", KEY_MINUTES, "N", 0, "virtual minutes of each run, as 10 or 0.5 (default 10)", 0},
    {"faults", KEY_FAULTS, "LIST", 0,
     "swarm (the default: each seed draws which), all, none, or numbers: F1,F5,F11", 0},
    {"asks", KEY_ASKS, "N", 0,
     "requests that follow on each other where a client asks a path (default 1)", 0},
    {"trace", KEY_TRACE, "FILE", 0, "write what happens, a line each, to FILE", 0},
    {"bug", KEY_BUG, "N", 0, "plant bug N, in the build that has them; 0 lists them", 0},
    {"bench", KEY_BENCH, NULL, 0, "print what the run cost", 0},
    {"sometimes", KEY_SOMETIMES, NULL, 0,
     "count what came about in all runs together; what never did is a failure", 0},
    {"twice", KEY_TWICE, NULL, 0,
     "run each seed again, wall clocks standing still: the hash must be the same", 0},
    {"measure", KEY_MEASURE, "WHAT", 0,
     "an experiment instead of a run: " MEASURE_NAMES " (with --nodes, --runs, --seed)", 0},
    {"alone", KEY_ALONE, NULL, 0,
     "with --measure: nodes are membership alone and share their descriptors", 0},
    {0},
};

/* ---- the command line ------------------------------------------------------------------------*/

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

static uint64_t minutes(struct argp_state *state, const char *text)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= 0.1 && value <= 100000))
        argp_error(state, "--minutes takes 0.1 to 100000, not '%s'", text);
    return (uint64_t)(value * 60000);
}

static uint32_t fault_list(struct argp_state *state, const char *list)
{
    uint32_t faults = 0;
    for (const char *at = list; *at != '\0';) {
        char *end = NULL;
        uint64_t fault = *at == 'F' ? strtoull(at + 1, &end, 10) : 0;
        if (end == NULL || end == at + 1 || (*end != ',' && *end != '\0') ||
            !faults_is_known((uint32_t)fault) || fault >= FAULTS)
            argp_error(state,
                       "--faults takes swarm, all, none, or numbers as F1,F5,F11; '%s' is "
                       "none that weftsim knows",
                       at);
        faults |= UINT32_C(1) << (fault & 31);
        at = *end == ',' ? end + 1 : end;
    }
    return faults;
}

static void parse_faults(struct argp_state *state, struct arguments *arguments, const char *text)
{
    arguments->faults = text;
    arguments->run.is_swarm = strcmp(text, "swarm") == 0;
    if (arguments->run.is_swarm || strcmp(text, "all") == 0)
        arguments->run.faults = FAULTS_ALL;
    else if (strcmp(text, "none") == 0)
        arguments->run.faults = 0;
    else
        arguments->run.faults = fault_list(state, text);
}

static void parse_bug(struct argp_state *state, struct arguments *arguments, const char *text)
{
    if (!planted_is_possible())
        argp_error(state, "--bug: this build has no planted bugs; weftsim_bugs has");
    arguments->bug = (uint32_t)number(state, text, "bug", 0, 1000);
    if (arguments->bug == 0) {
        planted_list();
        exit(0);
    }
    if (!planted_choose(arguments->bug))
        argp_error(state, "--bug: there is no bug %s; 0 lists them", text);
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
        arguments->runs = (uint32_t)number(state, text, "runs", 1, 10000000);
        arguments->has_runs = true;
        return 0;
    case KEY_NODES:
        arguments->run.nodes = (uint32_t)number(state, text, "nodes", 1, WORLD_NODES_MAX);
        arguments->has_nodes = true;
        return 0;
    case KEY_MINUTES:
        arguments->run.ms = minutes(state, text);
        return 0;
    case KEY_ASKS:
        arguments->run.asks = (uint32_t)number(state, text, "asks", 1, 1000);
        return 0;
    case KEY_FAULTS:
        parse_faults(state, arguments, text);
        return 0;
    case KEY_TRACE:
        arguments->run.trace = text;
        return 0;
    case KEY_BUG:
        parse_bug(state, arguments, text);
        return 0;
    case KEY_BENCH:
        arguments->is_bench = true;
        return 0;
    case KEY_SOMETIMES:
        arguments->is_sometimes = true;
        return 0;
    case KEY_TWICE:
        arguments->is_twice = true;
        return 0;
    case KEY_ALONE:
        arguments->is_alone = true;
        return 0;
    case KEY_MEASURE:
        if (!measure_is_known(text))
            argp_error(state, "--measure takes " MEASURE_NAMES ", not '%s'", text);
        arguments->measure = text;
        return 0;
    case ARGP_KEY_END:
        if (arguments->is_alone && arguments->measure == NULL)
            argp_error(state, "--alone goes with --measure");
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "takes no argument '%s'", text);
        return 0;
    default: /* argp's own keys */
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the report ------------------------------------------------------------------------------*/

/* What must be said when the core ends the process: a broken invariant of its own, seen by it. */
static char last_words[512];

static void print_replay(char *line, size_t bytes, const struct arguments *arguments)
{
    char bug[32] = "", asks[32] = "";
    if (arguments->bug != 0)
        snprintf(bug, sizeof bug, " --bug %" PRIu32, arguments->bug);
    if (arguments->run.asks > 1)
        snprintf(asks, sizeof asks, " --asks %" PRIu32, arguments->run.asks);
    snprintf(line, bytes,
             "replay: weftsim --seed %" PRIu64 " --nodes %" PRIu32
             " --minutes %g --faults %s%s%s   # commit " WEFT_COMMIT "\n",
             arguments->run.seed, arguments->run.nodes, (double)arguments->run.ms / 60000,
             arguments->faults, asks, bug);
}

static void prepare_last_words(const struct arguments *arguments)
{
    char replay[384];
    print_replay(replay, sizeof replay, arguments);
    snprintf(last_words, sizeof last_words,
             "FAIL seed=%" PRIu64 " nodes=%" PRIu32 " minutes=%g faults=%s check=require\n%s",
             arguments->run.seed, arguments->run.nodes, (double)arguments->run.ms / 60000,
             arguments->faults, replay);
}

static void say_last_words(int number_of_signal)
{
    size_t left = strlen(last_words);
    const char *at = last_words;
    while (left > 0) {
        ssize_t written = write(STDOUT_FILENO, at, left);
        if (written <= 0)
            break;
        at += written;
        left -= (size_t)written;
    }
    (void)number_of_signal;
    _exit(EXIT_CHECK_FAILED);
}

static void report(const struct arguments *arguments, const struct run_result *result)
{
    const struct run_options *run = &arguments->run;
    bool has_passed = result->failed_check[0] == '\0';
    char replay[384];
    printf("%s seed=%" PRIu64 " nodes=%" PRIu32 " minutes=%g faults=%s",
           has_passed ? "PASS" : "FAIL", run->seed, run->nodes, (double)run->ms / 60000,
           arguments->faults);
    if (!has_passed)
        printf(" check=%s at_s=%.3f", result->failed_check, result->failed_at_s);
    printf(" events=%" PRIu64 " hash=%016" PRIx64 " wall_s=%.1f\n", result->events, result->hash,
           result->wall_s);
    print_replay(replay, sizeof replay, arguments);
    fputs(replay, stdout);
    fflush(stdout);
}

static void report_bench(const struct arguments *arguments, const struct run_result *result)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    double node_s = result->virtual_s * arguments->run.nodes;
    printf("BENCH nodes=%" PRIu32 " virtual_s=%.1f wall_s=%.2f events_per_s=%.0f "
           "bytes_per_node_s=%.0f rss_bytes=%" PRIu64 "\n",
           arguments->run.nodes, result->virtual_s, result->wall_s,
           (double)result->events / result->wall_s,
           (double)(result->gossip_bytes + result->forward_bytes) / node_s,
           (uint64_t)usage.ru_maxrss * 1024);
}

static void run_again(const struct arguments *arguments, struct run_result *first)
{
    struct run_options again = arguments->run;
    struct run_result result;
    again.ignores_wall = true;
    again.trace = NULL;
    run_world(&again, &result);
    if (result.hash == first->hash || first->failed_check[0] != '\0')
        return;
    fprintf(stderr, "replay: hash %016" PRIx64 ", and %016" PRIx64 " the second time\n",
            first->hash, result.hash);
    snprintf(first->failed_check, sizeof first->failed_check, "replay");
}

static int run_all(struct arguments *arguments)
{
    int code = 0;
    struct tally sum = {0};
    for (uint32_t run = 0; run < arguments->runs; run++, arguments->run.seed++) {
        struct run_result result;
        prepare_last_words(arguments);
        run_world(&arguments->run, &result);
        if (arguments->is_twice)
            run_again(arguments, &result);
        report(arguments, &result);
        if (arguments->is_bench)
            report_bench(arguments, &result);
        if (result.failed_check[0] != '\0')
            code = EXIT_CHECK_FAILED;
        tally_add(&sum, &result.tally);
    }
    if (arguments->is_sometimes && !tally_report(&sum, arguments->run.faults))
        code = EXIT_CHECK_FAILED;
    return code;
}

int main(int count, char **words)
{
    static const struct argp parser = {
        .options = options,
        .parser = parse,
        .doc = "Runs a mesh of cores in one process, in virtual time, under faults, and checks it "
               "from outside."
               "\vTwo lines a run: the verdict, and the command that repeats it. The same version "
               "with the same options always ends in the same hash.\n\nExit: 0 passed, 1 a check "
               "failed (why: standard error), 2 wrong options.",
    };
    struct arguments arguments = {
        .run = {.nodes = 5, .ms = 600000, .asks = 1, .faults = FAULTS_ALL, .is_swarm = true},
        .runs = 1,
        .faults = "swarm",
    };
    /* A node's fixed tables are megabytes, cleared when they are taken. Above this size libc maps
     * them afresh, cleared already and untouched until used; left to itself it raises the size
     * with each block that is freed, and clearing becomes two thirds of a run. */
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&parser, count, words, 0, NULL, &arguments);
    if (!arguments.has_seed) {
        if (getrandom(&arguments.run.seed, sizeof arguments.run.seed, 0) < 0)
            arguments.run.seed = 1;
        arguments.run.seed %= 1000000000;
    }
    if (signal(SIGABRT, say_last_words) == SIG_ERR)
        fputs("weftsim: a broken invariant of the core will not name its seed\n", stderr);
    if (arguments.measure != NULL) {
        const struct measure_options measure = {.what = arguments.measure,
                                                .seed = arguments.run.seed,
                                                .nodes =
                                                    arguments.has_nodes ? arguments.run.nodes : 0,
                                                .runs = arguments.has_runs ? arguments.runs : 0,
                                                .is_alone = arguments.is_alone};
        return measure_run(&measure) ? 0 : EXIT_CHECK_FAILED;
    }
    return run_all(&arguments);
}
