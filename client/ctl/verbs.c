/* verbs.c - see verbs.h. */
#include "client/ctl/verbs.h"

#include <string.h>

#include "client/ctl/cluster.h"
#include "client/ctl/control.h"
#include "client/ctl/events.h"
#include "client/ctl/filter.h"
#include "client/ctl/handler.h"
#include "client/ctl/handler_run.h"
#include "client/ctl/hold.h"
#include "client/ctl/key.h"
#include "client/ctl/node.h"
#include "client/ctl/passwd.h"
#include "client/ctl/reply.h"
#include "client/ctl/req.h"
#include "client/ctl/session.h"
#include "client/ctl/topic.h"
#include "client/ctl/watch.h"
#include "client/ctl/why.h"

static const struct argp_option status_options[] = {
    {"expect", FLAG_EXPECT, "N", 0, "an error unless N nodes are ready and agree", 0},
    {0},
};

static const struct argp_option check_options[] = {
    {"nodes", FLAG_NODES, "N", 0, "how many there must be", 0},
    {0},
};

static const struct argp_option node_options[] = {
    {"all", FLAG_ALL, NULL, 0, "also those that are dead or have left", 0},
    {0},
};

static const struct argp_option list_options[] = {
    {"filter", 'f', "F", 0, "only sessions that match (default all)", 0},
    {"keys", FLAG_KEYS, "K,..", 0, "these properties; *F all fixed ones, *U all the user's", 0},
    {"limit", FLAG_LIMIT, "N", 0, "at most N sessions (default 100)", 0},
    {"sort", FLAG_SORT, "K", 0, "by id, state, node or a property", 0},
    {0},
};

static const struct argp_option get_options[] = {
    {"keys", FLAG_KEYS, "K,..", 0, "only these; *F all fixed ones, *U all the user's", 0},
    {0},
};

static const struct argp_option open_options[] = {
    {"number", FLAG_NUMBER, "N", 0, "so many sessions (default 1)", 0},
    {0},
};

/* Of everything that changes sessions by filter. */
#define FILTER_OPTIONS                                                                             \
    {"filter", 'f', "F", 0, "all that match, in the whole mesh, in place of an ID", 0},            \
        {"dry-run", FLAG_DRY_RUN, NULL, 0, "with --filter: count only, change nothing", 0},        \
    {                                                                                              \
        "expect-max", FLAG_EXPECT_MAX, "N", 0,                                                     \
            "with --filter: change nothing anywhere if more match, or a node does not answer", 0   \
    }

static const struct argp_option close_options[] = {
    FILTER_OPTIONS,
    {"yes", FLAG_YES, NULL, 0, "with --filter: don't ask on a terminal", 0},
    {"reason", FLAG_REASON, "TEXT", 0, "told to the session's client", 0},
    {0},
};

static const struct argp_option set_options[] = {
    FILTER_OPTIONS,
    {"unset", FLAG_UNSET, "K,..", 0, "remove these properties", 0},
    {0},
};

static const struct argp_option roles_options[] = {
    FILTER_OPTIONS,
    {"add", FLAG_ADD, "R,..", 0, "roles that it is to have", 0},
    {"remove", FLAG_REMOVE, "R,..", 0, "roles that it is not to have", 0},
    {0},
};

static const struct argp_option conflate_options[] = {
    FILTER_OPTIONS,
    {0},
};

static const struct argp_option req_options[] = {
    {"to", FLAG_TO, "ID", 0, "ask this session, which listens on exactly that path", 0},
    {"filter", 'f', "F", 0, "ask every session of the mesh that matches", 0},
    {"type", FLAG_TYPE, "TYPE", 0, "of VALUE: string (default), json, int64, double, binary", 0},
    {"wait", FLAG_WAIT, "TIME", 0, "try again for so long while nobody serves the path", 0},
    {"idempotent", FLAG_IDEMPOTENT, NULL, 0,
     "may be executed twice: tried again when the handler's node is lost", 0},
    {0},
};

static const struct argp_option auth_options[] = {
    {"allow", FLAG_ALLOW, NULL, 0, "lets everybody in, as whom he says he is", 0},
    {"deny", FLAG_DENY, NULL, 0, "lets nobody in", 0},
    {"abstain", FLAG_ABSTAIN, NULL, 0, "leaves it to the next step of the chain", 0},
    {"role", FLAG_ROLE, "R,..", 0, "with --allow: what they hold", 0},
    {0},
};

