/* why.c - see why.h. */
#include "client/ctl/why.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/ctl/node.h"
#include "client/ctl/values.h"

static const struct output_column columns[] = {
    {"time", "TIME", NULL, OUTPUT_TEXT, false},
    {"event", "EVENT", NULL, OUTPUT_TEXT, false},
    {"by", "BY", NULL, OUTPUT_TEXT, false},
    {"helpers", "HELPERS", NULL, OUTPUT_TEXT, false},
    {"rtt_us", "RTT", NULL, OUTPUT_US, false},
    {"confirmations", "CONFIRMATIONS", NULL, OUTPUT_NUMBER, false},
    {"incarnation", "INCARNATION", NULL, OUTPUT_NUMBER, true},
};

/* The names that are joined by commas, as a list. */
static void add_helpers(cJSON *entry, struct weft_text names)
{
    cJSON *helpers = cJSON_AddArrayToObject(entry, "helpers");
    while (names.bytes > 0) {
        const char *comma = memchr(names.data, ',', names.bytes);
        size_t bytes = comma == NULL ? names.bytes : (size_t)(comma - names.data);
        char name[160];
        (void)snprintf(name, sizeof name, "%.*s", (int)bytes, names.data);
        cJSON_AddItemToArray(helpers, cJSON_CreateString(name));
        size_t used = bytes + (comma != NULL);
        names.data += used;
        names.bytes -= used;
    }
}

/* rtt_us: NULL where there was no answer. */
static void add_rtt(cJSON *entry, uint32_t rtt_us)
{
    if (rtt_us == 0)
        cJSON_AddNullToObject(entry, "rtt_us");
    else
        cJSON_AddNumberToObject(entry, "rtt_us", rtt_us);
}

static void add_verdict(cJSON *verdicts, const struct weft_verdict_row *row)
{
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddNumberToObject(entry, "at_ms", (double)row->at_ms);
    values_add_text(entry, "by", row->by);
    values_add_text(entry, "event", row->event);
    add_helpers(entry, row->helpers);
    add_rtt(entry, row->rtt_us);
    cJSON_AddNumberToObject(entry, "confirmations", row->confirmations);
    values_add_decimal(entry, "incarnation", row->incarnation);
    cJSON_AddItemToArray(verdicts, entry);
}

/* The same for people: a time of day, and helpers in one cell. */
static void add_shown(cJSON *shown, const struct weft_verdict_row *row)
{
    char day[32], text[48];
    time_t seconds = (time_t)(row->at_ms / 1000);
    struct tm utc;
    cJSON *entry = cJSON_CreateObject();
    day[0] = '\0';
    if (gmtime_r(&seconds, &utc) != NULL)
        (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text, sizeof text, "%s.%03uZ", day, (unsigned)(row->at_ms % 1000));
    cJSON_AddStringToObject(entry, "time", text);
    values_add_text(entry, "event", row->event);
    values_add_text(entry, "by", row->by);
    values_add_text(entry, "helpers", row->helpers);
    add_rtt(entry, row->rtt_us);
    cJSON_AddNumberToObject(entry, "confirmations", row->confirmations);
    values_add_decimal(entry, "incarnation", row->incarnation);
    cJSON_AddItemToArray(shown, entry);
}

int why_node(struct ctl *ctl)
{
    const char *name = ctl->words[0];
    int code = ctl_connect(ctl);
    if (code != EXIT_COMPLETE)
        return code;
    const struct weft_result *result = weft_verdicts_wait(ctl->client, name, ctl->timeout_ms);
    if (result->error == WEFT_INVALID_ARGUMENT)
        return node_unknown_say(name, "known; `weftctl node ls --all` lists them");
    if (result->error != WEFT_OK)
        return problems_of_result(result);
    cJSON *document = cJSON_CreateObject();
    cJSON *shown = cJSON_CreateArray();
    values_add_text(document, "node", values_text(name));
    cJSON_AddStringToObject(document, "state", node_state_name(result->member_state));
    cJSON *verdicts = cJSON_AddArrayToObject(document, "verdicts");
    struct weft_rows rows = result->rows;
    struct weft_verdict_row row;
    while (weft_next_verdict(&rows, &row)) {
        add_verdict(verdicts, &row);
        add_shown(shown, &row);
    }
    char footer[192];
    (void)snprintf(footer, sizeof footer, "%s is %s, as %s sees it", name,
                   node_state_name(result->member_state), weft_node(ctl->client));
    const struct output_view view = {.list = "verdicts",
                                     .rows = shown,
                                     .columns = columns,
                                     .columns_count = sizeof columns / sizeof columns[0],
                                     .footer = footer};
    bool is_written = output_write(&ctl->output, document, &view);
    cJSON_Delete(shown);
    cJSON_Delete(document);
    return is_written ? EXIT_COMPLETE : problems_report("INTERNAL", "out of memory");
}
