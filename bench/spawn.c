#include "bench/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/machine.h"

static const uint64_t READY_LIMIT_NS = 30000000000;

enum { PATH_BYTES = 512, WORD_BYTES = 96, LOG_BYTES = 4096, WORDS = 12 };

static void log_path(const struct spawn *spawn, uint32_t number, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%u", spawn->folder, number);
}

/* weftd lies beside this program. */
static bool daemon_path(char path[PATH_BYTES])
{
    ssize_t bytes = readlink("/proc/self/exe", path, PATH_BYTES - sizeof "weftd");
    if (bytes <= 0)
        return false;
    path[bytes] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        return false;
    memcpy(slash + 1, "weftd", sizeof "weftd");
    return true;
}

/* In the child. The node ends with this program, however that ends. */
static void become_node(const struct spawn *spawn, uint32_t number, const char *program)
{
    char log[PATH_BYTES], name[WORD_BYTES], cluster[WORD_BYTES];
    log_path(spawn, number, log);
    snprintf(name, sizeof name, "bench-%u", number + 1);
    snprintf(cluster, sizeof cluster, "weftbench-%ld", (long)getppid());
    int out = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(127);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    const char *seed = number > 0 ? spawn->nodes[0].gossip : NULL;
    const char *words[WORDS] = {program, "--port",    "0",     "--name",
                                name,    "--cluster", cluster, seed == NULL ? NULL : "--seed",
                                seed,    NULL};
    char *arguments[WORDS];
    memcpy(arguments, words, sizeof arguments); /* execv takes them without const, and keeps off */
    (void)execv(program, arguments);
    perror(program);
    _exit(127);
}

/* Reads the value behind `key` in the log; false: not there yet. */
static bool find_word(const char *text, const char *key, char *word, size_t bytes)
{
    const char *at = strstr(text, key);
    if (at == NULL)
        return false;
    at += strlen(key);
    snprintf(word, bytes, "%.*s", (int)strcspn(at, " \n"), at);
    return true;
}

static void read_log(const struct spawn *spawn, uint32_t number, char text[LOG_BYTES])
{
    char path[PATH_BYTES];
    log_path(spawn, number, path);
    FILE *file = fopen(path, "re");
    size_t bytes = file == NULL ? 0 : fread(text, 1, LOG_BYTES - 1, file);
    text[bytes] = '\0';
    if (file != NULL)
        fclose(file);
}

static bool wait_ready(struct spawn *spawn, uint32_t number)
{
    char text[LOG_BYTES] = "";
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 10000000};
    uint64_t deadline_ns = machine_now_ns() + READY_LIMIT_NS;
    while (machine_now_ns() < deadline_ns) {
        read_log(spawn, number, text);
        if (find_word(text, " clients=", spawn->nodes[number].address,
                      sizeof spawn->nodes[number].address) &&
            find_word(text, " gossip=", spawn->nodes[number].gossip,
                      sizeof spawn->nodes[number].gossip) &&
            strstr(text, " ready\n") != NULL)
            return true;
        if (waitpid(spawn->nodes[number].pid, NULL, WNOHANG) != 0) {
            spawn->nodes[number].pid = 0;
            break;
        }
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "weftbench: node %u of its own did not become ready; it said:\n%s", number + 1,
            text);
    return false;
}

bool spawn_begin(struct spawn *spawn, struct bench_settings *settings)
{
    char program[PATH_BYTES];
    *spawn = (struct spawn){.folder = "/tmp/weftbench-XXXXXX"};
    if (mkdtemp(spawn->folder) == NULL || !daemon_path(program)) {
        perror("weftbench: no place for the nodes' logs");
        return false;
    }
    settings->servers_count = settings->spawn;
    for (uint32_t i = 0; i < settings->spawn; i++) {
        spawn->nodes[i].pid = fork();
        if (spawn->nodes[i].pid == 0)
            become_node(spawn, i, program);
        if (spawn->nodes[i].pid < 0) {
            perror("weftbench: can't start a node");
            return false;
        }
        spawn->count = i + 1;
        if (!wait_ready(spawn, i))
            return false;
        settings->servers[i] = spawn->nodes[i].address;
    }
    return true;
}

/* The second number in statm: pages. 0: the system does not say. */
static uint64_t resident_bytes(pid_t pid)
{
    char path[WORD_BYTES];
    char line[WORD_BYTES] = "";
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    const char *text = fgets(line, sizeof line, file);
    fclose(file);
    const char *second = text == NULL ? NULL : strchr(text, ' ');
    return second == NULL ? 0 : strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void spawn_weigh(struct spawn *spawn, bool is_full)
{
    for (uint32_t i = 0; i < spawn->count; i++) {
        uint64_t bytes = resident_bytes(spawn->nodes[i].pid);
        if (is_full)
            spawn->nodes[i].full_bytes = bytes;
        else
            spawn->nodes[i].empty_bytes = bytes;
    }
}

void spawn_end(struct spawn *spawn)
{
    for (uint32_t i = 0; i < spawn->count; i++)
        if (spawn->nodes[i].pid > 0)
            (void)kill(spawn->nodes[i].pid, SIGTERM);
    for (uint32_t i = 0; i < spawn->count; i++) {
        char path[PATH_BYTES];
        if (spawn->nodes[i].pid > 0)
            (void)waitpid(spawn->nodes[i].pid, NULL, 0);
        log_path(spawn, i, path);
        (void)unlink(path);
    }
    if (spawn->folder[0] != '\0')
        (void)rmdir(spawn->folder);
    spawn->count = 0;
}
