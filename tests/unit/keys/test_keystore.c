#include "keys/keystore.h"

#include <criterion/criterion.h>
#include <czmq.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char why[KEYSTORE_WHY_BYTES];

static void folder_make(void)
{
    snprintf(folder, sizeof(folder), "/tmp/weft-keystore-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    why[0] = '\0';
}

static void folder_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(keystore, .init = folder_make, .fini = folder_remove);

static const char *path_of(const char *file)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return path;
}

static struct keyfile make(const char *name)
{
    struct keyfile keyfile = {.public_key = ""};
    snprintf(keyfile.name, sizeof keyfile.name, "%s", name);
    cr_assert(keystore_create(&keyfile, folder, why), "%s", why);
    return keyfile;
}

static void write_file(const char *file, const char *text)
{
    FILE *out = fopen(path_of(file), "w");
    cr_assert_not_null(out);
    cr_assert_geq(fputs(text, out), 0);
    fclose(out);
}

static void copy_file(const char *from, const char *to)
{
    char command[320], source[128];
    snprintf(source, sizeof source, "%s", path_of(from));
    snprintf(command, sizeof command, "cp %s %s", source, path_of(to));
    cr_assert_eq(system(command), 0);
}

Test(keystore, a_new_pair_is_a_pair_and_the_secret_is_its_owners_alone)
{
    struct stat status;
    struct keyfile made = make("eu-a"), read;
    cr_assert_eq(stat(path_of("eu-a.key_secret"), &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0600);
    cr_assert(keystore_read(path_of("eu-a.key_secret"), KEYSTORE_SECRET, &read, why), "%s", why);
    cr_assert_str_eq(read.secret_key, made.secret_key);
    cr_assert(keystore_read(path_of("eu-a.key"), KEYSTORE_PUBLIC, &read, why), "%s", why);
    cr_assert_str_eq(read.public_key, made.public_key);
    cr_assert_str_empty(read.secret_key);
    cr_assert_str_eq(read.name, "eu-a");
}

Test(keystore, new_files_never_replace_others)
{
    struct keyfile first = make("eu-a"), again = {.name = "eu-a"}, read;
    cr_assert(!keystore_create(&again, folder, why));
    cr_assert(strstr(why, "never written over") != NULL, "%s", why);
    cr_assert_eq(unlink(path_of("eu-a.key")), 0);
    cr_assert(!keystore_create(&again, folder, why)); /* the secret is still there */
    cr_assert(keystore_read(path_of("eu-a.key_secret"), KEYSTORE_SECRET, &read, why));
    cr_assert_str_eq(read.secret_key, first.secret_key);
    cr_assert_neq(access(path_of("eu-a.key"), F_OK), 0, "no public half of another pair");
}

Test(keystore, czmq_reads_what_we_write_and_we_read_what_czmq_writes)
{
    struct keyfile made = make("eu-a"), read;
    zcert_t *cert = zcert_load(path_of("eu-a.key_secret"));
    cr_assert_not_null(cert);
    cr_assert_str_eq(zcert_public_txt(cert), made.public_key);
    cr_assert_str_eq(zcert_secret_txt(cert), made.secret_key);
    cr_assert_str_eq(zcert_meta(cert, "name"), "eu-a");
    zcert_destroy(&cert);
    cert = zcert_new();
    zcert_set_meta(cert, "name", "%s", "eu-b");
    cr_assert_eq(zcert_save(cert, path_of("other.key")), 0);
    cr_assert(keystore_read(path_of("other.key"), KEYSTORE_PUBLIC, &read, why), "%s", why);
    cr_assert_str_eq(read.public_key, zcert_public_txt(cert));
    cr_assert_str_eq(read.name, "eu-b");
    cr_assert_eq(chmod(path_of("other.key_secret"), 0600), 0);
    cr_assert(keystore_read(path_of("other.key_secret"), KEYSTORE_SECRET, &read, why), "%s", why);
    cr_assert_str_eq(read.secret_key, zcert_secret_txt(cert));
    zcert_destroy(&cert);
}

Test(keystore, a_secret_file_that_others_can_read_is_refused)
{
    struct keyfile read;
    make("eu-a");
    cr_assert_eq(chmod(path_of("eu-a.key_secret"), 0640), 0);
    cr_assert(!keystore_read(path_of("eu-a.key_secret"), KEYSTORE_SECRET, &read, why));
    cr_assert(strstr(why, "chmod 600") != NULL, "%s", why);
    cr_assert_not(keystore_read(path_of("eu-a.key"), KEYSTORE_SECRET, &read, why));
    cr_assert(strstr(why, "the other half of the pair") != NULL, "%s", why);
    cr_assert_str_empty(read.secret_key);
}

Test(keystore, what_everybody_can_write_is_refused)
{
    struct keyfile read;
    struct keystore store;
    make("eu-a");
    cr_assert_eq(chmod(path_of("eu-a.key"), 0646), 0);
    cr_assert(!keystore_read(path_of("eu-a.key"), KEYSTORE_PUBLIC, &read, why));
    cr_assert_eq(chmod(path_of("eu-a.key"), 0644), 0);
    cr_assert_eq(chmod(folder, 0777), 0);
    cr_assert(!keystore_read_folder(&store, folder, why));
    cr_assert(strstr(why, "written by everybody") != NULL, "%s", why);
}

Test(keystore, the_two_halves_are_not_taken_for_each_other)
{
    struct keyfile read;
    make("eu-a");
    cr_assert(!keystore_read(path_of("eu-a.key_secret"), KEYSTORE_PUBLIC, &read, why));
    cr_assert_eq(chmod(path_of("eu-a.key"), 0600), 0);
    cr_assert(!keystore_read(path_of("eu-a.key"), KEYSTORE_SECRET, &read, why));
}

Test(keystore, two_keys_that_are_no_pair_are_refused)
{
    char text[512];
    struct keyfile one = make("a"), two = make("b"), read;
    snprintf(text, sizeof text, "curve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n",
             one.public_key, two.secret_key);
    write_file("c.key_secret", text);
    cr_assert_eq(chmod(path_of("c.key_secret"), 0600), 0);
    cr_assert(!keystore_read(path_of("c.key_secret"), KEYSTORE_SECRET, &read, why));
}

Test(keystore, a_folder_gives_its_public_keys_with_their_owners)
{
    struct keystore store;
    struct keyfile a = make("a"), b = make("b");
    char text[256];
    write_file("README", "not a key");
    snprintf(text, sizeof text, "curve\n    public-key = \"%s\"\n", make("tmp").public_key);
    cr_assert_eq(unlink(path_of("tmp.key")), 0);
    write_file("unnamed.key", text);
    cr_assert(keystore_read_folder(&store, folder, why), "%s", why);
    cr_assert_eq(store.count, 3);
    cr_assert_str_eq(keystore_find(&store, a.public_key)->name, "a");
    cr_assert_str_eq(keystore_find(&store, b.public_key)->name, "b");
    cr_assert_null(keystore_find(&store, a.secret_key));
    cr_assert_not_null(keystore_next_of(&store, span_text("unnamed"), NULL));
    keystore_clear(&store);
}

Test(keystore, an_owner_may_have_two_keys_but_two_files_not_the_same)
{
    struct keystore store;
    make("a");
    copy_file("a.key", "keep");
    cr_assert_eq(unlink(path_of("a.key")), 0);
    cr_assert_eq(unlink(path_of("a.key_secret")), 0);
    make("a");
    copy_file("keep", "a-before.key");
    cr_assert(keystore_read_folder(&store, folder, why), "%s", why);
    const struct keyfile *one = keystore_next_of(&store, span_text("a"), NULL);
    cr_assert_not_null(one);
    cr_assert_not_null(keystore_next_of(&store, span_text("a"), one));
    keystore_clear(&store);
    copy_file("keep", "again.key");
    cr_assert(!keystore_read_folder(&store, folder, why));
    cr_assert(strstr(why, "one key twice") != NULL, "%s", why);
}

Test(keystore, a_bad_file_or_a_folder_that_is_not_there_is_named)
{
    struct keystore store;
    write_file("a.key", "curve\n");
    cr_assert(!keystore_read_folder(&store, folder, why));
    cr_assert(strstr(why, "a.key has no public-key") != NULL, "%s", why);
    cr_assert_null(store.list);
    cr_assert(!keystore_read_folder(&store, path_of("nowhere"), why));
    cr_assert(strstr(why, "nowhere") != NULL, "%s", why);
}

Test(keystore, many_keys_are_all_found)
{
    struct keystore store;
    struct keyfile made[40];
    for (unsigned i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        made[i] = make(name);
    }
    cr_assert(keystore_read_folder(&store, folder, why), "%s", why);
    cr_assert_eq(store.count, 40);
    for (unsigned i = 0; i < 40; i++)
        cr_assert_str_eq(keystore_find(&store, made[i].public_key)->name, made[i].name);
    keystore_clear(&store);
}
