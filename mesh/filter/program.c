/* program.c - see program.h. Exits of a part that is not yet combined are chained through the very
 * fields that will hold their targets (back-patching, Aho/Sethi/Ullman section 8.6), so that a
 * filter of any shape is compiled in one pass, in constant room a level.
 *
 * (P1) a step's exits lead to later steps only: evaluation ends. */
#include "mesh/filter/program.h"

#include "mesh/filter/role_set.h"

static const struct program_exits no_exits = {PROGRAM_UNMET, PROGRAM_UNMET};

struct program_step *program_step_add(struct program_builder *builder, enum program_test test,
                                      struct span key)
{
    struct program_step *step = &builder->steps[builder->steps_count++];
    *step = (struct program_step){.test = (uint8_t)test,
                                  .key = (uint8_t)key_of(key),
                                  .key_at = builder->strings_bytes,
                                  .key_bytes = (uint16_t)key.bytes,
                                  .key_hash = subject_hash(key),
                                  .first = builder->values_count};
    if (key.bytes > 0)
        memcpy(&builder->strings[builder->strings_bytes], key.data, key.bytes);
    builder->strings_bytes += (uint32_t)key.bytes;
    return step;
}

void program_value_add(struct program_builder *builder, uint32_t bytes)
{
    struct program_step *step = &builder->steps[builder->steps_count - 1];
    struct span value = span_of(&builder->strings[builder->strings_bytes], bytes);
    uint32_t hash = subject_hash(value);
    builder->values[builder->values_count++] =
        (struct program_value){.hash = hash, .at = builder->strings_bytes, .bytes = bytes};
    builder->strings_bytes += bytes;
    step->count++;
    if (step->test == PROGRAM_HAS_ROLES)
        step->sieve |= subject_role_bit(value);
    else
        step->sieve = hash;
}

static struct span value_span(const struct program_builder *builder,
                              const struct program_value *value)
{
    return span_of(&builder->strings[value->at], value->bytes);
}

static int value_order(const struct program_builder *builder, bool by_hash,
                       const struct program_value *a, const struct program_value *b)
{
    if (by_hash && a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return span_order(value_span(builder, a), value_span(builder, b));
}

/* Lets the value at `at` sink to its place in a heap of `count` with the greatest on top. */
static void heap_sink(const struct program_builder *builder, bool by_hash,
                      struct program_value *heap, uint32_t at, uint32_t count)
{
    struct program_value sinking = heap[at];
    for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && value_order(builder, by_hash, &heap[child], &heap[child + 1]) < 0)
            child++;
        if (value_order(builder, by_hash, &sinking, &heap[child]) >= 0)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = sinking;
}

/* Heap sort: no recursion, and n log n whatever a stranger sends. */
static void values_heap_sort(const struct program_builder *builder, bool by_hash,
                             struct program_value *values, uint32_t count)
{
    for (uint32_t i = count / 2; i > 0; i--)
        heap_sink(builder, by_hash, values, i - 1, count);
    for (uint32_t end = count; end > 1; end--) {
        struct program_value greatest = values[0];
        values[0] = values[end - 1];
        values[end - 1] = greatest;
        heap_sink(builder, by_hash, values, 0, end - 1);
    }
}

void program_values_sort(struct program_builder *builder)
{
    struct program_step *step = &builder->steps[builder->steps_count - 1];
    struct program_value *values = &builder->values[step->first];
    bool by_hash = step->test != PROGRAM_HAS_ROLES;
    uint32_t kept = 0;
    values_heap_sort(builder, by_hash, values, step->count);
    for (uint32_t i = 0; i < step->count; i++) {
        if (kept == 0 || value_order(builder, by_hash, &values[kept - 1], &values[i]) != 0)
            values[kept++] = values[i];
    }
    builder->values_count -= step->count - kept;
    step->count = (uint16_t)kept;
}

static uint16_t *exit_at(struct program_builder *builder, uint16_t exit)
{
    struct program_step *step = &builder->steps[exit / 2];
    return exit % 2 == 1 ? &step->if_true : &step->if_false;
}

