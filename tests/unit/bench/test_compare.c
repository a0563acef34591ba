#include "bench/compare.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char older_text[] =
    "{\"bench\":\"req\",\"time\":\"T\",\"settings\":{\"clients\":10,\"route\":\"local\"},"
    "\"rate_done\":1000,\"latency_us\":{\"p50\":200,\"p99\":0},\"cost\":{\"cpu_us_per_request\":4}"
    "}";
static const char newer_text[] =
    "{\"bench\":\"req\",\"settings\":{\"clients\":20,\"route\":\"local\"},"
    "\"rate_done\":1500,\"latency_us\":{\"p50\":100,\"p99\":7},\"cost\":{}}";

static enum compare_verdict print(const char *older, const char *newer, char **text)
{
    size_t bytes;
    FILE *out = open_memstream(text, &bytes);
    cJSON *before = cJSON_Parse(older), *after = cJSON_Parse(newer);
    enum compare_verdict verdict = compare_print(out, before, after);
    cr_assert_eq(fclose(out), 0);
    cJSON_Delete(before);
    cJSON_Delete(after);
    return verdict;
}

Test(compare, ratios_are_new_to_old)
{
    cJSON *older = cJSON_Parse(older_text), *newer = cJSON_Parse(newer_text);
    double ratio = 0;
    cr_assert(compare_ratio(older, newer, "rate_done", &ratio));
    cr_assert_float_eq(ratio, 1.5, 1e-9);
    cr_assert(compare_ratio(older, newer, "latency_us.p50", &ratio));
    cr_assert_float_eq(ratio, 0.5, 1e-9);
    cJSON_Delete(older);
    cJSON_Delete(newer);
}

Test(compare, what_one_of_the_two_lacks_has_no_ratio)
{
    cJSON *older = cJSON_Parse(older_text), *newer = cJSON_Parse(newer_text);
    double ratio = 0;
    cr_assert(!compare_ratio(older, newer, "latency_us.p99", &ratio), "it was 0");
    cr_assert(!compare_ratio(older, newer, "latency_us.p90", &ratio), "neither has it");
    cr_assert(!compare_ratio(older, newer, "cost.cpu_us_per_request", &ratio), "the new one not");
    cr_assert(!compare_ratio(older, newer, "settings.route", &ratio), "a word is no number");
    cJSON_Delete(older);
    cJSON_Delete(newer);
}

Test(compare, tells_what_was_asked_differently_and_only_that)
{
    char *text = NULL;
    cr_assert_eq(print(older_text, newer_text, &text), COMPARE_DONE);
    cr_assert_not_null(strstr(text, "clients was 10, is 20"), "%s", text);
    cr_assert_null(strstr(text, "route was"), "%s", text);
    cr_assert_not_null(strstr(text, "1.50"), "%s", text);
    free(text);
}

Test(compare, results_of_two_verbs_are_not_compared)
{
    char *text = NULL;
    cr_assert_eq(print("{\"bench\":\"conn\"}", newer_text, &text), COMPARE_OTHER_VERB);
    cr_assert_str_eq(text, "");
    free(text);
}

static cJSON *load(const char *content)
{
    char name[] = "/tmp/weft-compare-XXXXXX";
    int file = mkstemp(name);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, content, strlen(content)), (ssize_t)strlen(content));
    close(file);
    cJSON *result = compare_load(name);
    unlink(name);
    return result;
}

Test(compare, only_results_are_loaded)
{
    cJSON *result = load(older_text);
    cr_assert_not_null(result);
    cJSON_Delete(result);
    cr_assert_null(load("no JSON"));
    cr_assert_null(load("{\"bench\":7}"));
    cr_assert_null(load("[]"));
    cr_assert_null(load(""));
    cr_assert_null(compare_load("/nowhere/at/all.json"));
}
