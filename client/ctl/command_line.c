/* command_line.c - see command_line.h. argp reads twice: up to the first word that is no option,
 * which begins the verb; then all that follows it, with the verb's own options. argp says nothing
 * itself (ARGP_NO_ERRS), since problems have a form here; what it can't read is judged by
 * `say_bad_option`. */
#include "client/ctl/command_line.h"

#include <argp.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/values.h"
#include "client/ctl/verbs.h"

enum common_key {
    KEY_SERVER = 's',
    KEY_OUTPUT = 'o',
    KEY_WATCH = 'w',
    KEY_TIMEOUT = 't',
    KEY_HELP = '?',
    KEY_VERSION = 'V',
    KEY_USER = 0x100,
    KEY_PASSWORD,
    KEY_KEY,
    KEY_SERVER_KEY,
    KEY_PROP,
    KEY_COUNT,
    KEY_FOR,
    KEY_NO_COLOR,
};

/* Bits of argp's flags that make it a mere reader. */
#define READ_ONLY_FLAGS (ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT)

static const struct argp_option common_options[] = {
    {NULL, 0, NULL, 0, "Everywhere:", 1},
    {"server", KEY_SERVER, "LIST", 0,
     "nodes to try in order: HOST[:7310],.. (default WEFT_SERVER, 127.0.0.1; :7320 is "
     "127.0.0.1:7320)",
     1},
    {"key", KEY_KEY, "FILE", 0,
     "our secret key file, as `weftctl key new` makes it (default WEFT_KEY, else a new key each "
     "time)",
     1},
    {"server-key", KEY_SERVER_KEY, "KEY,..", 0,
     "the nodes' public keys: files, folders of them, or keys (default WEFT_SERVER_KEY, none: "
     "nothing is encrypted)",
     1},
    {"timeout", KEY_TIMEOUT, "TIME", 0,
     "to wait for a session, and for an answer: 500ms, 10s, 5m (default 10s)", 1},
    {"output", KEY_OUTPUT, "FORM", 0, "table (default), wide, json, jsonl or csv", 1},
    {"watch", KEY_WATCH, "TIME", OPTION_ARG_OPTIONAL, "repeat a listing (every 1s; -w2s)", 1},
    {"count", KEY_COUNT, "N", 0, "end a stream after N, a repeated listing too", 1},
    {"for", KEY_FOR, "TIME", 0, "end it after this time", 1},
    {"prop", KEY_PROP, "K=V", 0, "a property of this session", 1},
    {"user", KEY_USER, "NAME", 0, "its principal (default WEFT_USER, anonymous)", 1},
    {"password-file", KEY_PASSWORD, "FILE", 0,
     "its credentials: the first line; - is standard input (default WEFT_PASSWORD_FILE)", 1},
    {"no-color", KEY_NO_COLOR, NULL, 0, "no colours on a terminal (also: NO_COLOR)", 1},
    {"help", KEY_HELP, NULL, 0, "this text; behind a verb, that verb's", 1},
    {"version", KEY_VERSION, NULL, 0, "the version", 1},
    {0},
};

/* ---- one option at a time ---- */

struct reading {
    struct ctl *ctl;
    int verb_at; /* the first word that is no option; 0: none yet */
    int next;    /* where argp stopped at what it can't read */
    int code;    /* EXIT_USAGE once a problem was said */
};

static bool read_duration(const char *text, const char *name, uint64_t most, uint64_t *ms)
{
    if (values_parse_duration(text, ms) && *ms > 0 && *ms <= most)
        return true;
    (void)problems_usage("%s takes a time such as 500ms, 10s or 5m%s, not '%s'", name,
                         most == CTL_TIMEOUT_MS_MAX ? ", which is the most" : "", text);
    return false;
}

static bool read_property(struct ctl *ctl, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        (void)problems_usage("--prop takes KEY=VALUE, not '%s'", text);
        return false;
    }
    if (ctl->properties_count == CTL_PROPERTIES_MAX) {
        (void)problems_usage("a session has at most %d properties", CTL_PROPERTIES_MAX);
        return false;
    }
    char *copy = strdup(text);
    if (copy == NULL)
        return false;
    size_t key_bytes = (size_t)(equals - text);
    copy[key_bytes] = '\0';
    ctl->properties[ctl->properties_count] = (struct weft_property){copy, copy + key_bytes + 1};
    ctl->property_texts[ctl->properties_count++] = copy;
    return true;
}

