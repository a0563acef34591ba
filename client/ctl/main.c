/* main.c - weftctl. */
#include "client/ctl/ctl_run.h"

int main(int argc, char **argv)
{
    return ctl_run(argc, argv);
}
