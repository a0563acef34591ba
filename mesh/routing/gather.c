/* gather.c - see gather.h. */
#include "mesh/routing/gather.h"

#include "mesh/routing/answers.h"
#include "mesh/routing/commands.h"
#include "proto/kinds.h"

static uint64_t took_us(const struct routing *routing, const struct inquiry *inquiry)
{
    return (routing->context->now_ns - inquiry->started_ns) / 1000;
}

/* Everybody has answered or been given up: the result. */
static void finish_if_over(struct routing *routing, struct inquiry *inquiry)
{
    if (inquiry->waiting_count > 0)
        return;
    struct context *context = routing->context;
    struct answer answer = {
        .result =
            {
                .node = span_text(context->config->name),
                .matched = inquiry->matched,
                .applied = inquiry->applied,
                .failed = inquiry->failed,
                .total = inquiry->total,
                .nodes_asked = inquiry->asked,
                .nodes_answered = inquiry->answered,
                .is_complete = inquiry->asked == inquiry->answered,
                .took_us = took_us(routing, inquiry),
            },
    };
    answer.rows =
        scratch_copy(&context->scratch, span_of(inquiry->answers, inquiry->answers_bytes));
    if (answer.rows.data == NULL)
        answers_refuse(&answer, ERROR_LIMIT_REACHED, "no memory for the answer (memory.queues)");
    struct session *asker = sessions_at(routing->sessions, inquiry->asker);
    commands_reply(routing, asker, inquiry->asker_correlation, &answer);
    inquiries_release(routing, inquiry);
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

static void ask(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                const struct command *command, uint32_t timeout_ms)
{
    if (node->instance == routing->context->instance) {
        struct answer own;
        answers_make(routing, command, &own);
        answered(routing, inquiry, node, &own.result, own.rows);
        return;
    }
    inquiries_wait_for(inquiry, node->instance);
    if (!commands_forward(routing, inquiry, node, command, timeout_ms))
        give_up(routing, inquiry, node, "can't be reached now");
}

enum error gather_start(struct routing *routing, struct session *session,
                        const struct command *command, const struct message *message,
                        const struct node *only, uint32_t timeout_ms)
{
    const struct nodes *nodes = &routing->nodes;
    struct inquiry *inquiry =
        inquiries_take(routing, session, message, only == NULL ? nodes->count : 1, timeout_ms);
    if (inquiry == NULL)
        return ERROR_LIMIT_REACHED;
    inquiry->is_to_all = true;
    inquiry->verb = command->verb;
    if (only != NULL) {
        ask(routing, inquiry, only, command, timeout_ms);
    } else {
        const struct node *node = NULL;
        while ((node = nodes_next(nodes, node)) != NULL)
            ask(routing, inquiry, node, command, timeout_ms);
    }
    finish_if_over(routing, inquiry);
    return ERROR_OK;
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
