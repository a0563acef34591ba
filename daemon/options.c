#include "daemon/options.h"

#include "daemon/config_file.h"

#include <argp.h>
#include <stdio.h>

enum {
    OPTION_CLUSTER = 256,
    OPTION_ZONE,
    OPTION_HOST,
    OPTION_INSECURE,
    OPTION_KEY,
    OPTION_PEERS,
    OPTION_CLIENTS,
    OPTION_PORT,
    OPTION_ADVERTISE,
    OPTION_SEED,
    OPTION_EXPECT,
    OPTION_SET,
    OPTION_LOG_LEVEL,
    OPTION_LOG_JSON,
    OPTION_CHECK,
    OPTION_PRINT,
};

static const struct argp_option flags[] = {
    {.doc = "Who this node is:", .group = 1},
    {"name", 'n', "NAME", 0, "unique in the mesh (default HOSTNAME-PORT)", 1},
    {"cluster", OPTION_CLUSTER, "NAME", 0, "the mesh's name (default weft)", 1},
    {"zone", OPTION_ZONE, "NAME", 0, "where the node is; handlers in a caller's zone go first", 1},
    {.doc = "Where it listens:", .group = 2},
    {"host", OPTION_HOST, "HOST", 0, "listen there (default 127.0.0.1)", 2},
    {"port", OPTION_PORT, "N", 0,
     "N clients, N+1 gossip, N+2 forward (default 7310); 0: any free ones", 2},
    {"advertise", OPTION_ADVERTISE, "HOST", 0,
     "host told to peers and clients (default --host, else the first outside address)", 2},
    {"insecure", OPTION_INSECURE, NULL, 0,
     "listen beyond loopback though nothing is encrypted: for private networks", 2},
    {.doc = "Keys (CURVE), all three or none:", .group = 6},
    {"key", OPTION_KEY, "FILE", 0, "this node's secret key, made by weftctl key new NAME", 6},
    {"peers", OPTION_PEERS, "FOLDER", 0, "public keys of the nodes, this one among them", 6},
    {"clients", OPTION_CLIENTS, "FOLDER", 0,
     "public keys of clients, or any: every key, and auth says who may connect", 6},
    {.doc = "Whom it joins:", .group = 3},
    {"seed", OPTION_SEED, "HOST[:7311],..", 0, "gossip addresses of any nodes of the mesh", 3},
    {"expect", OPTION_EXPECT, "N", 0, "say ready only when N members are alive (default 1)", 3},
    {.doc = "Configuration:", .group = 4},
    {"config", 'c', "FILE", 0, "JSON with comments; - is standard input", 4},
    {"set", OPTION_SET, "KEY=VALUE", 0, "any key, as in --set gossip.period_ms=200", 4},
    {"check-config", OPTION_CHECK, NULL, 0, "say whether the configuration is good: exit 0 or 2",
     4},
    {"print-config", OPTION_PRINT, NULL, 0, "every key, its value, who set it, and why", 4},
    {.doc = "Log, on standard error:", .group = 5},
    {"log-level", OPTION_LOG_LEVEL, "LEVEL", 0, "error, warn, info or debug (default info)", 5},
    {"log-json", OPTION_LOG_JSON, NULL, 0, "lines as JSON objects", 5},
    {.doc = "Help:", .group = -1},
    {0},
};

/* argp: what stands before \v comes above the list of flags, the rest below. */
static const char manual[] =
    "weftd - one node of a weft mesh: clients connect to any node and reach all of it."
    "\v"
    "Examples:\n"
    "  weftd                                      one node, on 127.0.0.1:7310\n"
    "  weftd --port 7320 --seed :7311             a second one on this machine joins it\n"
    "  weftd --port 0 --seed :7311                a third, on ports that are free\n"
    "  weftd -c weft.json --host 10.0.0.12 --insecure --seed 10.0.0.11,10.0.0.13\n"
    "                                             on a private network; who may connect and do "
    "what is in the file: auth, permissions\n"
    "  weftd --key eu-a.key_secret --peers peers --clients clients\n"
    "                                             only for those whose keys are there: see "
    "weftctl key new --help\n"
    "  weftd --print-config | less                all settings, with their reasons\n"
    "\n"
    "Defaults are overridden by the file, then by the environment (WEFT_ and the key: WEFT_SEEDS, "
    "WEFT_GOSSIP_PERIOD_MS), then by flags.\n"
    "\n"
    "Signals: TERM and INT leave the mesh and stop (again: at once), HUP reads the file again.\n"
    "Exit: 0 stopped as asked, 1 internal error, 2 usage or configuration, 3 cannot listen, "
    "4 refused by the mesh.\n";

