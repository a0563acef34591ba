/* control.c - see control.h. The verbs differ in what they ask for; whom they mean, and how
 * what came of it is shown, is the same for all. A word is never a filter, and --filter never an
 * id: with a filter no ID is taken, and without one the first word must be an ID. */
#include "client/ctl/control.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl/reach.h"
#include "client/ctl/session.h"
#include "client/ctl/values.h"
#include "client/weft_control.h"

enum { CHANGES_MAX = 128 };

/* What a run asks for. */
struct change {
    const char *command; /* as in the document */
    bool has_filter;
    struct weft_session_id id;
    struct weft_matching matching;
    char **words; /* behind the ID */
    size_t words_count;
    struct weft_property properties[CHANGES_MAX]; /* set */
    size_t properties_count;
    bool is_conflated;
    const char *reason, *add, *remove, *selector;
    bool shows_removed;
};

typedef const struct weft_result *change_fn(struct ctl *ctl, const struct change *change);

/* ---- whom is meant ---- */

static bool read_target(struct ctl *ctl, struct change *change)
{
    uint64_t most = 0;
    const char *filter = ctl_flag(ctl, FLAG_FILTER);
    bool is_limited = ctl_flag(ctl, FLAG_EXPECT_MAX) != NULL;
    bool is_dry = ctl_flag(ctl, FLAG_DRY_RUN) != NULL;
    if (!ctl_count(ctl, FLAG_EXPECT_MAX, "--expect-max", 1, UINT32_MAX, 0, &most))
        return false;
    change->words = ctl->words;
    change->words_count = ctl->words_count;
    change->has_filter = filter != NULL;
    change->matching =
        (struct weft_matching){.filter = filter, .dry_run = is_dry, .expect_max = (uint32_t)most};
    if (change->has_filter)
        return true;
    if (is_dry || is_limited || ctl_flag(ctl, FLAG_YES) != NULL) {
        (void)problems_usage("--dry-run, --expect-max and --yes are for commands with --filter");
        return false;
    }
    if (ctl->words_count == 0) {
        (void)problems_usage("which session? Name an ID, or those that match with --filter");
        return false;
    }
    change->words++;
    change->words_count--;
    return session_read_id(ctl, &change->id);
}

/* Words that only some verbs take: `set`, `conflate` and those with a SELECTOR. */
static bool has_no_more(const struct change *change)
{
    if (change->words_count == 0)
        return true;
    (void)problems_usage(
        "'%s' is one word too many: a session's ID and --filter exclude each other",
        change->words[0]);
    return false;
}

/* ---- what came of it: by id ---- */

static void add_previous(cJSON *document, const struct weft_result *result)
{
    cJSON *previous = cJSON_AddObjectToObject(document, "previous");
    struct weft_rows rows = result->rows;
    struct weft_property_row property;
    while (weft_next_property(&rows, &property)) {
        char key[129];
        (void)snprintf(key, sizeof key, "%.*s", (int)property.key.bytes, property.key.data);
        if (property.is_absent)
            cJSON_AddNullToObject(previous, key);
        else
            values_add_text(previous, key, property.value);
    }
}

static int write_done(struct ctl *ctl, const struct change *change,
                      const struct weft_result *result)
{
    static const struct output_column columns[] = {
        {"command", "COMMAND", NULL, OUTPUT_TEXT, false},
        {"session", "SESSION", NULL, OUTPUT_TEXT, false},
        {"node", "NODE", NULL, OUTPUT_TEXT, false},
        {"outcome", "OUTCOME", NULL, OUTPUT_STATE, false},
    };
    static const struct output_view view = {.columns = columns, .columns_count = 4};
    char id[WEFT_SESSION_ID_BYTES];
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "command", change->command);
    cJSON_AddStringToObject(document, "session", weft_session_id_format(change->id, id));
    values_add_text(document, "node", result->node);
    cJSON_AddStringToObject(document, "outcome", weft_error_name(result->error));
    if (change->properties_count > 0)
        add_previous(document, result);
    if (change->shows_removed)
        cJSON_AddNumberToObject(document, "removed", result->removed);
    bool is_written = output_write(&ctl->output, document, &view);
    cJSON_Delete(document);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "out of memory");
}

/* ---- what came of it: by filter ---- */

