#include "daemon/users.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* Of nobody's password, with INTERACTIVE parameters, for a file that is empty. */
static const char nobodys[] = "$argon2id$v=19$m=65536,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
                              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/* -- the file -- */

static bool users_fail(struct config_error *error, const char *path, unsigned line,
                       const char *what)
{
    if (line == 0)
        return config_fail(error, "auth.users_file %.200s: %s", path, what);
    return config_fail(error, "auth.users_file %.200s, line %u: %s", path, line, what);
}

/* The whole file, ended by NUL. */
static bool users_load(struct users *users, const char *path, struct config_error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return users_fail(error, path, 0, strerror(errno));
    size_t room = 0;
    bool is_whole = false;
    while (!is_whole && room < USERS_FILE_BYTES_MAX) {
        room = room == 0 ? 4096 : 2 * room;
        char *more = realloc(users->text, room);
        if (more == NULL)
            break;
        users->text = more;
        users->text_bytes +=
            fread(users->text + users->text_bytes, 1, room - users->text_bytes - 1, file);
        is_whole = users->text_bytes < room - 1;
    }
    is_whole = is_whole && !ferror(file);
    fclose(file);
    if (!is_whole)
        return users_fail(error, path, 0, "it can't be read, or has more than 32 MiB");
    users->text[users->text_bytes] = '\0';
    if (memchr(users->text, '\0', users->text_bytes) != NULL)
        return users_fail(error, path, 0, "it holds a NUL byte: it is no text");
    return true;
}

/* -- a line -- */

/* The next word, ended by NUL in place; NULL: none. */
static char *users_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t\r");
    size_t bytes = strcspn(word, " \t\r");
    if (bytes == 0)
        return NULL;
    *rest = word + bytes;
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return word;
}

/* Takes `mark` and the number behind it off the text; UINT32_MAX is for all that are larger. */
static bool users_take_number(const char **text, const char *mark, uint32_t *number)
{
    size_t bytes = strlen(mark);
    if (strncmp(*text, mark, bytes) != 0 || (*text)[bytes] < '0' || (*text)[bytes] > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(*text + bytes, &end, 10);
    *number = errno != 0 || value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    *text = end;
    return true;
}

/* NULL: it is a hash that can be checked at a bearable price. */
static const char *users_judge_hash(const char *hash)
{
    uint32_t memory_kib = 0, passes = 0, lanes = 0;
    const char *rest = hash;
    if (strlen(hash) >= USERS_HASH_BYTES_MAX ||
        !users_take_number(&rest, "$argon2id$v=19$m=", &memory_kib) ||
        !users_take_number(&rest, ",t=", &passes) || !users_take_number(&rest, ",p=", &lanes) ||
        *rest != '$')
        return "the second word is no Argon2id hash ($argon2id$v=19$m=..,t=..,p=1$..); `weftctl "
               "passwd` makes one";
    if (memory_kib > USERS_MEMORY_KIB_MAX || passes > USERS_PASSES_MAX || lanes != 1)
        return "checking this hash would cost too much: m is at most 262144, t at most 10, p is 1";
    if (crypto_pwhash_str_needs_rehash(hash, passes, (size_t)memory_kib * 1024) != 0)
        return "the hash is damaged; `weftctl passwd` makes a new one";
    return NULL;
}

static const char *users_judge_name(const char *name)
{
    size_t bytes = strlen(name);
    if (bytes > PRINCIPAL_BYTES_MAX || !span_is_text(span_of(name, bytes)))
        return "the principal must be UTF-8 of at most 256 bytes";
    return NULL;
}

/* NULL: it was taken, or there is nothing in it. */
static const char *users_take_line(struct users *users, char *line, unsigned number)
{
    char *name = users_word(&line);
    if (name == NULL || name[0] == '#')
        return NULL;
    char *hash = users_word(&line), *roles = users_word(&line);
    if (hash == NULL)
        return "expected PRINCIPAL HASH [ROLE,ROLE..]";
    const char *why = users_judge_name(name);
    if (why == NULL)
        why = users_judge_hash(hash);
    if (why != NULL)
        return why;
    if (users_word(&line) != NULL)
        return "there is a fourth word; roles are joined by commas, without blanks";
    if (roles != NULL && !mesh_config_judge_roles(roles))
        return "at most 32 roles, each of 1 to 64 bytes without quotes, brackets and commas, and "
               "not *";
    if (users->count == USERS_MAX)
        return "more than 100000 principals";
    users->rows[users->count++] = (struct user){
        .principal = span_of(name, strlen(name)),
        .hash = hash,
        .roles = roles != NULL ? roles : "",
        .line = number,
    };
    return NULL;
}

static size_t users_lines(const char *text)
{
    size_t lines = 1;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return lines < USERS_MAX ? lines : USERS_MAX;
}

static int users_order(const void *a, const void *b)
{
    return span_order(((const struct user *)a)->principal, ((const struct user *)b)->principal);
}

/* Two lines of one principal: which one holds would be a guess. */
static bool users_sort(struct users *users, const char *path, struct config_error *error)
{
    qsort(users->rows, users->count, sizeof(users->rows[0]), users_order);
    for (size_t i = 1; i < users->count; i++) {
        if (users_order(&users->rows[i - 1], &users->rows[i]) != 0)
            continue;
        unsigned a = users->rows[i - 1].line, b = users->rows[i].line;
        return users_fail(error, path, a > b ? a : b, "its principal has a line above already");
    }
    return true;
}

static bool users_parse(struct users *users, const char *path, struct config_error *error)
{
    users->rows = calloc(users_lines(users->text), sizeof(users->rows[0]));
    if (users->rows == NULL)
        return users_fail(error, path, 0, "no memory");
    char *next = users->text;
    for (unsigned line = 1; next != NULL; line++) {
        char *at = next, *end = strchr(at, '\n');
        next = end == NULL ? NULL : end + 1;
        if (end != NULL)
            *end = '\0';
        const char *why = users_take_line(users, at, line);
        if (why != NULL)
            return users_fail(error, path, line, why);
    }
    return users_sort(users, path, error);
}

bool users_read(struct users *users, const char *path, struct config_error *error)
{
    struct users fresh = {.text = NULL};
    if (path[0] != '\0' &&
        (!users_load(&fresh, path, error) || !users_parse(&fresh, path, error))) {
        users_clear(&fresh);
        return false;
    }
    snprintf(fresh.decoy, sizeof(fresh.decoy), "%s",
             fresh.count > 0 ? fresh.rows[0].hash : nobodys);
    users_clear(users);
    *users = fresh;
    return true;
}

void users_clear(struct users *users)
{
    if (users->text != NULL)
        sodium_memzero(users->text, users->text_bytes);
    free(users->text);
    free(users->rows);
    *users = (struct users){.text = NULL};
}

const struct user *users_find(const struct users *users, struct span principal)
{
    const struct user wanted = {.principal = principal};
    return users->count == 0
               ? NULL
               : bsearch(&wanted, users->rows, users->count, sizeof(users->rows[0]), users_order);
}
