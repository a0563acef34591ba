/* passwd.c - see passwd.h.
 *
 * The hash costs what libsodium calls INTERACTIVE: 64 MiB and two passes, some 80 ms of one core.
 * MODERATE costs ten times as much: a node with one thread for it would let in one person a second.
 * Nodes go by what the line says, so that another cost needs new lines and no new nodes. */
#include "client/ctl/passwd.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "client/ctl/values.h"

static const struct output_column columns[] = {
    {"line", "LINE", NULL, OUTPUT_TEXT, false},
};

/* Switches the echo off where there is one; `before` is what to put back. */
static bool echo_off(struct termios *before)
{
    struct termios now;
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, before) != 0)
        return false;
    now = *before;
    now.c_lflag &= ~(tcflag_t)ECHO;
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &now) == 0;
}

/* One line, without stdio: its buffers are not wiped. False: nothing could be read. */
static bool read_line(int fd, char password[PASSWD_BYTES_MAX], size_t *bytes, bool *is_too_long)
{
    size_t used = 0;
    char next = '\0';
    ssize_t got;
    *is_too_long = false;
    while ((got = read(fd, &next, 1)) == 1 && next != '\n') {
        if (used == PASSWD_BYTES_MAX) {
            *is_too_long = true;
            break;
        }
        password[used++] = next;
    }
    if (used > 0 && password[used - 1] == '\r')
        used--;
    *bytes = used;
    return got >= 0;
}

int passwd_read(const char *path, char password[PASSWD_BYTES_MAX], size_t *bytes)
{
    bool is_input = strcmp(path, "-") == 0, is_too_long = false;
    struct termios before;
    FILE *file = is_input ? NULL : fopen(path, "re");
    if (!is_input && file == NULL)
        return problems_usage("--password-file %s: %s", path, strerror(errno));
    bool is_hidden = is_input && echo_off(&before);
    if (is_hidden)
        fputs("password: ", stderr);
    bool is_read = read_line(is_input ? STDIN_FILENO : fileno(file), password, bytes, &is_too_long);
    int why = errno;
    if (is_hidden) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (file != NULL)
        fclose(file);
    if (!is_read)
        return problems_usage("the password can't be read: %s", strerror(why));
    if (is_too_long)
        return problems_usage("a password has at most %d bytes", PASSWD_BYTES_MAX);
    return EXIT_COMPLETE;
}

/* A principal that a line can hold: words are apart by blanks, and # begins a comment. */
static bool is_name(const char *name)
{
    if (name[0] == '\0' || name[0] == '#' || strlen(name) > 256)
        return false;
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == 127)
            return false;
    }
    return true;
}

static int write_line(const struct ctl *ctl, const char *hash, const char *roles)
{
    static const struct output_view view = {.columns = columns,
                                            .columns_count = sizeof columns / sizeof columns[0]};
    char *line = NULL;
    bool has_roles = roles != NULL && *roles != '\0';
    if (asprintf(&line, "%s %s%s%s", ctl->words[0], hash, has_roles ? " " : "",
                 has_roles ? roles : "") < 0)
        return problems_report("INTERNAL", "out of memory");
    bool is_written = true;
    if (output_is_json(&ctl->output)) {
        cJSON *document = cJSON_CreateObject();
        cJSON_AddStringToObject(document, "line", line);
        is_written = output_write(&ctl->output, document, &view);
        cJSON_Delete(document);
    } else {
        is_written = puts(line) >= 0;
    }
    free(line);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "it can't be written");
}

int passwd_run(struct ctl *ctl)
{
    char password[PASSWD_BYTES_MAX], hash[crypto_pwhash_STRBYTES];
    const char *roles = ctl_flag(ctl, FLAG_ROLE);
    size_t bytes = 0;
    if (!is_name(ctl->words[0]))
        return problems_usage("'%s' is no principal for the users file: 1 to 256 bytes without "
                              "blanks, not beginning with #",
                              ctl->words[0]);
    if (roles != NULL && strcspn(roles, " \t\"'\\()[]*") != strlen(roles))
        return problems_usage("--role takes roles by comma, without blanks, quotes and brackets, "
                              "not '%s'",
                              roles);
    int code = passwd_read("-", password, &bytes);
    if (code == EXIT_COMPLETE && bytes == 0)
        code = problems_usage("an empty password keeps nobody out; give one on standard input");
    bool is_hashed = code == EXIT_COMPLETE && sodium_init() >= 0 &&
                     crypto_pwhash_str(hash, password, bytes, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                       crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0;
    sodium_memzero(password, sizeof password);
    if (code != EXIT_COMPLETE)
        return code;
    return is_hashed ? write_line(ctl, hash, roles)
                     : problems_report("INTERNAL", "no memory for the hash: it takes 64 MiB");
}
