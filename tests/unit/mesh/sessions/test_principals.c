/* test_principals.c - the open sessions of one principal. */
#include "mesh/sessions/principals.h"

#include <criterion/criterion.h>

#include "mesh/sessions/table.h"

enum { SESSIONS = 8 };

static struct mesh_config config;
static struct context context;
static struct sessions *sessions;

static void set_up(void)
{
    mesh_config_defaults(&config);
    config.sessions_max = SESSIONS;
    context = (struct context){.now_ns = 1};
    cr_assert(context_init(&context, &config));
    sessions = sessions_new(&context);
    cr_assert_not_null(sessions);
}

static void tear_down(void)
{
    for (uint32_t i = 0; i < SESSIONS; i++)
        properties_clear(&sessions->slots[i].properties, &context.memory);
    sessions_destroy(&sessions);
    context_clear(&context);
}

TestSuite(principals, .init = set_up, .fini = tear_down);

static void opens(uint32_t slot, const char *principal)
{
    struct property_set set = {.count = 0};
    struct session *session = &sessions->slots[slot];
    property_set_put(&set, "$Principal", span_text(principal));
    cr_assert_eq(properties_store(&session->properties, &context.memory, &set), ERROR_OK);
    session->slot = slot;
    principals_add(sessions, session);
}

/* The slots of a principal's sessions as digits, in the order of the walk. */
static void expect_slots(const char *principal, const char *slots)
{
    const struct session *session = NULL;
    for (const char *slot = slots; *slot != '\0'; slot++) {
        session = principals_next(sessions, span_text(principal), session);
        cr_assert_not_null(session, "%s", principal);
        cr_assert_eq(session->slot, (uint32_t)(*slot - '0'), "%s", principal);
    }
    cr_assert_null(principals_next(sessions, span_text(principal), session), "%s", principal);
}

Test(principals, have_their_sessions_oldest_first)
{
    static const char *const names[SESSIONS] = {"ada", "", "bob", "ada", "", "eve", "ada", "bob"};
    for (uint32_t i = SESSIONS; i > 0; i--)
        opens(i - 1, names[i - 1]);
    expect_slots("ada", "630");
    expect_slots("", "41");
    expect_slots("bob", "72");
    expect_slots("mallory", "");
}

Test(principals, lose_the_sessions_that_end)
{
    static const char *const names[SESSIONS] = {"ada", "ada", "ada", "bob", "c", "d", "e", "f"};
    for (uint32_t i = 0; i < SESSIONS; i++)
        opens(i, names[i]);
    principals_remove(sessions, &sessions->slots[1]);
    expect_slots("ada", "02");
    principals_remove(sessions, &sessions->slots[0]);
    expect_slots("ada", "2");
    principals_add(sessions, &sessions->slots[1]);
    expect_slots("ada", "21");
    for (uint32_t i = 1; i < SESSIONS; i++)
        principals_remove(sessions, &sessions->slots[i]);
    for (uint32_t i = 0; i < SESSIONS; i++)
        expect_slots(names[i], "");
}
