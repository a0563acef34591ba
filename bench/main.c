/* weftbench - shows what a mesh can do: brings its own clients, measures, checks. */

#include <string.h>

#include "bench/cmd.h"
#include "bench/conn.h"
#include "bench/options.h"
#include "bench/req.h"
#include "bench/spawn.h"
#include "bench/stop.h"

static enum bench_exit run(const struct bench_settings *settings, struct spawn *spawn)
{
    stop_watch();
    if (strcmp(settings->verb, "conn") == 0)
        return conn_run(settings, spawn);
    if (strcmp(settings->verb, "cmd") == 0)
        return cmd_run(settings);
    return req_run(settings);
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
