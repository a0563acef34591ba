/* by_filter.c - see by_filter.h.
 *
 *     one round    COMMAND -> every member -> RESULT: matched, applied, failed
 *     two rounds   COMMAND pin -> matched; all answered, not too many: COMMAND apply to the pinned
 *
 * (B1) a filter or argument that can't be used is refused before any peer hears of the command
 * (B2) with an expectation nothing is applied anywhere unless every member said how many match
 * (B3) the first round ends before what was pinned first is forgotten
 * (B4) a node's change is begun once for each command id, and its first answer is kept */
#include "mesh/routing/by_filter.h"

#include "mesh/base/bugs.h"
#include "mesh/filter/filter.h"
#include "mesh/routing/applied.h"
#include "mesh/routing/commands.h"
#include "mesh/routing/deeds.h"
#include "mesh/routing/gather.h"
#include "mesh/routing/matching.h"
#include "mesh/routing/rights.h"
#include "mesh/routing/sweeps.h"
#include "proto/kinds.h"

enum {
    ANSWER_BYTES = 512, /* an answer without rows, its text one of ours, fits into it */
};

void by_filter_refuse(struct routing *routing, struct session *asker, uint64_t correlation,
                      const struct complaints *complaints)
{
    const struct complaint *first = &complaints->items[0];
    struct client_error error = {
        .code = ERROR_INVALID_FILTER,
        .text = sentence_span(&first->message),
        .line = first->line,
        .column = first->column,
    };
    struct outgoing message = {
        .kind = KIND_ERROR,
        .correlation = correlation,
        .schema = &client_error_schema,
        .fields = &error,
    };
    sessions_send(routing->sessions, asker, &message);
}

/* Whether the filter can be read; if not, the asker has been told. */
static bool filter_judge(struct routing *routing, struct session *asker, struct span text,
                         uint64_t correlation)
{
    struct complaints complaints = {.count = 0};
    struct filter *filter;
    enum error error = filter_parse(routing->filters, text, &filter, &complaints);
    if (error == ERROR_INVALID_FILTER)
        by_filter_refuse(routing, asker, correlation, &complaints);
    else if (error != ERROR_OK)
        commands_refuse(routing, asker, correlation, ERROR_LIMIT_REACHED,
                        "no memory for the filter");
    filter_destroy(&filter);
    return error == ERROR_OK;
}

enum error by_filter_from_session(struct routing *routing, struct session *asker,
                                  const struct command *command, const struct message *message,
                                  uint32_t timeout_ms)
{
    struct deed deed;
    struct sentence why;
    if (!session_id_is_none(command->session)) {
        commands_refuse(routing, asker, message->correlation, ERROR_INVALID_ARGUMENT,
                        "the command names a session and a filter; it takes one of them");
        return ERROR_OK;
    }
    if (deeds_is_one(command->verb)) {
        enum error error = deeds_read(&deed, command, message->body, &why);
        if (error == ERROR_INVALID_ARGUMENT)
            commands_refuse_in_words(routing, asker, message->correlation, error, &why);
        if (error != ERROR_OK)
            return error == ERROR_INVALID_ARGUMENT ? ERROR_OK : error;
    }
    if (filter_judge(routing, asker, command->filter, message->correlation))
        gather_start(routing, asker, command, message, NULL, timeout_ms);
    return ERROR_OK;
}

/* The sessions here that are meant, those pinned before or all that match. */
static bool matched_find(struct routing *routing, const struct sweep_order *order,
                         const struct filter *filter, struct matching *matching,
                         struct answer *answer)
{
    if (order->command->phase != COMMAND_APPLY_PINNED)
        return matching_find(routing, filter, matching, answer);
    if (sweeps_take_pinned(routing, order, matching))
        return matching_keep(routing, filter, matching, answer);
    answers_refuse(answer, ERROR_TIMEOUT,
                   "what was counted in the first round is forgotten; nothing was changed");
    return false;
}

static void counted_say(const struct routing *routing, uint32_t count, struct answer *answer)
{
    *answer = (struct answer){
        .result = {.node = span_text(routing->context->config->name), .matched = count},
    };
}

/* Carries out this node's part, or begins to. Returns the sweep when it goes on in later turns;
 * NULL: *answer is what came of it. */
static struct sweep *carry_out(struct routing *routing, const struct sweep_order *order,
                               struct answer *answer, bool *closes_asker)
{
    struct matching matching = {0};
    struct filter *filter = NULL;
    const struct command *command = order->command;
    bool is_found = matching_parse(routing, command->filter, &filter, answer) &&
                    matched_find(routing, order, filter, &matching, answer);
    filter_destroy(&filter);
    if (!is_found) {
        matching_clear(routing, &matching);
        return NULL;
    }
    bool is_dry = command->dry_run && !bug_is_planted(BUG_DRY_APPLIES);
    if (is_dry || command->phase == COMMAND_PIN) {
        counted_say(routing, matching.count, answer);
        if (!command->dry_run)
            (void)sweeps_pin(routing, order, &matching, answer);
        matching_clear(routing, &matching);
        return NULL;
    }
    struct sweep *sweep = sweeps_begin(routing, order, &matching, answer);
    if (sweep == NULL || !sweeps_is_done(sweep))
        return sweep;
    *closes_asker = sweep->closes_asker;
    sweeps_finish(routing, sweep, answer);
    return NULL;
}

