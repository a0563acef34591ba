/* filter.c - how many sessions a second a filter looks at, and how long filters take that were made
 * to last: in time of the CPU. Run by hand; figures in bench/README.md.
 *
 *     bench_filter [SESSIONS]     1,000,000 unless given */
#include "mesh/filter/filter.h"
#include "mesh/sessions/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    SESSIONS_IN_CACHE = 10000,
    SESSIONS_ATTACKED = 20000,
    SESSIONS_MAX = 1000000,
    VALUE_BYTES = 64,
};

/* As a node keeps them: slots side by side, each with its properties elsewhere. */
static struct session *slots;
static struct memory memory;
static struct filter_engine *engine;

static double cpu_now_s(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void need(bool is_fine, const char *what)
{
    if (is_fine)
        return;
    (void)fprintf(stderr, "bench_filter: %s\n", what);
    exit(3);
}

/* The eleven fixed properties of a real session and four of its own. */
static void session_make(struct session *session, uint32_t i, const char *attack)
{
    static const char *const countries[] = {"GB", "US", "DE", "FR", "BE", "NO", "CH", "IT"};
    static const char *const tiers[] = {"trial", "basic", "gold", "staff"};
    static const char *const departments[] = {"Accounts", "Payroll", "Sales", "Service", "Legal"};
    char id[VALUE_BYTES], principal[VALUE_BYTES], address[VALUE_BYTES], seat[VALUE_BYTES];
    (void)snprintf(id, sizeof id, "%016llx-%016llx", 0x8899aabbccddeeffULL,
                   i * 0x9e3779b97f4a7c15ULL);
    (void)snprintf(principal, sizeof principal, "user-%u", i);
    (void)snprintf(address, sizeof address, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
    (void)snprintf(seat, sizeof seat, "%u", i % 500);
    struct property_set set = {.count = 0};
    property_set_put(&set, "$SessionId", span_text(id));
    property_set_put(&set, "$Principal", span_text(principal));
    property_set_put(&set, "$Roles",
                     span_text(i % 7 == 0 ? "\"admin\",\"operator\"" : "\"client\",\"trader\""));
    property_set_put(&set, "$ClientType", span_text("c"));
    property_set_put(&set, "$Transport", span_text("zmq"));
    property_set_put(&set, "$ServerName", span_text("eu-a"));
    property_set_put(&set, "$Connector", span_text("clients"));
    property_set_put(&set, "$ClientIP", span_text(address));
    property_set_put(&set, "$StartTime", span_text("1795464038000"));
    property_set_put(&set, "$Environment", span_text("weft 0.1.0, linux"));
    property_set_put(&set, "$Country", span_text(countries[i * 2654435761U >> 29]));
    property_set_put(&set, "department", span_text(departments[i * 2654435761U % 5]));
    property_set_put(&set, "desk", span_text(seat));
    property_set_put(&set, "status", span_text(i % 3 == 0 ? "open" : "closed"));
    property_set_put(&set, "tier", span_text(attack != NULL ? attack : tiers[i / 5 & 3]));
    need(properties_store(&session->properties, &memory, &set) == ERROR_OK, "no memory");
}

static void sessions_make(uint32_t count, const char *attack)
{
    for (uint32_t i = 0; i < count; i++)
        session_make(&slots[i], i, attack);
}

static void sessions_drop(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        properties_clear(&slots[i].properties, &memory);
}

static struct filter *parse(const char *text)
{
    struct filter *filter;
    struct complaints complaints;
    enum error error = filter_parse(engine, span_text(text), &filter, &complaints);
    if (error != ERROR_OK)
        (void)fprintf(stderr, "%.*s\n", (int)complaints.items[0].message.bytes,
                      complaints.items[0].message.text);
    need(error == ERROR_OK, "that is no filter");
    return filter;
}

static uint32_t count_matches(const struct filter *filter, uint32_t count,
                              struct filter_budget *budget)
{
    uint32_t matched = 0;
    for (uint32_t i = 0; i < count; i++)
        matched += filter_matches(filter, slots[i].properties.subject, budget);
    return matched;
}

/* The best of some rounds, in sessions a second: what else runs here only takes away. */
static void measure_rate(const char *text, uint32_t count)
{
    struct filter *filter = parse(text);
    double best_s = 1e9;
    uint32_t matched = 0;
    uint32_t rounds = count > SESSIONS_IN_CACHE ? 5 : 400;
    for (uint32_t i = 0; i < rounds; i++) {
        struct filter_budget budget;
        filter_budget_start(&budget, engine);
        double start_s = cpu_now_s();
        matched = count_matches(filter, count, &budget);
        double took_s = cpu_now_s() - start_s;
        best_s = took_s < best_s ? took_s : best_s;
        need(!budget.is_spent, "the budget is spent");
    }
    printf("%8u sessions %7.1f M/s %7u match  %s\n", count, count / best_s / 1e6, matched, text);
    filter_destroy(&filter);
}

/* One command's look at all sessions, once, and how it ended. */
static void measure_attack(const char *name, const char *text)
{
    double start_s = cpu_now_s();
    struct filter *filter = parse(text);
    double parsed_s = cpu_now_s();
    struct filter_budget budget;
    filter_budget_start(&budget, engine);
    uint32_t matched = count_matches(filter, SESSIONS_ATTACKED, &budget);
    double end_s = cpu_now_s();
    printf("%8u sessions, %-28s parsed %6.2f ms, asked %6.2f ms, %u match, %u exceeded%s\n",
           SESSIONS_ATTACKED, name, (parsed_s - start_s) * 1e3, (end_s - parsed_s) * 1e3, matched,
           budget.exceeded, budget.is_spent ? ", BUDGET SPENT" : "");
    filter_destroy(&filter);
}

static void measure_rates(uint32_t count)
{
    static const char *const texts[] = {
        "tier is 'gold' and $Country in ['GB', 'US', 'DE'] and not hasRoles 'operator'",
        "department is 'Sales' and status is 'open' and tier ne 'trial'",
        "hasRoles ['admin', 'operator'] and $Transport is 'zmq' and has desk",
        "$SessionId is '8899aabbccddeeff-0000000000000000'",
        "all",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        measure_rate(texts[i], count);
}

/* 16 KiB of the shortest terms there are. */
static const char *widest(void)
{
    static char text[16385];
    size_t used = 0;
    for (int i = 0; i < FILTER_TERMS_MAX; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%stier is 'x'",
                                 i == 0 ? "" : " or ");
    }
    return text;
}

static const char *deepest(void)
{
    static char text[1024];
    size_t used = 0;
    for (int i = 0; i < 64; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "(all and ");
    used += (size_t)snprintf(text + used, sizeof text - used, "tier is 'x'");
    for (int i = 0; i < 64; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, ")");
    return text;
}

static const char *many_patterns(void)
{
    static char text[16385];
    size_t used = 0;
    while (used + 64 < sizeof text) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%stier matches '.*%zu.*'",
                                 used == 0 ? "" : " or ", used);
    }
    return text;
}

