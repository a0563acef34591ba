/* topic.c - see topic.h. Listings of many topics are fetched page by page, as a node sends them. */
#include "client/ctl/topic.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/input.h"
#include "client/ctl/values.h"
#include "client/weft_topics.h"

enum { LIMIT_OTHERWISE = 1000, PAGE_ROWS_MAX = 10000, PATH_BYTES = 1025 };

/* An error, in the words that help who typed the path. */
static int say_error(enum weft_error error, struct weft_text text)
{
    if (error == WEFT_INVALID_PATH && text.bytes == 0)
        text = values_text(CTL_SELECTOR_RULE);
    return problems_of_error(error, text, 0, 0);
}

static void add_version(cJSON *entry, struct weft_version version)
{
    char text[WEFT_VERSION_BYTES];
    cJSON_AddStringToObject(entry, "version", weft_version_format(version, text));
}

static int write_end(struct ctl *ctl, cJSON *document, const struct output_view *view)
{
    bool is_written = output_write(&ctl->output, document, view);
    cJSON_Delete(document);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "out of memory");
}

/* ---- topic ls ---- */

/* Adds to each entry the name of the member whose instance gave its version; null: not known. */
static void name_sequencers(cJSON *entries, const struct weft_result *members)
{
    for (cJSON *entry = entries->child; entry != NULL; entry = entry->next) {
        struct weft_version version = {0};
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(entry, "version");
        struct weft_rows rows = members->rows;
        struct weft_member_row member;
        bool is_found = false;
        (void)weft_version_parse(text->valuestring, &version);
        while (!is_found && members->error == WEFT_OK && weft_next_member(&rows, &member))
            is_found = member.instance == version.instance;
        if (is_found)
            values_add_text(entry, "sequencer", member.name);
        else
            cJSON_AddNullToObject(entry, "sequencer");
    }
}

static void add_topic(cJSON *entries, const struct weft_topic_row *row)
{
    cJSON *entry = cJSON_CreateObject();
    values_add_text(entry, "path", row->path);
    cJSON_AddStringToObject(entry, "type", values_type_name(row->value.type));
    add_version(entry, row->version);
    cJSON_AddNumberToObject(entry, "bytes", row->value_bytes);
    cJSON_AddStringToObject(entry, "policy", weft_policy_name(row->policy));
    cJSON_AddItemToArray(entries, entry);
}

/* Fetches page by page until `limit` entries are there or no more come; *total: as the first page
 * told it. Returns the exit code. */
static int fetch_all(struct ctl *ctl, const char *selector, uint64_t limit, cJSON *entries,
                     uint32_t *total)
{
    char after[PATH_BYTES] = "";
    uint64_t fetched = 0;
    *total = 0;
    do {
        uint64_t left = limit - fetched;
        const struct weft_fetch_options options = {
            .limit = left < PAGE_ROWS_MAX ? (uint32_t)left : PAGE_ROWS_MAX,
            .after = fetched == 0 ? NULL : after,
            .without_values = true,
            .timeout_ms = ctl->timeout_ms,
        };
        const struct weft_topics *topics = weft_fetch_topics_wait(ctl->client, selector, &options);
        if (topics->error != WEFT_OK)
            return say_error(topics->error, topics->text);
        struct weft_rows rows = topics->rows;
        struct weft_topic_row row;
        if (fetched == 0)
            *total = topics->total;
        if (!weft_next_topic(&rows, &row))
            break; /* the rest was removed meanwhile */
        do {
            add_topic(entries, &row);
            (void)snprintf(after, sizeof after, "%.*s", (int)row.path.bytes, row.path.data);
            fetched++;
        } while (weft_next_topic(&rows, &row));
    } while (fetched < limit && fetched < *total);
    return EXIT_COMPLETE;
}

static const struct output_column topic_columns[] = {
    {"path", "PATH", NULL, OUTPUT_TEXT, false},
    {"type", "TYPE", NULL, OUTPUT_TEXT, false},
    {"bytes", "BYTES", NULL, OUTPUT_NUMBER, false},
    {"policy", "POLICY", NULL, OUTPUT_TEXT, false},
    {"sequencer", "SEQUENCER", NULL, OUTPUT_TEXT, false},
    {"version", "VERSION", NULL, OUTPUT_TEXT, true},
};

