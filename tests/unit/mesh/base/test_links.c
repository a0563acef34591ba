/* test_links.c - links are opened, bound, lost and found again. */
#include <criterion/criterion.h>

#include "mesh/base/context.h"
#include "tests/unit/mesh/base/queues.h"

static struct mesh_config config;
static struct context context;
static struct links *links;
static struct frame frame;

static void set_up(void)
{
    mesh_config_defaults(&config);
    config.cluster = "test";
    config.gossip.members_max = 8;
    context = (struct context){0};
    cr_assert(context_init(&context, &config));
    links = context.links;
}

static void tear_down(void)
{
    context_clear(&context);
}

TestSuite(links, .init = set_up, .fini = tear_down);

static struct link *open_at(const char *address)
{
    struct link *link = links_open(links, span_text(address));
    cr_assert_not_null(link);
    struct mesh_output output = output_expect(context.outbox, MESH_OPEN_LINK);
    cr_assert_eq(output.channel, CHANNEL_GOSSIP);
    cr_assert_eq(output.link, link->number);
    cr_assert(span_equal(output.address, span_text(address)));
    end_expect(context.outbox);
    return link;
}

Test(links, carry_nothing_before_they_are_up)
{
    struct link *link = open_at("a:1");
    cr_assert_neq(link->number, MESH_LINK_NONE);
    message_send(&link->gossip, 1, span_text("join"));
    end_expect(context.outbox);
    cr_assert(links_up(links, link->number, CHANNEL_GOSSIP));
    cr_assert(link->gossip_up && !link->forward_up);
    struct mesh_output output = output_expect(context.outbox, MESH_SEND);
    frame_take(context.outbox, &output, &frame);
    cr_assert_eq(frame.envelope.mesh, mesh_name_hash(span_text("test")));
    cr_assert_eq(frame.envelope.sender, context.instance);
    cr_assert_eq(frame.envelope.receiver, 0);
    cr_assert_eq(frame.envelope.sequence, 1);
    frame_free(&frame);
}

Test(links, name_their_receiver_once_they_are_bound)
{
    struct link *link = open_at("a:1");
    links_bind(links, link, 42);
    links_bind(links, link, 42);
    cr_assert_eq(links_of_instance(links, 42), link);
    cr_assert(links_open_forward(links, link, span_text("a:2")));
    cr_assert_eq(output_expect(context.outbox, MESH_OPEN_LINK).channel, CHANNEL_FORWARD);
    cr_assert_eq(link->forward.envelope.receiver, 42);
    cr_assert_eq(link->gossip.envelope.receiver, 42);
    links_bind(links, link, 43);
    cr_assert_null(links_of_instance(links, 42));
    cr_assert_eq(links_of_instance(links, 43), link);
    cr_assert_eq(link->forward.envelope.receiver, 43);
}

Test(links, say_whose_they_are_once_that_is_known)
{
    struct link *link = links_open_to(links, span_text("a:1"), span_text("eu-a"));
    cr_assert(span_equal(output_expect(context.outbox, MESH_OPEN_LINK).name, span_text("eu-a")));
    links_close(links, link);
    output_expect(context.outbox, MESH_CLOSE_LINK);
    link = links_open(links, span_text("b:1"));
    cr_assert_eq(output_expect(context.outbox, MESH_OPEN_LINK).name.bytes, 0);
    links_name(link, span_text("eu-b"));
    links_open_forward(links, link, span_text("b:2"));
    cr_assert(span_equal(output_expect(context.outbox, MESH_OPEN_LINK).name, span_text("eu-b")));
    char name[NAME_BYTES_MAX + 2];
    memset(name, 'x', sizeof name);
    links_name(link, span_of(name, NAME_BYTES_MAX + 1));
    cr_assert_str_eq(link->name, "eu-b");
}

