#include "daemon/clock.h"

#include <stdio.h>
#include <time.h>

/* CLOCK_BOOTTIME, not CLOCK_MONOTONIC: a machine that was suspended has been silent for all that
 * time, and the core must notice that it slept before it accuses or serves anybody. */
uint64_t clock_now_ns(void)
{
    static uint64_t last_ns;
    struct timespec now;
    if (clock_gettime(CLOCK_BOOTTIME, &now) == 0) {
        uint64_t ns = (uint64_t)now.tv_sec * CLOCK_S_NS + (uint64_t)now.tv_nsec;
        if (ns > last_ns)
            last_ns = ns;
    }
    return last_ns;
}

uint64_t clock_wall_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / CLOCK_MS_NS;
}

void clock_format(uint64_t wall_ms, char text[CLOCK_TEXT_BYTES])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc = {0};
    if (gmtime_r(&seconds, &utc) == NULL)
        utc.tm_year = 70;
    char day[24];
    if (strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        day[0] = '\0'; /* past the year 9999 */
    snprintf(text, CLOCK_TEXT_BYTES, "%s.%03uZ", day, (unsigned)(wall_ms % 1000));
}