int topic_ls(struct ctl *ctl)
{
    uint64_t limit = LIMIT_OTHERWISE;
    uint32_t total = 0;
    const char *selector = ctl->words_count > 0 ? ctl->words[0] : "**";
    if (!ctl_count(ctl, FLAG_LIMIT, "--limit", 1, UINT32_MAX, LIMIT_OTHERWISE, &limit))
        return EXIT_USAGE;
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    cJSON *document = cJSON_CreateObject();
    cJSON *entries = cJSON_AddArrayToObject(document, "topics");
    code = fetch_all(ctl, selector, limit, entries, &total);
    if (code != EXIT_COMPLETE) {
        cJSON_Delete(document);
        return code;
    }
    name_sequencers(entries, weft_members_wait(ctl->client, true, ctl->timeout_ms));
    int shown = cJSON_GetArraySize(entries);
    char footer[64];
    cJSON_AddNumberToObject(document, "total", total);
    (void)snprintf(footer, sizeof footer, "%d of %u topics", shown, total);
    const struct output_view view = {.list = "topics",
                                     .columns = topic_columns,
                                     .columns_count =
                                         sizeof topic_columns / sizeof topic_columns[0],
                                     .footer = footer};
    code = write_end(ctl, document, &view);
    return code == EXIT_COMPLETE && shown == 0 && ctl->words_count > 0 ? EXIT_NOTHING : code;
}

/* ---- topic get ---- */

static int show_topic(struct ctl *ctl, const struct weft_topic_row *row)
{
    static const struct output_column columns[] = {
        {"path", "PATH", NULL, OUTPUT_TEXT, false},
        {"type", "TYPE", NULL, OUTPUT_TEXT, false},
        {"version", "VERSION", NULL, OUTPUT_TEXT, false},
        {"value", "VALUE", NULL, OUTPUT_TEXT, false},
    };
    static const struct output_view view = {.columns = columns, .columns_count = 4};
    if (ctl->output.format == OUTPUT_TABLE) {
        values_print(stdout, &row->value);
        return EXIT_COMPLETE;
    }
    cJSON *document = cJSON_CreateObject();
    values_add_text(document, "path", row->path);
    values_add(document, &row->value);
    add_version(document, row->version);
    return write_end(ctl, document, &view);
}

int topic_get(struct ctl *ctl)
{
    struct weft_topic_row row;
    const struct weft_fetch_options options = {.limit = 1, .timeout_ms = ctl->timeout_ms};
    const char *path = ctl->words[0];
    if (strchr(path, '*') != NULL)
        return problems_usage("'%s' is a selector of many topics; `weftctl topic ls` shows those",
                              path);
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    const struct weft_topics *topics = weft_fetch_topics_wait(ctl->client, path, &options);
    if (topics->error != WEFT_OK)
        return say_error(topics->error, topics->text);
    struct weft_rows rows = topics->rows;
    if (weft_next_topic(&rows, &row))
        return show_topic(ctl, &row);
    (void)problems_report(weft_error_name(WEFT_NO_SUCH_TOPIC),
                          "there is no topic %s, or none that this session may read", path);
    return EXIT_NOTHING;
}

/* ---- topic set ---- */

/* What a run asks for, and what its values stand on. */
struct setting {
    struct input value;
    struct weft_value expected;
    char *expected_memory;
    struct weft_version version;
    struct weft_set_options options;
};

static int read_policy(const struct ctl *ctl, struct setting *setting)
{
    const char *name = ctl_flag(ctl, FLAG_POLICY);
    if (name == NULL)
        return EXIT_COMPLETE;
    for (int i = WEFT_POLICY_CONFLATE; i <= WEFT_POLICY_UNSUBSCRIBE; i++) {
        if (strcmp(name, weft_policy_name((enum weft_policy)i)) == 0) {
            setting->options.policy = (enum weft_policy)i;
            return EXIT_COMPLETE;
        }
    }
    return problems_usage("--policy takes conflate, always, off or unsubscribe, not '%s'", name);
}

