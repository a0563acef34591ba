/* ctl_verbs.c - see ctl_verbs.h. */
#include "client/ctl/ctl_verbs.h"

#include "client/ctl/ctl_cluster.h"
#include "client/ctl/ctl_handler.h"
#include "client/ctl/ctl_node.h"
#include "client/ctl/ctl_reply.h"
#include "client/ctl/ctl_request.h"
#include "client/ctl/ctl_session.h"

#include <stdio.h>
#include <string.h>

static const struct ctl_verb verbs[] = {
    {"cluster", "status", "", 0, 0, CTL_TAKES_LISTING | CTL_OPT_EXPECT, ctl_cluster_status,
     "asks every node how it is, and whether all see the same",
     "  --expect N   exit 1 unless N nodes are ready and see the same\n\n"
     "  $ weftctl cluster status\n"
     "  $ weftctl cluster status --expect 3 -o json | jq .converged\n"},
    {"check", "cluster", "", 0, 0, CTL_OPT_NODES, ctl_cluster_check,
     "waits for N ready nodes that see the same; exits as a Nagios check",
     "  --nodes N    how many there should be\n"
     "  -t D         how long to wait for it (10s)\n\n"
     "  exit: 0 OK, 1 WARNING views differ, 2 CRITICAL nodes missing, 3 UNKNOWN nobody answers\n\n"
     "  $ weftctl check cluster --nodes 3 -t 30s\n"},
    {"node", "ls", "", 0, 0, CTL_TAKES_LISTING | CTL_OPT_ALL, ctl_node_ls,
     "the members as the asked node sees them; * is itself",
     "  --all        also the dead and those that left\n\n"
     "  $ weftctl node ls\n"
     "  $ weftctl -s 10.0.0.12 node ls --all -w\n"},
    {"node", "stats", "[NAME]", 0, 1, CTL_TAKES_LISTING, ctl_node_stats,
     "the counters of every node, or of one",
     "  $ weftctl node stats\n"
     "  $ weftctl node stats eu-a -o json | jq '.nodes[0].counters'\n"},
    {"session", "ls", "", 0, 0, CTL_TAKES_LISTING | CTL_OPT_KEYS | CTL_OPT_LIMIT, ctl_session_ls,
     "the sessions of the whole mesh",
     "  --keys K,..  these properties; *F all fixed ones, *U all user's\n"
     "  --limit N    at most so many (100)\n\n"
     "  $ weftctl session ls\n"
     "  $ weftctl session ls --keys '$Principal,tier' -o csv\n"},
    {"session", "get", "ID", 1, 1, CTL_OPT_KEYS, ctl_session_get,
     "the properties of one session, wherever it is",
     "  --keys K,..  these properties; *F all fixed ones, *U all user's\n\n"
     "  $ weftctl session get 6731a0c19e02b7d4-00c0ffee00c0ffee\n"},
    {"session", "open", "", 0, 0, CTL_OPT_FOR | CTL_OPT_NUMBER, ctl_session_open,
     "opens sessions and holds them until INT",
     "  --number N   so many (1)\n"
     "  --for D      only so long\n\n"
     "  $ weftctl session open --prop tier=gold\n"
     "  $ weftctl session open --number 1000 --for 1m\n"},
    {"session", "close", "ID", 1, 1, CTL_OPT_REASON, ctl_session_close,
     "ends one session, wherever it is",
     "  --reason T   told to its client\n\n"
     "  $ weftctl session close 6731a0c19e02b7d4-00c0ffee00c0ffee --reason 'trial is over'\n"},
    {"handler", "ls", "", 0, 0, CTL_TAKES_LISTING, ctl_handler_ls,
     "who serves which path, in the asked node's directory", "  $ weftctl handler ls\n"},
    {"req", NULL, "PATH [VALUE]", 1, 2, CTL_OPT_TYPE | CTL_OPT_IDEMPOTENT | CTL_OPT_WAIT,
     ctl_request_req, "sends a request to whoever serves the path; prints the response",
     "  VALUE         - is standard input\n"
     "  --type TYPE   json, string (default), binary, int64, double\n"
     "  --idempotent  may be executed twice: asked again when a node is lost\n"
     "  --wait D      tries again for so long while nobody serves the path\n\n"
     "  $ weftctl req hello\n"
     "  $ weftctl req sum '[1,2,3]' --type json -t 2s\n"
     "  $ weftctl req upload - --type binary < picture.png\n"},
    {"reply", NULL, "PATH [VALUE]", 1, 2,
     CTL_TAKES_STREAM | CTL_OPT_TYPE | CTL_OPT_ECHO | CTL_OPT_COMMAND, ctl_reply_run,
     "serves the path, until INT: with a value, an echo, or a command",
     "  VALUE          the answer to every request\n"
     "  --echo         the request's own value\n"
     "  --command CMD  what CMD, run by sh, makes of the request's value\n"
     "  --count N      ends after N requests\n\n"
     "  $ weftctl reply hello hi\n"
     "  $ weftctl reply shout --command 'tr a-z A-Z'\n"},
};

enum { VERBS_COUNT = sizeof verbs / sizeof *verbs };

const struct ctl_verb *ctl_verbs_find(const char *const *words, int count, int *used)
{
    for (int i = 0; i < VERBS_COUNT; i++) {
        const struct ctl_verb *verb = &verbs[i];
        *used = verb->verb == NULL ? 1 : 2;
        if (count >= *used && strcmp(words[0], verb->noun) == 0 &&
            (verb->verb == NULL || strcmp(words[1], verb->verb) == 0))
            return verb;
    }
    return NULL;
}

static void print_common(void)
{
    (void)puts(
        "Options of every verb:\n"
        "  -s, --server HOST[:PORT],..  tried in order (WEFT_SERVER, 127.0.0.1:7310)\n"
        "  -o, --output FORMAT          table, wide, json, jsonl (an object a line), csv\n"
        "  -t, --timeout D              250ms, 2s, 5m (10s)\n"
        "  -w, --watch[=D]              of listings: again every D (1s)\n"
        "      --count N, --for D       end a stream or a watch after so many, after so long\n"
        "      --prop K=V               a property of this session\n"
        "      --user NAME, --password-file FILE   (WEFT_USER, WEFT_PASSWORD_FILE)\n"
        "      --no-color, --help, --version\n"
        "\n"
        "Exit: 0 complete, 1 error, 2 usage, 3 nothing matched, 4 a node did not answer.");
}

static void print_all(void)
{
    (void)puts("Usage: weftctl [OPTION..] VERB [ARGUMENT..]\n"
               "Looks at and commands a weft mesh, by way of any of its nodes.\n");
    for (int i = 0; i < VERBS_COUNT; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "%s%s%s %s", verbs[i].noun,
                       verbs[i].verb == NULL ? "" : " ", verbs[i].verb == NULL ? "" : verbs[i].verb,
                       verbs[i].arguments);
        (void)printf("  %-20s  %s\n", line, verbs[i].what);
    }
    (void)puts("\nTry it, with a node on this machine (`weftd &`):\n"
               "  $ weftctl node ls\n"
               "  $ weftctl reply hello hi &\n"
               "  $ weftctl req hello\n"
               "  $ weftctl req --help\n");
    print_common();
}

void ctl_verbs_help(const struct ctl_verb *verb)
{
    if (verb == NULL) {
        print_all();
        return;
    }
    (void)printf("Usage: weftctl [OPTION..] %s%s%s %s\n%s.\n\n%s\n", verb->noun,
                 verb->verb == NULL ? "" : " ", verb->verb == NULL ? "" : verb->verb,
                 verb->arguments, verb->what, verb->more);
    print_common();
}
