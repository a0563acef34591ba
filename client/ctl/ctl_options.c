/* ctl_options.c - see ctl_options.h. Options may stand anywhere; what a verb does not take is a
 * usage error. argp reads them; its own error lines are replaced by ours. */
#include "client/ctl/ctl_options.h"

#include "client/ctl/ctl_verbs.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_USER = 0x100,
    KEY_PASSWORD_FILE,
    KEY_PROP,
    KEY_COUNT,
    KEY_FOR,
    KEY_NO_COLOR,
    KEY_HELP,
    KEY_VERSION,
    KEY_EXPECT,
    KEY_NODES,
    KEY_ALL,
    KEY_KEYS,
    KEY_LIMIT,
    KEY_REASON,
    KEY_NUMBER,
    KEY_TYPE,
    KEY_IDEMPOTENT,
    KEY_WAIT,
    KEY_ECHO,
    KEY_COMMAND,
};

static const struct argp_option options[] = {
    {.name = "server", .key = 's', .arg = "LIST"},
    {.name = "user", .key = KEY_USER, .arg = "NAME"},
    {.name = "password-file", .key = KEY_PASSWORD_FILE, .arg = "FILE"},
    {.name = "prop", .key = KEY_PROP, .arg = "K=V"},
    {.name = "output", .key = 'o', .arg = "FORMAT"},
    {.name = "watch", .key = 'w', .arg = "D", .flags = OPTION_ARG_OPTIONAL},
    {.name = "timeout", .key = 't', .arg = "D"},
    {.name = "count", .key = KEY_COUNT, .arg = "N"},
    {.name = "for", .key = KEY_FOR, .arg = "D"},
    {.name = "no-color", .key = KEY_NO_COLOR},
    {.name = "help", .key = KEY_HELP},
    {.name = "version", .key = KEY_VERSION},
    {.name = "expect", .key = KEY_EXPECT, .arg = "N"},
    {.name = "nodes", .key = KEY_NODES, .arg = "N"},
    {.name = "all", .key = KEY_ALL},
    {.name = "keys", .key = KEY_KEYS, .arg = "K,.."},
    {.name = "limit", .key = KEY_LIMIT, .arg = "N"},
    {.name = "reason", .key = KEY_REASON, .arg = "TEXT"},
    {.name = "number", .key = KEY_NUMBER, .arg = "N"},
    {.name = "type", .key = KEY_TYPE, .arg = "TYPE"},
    {.name = "idempotent", .key = KEY_IDEMPOTENT},
    {.name = "wait", .key = KEY_WAIT, .arg = "D"},
    {.name = "echo", .key = KEY_ECHO},
    {.name = "command", .key = KEY_COMMAND, .arg = "CMD"},
    {0},
};

bool ctl_options_duration(const char *text, uint32_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}};
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9')
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].unit) != 0 || number > (uint64_t)3600000000U / units[i].ms)
            continue;
        *ms = (uint32_t)(number * units[i].ms);
        return true;
    }
    return false;
}

static int read_duration(const struct ctl *ctl, const char *option, const char *text, uint32_t *ms)
{
    if (ctl_options_duration(text, ms))
        return CTL_COMPLETE;
    return ctl_fail(ctl, "USAGE", "%s is '%s'; a duration is like 250ms, 2s, 5m or 1h", option,
                    text);
}

static int read_count(const struct ctl *ctl, const char *option, const char *text, uint32_t *count)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || number > UINT32_MAX)
        return ctl_fail(ctl, "USAGE", "%s is '%s'; it takes a whole number", option, text);
    *count = (uint32_t)number;
    return CTL_COMPLETE;
}

static int read_format(struct ctl *ctl, const char *text)
{
    static const char *const names[] = {"table", "wide", "json", "jsonl", "csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        ctl->format = (enum ctl_format)i;
        return CTL_COMPLETE;
    }
    return ctl_fail(ctl, "USAGE", "--output is '%s'; it takes table, wide, json, jsonl or csv",
                    text);
}

static int read_type(struct ctl *ctl, const char *text)
{
    static const char *const names[] = {"json", "string", "binary", "int64", "double"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        ctl->type = (enum weft_value_type)(i + 1);
        return CTL_COMPLETE;
    }
    return ctl_fail(ctl, "USAGE", "--type is '%s'; it takes json, string, binary, int64 or double",
                    text);
}