static const struct argp_option passwd_options[] = {
    {"role", FLAG_ROLE, "R,..", 0, "what the principal holds", 0},
    {0},
};

static const struct argp_option reply_options[] = {
    {"direct", FLAG_DIRECT, NULL, 0, "requests to this session, by exactly that path", 0},
    {"keys", FLAG_KEYS, "K,..", 0,
     "a command gets these properties of the sender as JSON in WEFT_PROPERTIES", 0},
    {"echo", FLAG_ECHO, NULL, 0, "answer with what was asked", 0},
    {"command", FLAG_COMMAND, "CMD", 0,
     "answer with what the shell command CMD prints; the request is its input", 0},
    {"type", FLAG_TYPE, "TYPE", 0, "of the answer: string (default), json, int64, double, binary",
     0},
    {0},
};

static const struct argp_option select_options[] = {
    FILTER_OPTIONS,
    {0},
};

static const struct argp_option topics_options[] = {
    {"limit", FLAG_LIMIT, "N", 0, "at most N topics (default 1000)", 0},
    {0},
};

static const struct argp_option topic_set_options[] = {
    {"type", FLAG_TYPE, "TYPE", 0, "of VALUE: string (default), json, int64, double, binary", 0},
    {"policy", FLAG_POLICY, "P", 0,
     "when it is created, what a full queue does to its updates: conflate (default), always, off, "
     "unsubscribe",
     0},
    {"if-value", FLAG_IF_VALUE, "V", 0, "only if it has this value now", 0},
    {"if-version", FLAG_IF_VERSION, "V", 0, "only if it has this version now", 0},
    {"if-absent", FLAG_IF_ABSENT, NULL, 0, "only if it is not there", 0},
    {0},
};

static const struct argp_option events_options[] = {
    {"kind", FLAG_KIND, "KIND,..", 0, "session, member, or both (default)", 0},
    {"filter", 'f', "F", 0, "only sessions that match (default all)", 0},
    {"keys", FLAG_KEYS, "K,..", 0,
     "properties shown of sessions; *F all fixed ones, *U all the user's", 0},
    {0},
};

static const struct argp_option match_options[] = {
    {"sessions", FLAG_SESSIONS, "FILE", 0, "a session a line, as JSON; - is standard input", 0},
    {0},
};

static const struct argp_option key_options[] = {
    {"folder", FLAG_FOLDER, "PATH", 0, "where to (default here)", 0},
    {"roles", FLAG_ROLES, "R,..", 0, "what a client with this key holds (auth step `curve`)", 0},
    {0},
};