Test(links, lost_drop_gossip_and_keep_forward)
{
    struct link *link = open_at("a:1");
    links_open_forward(links, link, span_text("a:2"));
    links_up(links, link->number, CHANNEL_GOSSIP);
    links_up(links, link->number, CHANNEL_FORWARD);
    message_send(&link->gossip, 1, (struct span){0});
    message_send(&link->forward, 1, (struct span){0});
    output_expect(context.outbox, MESH_OPEN_LINK);
    frame_expect(context.outbox, MESH_SEND, link->number);
    frame_expect(context.outbox, MESH_SEND, link->number);
    end_expect(context.outbox);
    message_send(&link->gossip, 2, (struct span){0});
    message_send(&link->forward, 2, (struct span){0});
    cr_assert(links_lost(links, link->number, CHANNEL_GOSSIP));
    cr_assert(links_lost(links, link->number, CHANNEL_FORWARD));
    cr_assert(!link->gossip_up && !link->forward_up);
    cr_assert_eq(link->gossip.messages, 0);
    cr_assert_eq(link->forward.messages, 1);
    cr_assert_eq(link->forward.sent_total, 1);
    end_expect(context.outbox);
    links_up(links, link->number, CHANNEL_FORWARD);
    struct mesh_output output = output_expect(context.outbox, MESH_SEND);
    frame_take(context.outbox, &output, &frame);
    cr_assert_eq(frame.messages[0].correlation, 2);
    cr_assert_eq(frame.envelope.sequence, 1, "numbered anew since the channel came up");
    frame_free(&frame);
    cr_assert_eq(context.counters[COUNTER_links_up], 3);
    cr_assert_eq(context.counters[COUNTER_links_lost], 2);
}

Test(links, full_wait_until_they_are_writable)
{
    struct link *link = open_at("a:1");
    links_up(links, link->number, CHANNEL_GOSSIP);
    cr_assert(links_full(links, link->number, CHANNEL_GOSSIP));
    message_send(&link->gossip, 1, (struct span){0});
    end_expect(context.outbox);
    cr_assert(links_writable(links, link->number, CHANNEL_GOSSIP));
    frame_expect(context.outbox, MESH_SEND, link->number);
    links_lost(links, link->number, CHANNEL_GOSSIP);
    message_send(&link->gossip, 2, (struct span){0});
    links_writable(links, link->number, CHANNEL_GOSSIP);
    end_expect(context.outbox);
    cr_assert(!link->gossip_up, "a late fact does not open a lost channel");
}

Test(links, refuse_facts_about_what_is_not_theirs)
{
    struct link *link = open_at("a:1");
    uint32_t number = link->number;
    cr_assert(!links_up(links, number, CHANNEL_FORWARD), "not opened");
    cr_assert(!links_up(links, number, CHANNEL_CLIENT));
    cr_assert(!links_up(links, number + 1, CHANNEL_GOSSIP));
    cr_assert(!links_lost(links, MESH_LINK_NONE, CHANNEL_GOSSIP));
    links_close(links, link);
    cr_assert(!links_up(links, number, CHANNEL_GOSSIP));
    cr_assert(!links_lost(links, number, CHANNEL_GOSSIP));
    cr_assert(!links_full(links, number, CHANNEL_GOSSIP));
    cr_assert(!links_writable(links, number, CHANNEL_GOSSIP));
    cr_assert_eq(context.counters[COUNTER_links_up], 0);
}

Test(links, closed_hang_up_before_their_number_is_dialled_again)
{
    struct link *link = open_at("a:1");
    links_bind(links, link, 42);
    links_open_forward(links, link, span_text("a:2"));
    links_up(links, link->number, CHANNEL_GOSSIP);
    message_send(&link->gossip, 1, (struct span){0});
    uint32_t number = link->number;
    links_close(links, link);
    output_expect(context.outbox, MESH_OPEN_LINK);
    cr_assert_eq(output_expect(context.outbox, MESH_CLOSE_LINK).channel, CHANNEL_FORWARD);
    cr_assert_eq(output_expect(context.outbox, MESH_CLOSE_LINK).channel, CHANNEL_GOSSIP);
    end_expect(context.outbox);
    cr_assert_null(links_find(links, number));
    cr_assert_null(links_of_instance(links, 42));
    cr_assert_null(links_at_address(links, span_text("a:1")));
    links_close(links, links_open(links, span_text("b:1")));
    link = links_open(links, span_text("c:1"));
    output_expect(context.outbox, MESH_OPEN_LINK);
    output_expect(context.outbox, MESH_CLOSE_LINK);
    cr_assert_eq(output_expect(context.outbox, MESH_OPEN_LINK).link, link->number);
}