/* Splits K=V where it stands. */
static int read_property(struct ctl *ctl, char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return ctl_fail(ctl, "USAGE", "--prop is '%s'; it takes KEY=VALUE", text);
    if (ctl->properties_count == CTL_PROPERTIES_MAX)
        return ctl_fail(ctl, "USAGE", "more than %d --prop", CTL_PROPERTIES_MAX);
    *equals = '\0';
    ctl->properties[ctl->properties_count++] =
        (struct weft_property){.key = text, .value = equals + 1};
    return CTL_COMPLETE;
}

static int read_common(struct ctl *ctl, int key, char *text)
{
    switch (key) {
    case 's':
        ctl->servers = text;
        return CTL_COMPLETE;
    case 'o':
        return read_format(ctl, text);
    case 't':
        return read_duration(ctl, "--timeout", text, &ctl->timeout_ms);
    case KEY_USER:
        ctl->user = text;
        return CTL_COMPLETE;
    case KEY_PASSWORD_FILE:
        ctl->password_file = text;
        return CTL_COMPLETE;
    case KEY_PROP:
        return read_property(ctl, text);
    case KEY_NO_COLOR:
        ctl->no_color = true;
        return CTL_COMPLETE;
    case KEY_HELP:
        ctl->wants_help = true;
        return CTL_COMPLETE;
    default:
        return -1;
    }
}

/* Options that only some verbs take, first those that are a number or a duration. */
static int read_measure(struct ctl *ctl, int key, const char *text)
{
    uint32_t count = 0;
    int code;
    switch (key) {
    case 'w':
        ctl->given |= CTL_OPT_WATCH;
        return text == NULL ? CTL_COMPLETE : read_duration(ctl, "--watch", text, &ctl->watch_ms);
    case KEY_FOR:
        ctl->given |= CTL_OPT_FOR;
        return read_duration(ctl, "--for", text, &ctl->for_ms);
    case KEY_WAIT:
        ctl->given |= CTL_OPT_WAIT;
        return read_duration(ctl, "--wait", text, &ctl->wait_ms);
    case KEY_COUNT:
        ctl->given |= CTL_OPT_COUNT;
        code = read_count(ctl, "--count", text, &count);
        ctl->count = count;
        return code;
    case KEY_EXPECT:
        ctl->given |= CTL_OPT_EXPECT;
        return read_count(ctl, "--expect", text, &ctl->expect);
    case KEY_NODES:
        ctl->given |= CTL_OPT_NODES;
        return read_count(ctl, "--nodes", text, &ctl->nodes);
    case KEY_LIMIT:
        ctl->given |= CTL_OPT_LIMIT;
        return read_count(ctl, "--limit", text, &ctl->limit);
    case KEY_NUMBER:
        ctl->given |= CTL_OPT_NUMBER;
        return read_count(ctl, "--number", text, &ctl->number);
    default:
        return -1;
    }
}

static int read_word(struct ctl *ctl, int key, const char *text)
{
    switch (key) {
    case KEY_ALL:
        ctl->given |= CTL_OPT_ALL;
        ctl->all = true;
        return CTL_COMPLETE;
    case KEY_KEYS:
        ctl->given |= CTL_OPT_KEYS;
        ctl->keys = text;
        return CTL_COMPLETE;
    case KEY_REASON:
        ctl->given |= CTL_OPT_REASON;
        ctl->reason = text;
        return CTL_COMPLETE;
    case KEY_TYPE:
        ctl->given |= CTL_OPT_TYPE;
        return read_type(ctl, text);
    case KEY_IDEMPOTENT:
        ctl->given |= CTL_OPT_IDEMPOTENT;
        ctl->is_idempotent = true;
        return CTL_COMPLETE;
    case KEY_ECHO:
        ctl->given |= CTL_OPT_ECHO;
        ctl->echo = true;
        return CTL_COMPLETE;
    case KEY_COMMAND:
        ctl->given |= CTL_OPT_COMMAND;
        ctl->command = text;
        return CTL_COMPLETE;
    default:
        return -1;
    }
}