static void options_setting(struct argp_state *state, const char *name, size_t bytes,
                            const char *value)
{
    struct options *options = state->input;
    if (options->count == OPTIONS_SETTINGS_MAX)
        argp_error(state, "more than %d settings; use a file", OPTIONS_SETTINGS_MAX);
    struct options_setting *setting = &options->settings[options->count++];
    if (bytes >= sizeof(setting->name))
        argp_error(state, "--set: '%.80s' is no key; --print-config shows all keys", name);
    snprintf(setting->name, sizeof(setting->name), "%.*s", (int)bytes, name);
    setting->value = value;
}

static void options_set(struct argp_state *state, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        argp_error(state, "--set takes KEY=VALUE, as in --set gossip.period_ms=200, not '%.80s'",
                   text);
    else
        options_setting(state, text, (size_t)(equals - text), equals + 1);
}

/* Given several times, --seed adds to the list. */
static void options_seed(struct argp_state *state, const char *text)
{
    struct options *options = state->input;
    size_t used = strlen(options->seeds);
    size_t room = sizeof(options->seeds) - used;
    int wanted = snprintf(options->seeds + used, room, "%s%s", used > 0 ? "," : "", text);
    if (wanted < 0 || (size_t)wanted >= room)
        argp_error(state, "--seed: the list is longer than %d bytes", CONFIG_LIST_BYTES - 1);
    if (used == 0)
        options_setting(state, "seeds", strlen("seeds"), options->seeds);
}

static const char *options_key(int flag)
{
    switch (flag) {
    case 'n':
        return "name";
    case OPTION_CLUSTER:
        return "cluster";
    case OPTION_ZONE:
        return "zone";
    case OPTION_HOST:
        return "host";
    case OPTION_INSECURE:
        return "insecure";
    case OPTION_KEY:
        return "curve.key_file";
    case OPTION_PEERS:
        return "curve.peers";
    case OPTION_CLIENTS:
        return "curve.clients";
    case OPTION_PORT:
        return "port";
    case OPTION_ADVERTISE:
        return "advertise";
    case OPTION_EXPECT:
        return "expect";
    case OPTION_LOG_LEVEL:
        return "log.level";
    case OPTION_LOG_JSON:
        return "log.json";
    default:
        return NULL;
    }
}

static error_t options_take(int flag, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    const char *key = options_key(flag);
    if (key != NULL) {
        options_setting(state, key, strlen(key), argument != NULL ? argument : "true");
        return 0;
    }
    switch (flag) {
    case 'c':
        options->file = argument;
        return 0;
    case OPTION_SEED:
        options_seed(state, argument);
        return 0;
    case OPTION_SET:
        options_set(state, argument);
        return 0;
    case OPTION_CHECK:
        options->action = OPTIONS_CHECK;
        return 0;
    case OPTION_PRINT:
        options->action = OPTIONS_PRINT;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%.80s' is no flag, and weftd takes flags only", argument);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void options_read(struct options *options, int argc, char **argv)
{
    static char name[] = "weftd"; /* what messages begin with, whatever the path */
    static const struct argp parser = {.options = flags, .parser = options_take, .doc = manual};
    argp_program_version = "weftd " WEFT_VERSION;
    argp_err_exit_status = 2;
    *options = (struct options){.action = OPTIONS_RUN};
    if (argc > 0)
        argv[0] = name;
    argp_parse(&parser, argc, argv, 0, NULL, options);
}

bool options_load(const struct options *options, struct config *config, struct config_error *error)
{
    config_defaults(config);
    if (options->file != NULL && !config_file_read(config, options->file, error))
        return false;
    if (!config_environment(config, error))
        return false;
    for (size_t i = 0; i < options->count; i++) {
        const struct options_setting *setting = &options->settings[i];
        if (!config_set_named(config, setting->name, setting->value, CONFIG_FLAG, error))
            return false;
    }
    return config_finish(config, error);
}