static int read_constraint(const struct ctl *ctl, struct setting *setting)
{
    const char *value = ctl_flag(ctl, FLAG_IF_VALUE), *version = ctl_flag(ctl, FLAG_IF_VERSION);
    setting->options.if_absent = ctl_flag(ctl, FLAG_IF_ABSENT) != NULL;
    if ((value != NULL) + (version != NULL) + setting->options.if_absent > 1)
        return problems_usage("--if-value, --if-version and --if-absent exclude each other");
    if (version != NULL) {
        if (!weft_version_parse(version, &setting->version))
            return problems_usage("--if-version takes a version such as 3-6731a0c19e02b7d4-17, not "
                                  "'%s'; `weftctl topic get -o json` shows it",
                                  version);
        setting->options.if_version = &setting->version;
    }
    if (value == NULL)
        return EXIT_COMPLETE;
    const char *why = values_from_text(setting->value.value.type, value, strlen(value),
                                       &setting->expected, &setting->expected_memory);
    if (why != NULL)
        return problems_usage("--if-value '%.40s' with --type %s: %s", value,
                              values_type_name(setting->value.value.type), why);
    setting->options.if_value = &setting->expected;
    return EXIT_COMPLETE;
}

static int write_set(struct ctl *ctl, const struct weft_topic_result *result)
{
    static const struct output_column columns[] = {
        {"path", "PATH", NULL, OUTPUT_TEXT, false},
        {"version", "VERSION", NULL, OUTPUT_TEXT, false},
    };
    static const struct output_view view = {.columns = columns, .columns_count = 2};
    if (result->error != WEFT_OK) {
        char text[WEFT_VERSION_BYTES], sentence[512];
        struct weft_text words = result->text;
        if (words.bytes == 0)
            words = values_text(weft_error_sentence(result->error));
        if (result->error == WEFT_LIMIT_REACHED && result->text.bytes == 0) /* found here */
            return say_error(result->error, values_text("the VALUE is larger than the node takes"));
        if (result->version.term == 0)
            return say_error(result->error, result->text);
        (void)snprintf(sentence, sizeof sentence, "%.*s; its version is %s",
                       (int)(words.bytes > 400 ? 400 : words.bytes), words.data,
                       weft_version_format(result->version, text));
        return say_error(result->error, values_text(sentence));
    }
    cJSON *document = cJSON_CreateObject();
    values_add_text(document, "path", values_text(ctl->words[0]));
    add_version(document, result->version);
    return write_end(ctl, document, &view);
}

int topic_set(struct ctl *ctl)
{
    struct setting setting = {.options = {.timeout_ms = ctl->timeout_ms}};
    int code = input_read(ctl, 1, &setting.value);
    if (code == EXIT_COMPLETE)
        code = read_policy(ctl, &setting);
    if (code == EXIT_COMPLETE)
        code = read_constraint(ctl, &setting);
    if (code == EXIT_COMPLETE)
        code = ctl_connect(ctl);
    if (code == EXIT_COMPLETE)
        code = write_set(ctl, weft_set_topic_wait(ctl->client, ctl->words[0], &setting.value.value,
                                                  &setting.options));
    input_clear(&setting.value);
    free(setting.expected_memory);
    return code;
}

/* ---- topic rm ---- */

int topic_rm(struct ctl *ctl)
{
    static const struct output_column columns[] = {
        {"removed", "REMOVED", NULL, OUTPUT_NUMBER, false},
    };
    static const struct output_view view = {.columns = columns, .columns_count = 1};
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    const struct weft_topic_result *result =
        weft_remove_topics_wait(ctl->client, ctl->words[0], ctl->timeout_ms);
    if (result->error != WEFT_OK)
        return say_error(result->error, result->text);
    bool is_nothing = result->removed == 0;
    cJSON *document = cJSON_CreateObject();
    cJSON_AddNumberToObject(document, "removed", result->removed);
    code = write_end(ctl, document, &view);
    return code == EXIT_COMPLETE && is_nothing ? EXIT_NOTHING : code;
}