static int read_argument(struct ctl *ctl, const char *word)
{
    if (ctl->words_count == CTL_WORDS_MAX)
        return ctl_fail(ctl, "USAGE", "too many arguments, from '%s' on", word);
    ctl->words[ctl->words_count++] = word;
    return CTL_COMPLETE;
}

/* EINVAL ends the reading: what was wrong has been said. */
static error_t parse(int key, char *text, struct argp_state *state)
{
    struct ctl *ctl = state->input;
    if (key == ARGP_KEY_INIT) {
        state->err_stream = NULL; /* getopt has said it in one line; argp would add another */
        return 0;
    }
    int code = key == ARGP_KEY_ARG ? read_argument(ctl, text) : read_common(ctl, key, text);
    if (code < 0)
        code = read_measure(ctl, key, text);
    if (code < 0)
        code = read_word(ctl, key, text);
    if (code < 0 && key == KEY_VERSION) {
        (void)puts("weftctl " WEFT_VERSION);
        exit(CTL_COMPLETE);
    }
    if (code < 0)
        return ARGP_ERR_UNKNOWN;
    return code == CTL_COMPLETE ? 0 : EINVAL;
}

static void fill_defaults(struct ctl *ctl)
{
    *ctl = (struct ctl){
        .servers = getenv("WEFT_SERVER"),
        .user = getenv("WEFT_USER"),
        .password_file = getenv("WEFT_PASSWORD_FILE"),
        .timeout_ms = 10000,
        .watch_ms = 1000,
        .limit = 100,
        .number = 1,
        .type = WEFT_STRING,
    };
    if (ctl->servers == NULL || ctl->servers[0] == '\0')
        ctl->servers = "127.0.0.1";
}

static int find_verb(struct ctl *ctl)
{
    int used = 0;
    if (ctl->words_count == 0)
        return ctl_fail(ctl, "USAGE", "what to do? `weftctl --help` lists the verbs");
    ctl->verb = ctl_verbs_find(ctl->words, ctl->words_count, &used);
    if (ctl->verb == NULL)
        return ctl_fail(ctl, "USAGE", "there is no '%s%s%s'; `weftctl --help` lists the verbs",
                        ctl->words[0], ctl->words_count > 1 ? " " : "",
                        ctl->words_count > 1 ? ctl->words[1] : "");
    ctl->arguments = ctl->words + used;
    ctl->arguments_count = ctl->words_count - used;
    return CTL_COMPLETE;
}

static int check(const struct ctl *ctl)
{
    const struct ctl_verb *verb = ctl->verb;
    const char *second = verb->verb == NULL ? "" : verb->verb;
    const char *space = verb->verb == NULL ? "" : " ";
    if ((ctl->given & ~verb->takes) != 0)
        return ctl_fail(ctl, "USAGE",
                        "'%s%s%s' does not take one of these options; see `weftctl %s%s%s --help`",
                        verb->noun, space, second, verb->noun, space, second);
    if (ctl->arguments_count < verb->arguments_min)
        return ctl_fail(ctl, "USAGE", "'%s%s%s' needs %s", verb->noun, space, second,
                        verb->arguments);
    if (ctl->arguments_count > verb->arguments_max)
        return ctl_fail(ctl, "USAGE", "'%s%s%s' takes %s; '%s' is too much", verb->noun, space,
                        second, verb->arguments[0] == '\0' ? "no argument" : verb->arguments,
                        ctl->arguments[verb->arguments_max]);
    if (ctl->timeout_ms == 0 || ctl->timeout_ms > 300000)
        return ctl_fail(ctl, "USAGE", "--timeout must be between 1ms and 5m");
    return CTL_COMPLETE;
}

int ctl_options_read(struct ctl *ctl, int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = parse};
    static char name[] = "weftctl: USAGE"; /* getopt's lines then begin like ours */
    fill_defaults(ctl);
    argv[0] = name;
    unsigned flags = ARGP_NO_EXIT | ARGP_NO_HELP;
    if (argp_parse(&argp, argc, argv, flags, NULL, ctl) != 0)
        return CTL_USAGE;
    if (ctl->wants_help && ctl->words_count == 0)
        return CTL_COMPLETE;
    int code = find_verb(ctl);
    if (code != CTL_COMPLETE || ctl->wants_help)
        return code;
    return check(ctl);
}
