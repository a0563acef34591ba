/* test_selections.c - who selects a path, against asking every selector. */
#include <criterion/criterion.h>

#include "mesh/base/selector.h"
#include "mesh/topics/selections.h"
#include "tests/unit/mesh/topics/paths.h"

enum { SESSIONS = 7, MOST = 600 };

static struct memory memory;
static struct selections selections;
static struct random numbers;

static void set_up(void)
{
    uint8_t seed[32] = {8};
    memory = (struct memory){0};
    for (int kind = 0; kind < MEMORY_KINDS; kind++)
        memory.limit[kind] = UINT64_MAX;
    cr_assert(selections_init(&selections, &memory, 5));
    random_init(&numbers, seed, 0);
}

static void tear_down(void)
{
    selections_clear(&selections);
    for (int kind = 0; kind < MEMORY_KINDS; kind++)
        cr_assert_eq(memory.used[kind], 0);
}

TestSuite(selections, .init = set_up, .fini = tear_down);

static uint32_t count_found(struct span path, struct selection *all[], uint32_t count)
{
    uint32_t found = 0;
    const struct selection_node *node = selections_of_path(&selections, path);
    for (; node != NULL; node = node->next_found) {
        for (int is_rest = 0; is_rest < 2; is_rest++) {
            const struct selection *at = is_rest ? node->rest : node->exact;
            for (; (is_rest || node->is_exact) && at != NULL; at = at->next_here, found++)
                cr_assert(selector_matches(selections_text(at), path));
        }
    }
    uint32_t expected = 0;
    for (uint32_t i = 0; i < count; i++)
        expected += selector_matches(selections_text(all[i]), path) ? 1 : 0;
    cr_assert_eq(found, expected, "%.*s", (int)path.bytes, (const char *)path.data);
    return found;
}

Test(selections, of_a_path_are_those_that_mean_it)
{
    static struct selection *all[MOST];
    char text[PATHS_TEXT_BYTES];
    uint32_t count = 0;
    uint32_t found = 0;
    for (int i = 0; i < 6000; i++) {
        uint32_t session = (uint32_t)random_below(&numbers, SESSIONS);
        struct span selector = paths_draw_selector(&numbers, text);
        struct selection *there = selections_find(&selections, session, selector);
        if (there == NULL && count < MOST) {
            all[count] = selections_add(&selections, session, selector);
            cr_assert_not_null(all[count++]);
        } else if (there != NULL) {
            for (uint32_t at = 0; at < count; at++) {
                if (all[at] == there)
                    all[at--] = all[--count];
            }
            selections_remove(&selections, there);
        }
        found += count_found(paths_draw(&numbers, text), all, count);
        if (i % 200 == 0)
            selections_check(&selections);
    }
    cr_assert_gt(found, 10000, "the test needs paths that are selected");
}

Test(selections, leave_nothing_behind)
{
    struct selection *deep = selections_add(&selections, 1, span_text("a/b/c/d/**"));
    struct selection *short_one = selections_add(&selections, 1, span_text("a/b"));
    uint32_t nodes = selections.nodes.count;
    cr_assert_eq(nodes, 5, "the root and four segments");
    selections_remove(&selections, deep);
    cr_assert_eq(selections.nodes.count, 3);
    selections_remove(&selections, short_one);
    cr_assert_eq(selections.nodes.count, 1);
}

Test(selections, without_memory_are_unchanged)
{
    cr_assert_not_null(selections_add(&selections, 1, span_text("a/b")));
    uint64_t used = memory.used[MEMORY_TABLES];
    memory.limit[MEMORY_TABLES] = used + 200;
    cr_assert_null(selections_add(&selections, 1, span_text("a/c/d/e/f/g/h/i/j")));
    cr_assert_eq(memory.used[MEMORY_TABLES], used);
    cr_assert_eq(selections.nodes.count, 3);
    selections_check(&selections);
}
