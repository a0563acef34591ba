#include "bench/turn.h"

#include <poll.h>

#include "bench/machine.h"

bool turn_take(struct weft_context *context, int commands, uint64_t until_ns)
{
    uint64_t now_ns = machine_now_ns();
    uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    if (wait_ns > TURN_REPORT_MS * UINT64_C(1000000))
        wait_ns = TURN_REPORT_MS * UINT64_C(1000000);
    const struct timespec timeout = {.tv_sec = 0, .tv_nsec = (long)wait_ns};
    struct pollfd descriptors[2] = {{.fd = weft_context_fd(context), .events = POLLIN},
                                    {.fd = commands, .events = POLLIN}};
    (void)ppoll(descriptors, 2, &timeout, NULL);
    (void)weft_context_progress(context);
    return descriptors[1].revents != 0;
}