bool by_filter_here(struct routing *routing, struct inquiry *inquiry, const struct command *command,
                    const struct message *message, struct answer *answer)
{
    struct sweep_order order = {
        .from = routing->context->instance,
        .correlation = inquiries_number(inquiry),
        .asker = command->asker,
        .command = command,
        .message = message,
    };
    return carry_out(routing, &order, answer, &inquiry->closes_asker) == NULL;
}

/* Counting changes nothing: a repeat is counted again, or has its pins already. */
static void count_for_node(struct routing *routing, const struct node *node,
                           const struct sweep_order *order)
{
    struct answer answer;
    uint32_t pinned;
    bool is_ignored;
    if (sweeps_count_pinned(routing, order, &pinned))
        counted_say(routing, pinned, &answer);
    else
        require(carry_out(routing, order, &answer, &is_ignored) == NULL);
    commands_reply_to_node(routing, node, order->correlation, &answer);
}

enum error by_filter_from_node(struct routing *routing, const struct node *node,
                               const struct command *command, const struct message *message)
{
    struct deed deed;
    struct sentence why;
    struct answer answer;
    uint32_t entry;
    bool is_ignored;
    struct sweep_order order = {
        .from = node->instance,
        .correlation = message->correlation,
        .command = command,
        .message = message,
    };
    if (command->id.bytes != COMMAND_ID_BYTES || command->phase > COMMAND_APPLY_PINNED ||
        !session_id_is_none(command->session) ||
        deeds_read(&deed, command, message->body, &why) != ERROR_OK)
        return ERROR_INVALID_MESSAGE; /* that node has read it too */
    if (command->dry_run || command->phase == COMMAND_PIN) {
        count_for_node(routing, node, &order);
        return ERROR_OK;
    }
    if (!commands_begin_once(routing, node, message->correlation, command->id, ANSWER_BYTES,
                             &entry))
        return ERROR_OK;
    struct sweep *sweep = carry_out(routing, &order, &answer, &is_ignored);
    if (sweep != NULL) {
        sweep->entry = entry;
        return ERROR_OK;
    }
    applied_answer(routing->applied, entry, &answer.result, answer.rows);
    commands_reply_to_node(routing, node, message->correlation, &answer);
    return ERROR_OK;
}

/* The one who asked is among those closed: behind his answer. */
static void close_asker(struct routing *routing, struct session_id asker, struct span words)
{
    struct session *session = sessions_find(routing->sessions, asker);
    if (session == NULL)
        return;
    count(routing->context, COUNTER_commands_applied);
    sessions_close(routing->sessions, session, CLOSE_REASON_CLOSED_BY_CONTROLLER, words);
}

void by_filter_answered(struct routing *routing, const struct inquiry *inquiry)
{
    struct command command;
    struct span body;
    if (!inquiry->closes_asker)
        return;
    inquiries_command(inquiry, &command, &body);
    close_asker(routing, sessions_at(routing->sessions, inquiry->asker)->id, command.text);
}

/* The last slice was done: whoever asked is told. */
void by_filter_due(struct routing *routing, uint32_t slot)
{
    struct sweep *sweep = sweeps_due(routing, slot);
    struct answer answer;
    if (sweep == NULL)
        return;
    uint64_t from = sweep->from, correlation = sweep->correlation;
    uint32_t entry = sweep->entry;
    bool closes_asker = sweep->closes_asker;
    struct session_id asker = sweep->asker;
    const struct node *node = nodes_find(&routing->nodes, from);
    sweeps_finish(routing, sweep, &answer);
    if (from != routing->context->instance) {
        applied_answer(routing->applied, entry, &answer.result, answer.rows);
        if (node != NULL)
            commands_reply_to_node(routing, node, correlation, &answer);
        return;
    }
    struct inquiry *inquiry = inquiries_of_number(routing, correlation);
    if (inquiry != NULL) {
        inquiry->closes_asker = closes_asker;
        gather_answered(routing, inquiry, node, &answer.result, answer.rows);
    } else if (closes_asker) { /* its time was over and it has been answered */
        close_asker(routing, asker, (struct span){0});
    }
}

static bool members_are_there(const struct routing *routing, const struct inquiry *inquiry)
{
    for (uint32_t i = 0; i < inquiry->asked; i++) {
        if (nodes_find(&routing->nodes, inquiry->members[i]) == NULL)
            return false;
    }
    return inquiry->answered == inquiry->asked;
}

bool by_filter_may_go_on(const struct routing *routing, const struct inquiry *inquiry,
                         struct answer *answer)
{
    if (!members_are_there(routing, inquiry))
        answers_refuse(answer, ERROR_CLUSTER_ROUTING,
                       "a member did not say how many match; nothing was changed anywhere");
    else if (inquiry->first_error != ERROR_OK)
        answers_refuse(answer, inquiry->first_error,
                       "a member could not evaluate the filter; nothing was changed anywhere");
    else if (inquiry->matched > inquiry->expect_max)
        answers_refuse(answer, ERROR_LIMIT_REACHED,
                       "more sessions match than expected; nothing was changed anywhere");
    else if (!sessions_may(routing->sessions, sessions_at(routing->sessions, inquiry->asker),
                           rights_of_command(inquiry->verb), (struct span){0}))
        answers_refuse(answer, ERROR_ACCESS_DENIED,
                       "the permission was taken away meanwhile; nothing was changed anywhere");
    return answer->result.code == ERROR_OK;
}
