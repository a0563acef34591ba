/* filter.c - see filter.h. The parser and the evaluator are the very ones of the nodes; a line of
 * the file becomes the properties of a session as a node keeps them. Nothing is shown before the
 * whole file was read: a script must not act on half a list. */
#include "client/ctl/filter.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/values.h"
#include "mesh/filter/filter.h"

#define MEMORY_MAX (UINT64_C(64) << 20) /* far more than the largest filter takes */

struct judge {
    struct memory memory;
    struct filter_engine *engine;
    struct filter *filter;
    struct subject *subject; /* of the line that is being read */
    size_t subject_bytes;
};

static int complaints_report(const struct complaints *complaints)
{
    struct problems_place places[COMPLAINTS_MAX];
    for (uint32_t i = 0; i < complaints->count; i++) {
        const struct complaint *complaint = &complaints->items[i];
        places[i] = (struct problems_place){
            .text = {complaint->message.text, complaint->message.bytes},
            .line = complaint->line,
            .column = complaint->column,
        };
    }
    return problems_of_places("INVALID_FILTER", places, complaints->count);
}

static void judge_clear(struct judge *judge)
{
    filter_destroy(&judge->filter);
    filter_engine_destroy(&judge->engine);
    free(judge->subject);
    judge->subject = NULL;
}

/* Parses the run's filter. Returns EXIT_COMPLETE, or EXIT_ERROR with the reason reported. */
static int judge_init(struct judge *judge, const struct ctl *ctl)
{
    struct complaints complaints;
    enum error error = ERROR_LIMIT_REACHED;
    *judge = (struct judge){.memory = {.limit = {[MEMORY_TABLES] = MEMORY_MAX}}};
    judge->engine = filter_engine_new(&judge->memory);
    if (judge->engine != NULL) {
        error = filter_parse(judge->engine, span_text(ctl->words[0]), &judge->filter, &complaints);
    }
    if (error == ERROR_OK)
        return EXIT_COMPLETE;
    judge_clear(judge);
    return error == ERROR_INVALID_FILTER ? complaints_report(&complaints)
                                         : problems_report("INTERNAL", "out of memory");
}

/* Writes the document, or the lines that stand for it in a table, and frees it. */
static int result_write(const struct ctl *ctl, cJSON *document, const cJSON *lines)
{
    bool is_written = true;
    const cJSON *line;
    if (!output_is_json(&ctl->output)) {
        cJSON_ArrayForEach(line, lines)
        {
            (void)puts(line->valuestring);
        }
    } else {
        const struct output_view view = {.list = NULL};
        is_written = document != NULL && output_write(&ctl->output, document, &view);
    }
    cJSON_Delete(document);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "out of memory");
}

int filter_check(struct ctl *ctl)
{
    struct judge judge;
    int code = judge_init(&judge, ctl);
    if (code != EXIT_COMPLETE)
        return code;
    struct span canonical = filter_print(judge.filter);
    if (!output_is_json(&ctl->output)) {
        (void)fwrite(canonical.data, 1, canonical.bytes, stdout);
        (void)fputc('\n', stdout);
    } else {
        cJSON *document = cJSON_CreateObject();
        values_add_text(document, "canonical",
                        (struct weft_text){(const char *)canonical.data, canonical.bytes});
        code = result_write(ctl, document, NULL);
    }
    judge_clear(&judge);
    return code;
}

static bool has_key(const struct property *properties, size_t count, struct span key)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(properties[i].key, key))
            return true;
    }
    return false;
}

/* What is wrong with the object as properties of a session; NULL: nothing. */
static const char *properties_read(const cJSON *object, struct property *properties, size_t *count)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        struct span key = span_text(member->string);
        if (!cJSON_IsString(member))
            return "every property must be a string";
        if (has_key(properties, *count, key))
            return "a property is there twice";
        if (*count == SUBJECT_ENTRIES_MAX)
            return "a session has at most 128 properties of its own";
        properties[(*count)++] =
            (struct property){.key = key, .value = span_text(member->valuestring)};
    }
    return NULL;
}

