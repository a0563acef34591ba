/* keystore.c - see keystore.h. Whoever can write a public file can let himself in, and whoever can
 * read a secret one can be somebody else: so both are looked at before their text is. The file that
 * was looked at is the one that is read: all through one descriptor. */
#include "keys/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

static const char public_ending[] = ".key", secret_ending[] = ".key_secret";

/* Writes the sentence and returns false, for `return fail(..)`. */
static bool __attribute__((format(printf, 2, 3)))
fail(char why[KEYSTORE_WHY_BYTES], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, KEYSTORE_WHY_BYTES, format, arguments);
    va_end(arguments);
    return false;
}

/* -- one file -- */

/* The part of a file's name before its ending; empty when it has another one. */
static struct span stem_of(const char *path, const char *ending)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash == NULL ? path : slash + 1;
    size_t bytes = strlen(file), tail = strlen(ending);
    bool has_it = bytes > tail && strcmp(file + bytes - tail, ending) == 0;
    return span_of(file, has_it ? bytes - tail : 0);
}

static bool may_be_used(const struct stat *status, enum keystore_side side, const char *path,
                        char why[KEYSTORE_WHY_BYTES])
{
    unsigned mode = (unsigned)status->st_mode & 0777;
    if (!S_ISREG(status->st_mode))
        return fail(why, "%s is no file", path);
    bool is_open = side == KEYSTORE_SECRET && (mode & 077) != 0;
    if (is_open && stem_of(path, public_ending).bytes > 0) /* it is no secret, and stays readable */
        return fail(why, "%s %s", path, keyfile_sentence(KEYFILE_TWO_SIDES));
    if (is_open)
        return fail(why, "%s can be used by others (mode %04o); chmod 600 it", path, mode);
    if (side == KEYSTORE_PUBLIC && (mode & 002) != 0)
        return fail(why, "%s can be written by everybody (mode %04o); chmod 644 it", path, mode);
    return true;
}

static bool read_all(int fd, char *text, size_t room, size_t *bytes)
{
    *bytes = 0;
    while (*bytes < room) {
        ssize_t got = read(fd, text + *bytes, room - *bytes);
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        *bytes += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static enum keyfile_verdict pair_judge(const struct keyfile *keyfile, enum keystore_side side)
{
    uint8_t key[32];
    char public_key[KEYFILE_KEY_BYTES] = "";
    bool has_secret = keyfile->secret_key[0] != '\0';
    if (has_secret != (side == KEYSTORE_SECRET))
        return KEYFILE_TWO_SIDES;
    if (zmq_z85_decode(key, keyfile->public_key) == NULL)
        return KEYFILE_BAD_KEY;
    if (has_secret && (zmq_curve_public(public_key, keyfile->secret_key) != 0 ||
                       strcmp(public_key, keyfile->public_key) != 0))
        return KEYFILE_BAD_KEY;
    return KEYFILE_GOOD;
}

/* A file that does not say whose key it is has its name for that, if that can be one. */
static void name_after(struct keyfile *keyfile, const char *path, enum keystore_side side)
{
    struct span stem = stem_of(path, side == KEYSTORE_SECRET ? secret_ending : public_ending);
    if (keyfile->name[0] == '\0' && keyfile_is_name(stem))
        memcpy(keyfile->name, stem.data, stem.bytes);
}

static bool read_open(int fd, const char *path, enum keystore_side side, struct keyfile *keyfile,
                      char why[KEYSTORE_WHY_BYTES])
{
    struct stat status;
    char text[KEYFILE_BYTES_MAX + 1];
    size_t bytes = 0;
    if (fstat(fd, &status) != 0)
        return fail(why, "cannot read %s: %s", path, strerror(errno));
    if (!may_be_used(&status, side, path, why))
        return false;
    if (!read_all(fd, text, sizeof text, &bytes))
        return fail(why, "cannot read %s: %s", path, strerror(errno));
    enum keyfile_verdict verdict = keyfile_decode(span_of(text, bytes), keyfile);
    keyfile_wipe(text, sizeof text);
    if (verdict == KEYFILE_GOOD)
        verdict = pair_judge(keyfile, side);
    if (verdict == KEYFILE_GOOD) {
        name_after(keyfile, path, side);
        return true;
    }
    keyfile_wipe(keyfile, sizeof *keyfile);
    return fail(why, "%s %s", path, keyfile_sentence(verdict));
}

bool keystore_read(const char *path, enum keystore_side side, struct keyfile *keyfile,
                   char why[KEYSTORE_WHY_BYTES])
{
    *keyfile = (struct keyfile){.public_key = ""};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return fail(why, "cannot read %s: %s", path, strerror(errno));
    bool is_read = read_open(fd, path, side, keyfile, why);
    close(fd);
    return is_read;
}

/* -- a folder -- */

static bool grow(struct keystore *store)
{
    if (store->count < store->capacity)
        return true;
    size_t capacity = store->capacity == 0 ? 16 : 2 * store->capacity;
    struct keyfile *list = realloc(store->list, capacity * sizeof *list);
    if (list == NULL)
        return false;
    store->list = list;
    store->capacity = capacity;
    return true;
}

static bool take_file(struct keystore *store, const char *folder, const char *file,
                      char why[KEYSTORE_WHY_BYTES])
{
    char path[KEYSTORE_PATH_BYTES];
    if (stem_of(file, public_ending).bytes == 0)
        return true;
    int wanted = snprintf(path, sizeof path, "%s/%s", folder, file);
    if (wanted < 0 || (size_t)wanted >= sizeof path)
        return fail(why, "%.500s has a path that is too long", file);
    if (store->count == KEYSTORE_KEYS_MAX)
        return fail(why, "%s has more than %d keys", folder, KEYSTORE_KEYS_MAX);
    if (!grow(store))
        return fail(why, "no memory for the keys of %s", folder);
    struct keyfile *keyfile = &store->list[store->count];
    if (!keystore_read(path, KEYSTORE_PUBLIC, keyfile, why))
        return false;
    if (keyfile->name[0] == '\0')
        return fail(why, "%s %s", path, keyfile_sentence(KEYFILE_BAD_NAME));
    store->count++;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct keyfile *left = a, *right = b;
    return strcmp(left->public_key, right->public_key);
}

static bool order(struct keystore *store, const char *folder, char why[KEYSTORE_WHY_BYTES])
{
    if (store->count > 0)
        qsort(store->list, store->count, sizeof store->list[0], compare);
    for (size_t i = 1; i < store->count; i++) {
        if (compare(&store->list[i - 1], &store->list[i]) == 0)
            return fail(why, "%s has one key twice, of %s and of %s; each has its own", folder,
                        store->list[i - 1].name, store->list[i].name);
    }
    return true;
}

static bool read_entries(struct keystore *store, DIR *folder, const char *path,
                         char why[KEYSTORE_WHY_BYTES])
{
    struct stat status;
    if (fstat(dirfd(folder), &status) != 0)
        return fail(why, "cannot read %s: %s", path, strerror(errno));
    if ((status.st_mode & S_IWOTH) != 0)
        return fail(why, "%s can be written by everybody; chmod 755 it", path);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL && errno != 0)
            return fail(why, "cannot read %s: %s", path, strerror(errno));
        if (entry == NULL)
            return order(store, path, why);
        if (!take_file(store, path, entry->d_name, why))
            return false;
    }
}

