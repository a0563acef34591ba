/* test_hasher.c - passwords are checked beside the loop, and told once. */
#include "daemon/hasher.h"

#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>
#include <sodium.h>

static struct users users;
static struct user rows[1];
static char hash[crypto_pwhash_STRBYTES];

static void begin(void)
{
    world_open();
    cr_assert_geq(sodium_init(), 0);
    cr_assert_eq(crypto_pwhash_str(hash, "lovelace", 8, crypto_pwhash_OPSLIMIT_MIN,
                                   crypto_pwhash_MEMLIMIT_MIN),
                 0);
    rows[0] =
        (struct user){.principal = span_text("ada"), .hash = hash, .roles = "desk,eu", .line = 1};
    users = (struct users){.rows = rows, .count = 1};
    snprintf(users.decoy, sizeof users.decoy, "%s", hash);
}

TestSuite(hasher, .init = begin, .fini = world_close);

static void ask(uint64_t number, const char *principal, const char *password)
{
    struct mesh_output order = {
        .order = MESH_CHECK_PASSWORD,
        .number = number,
        .principal = span_text(principal),
        .credentials = span_text(password),
    };
    hasher_ask(&world.hasher, &world.facts, &world.batch, &users, &order);
}

static const struct fake_fact *answer(uint64_t number, const char *principal, const char *password)
{
    unsigned told = fake_core_told(MESH_PASSWORD_CHECKED);
    ask(number, principal, password);
    cr_assert(world_until_told(MESH_PASSWORD_CHECKED, told + 1));
    const struct fake_fact *fact = fake_core_last(MESH_PASSWORD_CHECKED);
    cr_assert_eq(fact->input.number, number);
    return fact;
}

Test(hasher, the_right_password_brings_the_roles)
{
    const struct fake_fact *fact = answer(7, "ada", "lovelace");
    cr_assert_eq(fact->input.password, MESH_PASSWORD_RIGHT);
    cr_assert_str_eq(fact->text, "desk,eu");
}

Test(hasher, a_wrong_one_is_wrong_and_nobodys_is_nobodys)
{
    cr_assert_eq(answer(8, "ada", "byron")->input.password, MESH_PASSWORD_WRONG);
    cr_assert_eq(answer(9, "ada", "")->input.password, MESH_PASSWORD_WRONG);
    cr_assert_eq(answer(10, "eve", "byron")->input.password, MESH_PASSWORD_OF_NOBODY);
    cr_assert_eq(answer(11, "eve", "lovelace")->input.password, MESH_PASSWORD_OF_NOBODY,
                 "the decoy's own password opens nothing");
}

Test(hasher, as_many_as_are_ordered_at_once_are_all_told)
{
    ask(1, "ada", "lovelace");
    ask(2, "ada", "byron");
    cr_assert(world_until_told(MESH_PASSWORD_CHECKED, MESH_PASSWORDS_AT_ONCE));
}

Test(hasher, users_may_change_while_one_is_checked)
{
    ask(1, "ada", "lovelace");
    users.count = 0;
    rows[0].roles = "admin";
    cr_assert(world_until_told(MESH_PASSWORD_CHECKED, 1));
    cr_assert_str_eq(fake_core_last(MESH_PASSWORD_CHECKED)->text, "desk,eu");
}
