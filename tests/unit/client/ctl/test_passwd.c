/* test_passwd.c - passwords are read as they are, and lines for the users file can be used. */
#include <criterion/criterion.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl/passwd.h"
#include "tests/unit/client/ctl/play.h"

/* What standard input holds from now on. */
static void type(const char *text)
{
    char path[] = "/tmp/weft-passwd-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)unlink(path);
    (void)lseek(fd, 0, SEEK_SET);
    (void)dup2(fd, STDIN_FILENO);
    (void)close(fd);
}

Test(passwd, a_line_is_name_hash_and_roles)
{
    struct play play;
    char hash[128] = "";
    type("open sesame\nnext line\n");
    play_run(&play, "passwd ada --role desk,eu");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_eq(sscanf(play.out, "ada %127s desk,eu\n", hash), 1, "%s", play.out);
    cr_assert_geq(sodium_init(), 0);
    cr_assert_eq(crypto_pwhash_str_verify(hash, "open sesame", 11), 0);
    cr_assert_null(strstr(play.out, "sesame"));
    cr_assert_str_eq(play.err, "");
}

Test(passwd, the_end_of_the_line_is_not_part_of_it)
{
    char password[PASSWD_BYTES_MAX];
    size_t bytes = 0;
    type(" a b \r\n");
    cr_assert_eq(passwd_read("-", password, &bytes), EXIT_COMPLETE);
    cr_assert_eq(bytes, 5);
    cr_assert_arr_eq(password, " a b ", 5);
    type("without an end");
    cr_assert_eq(passwd_read("-", password, &bytes), EXIT_COMPLETE);
    cr_assert_eq(bytes, 14);
}

Test(passwd, what_can_not_be_a_line_is_refused)
{
    struct play play;
    type("x\n");
    play_run(&play, "passwd a~b");
    cr_assert_eq(play.code, EXIT_USAGE);
    play_run(&play, "passwd #a");
    cr_assert_eq(play.code, EXIT_USAGE);
    play_run(&play, "passwd ada --role a~b");
    cr_assert_eq(play.code, EXIT_USAGE);
    type("\n");
    play_run(&play, "passwd ada");
    cr_assert_eq(play.code, EXIT_USAGE);
    cr_assert_not_null(strstr(play.err, "an empty password keeps nobody out"));
}

Test(passwd, a_file_that_is_not_there_is_named)
{
    struct play play;
    play_run(&play, "--password-file /no/where session ls");
    cr_assert_neq(play.code, EXIT_COMPLETE);
}
