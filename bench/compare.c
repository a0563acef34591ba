#include "bench/compare.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 20, KEY_BYTES = 64 }; /* a result is a few KiB */

/* Of every verb: those a result does not have are passed over. Higher is better for the first
 * group, lower for the second; the word says so. */
static const struct {
    const char *path, *name, *better;
} figures[] = {
    {"rate_done", "done a second", "more"},
    {"latency_us.mean", "latency mean, us", "less"},
    {"latency_us.p50", "latency p50, us", "less"},
    {"latency_us.p90", "latency p90, us", "less"},
    {"latency_us.p99", "latency p99, us", "less"},
    {"latency_us.p99_9", "latency p99.9, us", "less"},
    {"latency_us.max", "latency max, us", "less"},
    {"cost.cpu_us_per_request", "nodes' CPU a request, us", "less"},
    {"receipts.per_s", "receipts a second", "more"},
    {"cost.cpu_us_per_receipt", "nodes' CPU a receipt, us", "less"},
    {"cost.messages_per_frame.clients", "messages a frame, clients", "more"},
    {"cost.messages_per_frame.peers", "messages a frame, peers", "more"},
};

static const char *const settings[] = {"loop",       "rate",     "clients", "handlers",
                                       "procs",      "pipeline", "route",   "size_bytes",
                                       "duration_s", "warmup_s", "check"};

enum {
    FIGURES = sizeof figures / sizeof figures[0],
    SETTINGS = sizeof settings / sizeof settings[0],
};

static char *read_whole(FILE *file)
{
    char *text = malloc(FILE_BYTES_MAX + 1);
    size_t bytes = text == NULL ? 0 : fread(text, 1, FILE_BYTES_MAX + 1, file);
    if (text == NULL || bytes > FILE_BYTES_MAX) {
        free(text);
        return NULL;
    }
    text[bytes] = '\0';
    return text;
}

cJSON *compare_load(const char *file)
{
    FILE *in = fopen(file, "re");
    char *text = in == NULL ? NULL : read_whole(in);
    cJSON *result = text == NULL ? NULL : cJSON_Parse(text);
    if (in != NULL)
        (void)fclose(in);
    free(text);
    if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(result, "bench")))
        return result;
    fprintf(stderr, "weftbench: %s holds no result of --json\n", file);
    cJSON_Delete(result);
    return NULL;
}

/* The item at a path of keys with dots between; NULL: there is none. */
static const cJSON *item_at(const cJSON *object, const char *path)
{
    while (object != NULL && *path != '\0') {
        char key[KEY_BYTES];
        size_t bytes = strcspn(path, ".");
        if (bytes >= sizeof key)
            return NULL;
        memcpy(key, path, bytes);
        key[bytes] = '\0';
        object = cJSON_GetObjectItemCaseSensitive(object, key);
        path += bytes + (path[bytes] == '.');
    }
    return object;
}

bool compare_ratio(const cJSON *older, const cJSON *newer, const char *path, double *ratio)
{
    const cJSON *before = item_at(older, path), *after = item_at(newer, path);
    if (!cJSON_IsNumber(before) || !cJSON_IsNumber(after) || before->valuedouble <= 0)
        return false;
    *ratio = after->valuedouble / before->valuedouble;
    return true;
}

static void print_setting(FILE *out, const cJSON *older, const cJSON *newer, const char *key)
{
    const cJSON *before = item_at(item_at(older, "settings"), key);
    const cJSON *after = item_at(item_at(newer, "settings"), key);
    if (before == NULL || after == NULL || cJSON_Compare(before, after, true))
        return;
    char *was = cJSON_PrintUnformatted(before), *is = cJSON_PrintUnformatted(after);
    if (was != NULL && is != NULL)
        fprintf(out, "           asked differently: %s was %s, is %s\n", key, was, is);
    cJSON_free(was);
    cJSON_free(is);
}

enum compare_verdict compare_print(FILE *out, const cJSON *older, const cJSON *newer)
{
    const cJSON *verb = item_at(older, "bench"), *time = item_at(older, "time");
    if (!cJSON_Compare(verb, item_at(newer, "bench"), true))
        return COMPARE_OTHER_VERB;
    fprintf(out, "compared   with the run of %s\n",
            cJSON_IsString(time) ? time->valuestring : "(unknown)");
    fprintf(out, "           %-26s %12s %12s %8s\n", "", "old", "new", "new:old");
    for (unsigned i = 0; i < SETTINGS; i++)
        print_setting(out, older, newer, settings[i]);
    for (unsigned i = 0; i < FIGURES; i++) {
        double ratio;
        if (!compare_ratio(older, newer, figures[i].path, &ratio))
            continue;
        fprintf(out, "           %-26s %12.1f %12.1f %8.2f  (%s is better)\n", figures[i].name,
                item_at(older, figures[i].path)->valuedouble,
                item_at(newer, figures[i].path)->valuedouble, ratio, figures[i].better);
    }
    return COMPARE_DONE;
}