static void add_counts(cJSON *entry, const struct weft_node_answer *answer, bool shows_removed)
{
    cJSON_AddNumberToObject(entry, "matched", answer->matched);
    cJSON_AddNumberToObject(entry, "applied", answer->applied);
    cJSON_AddNumberToObject(entry, "failed", answer->failed);
    if (shows_removed)
        cJSON_AddNumberToObject(entry, "removed", answer->removed);
    cJSON_AddNumberToObject(entry, "took_us", (double)answer->took_us);
}

/* For people: a node that did not answer has no counts, and says so. */
static void add_row(cJSON *rows, const cJSON *entry, const struct weft_node_answer *answer,
                    bool shows_removed)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "node",
                            cJSON_GetObjectItemCaseSensitive(entry, "node")->valuestring);
    if (answer->error == WEFT_OK)
        add_counts(row, answer, shows_removed);
    else
        cJSON_AddStringToObject(
            row, "took_us",
            answer->error == WEFT_CLUSTER_ROUTING ? "no answer" : weft_error_name(answer->error));
    cJSON_AddItemToArray(rows, row);
}

static cJSON *vector_document(const struct change *change, const struct weft_result *result,
                              cJSON *rows)
{
    char id[2 * sizeof result->id + 1];
    cJSON *document = cJSON_CreateObject(), *nodes = cJSON_CreateArray();
    struct weft_node_answer answer = {0};
    for (size_t i = 0; i < sizeof result->id; i++)
        (void)snprintf(id + 2 * i, 3, "%02x", result->id[i]);
    cJSON_AddStringToObject(document, "command", change->command);
    cJSON_AddStringToObject(document, "id", id);
    cJSON_AddBoolToObject(document, "dry_run", change->matching.dry_run);
    cJSON_AddNumberToObject(document, "matched", result->matched);
    cJSON_AddNumberToObject(document, "applied", result->applied);
    cJSON_AddNumberToObject(document, "failed", result->failed);
    if (change->shows_removed)
        cJSON_AddNumberToObject(document, "removed", result->removed);
    while (reach_next(result, &answer)) {
        cJSON *entry = reach_add_node(nodes, &answer);
        add_counts(entry, &answer, change->shows_removed);
        add_row(rows, entry, &answer, change->shows_removed);
    }
    reach_add(document, result, nodes);
    return document;
}

/* "WOULD CLOSE 37, nodes 3/3: eu-a 12, eu-b 9, eu-c 16" */
static void write_dry_line(FILE *file, const struct change *change,
                           const struct weft_result *result)
{
    struct weft_node_answer answer = {0};
    const char *before = ":";
    (void)fputs("WOULD ", file);
    for (const char *at = change->command; *at != '\0'; at++)
        (void)fputc(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at, file);
    (void)fprintf(file, " %u, nodes %u/%u", result->matched, result->nodes_answered,
                  result->nodes_asked);
    while (reach_next(result, &answer)) {
        if (answer.error == WEFT_OK)
            (void)fprintf(file, "%s %.*s %u", before, (int)answer.node.bytes, answer.node.data,
                          answer.matched);
        else
            (void)fprintf(file, "%s %.*s no answer", before, (int)answer.node.bytes,
                          answer.node.data);
        before = ",";
    }
    (void)fputc('\n', file);
}

static int write_vector(struct ctl *ctl, const struct change *change,
                        const struct weft_result *result)
{
    static const struct output_column columns[] = {
        {"node", "NODE", NULL, OUTPUT_TEXT, false},
        {"matched", "MATCHED", NULL, OUTPUT_NUMBER, false},
        {"applied", "APPLIED", NULL, OUTPUT_NUMBER, false},
        {"failed", "FAILED", NULL, OUTPUT_NUMBER, false},
        {"took_us", "TOOK", NULL, OUTPUT_US, false},
        {"removed", "REMOVED", NULL, OUTPUT_NUMBER, false},
    };
    char footer[160];
    cJSON *rows = cJSON_CreateArray();
    cJSON *document = vector_document(change, result, rows);
    bool is_table = ctl->output.format == OUTPUT_TABLE || ctl->output.format == OUTPUT_WIDE;
    (void)snprintf(footer, sizeof footer, "%smatched %u, applied %u, failed %u, nodes %u/%u",
                   result->is_complete ? "" : "PARTIAL ", result->matched, result->applied,
                   result->failed, result->nodes_answered, result->nodes_asked);
    const struct output_view view = {.list = "nodes",
                                     .rows = rows,
                                     .columns = columns,
                                     .columns_count = change->shows_removed ? 6 : 5,
                                     .footer = footer};
    bool is_written = true;
    if (is_table && change->matching.dry_run)
        write_dry_line(stdout, change, result);
    else
        is_written = output_write(&ctl->output, document, &view);
    cJSON_Delete(rows);
    cJSON_Delete(document);
    if (!is_written)
        return problems_report("INTERNAL", "out of memory");
    int code = reach_judge(result);
    return code == EXIT_COMPLETE && result->matched == 0 ? EXIT_NOTHING : code;
}