static bool read_timing(struct ctl *ctl, int key, const char *text)
{
    uint64_t ms = 1000;
    switch (key) {
    case KEY_TIMEOUT:
        if (!read_duration(text, "--timeout", CTL_TIMEOUT_MS_MAX, &ms))
            return false;
        ctl->timeout_ms = (uint32_t)ms;
        return true;
    case KEY_WATCH:
        if (text != NULL &&
            !read_duration(text[0] == '=' ? text + 1 : text, "--watch", INT32_MAX, &ms))
            return false;
        ctl->watch_ms = ms;
        return true;
    case KEY_FOR:
        return read_duration(text, "--for", UINT64_MAX, &ctl->for_ms);
    case KEY_COUNT:
        if (values_parse_count(text, 1, UINT32_MAX, &ctl->count))
            return true;
        (void)problems_usage("--count takes a number from 1, not '%s'", text);
        return false;
    default: /* not asked for another */
        return false;
    }
}

static bool read_output(struct ctl *ctl, const char *text)
{
    if (output_parse_format(text, &ctl->output.format)) {
        problems_use_json(output_is_json(&ctl->output));
        return true;
    }
    (void)problems_usage("--output takes table, wide, json, jsonl or csv, not '%s'", text);
    return false;
}

/* A second one would be obeyed and the first forgotten, which nobody means. */
static bool read_flag(struct ctl *ctl, enum ctl_flag flag, const char *text)
{
    if (ctl->flags[flag - FLAG_ALL] != NULL) {
        (void)problems_usage("one option is given twice, the second time with '%s'; a list is "
                             "joined by commas",
                             text == NULL ? "" : text);
        return false;
    }
    ctl->flags[flag - FLAG_ALL] = text == NULL ? "" : text;
    return true;
}

static error_t read_option(struct reading *reading, int key, char *text)
{
    struct ctl *ctl = reading->ctl;
    bool is_read = true;
    switch (key) {
    case KEY_SERVER:
        ctl->servers = text;
        break;
    case KEY_USER:
        ctl->user = text;
        break;
    case KEY_PASSWORD:
        ctl->password_file = text;
        break;
    case KEY_KEY:
        ctl->key_file = text;
        break;
    case KEY_SERVER_KEY:
        ctl->server_keys = text;
        break;
    case KEY_OUTPUT:
        is_read = read_output(ctl, text);
        break;
    case KEY_PROP:
        is_read = read_property(ctl, text);
        break;
    case KEY_TIMEOUT:
    case KEY_WATCH:
    case KEY_FOR:
    case KEY_COUNT:
        is_read = read_timing(ctl, key, text);
        break;
    case KEY_NO_COLOR:
        ctl->output.is_plain = true;
        break;
    case KEY_HELP:
        ctl->wants_help = true;
        break;
    case KEY_VERSION:
        ctl->wants_version = true;
        break;
    case 'f':
        is_read = read_flag(ctl, FLAG_FILTER, text);
        break;
    default: /* argp's own keys, and the verb's */
        if (key < FLAG_ALL || key >= FLAG_END)
            return ARGP_ERR_UNKNOWN;
        is_read = read_flag(ctl, (enum ctl_flag)key, text);
    }
    if (!is_read)
        reading->code = EXIT_USAGE;
    return is_read ? 0 : EINVAL;
}

static error_t read_word(struct reading *reading, char *text, struct argp_state *state)
{
    struct ctl *ctl = reading->ctl;
    if (ctl->verb == NULL) { /* the verb begins: the rest is read with its options */
        reading->verb_at = state->next - 1;
        state->next = state->argc;
        return 0;
    }
    if (ctl->words_count == ctl->verb->words_most) {
        reading->code = problems_usage("'%s' is one word too many; see `weftctl %s%s%s --help`",
                                       text, ctl->verb->noun, ctl->verb->name == NULL ? "" : " ",
                                       ctl->verb->name == NULL ? "" : ctl->verb->name);
        return EINVAL;
    }
    ctl->words[ctl->words_count++] = text;
    return 0;
}

