#include "daemon/connections.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct connections all;

static void init(void)
{
    cr_assert(connections_init(&all, 5000));
}

static void clear(void)
{
    connections_clear(&all);
}

TestSuite(connections, .init = init, .fini = clear);

Test(connections, one_is_found_by_descriptor_then_by_number)
{
    struct connection *one = connections_accept(&all, CHANNEL_CLIENT, 9, 1);
    cr_assert_eq(connections_at(&all, 9), one);
    cr_assert_null(connections_find(&all, CHANNEL_CLIENT, 77));
    cr_assert(connections_name(&all, one, 77));
    cr_assert_eq(connections_find(&all, CHANNEL_CLIENT, 77), one);
    cr_assert_null(connections_find(&all, CHANNEL_GOSSIP, 77));
    cr_assert_eq(all.open, 1);
}

Test(connections, descriptors_out_of_range_are_refused_and_unknown_ones_are_none)
{
    cr_assert_null(connections_accept(&all, CHANNEL_CLIENT, 5000, 1));
    cr_assert_null(connections_at(&all, -1));
    cr_assert_null(connections_at(&all, 5000));
    struct connection *gone = connections_accept(&all, CHANNEL_CLIENT, -1, 1);
    cr_assert_not_null(gone);
    cr_assert_eq(all.open, 0);
    connections_forget(&all, gone);
}

Test(connections, the_silent_are_listed_in_order_until_named)
{
    struct connection *one = connections_accept(&all, CHANNEL_CLIENT, 1, 1);
    struct connection *two = connections_accept(&all, CHANNEL_CLIENT, 2, 2);
    struct connection *three = connections_accept(&all, CHANNEL_CLIENT, 3, 3);
    cr_assert_eq(all.first_silent, one);
    connections_name(&all, two, 2);
    cr_assert_eq(one->next_silent, three);
    connections_forget(&all, one);
    cr_assert_eq(all.first_silent, three);
    connections_forget(&all, three);
    cr_assert_null(all.first_silent);
    cr_assert_null(all.last_silent);
}

Test(connections, a_descriptor_given_anew_parts_with_its_old_holder)
{
    struct connection *old = connections_accept(&all, CHANNEL_CLIENT, 4, 1);
    connections_name(&all, old, 10);
    struct connection *fresh = connections_accept(&all, CHANNEL_CLIENT, 4, 2);
    cr_assert_eq(connections_at(&all, 4), fresh);
    cr_assert_eq(old->fd, -1);
    cr_assert(old->is_busy, "the old one is asked after");
    cr_assert_neq(old->check_ns, 0);
    connections_accept(&all, CHANNEL_CLIENT, 4, 3);
    cr_assert_eq(all.open, 1);
}

Test(connections, many_come_and_go_and_all_others_stay_found)
{
    enum { MANY = 4000 };
    for (int i = 0; i < MANY; i++) {
        enum channel channel = i % 2 == 0 ? CHANNEL_CLIENT : CHANNEL_FORWARD;
        struct connection *one = connections_accept(&all, channel, i, 1);
        cr_assert(connections_name(&all, one, (uint32_t)(0xfffff000u + (uint32_t)i)));
    }
    for (int i = 0; i < MANY; i += 3)
        connections_forget(&all, connections_at(&all, i));
    connections_bury(&all);
    for (int i = 0; i < MANY; i++) {
        enum channel channel = i % 2 == 0 ? CHANNEL_CLIENT : CHANNEL_FORWARD;
        struct connection *one = connections_find(&all, channel, 0xfffff000u + (uint32_t)i);
        cr_assert_eq(one == NULL, i % 3 == 0, "%d", i);
        cr_assert_eq(one, connections_at(&all, i));
    }
}

Test(connections, the_busy_are_a_list_one_can_leave_anywhere)
{
    struct connection *c[3];
    for (int i = 0; i < 3; i++) {
        c[i] = connections_accept(&all, CHANNEL_CLIENT, i, 1);
        connections_attend(&all, c[i]);
        connections_attend(&all, c[i]);
    }
    connections_release(&all, c[1]);
    cr_assert_eq(all.busy, c[2]);
    cr_assert_eq(c[2]->next_busy, c[0]);
    connections_forget(&all, c[2]);
    cr_assert_eq(all.busy, c[0]);
    connections_release(&all, c[0]);
    cr_assert_null(all.busy);
}

Test(connections, a_forgotten_one_can_be_read_until_the_bury)
{
    struct connection *one = connections_accept(&all, CHANNEL_CLIENT, 1, 1);
    snprintf(one->address, sizeof(one->address), "127.0.0.1:5");
    connections_forget(&all, one);
    cr_assert_str_eq(one->address, "127.0.0.1:5");
    connections_bury(&all);
    cr_assert_null(all.forgotten);
}
