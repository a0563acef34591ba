/* filter.c - see filter.h. */
#include "mesh/filter/filter.h"

#include "mesh/filter/parser.h"
#include "mesh/filter/program.h"
#include "mesh/filter/role_set.h"

/* What the regular expressions of one command may cost, at some 12 ns a step (bench/README.md): a
 * pattern that was made to last spends it in under 100 ms. Doubled, it holds the node up for twice
 * as long; halved, .*x.* over the ids of 100,000 sessions does not get through. */
#define BUDGET_STEPS (UINT64_C(6) << 20)

/* A budget that is shared is whole again after so long: a third of the time goes to patterns at
 * most. Halved, pings wait behind every second command; doubled, honest ones are refused sooner. */
#define SHARE_NS (UINT64_C(250) * 1000000)

struct filter_engine {
    struct memory *memory;
    struct patterns *patterns;
    struct program_builder *builder;
    uint64_t shared_steps, shared_ns; /* left of the shared budget, and when that was so */
};

struct filter_engine *filter_engine_new(struct memory *memory)
{
    struct filter_engine *engine = memory_new(memory, MEMORY_TABLES, sizeof *engine);
    if (engine == NULL)
        return NULL;
    engine->memory = memory;
    engine->shared_steps = BUDGET_STEPS;
    engine->patterns = patterns_new(memory);
    engine->builder = memory_new(memory, MEMORY_TABLES, sizeof *engine->builder);
    if (engine->patterns == NULL || engine->builder == NULL)
        filter_engine_destroy(&engine);
    return engine;
}

void filter_engine_destroy(struct filter_engine **engine)
{
    struct filter_engine *old = *engine;
    *engine = NULL;
    if (old == NULL)
        return;
    patterns_destroy(&old->patterns);
    memory_free(old->memory, MEMORY_TABLES, old->builder, sizeof *old->builder);
    memory_free(old->memory, MEMORY_TABLES, old, sizeof *old);
}

enum error filter_parse(struct filter_engine *engine, struct span text, struct filter **filter,
                        struct complaints *complaints)
{
    struct program_builder *builder = engine->builder;
    complaints->count = 0;
    *filter = NULL;
    enum error error = parser_run(builder, engine->patterns, text, complaints);
    if (error == ERROR_OK) {
        *filter = program_pack(builder, engine->memory);
        error = *filter == NULL ? ERROR_LIMIT_REACHED : ERROR_OK;
    }
    if (*filter != NULL)
        (*filter)->engine = engine;
    program_clear(builder);
    return error;
}

void filter_destroy(struct filter **filter)
{
    struct filter *old = *filter;
    *filter = NULL;
    if (old == NULL)
        return;
    for (uint32_t i = 0; i < old->patterns_count; i++)
        pattern_destroy(&old->patterns[i]);
    memory_free(old->engine->memory, MEMORY_TABLES, old, old->bytes);
}

void filter_budget_start(struct filter_budget *budget, struct filter_engine *engine)
{
    *budget = (struct filter_budget){.engine = engine, .steps = BUDGET_STEPS};
}

void filter_budget_share(struct filter_budget *budget, struct filter_engine *engine,
                         uint64_t now_ns)
{
    uint64_t passed_ns = now_ns - engine->shared_ns;
    uint64_t back = passed_ns < SHARE_NS ? passed_ns * BUDGET_STEPS / SHARE_NS : BUDGET_STEPS;
    uint64_t missing = BUDGET_STEPS - engine->shared_steps;
    engine->shared_steps += back < missing ? back : missing;
    engine->shared_ns = now_ns;
    *budget = (struct filter_budget){
        .engine = engine,
        .steps = engine->shared_steps,
        .is_shared = true,
        .is_short = engine->shared_steps < BUDGET_STEPS,
    };
}

static inline const struct subject_entry *entry_find(const struct filter *filter,
                                                     const struct program_step *step,
                                                     const struct subject *subject)
{
    if (step->key != KEY_USER)
        return subject_fixed(subject, (enum key)step->key);
    return subject_find(subject, span_of(filter->strings + step->key_at, step->key_bytes),
                        step->key_hash);
}

static inline struct span value_span(const struct filter *filter, uint32_t i)
{
    return span_of(filter->strings + filter->values[i].at, filter->values[i].bytes);
}