static error_t parse_common(int key, char *text, struct argp_state *state)
{
    if (key == ARGP_KEY_ARG)
        return read_word(state->input, text, state);
    if (key == ARGP_KEY_ERROR)
        ((struct reading *)state->input)->next = state->next;
    return read_option(state->input, key, text);
}

static error_t parse_verb(int key, char *text, struct argp_state *state)
{
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = state->input;
    return parse_common(key, text, state);
}

static const struct argp common_argp = {.options = common_options, .parser = parse_common};

/* ---- what argp did not understand ---- */

static const struct argp_option *find_option(const struct argp_option *options, const char *name,
                                             size_t bytes)
{
    for (const struct argp_option *o = options;
         o != NULL && (o->name != NULL || o->key != 0 || o->doc != NULL); o++) {
        bool is_long = name[0] == '-' && name[1] == '-' && o->name != NULL &&
                       strncmp(o->name, name + 2, bytes - 2) == 0;
        bool is_short = name[1] != '-' && o->key == name[1];
        if (is_long || is_short)
            return o;
    }
    return NULL;
}

/* Whether the word is a run of short options with one among them that nobody knows. */
static bool is_bad_run(const char *word, const struct verb *verb)
{
    char option[] = "-x";
    if (word[0] != '-' || word[1] == '-' || word[1] == '\0')
        return false;
    option[1] = word[1];
    return find_option(verb == NULL ? NULL : verb->options, option, 2) == NULL &&
           find_option(common_options, option, 2) == NULL;
}

/* The option that was not understood is the last word read; or the next, when that is a run of
 * short options. */
static int say_bad_option(char **words, int count, int next, const struct verb *verb)
{
    bool is_next = next < count && is_bad_run(words[next], verb);
    const char *word = is_next ? words[next] : words[next > 0 ? next - 1 : 0];
    size_t bytes = strcspn(word, "=");
    const struct argp_option *option =
        find_option(verb == NULL ? NULL : verb->options, word, bytes);
    if (option == NULL)
        option = find_option(common_options, word, bytes);
    const char *noun = verb == NULL ? "" : verb->noun;
    const char *name = verb == NULL || verb->name == NULL ? "" : verb->name;
    const char *what = option == NULL        ? "is not an option here"
                       : option->arg == NULL ? "takes no value"
                       : word[bytes] == '\0' ? "needs a value, or means several options"
                                             : "means several options";
    return problems_usage("%.*s %s; see `weftctl %s%s%s%s--help`", (int)bytes, word, what, noun,
                          *noun == '\0' ? "" : " ", name, *name == '\0' ? "" : " ");
}

static int read_with(const struct argp *argp, int count, char **words, unsigned flags,
                     struct reading *reading)
{
    error_t error = argp_parse(argp, count, words, flags | READ_ONLY_FLAGS, NULL, reading);
    if (reading->code == EXIT_COMPLETE && error != 0)
        reading->code = say_bad_option(words, count, reading->next, reading->ctl->verb);
    return reading->code;
}

/* ---- the whole ---- */

static int say_bad_verb(char **words, size_t count)
{
    if (!verbs_is_noun(words[0]))
        return problems_usage("'%s' is not a verb of weftctl; see `weftctl --help`", words[0]);
    if (count < 2 || words[1][0] == '-')
        return problems_usage("'%s' is half a verb; see `weftctl --help`", words[0]);
    return problems_usage("'%s %s' is not a verb of weftctl; see `weftctl --help`", words[0],
                          words[1]);
}

static int check_together(const struct ctl *ctl)
{
    const struct verb *verb = ctl->verb;
    bool is_repeated = ctl->watch_ms > 0 || verb->kind == VERB_STREAM;
    if (ctl->words_count < verb->words_least)
        return problems_usage("%s%s%s needs %s", verb->noun, verb->name == NULL ? "" : " ",
                              verb->name == NULL ? "" : verb->name, verb->args);
    if (ctl->watch_ms > 0 && verb->kind != VERB_LISTING)
        return problems_usage("--watch repeats a listing; %s is none", verb->noun);
    if ((ctl->count > 0 || ctl->for_ms > 0) && !is_repeated)
        return problems_usage("--count and --for end a stream or a repeated listing; this is none");
    return EXIT_COMPLETE;
}

