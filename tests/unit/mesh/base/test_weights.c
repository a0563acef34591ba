/* test_weights.c - the queue named holds at least half of what the heaviest does, however they grow
 * and shrink. */
#include <criterion/criterion.h>

#include "mesh/base/random.h"
#include "mesh/base/weights.h"

enum { QUEUES = 50 };

static struct weights weights;
static struct outbound queues[QUEUES];

static void weigh(struct outbound *queue, size_t bytes)
{
    queue->bytes = bytes / 3;
    queue->sent_bytes = bytes - queue->bytes;
    if (bytes >= queue->weight_limit) /* as outbound_grown does */
        weights_raise(&weights, queue);
}

static size_t weight_of(const struct outbound *queue)
{
    return queue->bytes + queue->sent_bytes;
}

Test(weights, the_heaviest_is_at_least_half_as_heavy_as_any)
{
    const uint8_t seed[32] = {9};
    struct random random;
    uint32_t asked = 0;
    random_init(&random, seed, 0);
    for (uint32_t i = 0; i < QUEUES; i++)
        weights_add(&weights, &queues[i]);
    for (uint32_t step = 0; step < 20000; step++) {
        uint32_t which = (uint32_t)random_below(&random, QUEUES);
        weigh(&queues[which], random_below(&random, 8) << random_below(&random, 30));
        if (step % 1000 < 100)
            weigh(&queues[(which + step) % QUEUES], 0);
        if (random_below(&random, 3) > 0)
            continue;
        const struct outbound *heaviest = weights_heaviest(&weights);
        for (uint32_t i = 0; i < QUEUES; i++) {
            if (heaviest == NULL)
                cr_assert_lt(weight_of(&queues[i]), WEIGHTS_BYTES_MIN);
            else
                cr_assert_leq(weight_of(&queues[i]), 2 * weight_of(heaviest));
        }
        asked++;
    }
    for (uint32_t i = 0; i < QUEUES; i++)
        weigh(&queues[i], i % 7);
    cr_assert_null(weights_heaviest(&weights));
    cr_assert_gt(asked, 1000);
}

Test(weights, who_is_removed_is_not_named)
{
    weights_add(&weights, &queues[0]);
    weights_add(&weights, &queues[1]);
    weigh(&queues[0], 1 << 20);
    weigh(&queues[1], 1 << 15);
    cr_assert_eq(weights_heaviest(&weights), &queues[0]);
    weights_remove(&weights, &queues[0]);
    cr_assert_eq(weights_heaviest(&weights), &queues[1]);
    weights_remove(&weights, &queues[1]);
    cr_assert_null(weights_heaviest(&weights));
}