/* The subject of a line, and its id; returns what is wrong with the line, or NULL. */
static const char *line_read(struct judge *judge, const cJSON *line, const char **id)
{
    struct property properties[SUBJECT_ENTRIES_MAX + 1];
    size_t count = 0;
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(line, "properties");
    bool is_row = cJSON_IsObject(inner); /* as session ls wrote it */
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(line, is_row ? "id" : "$SessionId");
    if (!cJSON_IsObject(line))
        return "it is no JSON object";
    if (!cJSON_IsString(name))
        return is_row ? "\"id\" is missing" : "\"$SessionId\" is missing";
    const char *wrong = properties_read(is_row ? inner : line, properties, &count);
    if (wrong != NULL)
        return wrong;
    *id = name->valuestring;
    if (!has_key(properties, count, key_text(KEY_SESSION_ID)))
        properties[count++] =
            (struct property){.key = key_text(KEY_SESSION_ID), .value = span_text(*id)};
    size_t bytes = subject_measure(properties, count);
    if (bytes == 0)
        return "a key has 1 to 128 bytes, a value at most 4096, and 128 are a session's own";
    if (bytes > judge->subject_bytes) {
        free(judge->subject);
        judge->subject = malloc(bytes);
        judge->subject_bytes = judge->subject == NULL ? 0 : bytes;
    }
    if (judge->subject == NULL)
        return "out of memory";
    subject_write(judge->subject, properties, count);
    return NULL;
}

/* Adds the line's id if it matches; returns what is wrong with the line, or NULL. */
static const char *line_judge(struct judge *judge, const char *text, size_t bytes, cJSON *ids)
{
    const char *id = NULL, *end = NULL;
    cJSON *line = cJSON_ParseWithLengthOpts(text, bytes, &end, false);
    struct filter_budget budget; /* one a line: there is no node to be held up */
    const char *wrong = line == NULL ? "it is no JSON" : line_read(judge, line, &id);
    if (wrong == NULL && strspn(end, " \t\r\n") != (size_t)(text + bytes - end))
        wrong = "there is more behind the object";
    if (wrong == NULL) {
        filter_budget_start(&budget, judge->engine);
        if (filter_matches(judge->filter, judge->subject, &budget))
            cJSON_AddItemToArray(ids, cJSON_CreateString(id));
        if (budget.is_spent)
            wrong = "the filter's regular expressions take too long over it";
    }
    cJSON_Delete(line);
    return wrong;
}

/* Reads all lines; blank ones are none. Returns the exit code. */
static int file_judge(struct judge *judge, FILE *file, const char *name, cJSON *ids, uint64_t *read)
{
    char *text = NULL;
    size_t room = 0;
    uint64_t number = 0;
    int code = EXIT_COMPLETE;
    while (code == EXIT_COMPLETE) {
        ssize_t bytes = getline(&text, &room, file);
        if (bytes < 0)
            break;
        number++;
        if (strspn(text, " \t\r\n") == (size_t)bytes)
            continue;
        const char *wrong = line_judge(judge, text, (size_t)bytes, ids);
        (*read)++;
        if (wrong != NULL)
            code = problems_report("INVALID_ARGUMENT", "%s:%llu: %s", name,
                                   (unsigned long long)number, wrong);
    }
    if (code == EXIT_COMPLETE && ferror(file))
        code = problems_report("INVALID_ARGUMENT", "%s: %s", name, strerror(errno));
    free(text);
    return code;
}

static int open_judge(struct judge *judge, const char *name, cJSON *ids, uint64_t *read)
{
    bool is_input = strcmp(name, "-") == 0;
    FILE *file = is_input ? stdin : fopen(name, "re");
    if (file == NULL)
        return problems_report("INVALID_ARGUMENT", "%s: %s", name, strerror(errno));
    int code = file_judge(judge, file, is_input ? "standard input" : name, ids, read);
    if (!is_input)
        (void)fclose(file);
    return code;
}

int filter_match(struct ctl *ctl)
{
    struct judge judge;
    const char *name = ctl_flag(ctl, FLAG_SESSIONS);
    uint64_t read = 0;
    if (name == NULL)
        return problems_usage("filter match needs --sessions FILE, with a session a line");
    int code = judge_init(&judge, ctl);
    if (code != EXIT_COMPLETE)
        return code;
    cJSON *document = cJSON_CreateObject();
    cJSON *ids = cJSON_AddArrayToObject(document, "ids");
    code = open_judge(&judge, name, ids, &read);
    judge_clear(&judge);
    if (code != EXIT_COMPLETE) {
        cJSON_Delete(document);
        return code;
    }
    cJSON_AddNumberToObject(document, "read", (double)read);
    bool is_empty = cJSON_GetArraySize(ids) == 0;
    code = result_write(ctl, document, ids);
    return code == EXIT_COMPLETE && is_empty ? EXIT_NOTHING : code;
}