Test(links, are_found_by_address_also_when_several_have_the_same)
{
    struct link *one = open_at("a:1");
    struct link *two = open_at("a:1");
    struct link *three = open_at("a:1");
    cr_assert_eq(links_at_address(links, span_text("a:1")), three);
    links_close(links, two);
    cr_assert_eq(links_at_address(links, span_text("a:1")), three);
    links_close(links, three);
    cr_assert_eq(links_at_address(links, span_text("a:1")), one);
    cr_assert_null(links_at_address(links, span_text("a:10")));
    links_close(links, one);
    cr_assert_null(links_at_address(links, span_text("a:1")));
}

Test(links, refuse_addresses_that_are_none)
{
    char address[LINK_ADDRESS_BYTES];
    memset(address, 'x', sizeof address);
    cr_assert_null(links_open(links, (struct span){0}));
    cr_assert_null(links_open(links, span_of(address, LINK_ADDRESS_BYTES)));
    struct link *link = links_open(links, span_of(address, LINK_ADDRESS_BYTES - 1));
    cr_assert_not_null(link);
    cr_assert_eq(strlen(link->gossip_address), LINK_ADDRESS_BYTES - 1);
    cr_assert(!links_open_forward(links, link, (struct span){0}));
    cr_assert(!links_open_forward(links, link, span_of(address, LINK_ADDRESS_BYTES)));
    cr_assert(!link->forward_open);
}

Test(links, dial_forward_anew_only_at_another_address)
{
    struct link *link = open_at("a:1");
    links_open_forward(links, link, span_text("a:2"));
    links_up(links, link->number, CHANNEL_FORWARD);
    output_expect(context.outbox, MESH_OPEN_LINK);
    end_expect(context.outbox);
    cr_assert(links_open_forward(links, link, span_text("a:2")));
    end_expect(context.outbox);
    cr_assert(link->forward_up);
    message_send(&link->forward, 1, (struct span){0});
    cr_assert(links_open_forward(links, link, span_text("a:3")));
    cr_assert(!link->forward_up);
    output_expect(context.outbox, MESH_CLOSE_LINK);
    struct mesh_output output = output_expect(context.outbox, MESH_OPEN_LINK);
    cr_assert(span_equal(output.address, span_text("a:3")));
    end_expect(context.outbox);
}

Test(links, end_where_the_table_ends_and_reuse_the_oldest_number_first)
{
    char address[] = "aaaa:1";
    struct link *link;
    uint32_t opened = 0;
    while ((link = links_open(links, span_text(address))) != NULL) {
        links_bind(links, link, 1000 + opened);
        opened++;
        for (size_t i = 0; i < 4 && ++address[i] > 'z'; i++)
            address[i] = 'a';
    }
    cr_assert_geq(opened, 8);
    links_close(links, links_find(links, 5));
    links_close(links, links_find(links, 3));
    uint32_t walked = 0;
    for (link = links_next(links, NULL); link != NULL; link = links_next(links, link)) {
        cr_assert(link->number != 3 && link->number != 5);
        walked++;
    }
    cr_assert_eq(walked, opened - 2);
    cr_assert_eq(links_open(links, span_text("x:1"))->number, 5);
    cr_assert_eq(links_open(links, span_text("x:2"))->number, 3);
    cr_assert_null(links_open(links, span_text("x:3")));
    cr_assert_null(links_of_instance(links, 1005));
    cr_assert_eq(links_of_instance(links, 1006)->number, 6);
}