static const struct verb verbs[] = {
    {"cluster", "status", NULL, 0, 0, VERB_LISTING,
     "asks every node whether it is ready and what it knows",
     "  weftctl cluster status\n"
     "  weftctl cluster status --expect 3 && echo all there\n\n"
     "Nodes agree when their hashes are equal: of the members, of the directory of sessions and "
     "handlers, of the topics.\n",
     status_options, cluster_status},
    {"check", "cluster", NULL, 0, 0, VERB_ACT,
     "waits until N nodes are ready and agree; for scripts and Nagios",
     "  weftctl check cluster --nodes 3\n"
     "  weftctl -t 60s check cluster --nodes 3\n\n"
     "Waits at most --timeout. Exit, as Nagios reads it: 0 OK; 1 WARNING: all are ready but don't "
     "agree, or there are more; 2 CRITICAL: nodes are missing or not ready; 3 UNKNOWN: it was not "
     "asked right.\n",
     check_options, cluster_check},
    {"node", "ls", NULL, 0, 0, VERB_LISTING, "lists the members as the asked node sees them",
     "  weftctl node ls\n"
     "  weftctl node ls --all -o wide\n"
     "  weftctl node ls -w\n\n"
     "The node that was asked bears an asterisk.\n",
     node_options, node_ls},
    {"node", "stats", "[NAME]", 0, 1, VERB_LISTING, "shows the counters of all nodes, or of one",
     "  weftctl node stats\n"
     "  weftctl node stats eu-b -w\n"
     "  weftctl node stats -o json | jq '.nodes[].counters.requests_ok'\n\n"
     "A table leaves out what is 0 everywhere; -o wide shows it.\n",
     NULL, node_stats},
    {"node", "why", "NAME", 1, 1, VERB_LISTING, "shows why a member is held alive, suspect or dead",
     "  weftctl node why eu-c\n"
     "  weftctl node why eu-c -o json | jq '.verdicts[-1]'\n\n"
     "The last 64 verdicts of the asked node, the oldest first: who found it, with which helpers. "
     "Exit 3: no such member.\n",
     NULL, why_node},
    {"session", "ls", NULL, 0, 0, VERB_LISTING, "lists sessions of all nodes",
     "  weftctl session ls\n"
     "  weftctl session ls -f \"tier is 'trial' and not has desk\" --keys '*U'\n"
     "  weftctl session ls --keys '$Principal,tier' --sort tier --limit 1000\n",
     list_options, session_ls},
    {"session", "get", "ID", 1, 1, VERB_LISTING, "shows a session and its properties",
     "  weftctl session get 6731a0c19e02b7d4-99c2f3a1b2c3d4e5\n"
     "  weftctl session get 6731a0c19e02b7d4-99c2f3a1b2c3d4e5 --keys '*U' -o json\n",
     get_options, session_get},
    {"session", "open", NULL, 0, 0, VERB_STREAM, "opens sessions and holds them",
     "  weftctl session open\n"
     "  weftctl session open --number 100 --prop tier=trial -o jsonl\n\n"
     "Ends with INT, after --for, or when the sessions were closed (exit 1).\n",
     open_options, hold_open},
    {"session", "close", "ID | -f F", 0, 1, VERB_ACT, "closes a session, or all that match",
     "  weftctl session close 6731a0c19e02b7d4-99c2f3a1b2c3d4e5 --reason 'see you'\n"
     "  weftctl session close -f \"tier is 'trial'\" --dry-run\n"
     "  weftctl session close -f \"tier is 'trial'\" --expect-max 50 --yes\n\n"
     "On a terminal --filter shows how many would be closed, and asks. Exit 3: nothing matched.\n",
     close_options, control_close},
    {"session", "set", "[ID | -f F] KEY=VALUE..", 0, CTL_WORDS_MAX - 1, VERB_ACT,
     "sets and removes properties of sessions",
     "  weftctl session set 6731a0c19e02b7d4-99c2f3a1b2c3d4e5 tier=gold --unset desk\n"
     "  weftctl session set -f \"desk is '7'\" tier=gold '$Country=CH'\n\n"
     "Of keys with a $ only $Country, $Language, $Latitude and $Longitude are set, others ignored. "
     "By ID the answer tells the previous values of what changed.\n",
     set_options, control_set},
    {"session", "roles", "ID | -f F", 0, 1, VERB_ACT, "adds and takes away roles of sessions",
     "  weftctl session roles 6731a0c19e02b7d4-99c2f3a1b2c3d4e5 --add trader --remove guest,trial\n"
     "  weftctl session roles -f \"hasRoles 'guest'\" --remove guest\n",
     roles_options, control_roles},
    {"session", "conflate", "[ID | -f F] on|off", 0, 2, VERB_ACT,
     "turns the conflation switch of sessions",
     "  weftctl session conflate 6731a0c19e02b7d4-99c2f3a1b2c3d4e5 on\n"
     "  weftctl session conflate -f \"$ClientType is 'javascript'\" on\n",
     conflate_options, control_conflate},
    {"session", "subscribe", "[ID | -f F] SELECTOR", 0, 2, VERB_ACT,
     "subscribes sessions to topics, as if they had said so",
     "  weftctl session subscribe 6731a0c19e02b7d4-99c2f3a1b2c3d4e5 'prices/**'\n"
     "  weftctl session subscribe -f \"tier is 'gold'\" news/gold\n\n"
     "Each may read what its own permissions allow.\n",
     select_options, control_subscribe},
    {"session", "unsubscribe", "[ID | -f F] SELECTOR", 0, 2, VERB_ACT,
     "ends subscriptions of sessions",
     "  weftctl session unsubscribe -f \"tier is 'trial'\" 'prices/**'\n\n"
     "SELECTOR is one that was subscribed, word for word. The session's client is told.\n",
     select_options, control_unsubscribe},
    {"handler", "ls", NULL, 0, 0, VERB_LISTING, "lists who serves what, as the asked node knows it",
     "  weftctl handler ls\n"
     "  weftctl handler ls -o json | jq .synced\n\n"
     "synced: the node's directory lacks nothing that it has heard of.\n",
     NULL, handler_ls},
    {"handler", "stats", NULL, 0, 0, VERB_LISTING, "asks every node what its handlers have done",
     "  weftctl handler stats\n"
     "  weftctl handler stats -w\n\n"
     "Also those of kind direct, which their node alone knows. AVG and P99 (to within an eighth) "
     "are the time from the hand-over to the outcome; ERRORS are outcomes other than OK.\n",
     NULL, handler_stats},
    {"handler", "auth", "NAME", 1, 1, VERB_STREAM,
     "answers the step handler:NAME of auth.chain, in one way for all",
     "  weftctl handler auth corporate --allow --role desk\n"
     "  weftctl handler auth corporate --deny\n\n"
     "For trying out a chain, and for an emergency: nobody's credentials are looked at.\n",
     auth_options, handler_run_auth},
    {"handler", "missing", "PATH", 1, 1, VERB_STREAM,
     "shows what is subscribed at the path or below it, and not there",
     "  weftctl handler missing prices\n", NULL, handler_run_missing},
    {"req", NULL, "PATH [VALUE]", 1, 2, VERB_ACT, "asks whoever serves the path; prints the answer",
     "  weftctl req greet Ada\n"
     "  weftctl req --wait 5s greet Ada\n"
     "  weftctl req --type json orders/new '{\"item\": \"tea\"}'\n"
     "  weftctl req store - <file\n"
     "  weftctl req --to 6731a0c19e02b7d4-99c2f3a1b2c3d4e5 chat hello\n"
     "  weftctl req -f \"tier is 'gold'\" chat hello -o jsonl\n\n"
     "VALUE - is standard input, as it is. Binary answers are printed as base64. A VALUE that "
     "begins with - comes after --. With -f a line for each session, then {end:true,..}; exit 3: "
     "nothing matched, 4: not every session was told of.\n",
     req_options, req_run},
    {"reply", NULL, "PATH VALUE | PATH --echo | PATH --command CMD", 1, 2, VERB_STREAM,
     "serves a path: answers requests from the whole mesh",
     "  weftctl reply greet 'hello to you'\n"
     "  weftctl reply echo --echo\n"
     "  weftctl reply shout --command 'tr a-z A-Z'\n"
     "  weftctl reply time --command date --count 1\n"
     "  weftctl reply chat --direct hello\n\n"
     "A command runs with WEFT_PATH, WEFT_SENDER and WEFT_TYPE set, several at a time; when it "
     "exits with another code than 0, the answer is HANDLER_ERROR. Of what it prints the last "
     "newline is cut, but for --type binary.\n",
     reply_options, reply_run},
    {"topic", "ls", "[SELECTOR]", 0, 1, VERB_LISTING, "lists topics, as every node holds them",
     "  weftctl topic ls\n"
     "  weftctl topic ls 'prices/**' -o wide\n"
     "  weftctl topic ls 'prices/+' -o json | jq -r '.topics[].path'\n\n"
     "SEQUENCER: the node that orders its updates. A selector: `+` is any one segment, `**` at the "
     "end everything at and below. Exit 3: the selector means none.\n",
     topics_options, topic_ls},
    {"topic", "get", "PATH", 1, 1, VERB_LISTING, "prints a topic's value",
     "  weftctl topic get prices/tea\n"
     "  weftctl topic get prices/tea -o json | jq -r .version\n\n"
     "Exit 3: no such topic.\n",
     NULL, topic_get},
    {"topic", "set", "PATH VALUE", 2, 2, VERB_ACT, "sets a topic; creates it if need be",
     "  weftctl topic set prices/tea 4.20 --type double\n"
     "  weftctl topic set config - --type json <config.json\n"
     "  weftctl topic set leader me --if-absent\n"
     "  weftctl topic set leader you --if-version 3-6731a0c19e02b7d4-17\n\n"
     "VALUE - is standard input, as it is. A VALUE that begins with - comes after --. A topic "
     "keeps "
     "the type of its first value.\n",
     topic_set_options, topic_set},
    {"topic", "rm", "SELECTOR", 1, 1, VERB_ACT, "removes topics",
     "  weftctl topic rm prices/tea\n"
     "  weftctl topic rm 'prices/**'\n\n"
     "Exit 3: the selector means none.\n",
     NULL, topic_rm},
    {"topic", "sub", "SELECTOR..", 1, CTL_WORDS_MAX, VERB_STREAM,
     "shows topics' values, and each change",
     "  weftctl topic sub 'prices/**'\n"
     "  weftctl topic sub news status -o jsonl --for 60s\n\n"
     "First the value that each topic has (`snapshot` in JSON), then what becomes of it: value, "
     "removed, unsubscribed with a reason. `resync`: what lay between this value and the one "
     "before may be missing.\n",
     NULL, watch_topics},
    {"events", NULL, NULL, 0, 0, VERB_STREAM, "shows what happens to sessions and members",
     "  weftctl events\n"
     "  weftctl events --kind session -f \"tier is 'gold'\" --keys tier,desk\n"
     "  weftctl events --kind member -o jsonl --for 60s\n\n"
     "First a line `opened` for each session that matches, anywhere in the mesh, and `joined` for "
     "each member that is there. Then, of sessions: opened, updated, disconnected, reconnected, "
     "closed, entered and left (the filter), unreachable, reachable, gone (its node was lost); "
     "`resync` in JSON: found by a comparison, what lay between may be missing. Of members: "
     "joined, suspected, refuted, failed, left, replaced, as the asked node sees it.\n",
     events_options, events_run},
    {"filter", "check", "FILTER", 1, 1, VERB_ACT,
     "shows a filter in its canonical form, or what is wrong with it",
     "  weftctl filter check \"tier IN ['gold','staff'] AND NOT hasRoles 'operator'\"\n\n"
     "No node is asked.\n",
     NULL, filter_check},
    {"filter", "match", "FILTER", 1, 1, VERB_ACT, "shows which sessions of a file a filter means",
     "  weftctl session ls --keys '*F,*U' --limit 1000 -o jsonl >sessions\n"
     "  weftctl filter match \"tier is 'gold'\" --sessions sessions\n\n"
     "A line is an object of properties with $SessionId, or one of session ls -o jsonl. Prints the "
     "ids, one a line. No node is asked. Exit 3: none matches.\n",
     match_options, filter_match},
    {"key", "new", "NAME", 1, 1, VERB_ACT, "makes a pair of keys, of a node or a client",
     "  weftctl key new eu-a                     a node's: NAME is the node's name\n"
     "  weftctl key new ana --roles trader       a client's: NAME is its principal\n\n"
     "Writes NAME.key_secret, readable for you alone, and NAME.key, which goes into the folder "
     "curve.peers of all nodes (a node's) or curve.clients (a client's). Never writes over a file. "
     "No node is asked.\n",
     key_options, key_new},
    {"passwd", NULL, "NAME", 1, 1, VERB_ACT, "prints a line for a node's users file",
     "  weftctl passwd ada --role desk,eu >>users\n"
     "  kill -HUP $(pidof weftd)                     the node reads its users again\n\n"
     "The password comes from standard input: its first line, not shown on a terminal.\n",
     passwd_options, passwd_run},
};

const struct verb *verbs_list(size_t *count)
{
    *count = sizeof verbs / sizeof verbs[0];
    return verbs;
}

const struct verb *verbs_find(char **words, size_t count, size_t *used)
{
    for (size_t i = 0; count > 0 && i < sizeof verbs / sizeof verbs[0]; i++) {
        const struct verb *verb = &verbs[i];
        *used = verb->name == NULL ? 1 : 2;
        if (count >= *used && strcmp(words[0], verb->noun) == 0 &&
            (verb->name == NULL || strcmp(words[1], verb->name) == 0))
            return verb;
    }
    return NULL;
}

bool verbs_is_noun(const char *word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(word, verbs[i].noun) == 0)
            return true;
    return false;
}
