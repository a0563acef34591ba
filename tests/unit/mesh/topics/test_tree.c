/* test_tree.c - topics in order, and selectors among them, against looking at each. */
#include <criterion/criterion.h>

#include "mesh/base/selector.h"
#include "mesh/topics/tree.h"
#include "tests/unit/mesh/topics/paths.h"

static struct memory memory;
static struct tree tree;
static struct random numbers;

static void set_up(void)
{
    uint8_t seed[32] = {7};
    memory = (struct memory){0};
    for (int kind = 0; kind < MEMORY_KINDS; kind++)
        memory.limit[kind] = UINT64_MAX;
    tree_init(&tree, &memory, 99);
    random_init(&numbers, seed, 0);
}

static void tear_down(void)
{
    while (tree_next(&tree, NULL) != NULL)
        tree_remove(&tree, tree_next(&tree, NULL));
    tree_clear(&tree);
    for (int kind = 0; kind < MEMORY_KINDS; kind++)
        cr_assert_eq(memory.used[kind], 0);
}

TestSuite(tree, .init = set_up, .fini = tear_down);

static void add(struct span path)
{
    if (tree_find(&tree, TOPIC_ENTRY_SET, path) == NULL)
        cr_assert_not_null(tree_add(&tree, TOPIC_ENTRY_SET, path));
}

Test(tree, has_paths_before_those_below_them_and_those_before_siblings)
{
    const char *const order[] = {"a", "a/b", "a/b/c", "a/z", "a-", "a-/b", "a0", "ab", "b"};
    enum { COUNT = sizeof order / sizeof order[0] };
    for (int i = 0; i < COUNT; i++)
        add(span_text(order[(i * 4 + 3) % COUNT]));
    const struct topic *topic = NULL;
    for (int i = 0; i < COUNT; i++) {
        topic = tree_next(&tree, topic);
        cr_assert(span_equal(tree_path(topic), span_text(order[i])), "%s", order[i]);
    }
    cr_assert_null(tree_next(&tree, topic));
    tree_check(&tree);
}

Test(tree, finds_what_a_selector_means_as_if_it_looked_at_each)
{
    char text[PATHS_TEXT_BYTES];
    for (int i = 0; i < 400; i++)
        add(paths_draw(&numbers, text));
    for (int i = 0; i < 4000; i++) {
        struct span selector = paths_draw_selector(&numbers, text);
        struct span after = {0};
        const struct topic *found;
        const struct topic *each = NULL, *last = NULL;
        while ((each = tree_next(&tree, each)) != NULL) {
            if (!selector_matches(selector, tree_path(each)))
                continue;
            found = tree_next_selected(&tree, selector, after);
            cr_assert_eq(found, each, "%.*s", (int)selector.bytes, text);
            if (last != NULL)
                cr_assert_eq(tree_next_selected_behind(&tree, selector, last), each);
            last = found;
            after = tree_path(found);
        }
        cr_assert_null(tree_next_selected(&tree, selector, after));
    }
}

Test(tree, stays_in_order_while_topics_come_and_go)
{
    char text[PATHS_TEXT_BYTES];
    for (int i = 0; i < 5000; i++) {
        struct span path = paths_draw(&numbers, text);
        struct topic *topic = tree_find(&tree, TOPIC_ENTRY_SET, path);
        if (topic == NULL)
            add(path);
        else
            tree_remove(&tree, topic);
        cr_assert_eq(tree_find(&tree, TOPIC_ENTRY_SET, path) == NULL, topic != NULL);
        if (i % 100 == 0)
            tree_check(&tree);
    }
}

Test(tree, keeps_what_later_versions_write_apart)
{
    add(span_text("a"));
    cr_assert_not_null(tree_add(&tree, 77, span_text("a")));
    cr_assert_not_null(tree_add(&tree, 200, span_text("\xff")));
    cr_assert_neq(tree_find(&tree, 77, span_text("a")),
                  tree_find(&tree, TOPIC_ENTRY_SET, span_text("a")));
    const struct topic *topic = tree_next_selected(&tree, span_text("**"), (struct span){0});
    cr_assert_eq(topic->type, TOPIC_ENTRY_SET);
    cr_assert_null(tree_next_selected(&tree, span_text("**"), tree_path(topic)));
    cr_assert_eq(tree_next_behind(&tree, 77, span_text("a"))->type, 200);
}

Test(tree, skips_from_the_longest_paths)
{
    char path[PATH_BYTES_MAX];
    char selector[PATH_BYTES_MAX];
    memset(path, 'p', sizeof path);
    memset(selector, 'z', sizeof selector);
    for (size_t i = 255; i < sizeof path; i += 256)
        path[i] = '/';
    add(span_of(path, sizeof path));
    selector[1] = selector[3] = selector[5] = '/';
    selector[0] = selector[2] = selector[4] = '+';
    cr_assert_null(tree_next_selected(&tree, span_of(selector, 6 + 255), (struct span){0}));
}

Test(tree, gives_a_topic_a_new_key_when_asked)
{
    struct topic *topic = tree_add(&tree, TOPIC_ENTRY_SET, span_text("a"));
    tree_rekey(&tree, topic);
    uint32_t before = topic->key;
    cr_assert_eq(tree_of_key(&tree, before), topic);
    tree_rekey(&tree, topic);
    cr_assert_null(tree_of_key(&tree, before), "what waits under it is another's now");
    cr_assert_eq(tree_of_key(&tree, topic->key), topic);
}

Test(tree, without_memory_is_unchanged)
{
    add(span_text("a"));
    memory.limit[MEMORY_TOPICS] = memory.used[MEMORY_TOPICS];
    cr_assert_null(tree_add(&tree, TOPIC_ENTRY_SET, span_text("b")));
    cr_assert_null(tree_find(&tree, TOPIC_ENTRY_SET, span_text("b")));
    tree_check(&tree);
}
