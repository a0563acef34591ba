#include "bench/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t is_wanted;

static void on_signal(int number)
{
    (void)number;
    is_wanted = 1;
}

void stop_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART: waits end */
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool stop_is_wanted(void)
{
    return is_wanted != 0;
}
