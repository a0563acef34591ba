/* test_users.c - the file of users: what is in it, and what is refused with line and reason. */
#include "daemon/users.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GOOD                                                                                       \
    "$argon2id$v=19$m=65536,t=2,p=1$DEfqS88buLT+DJ5cYbH1uA$"                                       \
    "ypshXzVhnKehcnPaHRvnJD1e//P19FGHdvkcMD7i6uQ"

static struct users users;
static struct config_error error;
static char path[64];

static void begin(void)
{
    cr_assert_geq(sodium_init(), 0);
    memset(&users, 0, sizeof users);
    memset(&error, 0, sizeof error);
    snprintf(path, sizeof path, "/tmp/weft-users-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static void end(void)
{
    users_clear(&users);
    unlink(path);
}

TestSuite(users, .init = begin, .fini = end);

static bool read_text(const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    return users_read(&users, path, &error);
}

static const struct user *find(const char *name)
{
    return users_find(&users, span_of(name, strlen(name)));
}

/* Whether the text is refused for that, at that line. */
static void refused(const char *text, unsigned line, const char *why)
{
    char place[32];
    snprintf(place, sizeof place, ", line %u: ", line);
    cr_assert_not(read_text(text), "%s", text);
    cr_assert_not_null(strstr(error.text, place), "%s", error.text);
    cr_assert_not_null(strstr(error.text, why), "%s", error.text);
    cr_assert_null(strstr(error.text, "ypshXz"), "no hash is said aloud");
}

Test(users, a_line_is_a_principal_a_hash_and_roles)
{
    cr_assert(
        read_text("# those of the desk\n\nada " GOOD " desk,eu\n  bob\t" GOOD "\r\neve " GOOD));
    cr_assert_eq(users.count, 3);
    cr_assert_str_eq(find("ada")->roles, "desk,eu");
    cr_assert_str_eq(find("ada")->hash, GOOD);
    cr_assert_str_eq(find("bob")->roles, "");
    cr_assert_str_eq(find("eve")->hash, GOOD);
    cr_assert_null(find("ad"));
    cr_assert_null(find(""));
}

Test(users, an_empty_file_and_no_file_hold_nobody_and_a_decoy)
{
    cr_assert(read_text(""));
    cr_assert_null(find("ada"));
    cr_assert_eq(crypto_pwhash_str_needs_rehash(users.decoy, 2, 65536 * 1024), 0,
                 "nobody's hash is as dear as one of weftctl passwd");
    cr_assert(users_read(&users, "", &error));
    cr_assert_eq(users.count, 0);
}

Test(users, bad_lines_are_named_and_change_nothing)
{
    cr_assert(read_text("ada " GOOD " desk\n"));
    refused("bob\n", 1, "expected PRINCIPAL HASH");
    refused("# x\nbob secret\n", 2, "no Argon2id hash");
    refused("bob " GOOD " a b\n", 1, "fourth word");
    refused("bob " GOOD " de(sk\n", 1, "roles");
    refused("bob " GOOD "\nann " GOOD "\nbob " GOOD "\n", 3, "a line above already");
    refused("bob $argon2id$v=19$m=65536,t=2,p=1$DEfqS88buLT+DJ5cYbH1uA$short\n", 1, "damaged");
    refused("bob $argon2i$v=19$m=65536,t=2,p=1$DEfqS88buLT+DJ5cYbH1uA$x\n", 1, "no Argon2id");
    cr_assert_not_null(find("ada"));
    cr_assert_eq(users.count, 1);
}

Test(users, a_hash_that_costs_too_much_is_refused)
{
    refused("bob $argon2id$v=19$m=4194304,t=2,p=1$DEfqS88buLT+DJ5cYbH1uA$"
            "ypshXzVhnKehcnPaHRvnJD1e//P19FGHdvkcMD7i6uQ\n",
            1, "too much");
    refused("bob $argon2id$v=19$m=65536,t=4000,p=1$DEfqS88buLT+DJ5cYbH1uA$"
            "ypshXzVhnKehcnPaHRvnJD1e//P19FGHdvkcMD7i6uQ\n",
            1, "too much");
}

Test(users, a_file_that_is_too_large_is_refused_and_not_cut)
{
    char *text = malloc(USERS_FILE_BYTES_MAX + sizeof "ada " GOOD "\n");
    cr_assert_not_null(text);
    memset(text, '#', USERS_FILE_BYTES_MAX);
    text[USERS_FILE_BYTES_MAX - 1] = '\n';
    memcpy(text + USERS_FILE_BYTES_MAX, "ada " GOOD "\n", sizeof "ada " GOOD "\n");
    cr_assert_not(read_text(text));
    cr_assert_not_null(strstr(error.text, "32 MiB"), "%s", error.text);
    free(text);
}

Test(users, a_file_that_is_not_there_or_no_text_is_an_error)
{
    cr_assert_not(users_read(&users, "/nowhere/users", &error));
    cr_assert_not_null(strstr(error.text, "/nowhere/users"));
    FILE *file = fopen(path, "w");
    fwrite("ada\0", 1, 4, file);
    fclose(file);
    cr_assert_not(users_read(&users, path, &error));
    cr_assert_not_null(strstr(error.text, "NUL"));
}
