/* gather.c - see gather.h. One pass of the question to all members is a round; a changing command
 * with an expectation takes two (by_filter.c). */
#include "mesh/routing/gather.h"

#include "mesh/routing/answers.h"
#include "mesh/routing/by_filter.h"
#include "mesh/routing/commands.h"
#include "mesh/routing/deeds.h"

#define MS_NS UINT64_C(1000000)

/* What was pinned first lives for 5 s, and the second round has to get there. */
enum { FIRST_ROUND_MS_MAX = 4000 };

static uint64_t took_us(const struct routing *routing, const struct inquiry *inquiry)
{
    return (routing->context->now_ns - inquiry->started_ns) / 1000;
}

static void answered(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                     const struct result *result, struct span rows)
{
    struct node_answer part = {
        .node = nodes_name(node),
        .instance = node->instance,
        .code = result->code,
        .text = result->text,
        .matched = result->matched,
        .applied = result->applied,
        .failed = result->failed,
        .total = result->total,
        .removed = result->removed,
        .took_us = took_us(routing, inquiry),
        .rows = rows,
    };
    inquiries_add(routing, inquiry, &part);
}

static void give_up(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                    const char *why)
{
    struct result result = {.code = ERROR_CLUSTER_ROUTING, .text = span_text(why)};
    if (inquiries_waited_for(inquiry, node->instance))
        answered(routing, inquiry, node, &result, (struct span){0});
}

/* This node's own part: known at once, or when its last slice is done. */
static void ask_here(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                     const struct command *command, const struct message *message)
{
    struct answer own;
    bool is_known = true;
    if (deeds_is_one(command->verb))
        is_known = by_filter_here(routing, inquiry, command, message, &own);
    else
        answers_make(routing, command, &own);
    if (is_known)
        answered(routing, inquiry, node, &own.result, own.rows);
    else
        inquiries_wait_for(inquiry, node->instance);
}

static void ask(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                const struct command *command, const struct message *message)
{
    struct command forwarded;
    commands_prepare(routing, inquiry, command, &forwarded);
    if (node->instance == routing->context->instance) {
        ask_here(routing, inquiry, node, &forwarded, message);
        return;
    }
    inquiries_wait_for(inquiry, node->instance);
    if (!commands_forward(routing, inquiry, node, &forwarded, message->body))
        give_up(routing, inquiry, node, "can't be reached now");
}

/* The members of the first round are asked again. */
static void second_round(struct routing *routing, struct inquiry *inquiry, struct answer *answer)
{
    struct context *context = routing->context;
    struct command command;
    struct span body;
    inquiries_command(inquiry, &command, &body);
    struct message message = {
        .fields = span_of(inquiry->fields, inquiry->fields_bytes),
        .body = scratch_copy(&context->scratch, body), /* the inquiry may end before the pull */
    };
    if (body.bytes > 0 && message.body.data == NULL) {
        answers_refuse(
            answer, ERROR_LIMIT_REACHED,
            "no memory for the second round (memory.queues); nothing was changed anywhere");
        return;
    }
    inquiries_start_over(inquiry);
    inquiry->phase = COMMAND_APPLY_PINNED;
    deadlines_set(context->deadlines, &inquiry->deadline, inquiry->ends_ns);
    for (uint32_t i = 0; i < inquiry->asked; i++) {
        const struct node *node = nodes_find(&routing->nodes, inquiry->members[i]);
        require(node != NULL); /* by_filter_may_go_on has looked */
        ask(routing, inquiry, node, &command, &message);
    }
}