/* An error, and which nodes it is about: an expectation may fail because some did not answer. */
static int say_error(const struct weft_result *result)
{
    int code = problems_of_result(result);
    return result->nodes_answered < result->nodes_asked ? reach_judge(result) : code;
}

/* ---- the question ---- */

/* Whether people who can be asked say yes; *code is the exit code if not. */
static bool is_wanted(struct ctl *ctl, const struct change *change, change_fn *carry_out, int *code)
{
    struct change trial = *change;
    char line[16] = "";
    if (!change->has_filter || change->matching.dry_run || ctl_flag(ctl, FLAG_YES) != NULL ||
        !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return true;
    trial.matching.dry_run = true;
    const struct weft_result *result = carry_out(ctl, &trial);
    if (result->error != WEFT_OK) {
        *code = say_error(result);
        return false;
    }
    write_dry_line(stderr, &trial, result);
    if (result->matched == 0) {
        int judged = reach_judge(result);
        *code = judged == EXIT_COMPLETE ? EXIT_NOTHING : judged;
        return false;
    }
    (void)fprintf(stderr, "Go on? [y/N] ");
    *code = EXIT_ERROR;
    bool is_yes = fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
    if (!is_yes)
        (void)fprintf(stderr, "Nothing was changed.\n");
    return is_yes;
}

static int run(struct ctl *ctl, const struct change *change, change_fn *carry_out, bool asks)
{
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE || (asks && !is_wanted(ctl, change, carry_out, &code)))
        return code;
    const struct weft_result *result = carry_out(ctl, change);
    if (result->error != WEFT_OK)
        return say_error(result);
    return change->has_filter ? write_vector(ctl, change, result) : write_done(ctl, change, result);
}

/* ---- the verbs ---- */

static const struct weft_result *do_close(struct ctl *ctl, const struct change *change)
{
    if (change->has_filter)
        return weft_close_matching_wait(ctl->client, &change->matching, change->reason,
                                        ctl->timeout_ms);
    return weft_close_session_wait(ctl->client, change->id, change->reason, ctl->timeout_ms);
}

int control_close(struct ctl *ctl)
{
    struct change change = {.command = "close", .reason = ctl_flag(ctl, FLAG_REASON)};
    if (!read_target(ctl, &change) || !has_no_more(&change))
        return EXIT_USAGE;
    return run(ctl, &change, do_close, true);
}

static const struct weft_result *do_set(struct ctl *ctl, const struct change *change)
{
    if (change->has_filter)
        return weft_set_properties_matching_wait(ctl->client, &change->matching, change->properties,
                                                 change->properties_count, ctl->timeout_ms);
    return weft_set_properties_wait(ctl->client, change->id, change->properties,
                                    change->properties_count, ctl->timeout_ms);
}

/* One more property; false, reported: too many. */
static bool add_change(struct change *change, const char *key, const char *value)
{
    if (change->properties_count == CHANGES_MAX) {
        (void)problems_usage("a session has at most %d properties", CHANGES_MAX);
        return false;
    }
    change->properties[change->properties_count++] = (struct weft_property){key, value};
    return true;
}

/* Reads K=V words, cutting them at the first '='. */
static bool read_settings(struct change *change)
{
    for (size_t i = 0; i < change->words_count; i++) {
        char *word = change->words[i], *equals = strchr(word, '=');
        if (equals == NULL || equals == word) {
            (void)problems_usage("'%s' is not KEY=VALUE%s", word,
                                 change->has_filter ? "; with --filter no ID is taken" : "");
            return false;
        }
        *equals = '\0';
        if (!add_change(change, word, equals + 1))
            return false;
    }
    return true;
}

