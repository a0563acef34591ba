/* weftbench - shows what a mesh can do: brings its own clients, measures, checks. */

#include <string.h>

#include "bench/cmd.h"
#include "bench/conn.h"
#include "bench/options.h"
#include "bench/pubsub.h"
#include "bench/req.h"
#include "bench/spawn.h"
#include "bench/stop.h"

/* A new verb has a line here and one in options.c. */
static const struct {
    const char *name;
    enum bench_exit (*run)(const struct bench_settings *settings, struct spawn *spawn);
} verbs[] = {
    {"req", req_run},    {"pubsub", pubsub_run}, {"conn", conn_run},
    {"churn", conn_run}, {"cmd", cmd_run},
};

static enum bench_exit run(const struct bench_settings *settings, struct spawn *spawn)
{
    stop_watch();
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(settings->verb, verbs[i].name) == 0)
            return verbs[i].run(settings, spawn);
    return BENCH_USAGE; /* options_parse lets no other through */
}

int main(int count, char **words)
{
    static struct bench_settings settings;
    static struct spawn spawn;
    options_parse(count, words, &settings);
    enum bench_exit code = BENCH_HELD;
    if (settings.spawn > 0 && !spawn_begin(&spawn, &settings))
        code = BENCH_NOT_RUN;
    spawn_weigh(&spawn, false);
    if (code == BENCH_HELD)
        code = run(&settings, &spawn);
    spawn_end(&spawn);
    return (int)code;
}