struct program_part program_part_of_step(struct program_builder *builder)
{
    uint16_t at = (uint16_t)((builder->steps_count - 1) * 2), also = (uint16_t)(at + 1);
    *exit_at(builder, at) = PROGRAM_UNMET;
    *exit_at(builder, also) = PROGRAM_UNMET;
    return (struct program_part){.if_true = {also, also}, .if_false = {at, at}};
}

static void exits_lead(struct program_builder *builder, struct program_exits *exits,
                       uint16_t target)
{
    uint16_t exit = exits->first;
    while (exit != PROGRAM_UNMET) {
        uint16_t *place = exit_at(builder, exit);
        exit = *place;
        *place = target;
    }
    *exits = no_exits;
}

static struct program_exits exits_join(struct program_builder *builder, struct program_exits a,
                                       struct program_exits b)
{
    if (a.first == PROGRAM_UNMET)
        return b;
    if (b.first == PROGRAM_UNMET)
        return a;
    *exit_at(builder, a.last) = b.first;
    return (struct program_exits){a.first, b.last};
}

void program_right_of_and(struct program_builder *builder, struct program_part *left)
{
    exits_lead(builder, &left->if_true, (uint16_t)builder->steps_count);
}

void program_right_of_or(struct program_builder *builder, struct program_part *left)
{
    exits_lead(builder, &left->if_false, (uint16_t)builder->steps_count);
}

struct program_part program_join(struct program_builder *builder, struct program_part left,
                                 struct program_part right)
{
    return (struct program_part){
        .if_true = exits_join(builder, left.if_true, right.if_true),
        .if_false = exits_join(builder, left.if_false, right.if_false),
    };
}

struct program_part program_not(struct program_part part)
{
    return (struct program_part){.if_true = part.if_false, .if_false = part.if_true};
}

void program_end(struct program_builder *builder, struct program_part whole)
{
    exits_lead(builder, &whole.if_true, PROGRAM_MET);
    exits_lead(builder, &whole.if_false, PROGRAM_UNMET);
}

void program_clear(struct program_builder *builder)
{
    for (uint32_t i = 0; i < builder->patterns_count; i++)
        pattern_destroy(&builder->patterns[i]);
    builder->steps_count = builder->values_count = builder->patterns_count = 0;
    builder->strings_bytes = builder->canonical_bytes = 0;
    builder->patterns_bytes = 0;
}

/* Copies a part of the builder behind what the block has already. */
static void *part_copy(uint8_t *block, size_t *used, const void *part, size_t bytes)
{
    uint8_t *place = block + *used;
    if (bytes > 0)
        memcpy(place, part, bytes);
    *used += bytes;
    return place;
}

/* In falling order of their alignment. */
struct filter *program_pack(struct program_builder *builder, struct memory *memory)
{
    size_t steps = builder->steps_count * sizeof builder->steps[0];
    size_t values = builder->values_count * sizeof builder->values[0];
    size_t patterns = builder->patterns_count * sizeof(struct pattern *);
    size_t used = sizeof(struct filter);
    size_t bytes =
        used + steps + values + patterns + builder->strings_bytes + builder->canonical_bytes;
    uint8_t *block = memory_new(memory, MEMORY_TABLES, bytes);
    if (block == NULL)
        return NULL;
    struct filter *filter = (struct filter *)(void *)block;
    filter->bytes = bytes;
    filter->steps_count = builder->steps_count;
    filter->patterns_count = builder->patterns_count;
    filter->steps = part_copy(block, &used, builder->steps, steps);
    filter->patterns = part_copy(block, &used, builder->patterns, patterns);
    filter->values = part_copy(block, &used, builder->values, values);
    filter->strings = part_copy(block, &used, builder->strings, builder->strings_bytes);
    void *canonical = part_copy(block, &used, builder->canonical, builder->canonical_bytes);
    filter->canonical = span_of(canonical, builder->canonical_bytes);
    builder->patterns_count = 0;
    return filter;
}