static const char *environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? otherwise : value;
}

int command_line_read(int count, char **words, struct ctl *ctl)
{
    struct reading reading = {.ctl = ctl};
    ctl->servers = environment("WEFT_SERVER", "127.0.0.1:7310");
    ctl->user = environment("WEFT_USER", NULL);
    ctl->password_file = environment("WEFT_PASSWORD_FILE", NULL);
    ctl->key_file = environment("WEFT_KEY", NULL);
    ctl->server_keys = environment("WEFT_SERVER_KEY", NULL);
    ctl->output.is_plain = environment("NO_COLOR", NULL) != NULL;
    ctl->timeout_ms = 10000;
    if (read_with(&common_argp, count, words, ARGP_IN_ORDER, &reading) != EXIT_COMPLETE)
        return reading.code;
    if (reading.verb_at == 0)
        return ctl->wants_help || ctl->wants_version
                   ? EXIT_COMPLETE
                   : problems_usage("which verb? See `weftctl --help`");
    words += reading.verb_at;
    count -= reading.verb_at;
    size_t used = 0;
    ctl->verb = verbs_find(words, (size_t)count, &used);
    if (ctl->verb == NULL)
        return say_bad_verb(words, (size_t)count);
    const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = ctl->verb->options, .parser = parse_verb, .children = children};
    if (read_with(&argp, count - (int)used + 1, words + used - 1, 0, &reading) != EXIT_COMPLETE)
        return reading.code;
    if (ctl->wants_help || ctl->wants_version)
        return EXIT_COMPLETE;
    return check_together(ctl);
}

/* ---- help ---- */

static void help_of_verb(const struct verb *verb, FILE *file)
{
    char *name = NULL, *doc = NULL;
    const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
    if (asprintf(&name, "weftctl %s%s%s", verb->noun, verb->name == NULL ? "" : " ",
                 verb->name == NULL ? "" : verb->name) < 0 ||
        asprintf(&doc, "%c%s.\vExamples:\n%s", toupper((unsigned char)verb->summary[0]),
                 verb->summary + 1, verb->examples) < 0)
        return;
    const struct argp argp = {.options = verb->options,
                              .parser = parse_verb,
                              .args_doc = verb->args,
                              .doc = doc,
                              .children = children};
    argp_help(&argp, file, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
    free(name);
    free(doc);
}

static void help_of_program(FILE *file)
{
    char name[] = "weftctl";
    size_t count = 0;
    const struct verb *verbs = verbs_list(&count);
    fputs("Usage: weftctl [OPTION...] VERB [OPTION...] [WORD...]\n"
          "Shows and steers a mesh of weft nodes, through any one of them.\n\n Verbs:\n",
          file);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "  %s%s%-*s  %s\n", verbs[i].noun, verbs[i].name == NULL ? "" : " ",
                19 - (int)strlen(verbs[i].noun) - (verbs[i].name == NULL ? 0 : 1),
                verbs[i].name == NULL ? "" : verbs[i].name, verbs[i].summary);
    (void)fputc('\n', file);
    argp_help(&common_argp, file, ARGP_HELP_LONG, name);
    fputs(
        "\nExamples:\n"
        "  weftctl node ls                              who is in the mesh\n"
        "  weftctl reply hello 'hi there' &             serve the path hello\n"
        "  weftctl -s :7320 req --wait 5s hello         ask it, through another node\n"
        "  weftctl session ls -o json | jq .total       for scripts\n\n"
        "`weftctl VERB --help` tells more of a verb. Exit: 0 complete, 1 error, 2 usage, 3 nothing"
        "\nmatched, 4 partial (a node did not answer). Results are on stdout; problems on stderr,"
        "\none line each: weftctl: CODE: sentence.\n",
        file);
}

void command_line_help(const struct verb *verb, FILE *file)
{
    (void)setenv("ARGP_HELP_FMT", "no-dup-args-note,rmargin=100", 0);
    if (verb == NULL)
        help_of_program(file);
    else
        help_of_verb(verb, file);
}
