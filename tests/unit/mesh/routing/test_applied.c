/* test_applied.c - a command is begun once, and its first answer is what every repeat gets. */
#include "mesh/routing/applied.h"

#include <criterion/criterion.h>

#define S_NS UINT64_C(1000000000)

static struct mesh_config config;
static struct context context;
static struct applied *applied;

static void begin(void)
{
    mesh_config_defaults(&config);
    config.name = "a";
    config.cluster = "weft";
    config.zone = config.version = "";
    config.client_address = config.gossip_address = config.forward_address = "h:1";
    cr_assert(context_init(&context, &config));
    context.now_ns = S_NS;
    applied = applied_new(&context);
    cr_assert_not_null(applied);
}

static void end(void)
{
    applied_check(applied);
    applied_destroy(&applied);
    scratch_clear(&context.scratch);
    cr_assert_eq(context.memory.used[MEMORY_QUEUES], 0);
    context_clear(&context);
}

TestSuite(applied, .init = begin, .fini = end);

static uint8_t id_bytes[COMMAND_ID_BYTES];

static struct span id(uint32_t number)
{
    memcpy(id_bytes, &number, sizeof number);
    return span_of(id_bytes, sizeof id_bytes);
}

static enum applied_verdict start(uint32_t number, uint32_t *entry)
{
    return applied_begin(applied, id(number), 128, entry);
}

static void answer(uint32_t entry, uint32_t count, const char *rows)
{
    struct result result = {.code = ERROR_OK, .node = span_text("a"), .applied = count};
    applied_answer(applied, entry, &result, span_text(rows));
}

Test(applied, a_repeat_gets_the_whole_first_answer)
{
    uint32_t entry, again;
    cr_assert_eq(start(7, &entry), APPLIED_FRESH);
    cr_assert_eq(start(7, &again), APPLIED_AT_WORK);
    answer(entry, 12, "rows");
    cr_assert_eq(start(7, &again), APPLIED_ANSWERED);
    struct outgoing message;
    struct result result;
    applied_recall(applied, again, &message);
    cr_assert_eq(schema_decode(&result_schema, message.encoded_fields, &result), ERROR_OK);
    cr_assert_eq(result.applied, 12);
    cr_assert(span_equal(message.body, span_text("rows")));
    cr_assert_eq(start(8, &again), APPLIED_FRESH);
    answer(again, 1, "");
}

Test(applied, is_remembered_for_a_minute_and_not_forgotten_at_work)
{
    uint32_t entry, other;
    cr_assert_eq(start(1, &entry), APPLIED_FRESH);
    context.now_ns += 59 * S_NS;
    answer(entry, 1, "");
    cr_assert_eq(start(1, &entry), APPLIED_ANSWERED);
    context.now_ns += 2 * S_NS;
    cr_assert_eq(start(1, &entry), APPLIED_FRESH);
    context.now_ns += 600 * S_NS;
    cr_assert_eq(start(2, &other), APPLIED_FRESH);
    cr_assert_eq(start(1, &other), APPLIED_AT_WORK, "it was never answered");
    answer(entry, 1, "");
    cr_assert_eq(start(1, &other), APPLIED_FRESH, "old, and answered now");
}

Test(applied, past_its_limit_nothing_is_begun)
{
    uint32_t entry, number = 0;
    while (start(number, &entry) == APPLIED_FRESH) {
        answer(entry, number, "");
        number++;
    }
    cr_assert_eq(number, 16384);
    cr_assert_eq(start(number, &entry), APPLIED_FULL);
    cr_assert_eq(start(5, &entry), APPLIED_ANSWERED);
    context.now_ns += 60 * S_NS;
    cr_assert_eq(start(number, &entry), APPLIED_FRESH);
}

Test(applied, without_memory_for_the_answer_nothing_is_begun)
{
    uint32_t entry;
    context.memory.limit[MEMORY_QUEUES] = 64;
    cr_assert_eq(start(1, &entry), APPLIED_FULL);
    context.memory.limit[MEMORY_QUEUES] = 1 << 20;
    cr_assert_eq(start(1, &entry), APPLIED_FRESH);
}