static inline bool entry_is(const struct filter *filter, const struct program_step *step,
                            const struct subject *subject, const struct subject_entry *entry)
{
    return entry->value_hash == (uint32_t)step->sieve &&
           span_equal(subject_value(subject, entry), value_span(filter, step->first));
}

static bool entry_in(const struct filter *filter, const struct program_step *step,
                     const struct subject *subject, const struct subject_entry *entry)
{
    uint32_t low = step->first, high = step->first + step->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t hash = filter->values[middle].hash;
        int order = (hash > entry->value_hash) - (hash < entry->value_hash);
        if (order == 0)
            order = span_order(value_span(filter, middle), subject_value(subject, entry));
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool entry_matches(const struct filter *filter, const struct program_step *step,
                          const struct subject *subject, const struct subject_entry *entry,
                          struct filter_budget *budget)
{
    enum pattern_verdict verdict =
        pattern_match(budget->engine->patterns, filter->patterns[step->first],
                      subject_value(subject, entry), &budget->steps);
    budget->exceeded += verdict == PATTERN_EXCEEDED;
    budget->is_spent = budget->is_spent || verdict == PATTERN_SPENT;
    if (budget->is_shared)
        budget->engine->shared_steps = budget->steps;
    return verdict == PATTERN_YES;
}

/* Both lists are sorted alike: one walk along the session's. */
static bool has_roles(const struct filter *filter, const struct program_step *step,
                      const struct subject *subject)
{
    if ((subject->roles & step->sieve) != step->sieve)
        return false;
    const struct subject_entry *entry = subject_fixed(subject, KEY_ROLES);
    struct span held = {0};
    struct span role;
    uint32_t found = 0;
    if (entry != NULL)
        held = subject_value(subject, entry);
    while (found < step->count && role_set_next(&held, &role))
        found += span_equal(role, value_span(filter, step->first + found));
    return found == step->count;
}

static inline bool step_holds(const struct filter *filter, const struct program_step *step,
                              const struct subject *subject, struct filter_budget *budget)
{
    enum program_test test = (enum program_test)step->test;
    if (test == PROGRAM_ALL)
        return true;
    if (test == PROGRAM_HAS_ROLES)
        return has_roles(filter, step, subject);
    const struct subject_entry *entry = entry_find(filter, step, subject);
    if (entry == NULL)
        return false;
    switch (test) {
    case PROGRAM_IS:
        return entry_is(filter, step, subject, entry);
    case PROGRAM_IN:
        return entry_in(filter, step, subject, entry);
    case PROGRAM_MATCHES:
        return entry_matches(filter, step, subject, entry, budget);
    case PROGRAM_ALL:
    case PROGRAM_HAS:
    case PROGRAM_HAS_ROLES:
        break;
    }
    return true;
}

bool filter_matches(const struct filter *filter, const struct subject *subject,
                    struct filter_budget *budget)
{
    uint32_t at = budget->is_spent ? PROGRAM_UNMET : 0;
    while (at < PROGRAM_MET) {
        const struct program_step *step = &filter->steps[at];
        at = step_holds(filter, step, subject, budget) ? step->if_true : step->if_false;
    }
    return at == PROGRAM_MET && !budget->is_spent;
}

struct span filter_print(const struct filter *filter)
{
    return filter->canonical;
}

/* A step that no exit passes by must hold if its own false exit is the verdict: on the way to MET
 * every walk comes through it and leaves it by its true exit. */
bool filter_pins(const struct filter *filter, enum key key, struct filter_pins *pins)
{
    uint32_t furthest = 0; /* where the exits so far lead, verdicts that refuse aside */
    for (uint32_t i = 0; i < filter->steps_count; i++) {
        const struct program_step *step = &filter->steps[i];
        bool names_values = step->test == PROGRAM_IS || step->test == PROGRAM_IN;
        bool is_passed_by = furthest > i;
        if (!is_passed_by && names_values && step->key == key && step->if_false == PROGRAM_UNMET) {
            *pins = (struct filter_pins){filter, step->first, step->count};
            return true;
        }
        if (step->if_true != PROGRAM_UNMET && step->if_true > furthest)
            furthest = step->if_true;
        if (step->if_false != PROGRAM_UNMET && step->if_false > furthest)
            furthest = step->if_false;
    }
    return false;
}

struct span filter_pin(const struct filter_pins *pins, uint32_t i)
{
    return value_span(pins->filter, pins->first + i);
}