/* Reads --unset K,.. and cuts the text at its commas. */
static bool read_unset(struct change *change, char *keys)
{
    char *rest = NULL;
    for (char *key = keys == NULL ? NULL : strtok_r(keys, ",", &rest); key != NULL;
         key = strtok_r(NULL, ",", &rest)) {
        if (!add_change(change, key, NULL))
            return false;
    }
    return true;
}

int control_set(struct ctl *ctl)
{
    struct change change = {.command = "set"};
    const char *unset = ctl_flag(ctl, FLAG_UNSET);
    char *keys = unset == NULL ? NULL : strdup(unset);
    int code = EXIT_USAGE;
    if (read_target(ctl, &change) && read_settings(&change) && read_unset(&change, keys)) {
        if (change.properties_count > 0)
            code = run(ctl, &change, do_set, false);
        else
            (void)problems_usage("session set needs KEY=VALUE, or --unset KEY");
    }
    free(keys);
    return code;
}

static const struct weft_result *do_roles(struct ctl *ctl, const struct change *change)
{
    if (change->has_filter)
        return weft_change_roles_matching_wait(ctl->client, &change->matching, change->add,
                                               change->remove, ctl->timeout_ms);
    return weft_change_roles_wait(ctl->client, change->id, change->add, change->remove,
                                  ctl->timeout_ms);
}

int control_roles(struct ctl *ctl)
{
    struct change change = {
        .command = "roles",
        .add = ctl_flag(ctl, FLAG_ADD),
        .remove = ctl_flag(ctl, FLAG_REMOVE),
    };
    if (!read_target(ctl, &change) || !has_no_more(&change))
        return EXIT_USAGE;
    if (change.add == NULL && change.remove == NULL)
        return problems_usage("session roles needs --add ROLE or --remove ROLE");
    return run(ctl, &change, do_roles, false);
}

static const struct weft_result *do_conflate(struct ctl *ctl, const struct change *change)
{
    if (change->has_filter)
        return weft_set_conflated_matching_wait(ctl->client, &change->matching,
                                                change->is_conflated, ctl->timeout_ms);
    return weft_set_conflated_wait(ctl->client, change->id, change->is_conflated, ctl->timeout_ms);
}

int control_conflate(struct ctl *ctl)
{
    struct change change = {.command = "conflate", .shows_removed = true};
    if (!read_target(ctl, &change))
        return EXIT_USAGE;
    const char *word = change.words_count == 1 ? change.words[0] : "";
    change.is_conflated = strcmp(word, "on") == 0;
    if (!change.is_conflated && strcmp(word, "off") != 0)
        return problems_usage("session conflate needs `on` or `off` behind the ID, or alone with "
                              "--filter");
    return run(ctl, &change, do_conflate, false);
}

static const struct weft_result *do_subscribe(struct ctl *ctl, const struct change *change)
{
    if (change->has_filter)
        return weft_subscribe_matching_wait(ctl->client, &change->matching, change->selector,
                                            ctl->timeout_ms);
    return weft_subscribe_session_wait(ctl->client, change->id, change->selector, ctl->timeout_ms);
}

static const struct weft_result *do_unsubscribe(struct ctl *ctl, const struct change *change)
{
    if (change->has_filter)
        return weft_unsubscribe_matching_wait(ctl->client, &change->matching, change->selector,
                                              ctl->timeout_ms);
    return weft_unsubscribe_session_wait(ctl->client, change->id, change->selector,
                                         ctl->timeout_ms);
}

static int run_select(struct ctl *ctl, const char *command, change_fn *carry_out)
{
    struct change change = {.command = command};
    if (!read_target(ctl, &change))
        return EXIT_USAGE;
    if (change.words_count != 1)
        return problems_usage("session %s needs one SELECTOR behind the ID, or alone with --filter",
                              command);
    change.selector = change.words[0];
    return run(ctl, &change, carry_out, false);
}

int control_subscribe(struct ctl *ctl)
{
    return run_select(ctl, "subscribe", do_subscribe);
}

int control_unsubscribe(struct ctl *ctl)
{
    return run_select(ctl, "unsubscribe", do_unsubscribe);
}