/* The result; `answer` may hold why nothing was applied. */
static void finish(struct routing *routing, struct inquiry *inquiry, struct answer *answer)
{
    struct context *context = routing->context;
    struct result *result = &answer->result;
    result->node = span_text(context->config->name);
    result->matched = inquiry->matched;
    result->applied = inquiry->applied;
    result->failed = inquiry->failed;
    result->total = inquiry->total;
    result->removed = inquiry->removed;
    result->nodes_asked = inquiry->asked;
    result->nodes_answered = inquiry->answered;
    if (deeds_is_one(inquiry->verb))
        result->id = span_of(inquiry->id, sizeof inquiry->id);
    result->is_complete = inquiry->asked == inquiry->answered;
    result->took_us = took_us(routing, inquiry);
    answer->rows =
        scratch_copy(&context->scratch, span_of(inquiry->answers, inquiry->answers_bytes));
    if (answer->rows.data == NULL) { /* the sums stand: what was done was done */
        result->code = ERROR_LIMIT_REACHED;
        result->text = span_text("carried out as counted; no memory for the nodes' parts "
                                 "(memory.queues)");
    }
    struct session *asker = sessions_at(routing->sessions, inquiry->asker);
    commands_reply(routing, asker, inquiry->asker_correlation, answer);
    by_filter_answered(routing, inquiry);
    inquiries_release(routing, inquiry);
}

/* Everybody has answered or been given up: the next round, or the result. */
static void finish_if_over(struct routing *routing, struct inquiry *inquiry)
{
    struct answer answer = {.result = {.code = ERROR_OK}};
    bool is_counted = inquiry->waiting_count == 0 && inquiry->expect_max > 0 &&
                      inquiry->phase != COMMAND_APPLY_PINNED;
    if (is_counted && by_filter_may_go_on(routing, inquiry, &answer) &&
        inquiry->phase == COMMAND_PIN)
        second_round(routing, inquiry, &answer);
    if (inquiry->waiting_count == 0)
        finish(routing, inquiry, &answer);
}

/* The first round ends before what is pinned in it is forgotten. */
static uint32_t round_ms(const struct command *command, uint32_t timeout_ms)
{
    bool has_two = command->expect_max > 0 && !command->dry_run;
    return has_two && timeout_ms > FIRST_ROUND_MS_MAX ? FIRST_ROUND_MS_MAX : timeout_ms;
}

void gather_start(struct routing *routing, struct session *session, const struct command *command,
                  const struct message *message, const struct node *only, uint32_t timeout_ms)
{
    const struct nodes *nodes = &routing->nodes;
    struct inquiry *inquiry = inquiries_take(
        routing, session, message, only == NULL ? nodes->count : 1, round_ms(command, timeout_ms));
    if (inquiry == NULL) {
        commands_refuse(routing, session, message->correlation, ERROR_LIMIT_REACHED,
                        "too many commands of this node wait for other nodes, or memory.queues "
                        "is full");
        return;
    }
    inquiry->is_to_all = true;
    inquiry->verb = command->verb;
    inquiry->ends_ns = inquiry->started_ns + timeout_ms * MS_NS;
    inquiry->expect_max = deeds_is_one(command->verb) ? command->expect_max : 0;
    if (inquiry->expect_max > 0 && !command->dry_run)
        inquiry->phase = COMMAND_PIN;
    if (only != NULL) {
        ask(routing, inquiry, only, command, message);
    } else {
        const struct node *node = NULL;
        uint32_t asked = 0;
        while ((node = nodes_next(nodes, node)) != NULL) {
            inquiry->members[asked++] = node->instance;
            ask(routing, inquiry, node, command, message);
        }
    }
    finish_if_over(routing, inquiry);
}

void gather_answered(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                     const struct result *result, struct span rows)
{
    if (!inquiries_waited_for(inquiry, node->instance))
        return;
    answered(routing, inquiry, node, result, rows);
    finish_if_over(routing, inquiry);
}

void gather_given_up(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                     const char *why)
{
    give_up(routing, inquiry, node, why);
    finish_if_over(routing, inquiry);
}

void gather_due(struct routing *routing, struct inquiry *inquiry)
{
    for (uint32_t i = 0; i < inquiry->asked; i++) {
        /* A node that is gone was given up when it went. */
        const struct node *node =
            inquiry->waiting[i] == 0 ? NULL : nodes_find(&routing->nodes, inquiry->waiting[i]);
        if (node != NULL)
            give_up(routing, inquiry, node, "did not answer in time");
    }
    require(inquiry->waiting_count == 0);
    finish_if_over(routing, inquiry);
}
