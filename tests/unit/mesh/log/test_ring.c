/* test_ring.c - recent entries are kept, old ones go, any run can be copied. */
#include <criterion/criterion.h>

#include "mesh/base/random.h"
#include "mesh/log/ring.h"

static struct memory memory;
static struct ring ring;

static void set_up(void)
{
    memory = (struct memory){0};
    for (int kind = 0; kind < MEMORY_KINDS; kind++)
        memory.limit[kind] = UINT64_MAX;
    ring_init(&ring, &memory, 4);
}

static void tear_down(void)
{
    ring_clear(&ring);
    cr_assert_eq(memory.used[MEMORY_DIRECTORY], 0);
}

TestSuite(ring, .init = set_up, .fini = tear_down);

/* Entry number v: its length and bytes follow from v. */
static size_t entry_of(uint64_t version, uint8_t *out)
{
    size_t bytes = 1 + (size_t)(version * 7919 % 40);
    memset(out, (int)(version % 251), bytes);
    return bytes;
}

static void append(uint64_t count)
{
    uint8_t bytes[64];
    for (uint64_t i = 0; i < count; i++)
        cr_assert(ring_append(&ring, span_of(bytes, entry_of(ring.head + 1, bytes))));
}

/* The run after `after` has whole entries, as many as fit, in order. */
static void check_run(uint64_t after, size_t most)
{
    static uint8_t out[1 << 20];
    uint64_t last;
    size_t bytes = ring_measure(&ring, after, most, &last);
    cr_assert_leq(bytes, most);
    ring_copy(&ring, after, last, out);
    size_t at = 0;
    uint8_t expected[64];
    for (uint64_t version = after + 1; version <= last; version++) {
        size_t length = entry_of(version, expected);
        cr_assert_arr_eq(out + at, expected, length);
        at += length;
    }
    cr_assert_eq(at, bytes);
    if (last < ring.head)
        cr_assert_gt(bytes + entry_of(last + 1, expected), most, "one more would have fitted");
}

Test(ring, is_empty_at_first)
{
    uint64_t last = 9;
    cr_assert_eq(ring_floor(&ring), 0);
    cr_assert_eq(ring_measure(&ring, 0, 100, &last), 0);
    cr_assert_eq(last, 0);
}

Test(ring, gives_any_run_above_its_floor)
{
    struct random random;
    random_init(&random, (const uint8_t[32]){1}, 0);
    for (int round = 0; round < 40; round++) {
        append(random_below(&random, 900));
        for (int i = 0; i < 20; i++) {
            uint64_t kept = ring.head - ring_floor(&ring) + 1;
            check_run(ring_floor(&ring) + random_below(&random, kept),
                      (size_t)random_below(&random, 90000));
        }
    }
    cr_assert_gt(ring_floor(&ring), 0, "the oldest went");
}

Test(ring, stays_within_its_blocks)
{
    append(20000);
    cr_assert_eq(memory.used[MEMORY_DIRECTORY], 4 * RING_BLOCK_BYTES);
    cr_assert_gt(ring.head - ring_floor(&ring), 3 * RING_BLOCK_BYTES / 44);
}

Test(ring, takes_an_entry_of_the_largest_size)
{
    static uint8_t bytes[RING_ENTRY_BYTES_MAX];
    for (int i = 0; i < 20; i++)
        cr_assert(ring_append(&ring, span_of(bytes, sizeof bytes)));
    uint64_t last;
    cr_assert_eq(ring_measure(&ring, 19, sizeof bytes, &last), sizeof bytes);
    cr_assert_eq(last, 20);
    cr_assert_eq(ring_measure(&ring, 19, sizeof bytes - 1, &last), 0);
    cr_assert_eq(last, 19);
}

Test(ring, says_when_there_is_no_memory_and_goes_on_above_what_was_skipped)
{
    append(10);
    memory.limit[MEMORY_DIRECTORY] = RING_BLOCK_BYTES;
    uint8_t bytes[64] = {0};
    while (ring_append(&ring, span_of(bytes, 64)))
        continue;
    uint64_t head = ring.head;
    ring_skip(&ring);
    cr_assert_eq(ring.head, head + 1);
    cr_assert_eq(ring_floor(&ring), ring.head);
    cr_assert(ring_append(&ring, span_of(bytes, 64)));
    cr_assert_eq(ring_floor(&ring), head + 1);
}

static size_t append_large(size_t bytes)
{
    static uint8_t large[RING_ENTRY_BYTES_MAX];
    memset(large, (int)(ring.head % 251), bytes);
    cr_assert(ring_append(&ring, span_of(large, bytes)));
    return bytes;
}

Test(ring, gives_a_large_entry_a_block_of_its_own)
{
    static uint8_t out[RING_ENTRY_BYTES_MAX];
    append(3);
    append_large(300000);
    append(2);
    uint64_t last;
    cr_assert_eq(ring_measure(&ring, 3, 65536, &last), 0);
    cr_assert_eq(last, 3, "it fits into no chunk");
    cr_assert_eq(ring_entry_bytes(&ring, 4), 300000);
    ring_copy(&ring, 3, 4, out);
    cr_assert_eq(out[0], 3);
    cr_assert_eq(out[299999], 3);
    for (uint64_t version = 1; version <= ring.head; version++)
        cr_assert_eq(ring_entry_bytes(&ring, version),
                     version == 4 ? 300000 : 1 + (size_t)(version * 7919 % 40));
}

Test(ring, stays_within_its_bytes)
{
    ring_enlarge(&ring, RING_BLOCK_BYTES_MAX, 1 << 20);
    for (int i = 0; i < 40; i++) {
        append_large(i % 3 == 0 ? 400000 : 100);
        cr_assert_leq(memory.used[MEMORY_DIRECTORY], 1 << 20);
        cr_assert_eq(memory.used[MEMORY_DIRECTORY], ring.bytes);
    }
    cr_assert_eq(ring.head, 40);
    cr_assert_lt(ring_floor(&ring), 40);
    cr_assert_eq(append_large(RING_ENTRY_BYTES_MAX), RING_ENTRY_BYTES_MAX);
    cr_assert_eq(ring_floor(&ring), 40, "one that is larger than all may be stays alone");
}
