#include "daemon/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signals_open(void)
{
    sigset_t all;
    sigemptyset(&all);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGINT);
    sigaddset(&all, SIGHUP);
    sigaddset(&all, SIGUSR2);
    sigaddset(&all, SIGPIPE); /* blocked and never read: a gone reader is an errno */
    if (sigprocmask(SIG_BLOCK, &all, NULL) != 0)
        return -1;
    sigdelset(&all, SIGPIPE);
    return signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
}

void signals_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

enum signals_wish signals_next(int fd)
{
    struct signalfd_siginfo signal;
    if (read(fd, &signal, sizeof(signal)) != (ssize_t)sizeof(signal))
        return SIGNALS_NONE;
    if (signal.ssi_signo == SIGHUP)
        return SIGNALS_RELOAD;
    return signal.ssi_signo == SIGUSR2 ? SIGNALS_DRAIN : SIGNALS_STOP;
}