static void measure_attacks(void)
{
    static char as[41], longest[4097];
    memset(as, 'a', sizeof as - 1);
    memset(longest, 'a', sizeof longest - 1);
    sessions_make(SESSIONS_ATTACKED, NULL);
    measure_attack("16 KiB of terms", widest());
    measure_attack("64 deep", deepest());
    measure_attack("an honest pattern", "$ClientIP matches '10\\\\.0\\\\.(1|2)\\\\..*'");
    measure_attack("hundreds of patterns", many_patterns());
    measure_attack("a slow honest pattern", "$SessionId matches '.*[abc]7.*'");
    sessions_drop(SESSIONS_ATTACKED);
    sessions_make(SESSIONS_ATTACKED, as);
    measure_attack("(a+)+[bc] on 40 a", "tier matches '(a+)+[bc]'");
    measure_attack("(a|aa)+[bc] on 40 a", "tier matches '(a|aa)+[bc]'");
    measure_attack("(.*)*\\1[bc] on 40 a", "tier matches '(.*)*\\\\1[bc]'");
    sessions_drop(SESSIONS_ATTACKED);
    sessions_make(SESSIONS_ATTACKED, longest);
    measure_attack("(?:.*a)*[bc] on 4096 a", "tier matches '(?:.*a)*[bc]'");
    measure_attack("(?:(?=.*+).)*+ on 4096 a", "tier matches '(?:(?=.*+).)*+'");
    measure_attack("(?:(?=[^b]*+b)|a)*+ on 4096 a", "tier matches '(?:(?=[^b]*+b)|a)*+'");
    measure_attack("([^b]*c|a)*[bc] on 4096 a", "tier matches '([^b]*c|a)*[bc]'");
    measure_attack("(?=.*\\d)(?=.*[A-Z]).* on 4096 a", "tier matches '(?=.*\\\\d)(?=.*[A-Z]).*'");
    sessions_drop(SESSIONS_ATTACKED);
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : SESSIONS_MAX;
    need(count >= SESSIONS_ATTACKED && count <= SESSIONS_MAX, "SESSIONS: 20000 to 1000000");
    memory = (struct memory){
        .limit = {[MEMORY_TABLES] = UINT64_C(1) << 30, [MEMORY_PROPERTIES] = UINT64_C(4) << 30}};
    slots = calloc((size_t)count, sizeof *slots);
    engine = filter_engine_new(&memory);
    need(slots != NULL && engine != NULL, "no memory");
    measure_attacks();
    sessions_make((uint32_t)count, NULL);
    printf("%zu bytes of properties a session\n",
           (size_t)(memory.used[MEMORY_PROPERTIES] / (uint64_t)count));
    measure_rates(SESSIONS_IN_CACHE);
    measure_rates((uint32_t)count);
    sessions_drop((uint32_t)count);
    filter_engine_destroy(&engine);
    free(slots);
    return 0;
}