bool keystore_read_folder(struct keystore *store, const char *path, char why[KEYSTORE_WHY_BYTES])
{
    *store = (struct keystore){.count = 0};
    DIR *folder = opendir(path);
    if (folder == NULL)
        return fail(why, "cannot read the folder %s: %s", path, strerror(errno));
    bool is_read = read_entries(store, folder, path, why);
    closedir(folder);
    if (!is_read)
        keystore_clear(store);
    return is_read;
}

void keystore_clear(struct keystore *store)
{
    free(store->list);
    *store = (struct keystore){.count = 0};
}

const struct keyfile *keystore_find(const struct keystore *store, const char *public_key)
{
    size_t from = 0, to = store->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int way = strcmp(public_key, store->list[middle].public_key);
        if (way == 0)
            return &store->list[middle];
        if (way < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

const struct keyfile *keystore_next_of(const struct keystore *store, struct span name,
                                       const struct keyfile *after)
{
    const struct keyfile *end = store->list + store->count;
    for (const struct keyfile *at = after == NULL ? store->list : after + 1; at < end; at++) {
        if (span_equal(name, span_text(at->name)))
            return at;
    }
    return NULL;
}

/* -- new ones -- */

static bool write_text(const char *path, mode_t mode, const char *text, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return false;
    ssize_t written = write(fd, text, bytes);
    bool is_written = written == (ssize_t)bytes && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int reason = written >= 0 && written < (ssize_t)bytes ? ENOSPC : errno;
    is_written = close(fd) == 0 && is_written;
    if (!is_written) {
        unlink(path);
        errno = reason;
    }
    return is_written;
}

static bool write_keyfile(const struct keyfile *keyfile, const char *path, mode_t mode,
                          char why[KEYSTORE_WHY_BYTES])
{
    char text[KEYFILE_BYTES_MAX];
    struct writer writer;
    writer_init(&writer, text, sizeof text);
    keyfile_encode(keyfile, &writer);
    bool is_written = !writer.is_bad && write_text(path, mode, text, sizeof text - writer.left);
    keyfile_wipe(text, sizeof text);
    if (!is_written && errno == EEXIST)
        return fail(why, "%s is there already, and is never written over", path);
    return is_written || fail(why, "cannot write %s: %s", path, strerror(errno));
}

bool keystore_create(struct keyfile *keyfile, const char *folder, char why[KEYSTORE_WHY_BYTES])
{
    char secret[KEYSTORE_PATH_BYTES], public[KEYSTORE_PATH_BYTES];
    int wanted = snprintf(secret, sizeof secret, "%s/%s%s", folder, keyfile->name, secret_ending);
    snprintf(public, sizeof public, "%s/%s%s", folder, keyfile->name, public_ending);
    if (!keyfile_is_name(span_text(keyfile->name)))
        return fail(why, "'%s' %s", keyfile->name, keyfile_sentence(KEYFILE_BAD_NAME));
    if (wanted < 0 || (size_t)wanted >= sizeof secret)
        return fail(why, "%.500s is a path that is too long", folder);
    if (access(public, F_OK) == 0)
        return fail(why, "%s is there already, and is never written over", public);
    if (zmq_curve_keypair(keyfile->public_key, keyfile->secret_key) != 0)
        return fail(why, "this libzmq has no CURVE");
    struct keyfile half = *keyfile;
    memset(half.secret_key, 0, sizeof half.secret_key);
    if (!write_keyfile(keyfile, secret, S_IRUSR | S_IWUSR, why))
        return false;
    if (write_keyfile(&half, public, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH, why))
        return true;
    unlink(secret);
    return false;
}
