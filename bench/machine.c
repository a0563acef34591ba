#include "bench/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void read_cpu(char *cpu, size_t bytes)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");
    cpu[0] = '\0';
    while (file != NULL && cpu[0] == '\0' && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        snprintf(cpu, bytes, "%s", colon + 2);
        cpu[strcspn(cpu, "\n")] = '\0';
    }
    if (file != NULL)
        fclose(file);
}

void machine_read(struct machine *machine)
{
    struct utsname system;
    *machine = (struct machine){.cores = 0};
    read_cpu(machine->cpu, sizeof machine->cpu);
    if (uname(&system) == 0)
        snprintf(machine->kernel, sizeof machine->kernel, "%s", system.release);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    machine->cores = cores > 0 ? (unsigned)cores : 0;
    if (pages > 0 && page_bytes > 0)
        machine->memory_bytes = (uint64_t)pages * (uint64_t)page_bytes;
}

uint64_t machine_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
