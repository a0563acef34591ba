/* removals.c - see removals.h. A round looks at topics from the cursor on; the first one that
 * another node sequences chooses that node; the round takes all of that node's, and the next round
 * begins at the first one it left out. So every round gets on, and a topic is asked for once. What
 * the selector does not mean is looked at, too: with a `+` that may be all there is. */
#include "mesh/topics/removals.h"

#include "mesh/base/selector.h"
#include "mesh/topics/operations.h"
#include "mesh/topics/sequence.h"
#include "mesh/topics/sequencers.h"
#include "proto/kinds.h"

enum {
    ROUND_AT_ONCE = 64, /* topics looked at: in the first round, which each message may cost, */
    ROUND_LATER = 1024, /* and in the later ones */
    BATCH_BYTES = 32 * 1024,
    GROUP_BYTES = 4 + 4 + PATH_BYTES_MAX
};

struct round {
    uint64_t target;
    uint8_t *batch; /* in scratch memory */
    struct writer writer;
    bool has_left_out;
    bool is_over; /* the end, or what `code` says */
    enum error code;
};

static struct span selector_of(const struct operation *operation)
{
    return span_of(operation->bytes, operation->first_bytes);
}

static struct span cursor_of(const struct operation *operation)
{
    return span_of(operation->bytes + PATH_BYTES_MAX, operation->cursor_bytes);
}

static void cursor_set(struct operation *operation, struct span path)
{
    memcpy(operation->bytes + PATH_BYTES_MAX, path.data, path.bytes);
    operation->cursor_bytes = (uint16_t)path.bytes;
}

static void finish(struct topics *topics, struct operation *operation, enum error code)
{
    bool is_partly = operation->result.count > 0;
    if (code != ERROR_OK && is_partly)
        code = ERROR_OUTCOME_UNKNOWN; /* `count` of them are removed: that is not nothing */
    operation->result.code = (uint16_t)code;
    operation->result.text = code == ERROR_OK ? span_of(NULL, 0) : span_text(error_sentence(code));
    pending_finish(topics, operation);
}

/* Another node's: into the batch, if it is the round's node and there is room. */
static bool batch_add(struct topics *topics, struct round *round, uint64_t target, struct span path)
{
    struct topic_path group = {.path = path};
    if (round->target == 0) {
        round->batch = scratch_new(&topics->context->scratch, BATCH_BYTES);
        if (round->batch == NULL) {
            round->is_over = true;
            round->code = ERROR_LIMIT_REACHED;
            return false;
        }
        writer_init(&round->writer, round->batch, BATCH_BYTES);
        round->target = target;
    }
    if (round->target != target || round->writer.left < GROUP_BYTES)
        return false;
    group_encode(&topic_path_schema, &group, &round->writer);
    return true;
}

/* True: dealt with. False: left to a later round. */
static bool topic_take(struct topics *topics, struct operation *operation, struct round *round,
                       const struct topic *topic)
{
    const struct session *session = sessions_at(topics->sessions, operation->session);
    struct span path = tree_path(topic);
    if (!tree_is_there(topic) ||
        !sessions_may(topics->sessions, session, PERMISSION_MODIFY_TOPIC, path))
        return true;
    uint64_t target = sequencers_find(topics, topic->path_hash);
    if (target != 0 && target != topics->own.instance)
        return batch_add(topics, round, target, path);
    enum error error = target == 0 ? ERROR_CLUSTER_REPARTITION : sequence_remove(topics, path);
    if (error == ERROR_OK) {
        operation->result.count++;
        return true;
    }
    round->is_over = true;
    round->code = error;
    return false;
}

static void round_gather(struct topics *topics, struct operation *operation, struct round *round)
{
    const struct tree *tree = &topics->tree;
    uint32_t looks = operation->cursor_bytes == 0 ? ROUND_AT_ONCE : ROUND_LATER;
    struct topic *next, *topic = tree_next_behind(tree, TOPIC_ENTRY_SET, cursor_of(operation));
    for (; topic != NULL && looks > 0 && !round->is_over; looks--, topic = next) {
        bool is_meant = tree_is_selected(tree, selector_of(operation), topic, &next);
        if (!is_meant && next == NULL) {
            topic = NULL;
            break;
        }
        bool is_taken = !is_meant || topic_take(topics, operation, round, topic);
        round->has_left_out = round->has_left_out || !is_taken;
        if (!round->has_left_out)
            cursor_set(operation, tree_path(topic));
    }
    if (topic == NULL && !round->is_over)
        round->is_over = !round->has_left_out;
}

void removals_go_on(struct topics *topics, struct operation *operation)
{
    struct round round = {0};
    round_gather(topics, operation, &round);
    if (round.target == 0) {
        if (round.is_over)
            finish(topics, operation, round.code);
        else if (!pending_go_on_soon(topics, operation))
            finish(topics, operation, ERROR_LIMIT_REACHED);
        return;
    }
    struct topic_remove fields = {0};
    struct outgoing message = {.kind = KIND_REMOVE,
                               .flags = MESSAGE_WANTS_ANSWER,
                               .correlation = pending_renumber(topics, operation),
                               .schema = &topic_remove_schema,
                               .fields = &fields,
                               .body = span_of(round.batch, BATCH_BYTES - round.writer.left)};
    if (!pending_ask(topics, operation, round.target, &message))
        finish(topics, operation, ERROR_CLUSTER_REPARTITION);
}

void removals_answered(struct topics *topics, struct operation *operation,
                       const struct topic_result *result)
{
    operation->result.count += result->count;
    if (result->code != ERROR_OK)
        finish(topics, operation, (enum error)result->code);
}

enum error removals_from_session(struct topics *topics, struct session *session,
                                 const struct message *message)
{
    struct topic_remove remove;
    struct topic_result refused = {0}; /* as it is: none removed, for whoever may not remove any */
    enum error error = schema_decode(&topic_remove_schema, message->fields, &remove);
    if (error != ERROR_OK)
        return error;
    struct operation *operation = NULL;
    if (selector_parse(remove.selector, &remove.selector) != ERROR_OK)
        refused = (struct topic_result){.code = ERROR_INVALID_PATH,
                                        .text = span_text("the selector is none: see SUBSCRIBE")};
    else if (permissions_allow_somewhere(&session->rights, PERMISSION_MODIFY_TOPIC) &&
             (operation = pending_take_removal(topics, session, message->correlation,
                                               remove.selector)) == NULL)
        refused = (struct topic_result){.code = ERROR_LIMIT_REACHED,
                                        .text = span_text("4,096 updates of this session wait, "
                                                          "or 16,384 of its node")};
    if (operation != NULL)
        removals_go_on(topics, operation);
    else
        pending_reply(topics, session, message->correlation, &refused);
    return ERROR_OK;
}
