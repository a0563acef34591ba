/* sequence.c - see sequence.h. Rights, mode, definition and constraint are judged in this order, so
 * that nobody learns by a constraint what he may not change. */
#include "mesh/topics/sequence.h"

#include "mesh/base/bugs.h"
#include "mesh/topics/authors.h"
#include "mesh/topics/merge.h"
#include "mesh/topics/sequencers.h"

enum { NUMBER_BYTES = 8 }; /* an int64, a double */

static struct span value_in(const struct topic_set *set, struct span body)
{
    return span_of(body.data + set->expected_bytes, body.bytes - set->expected_bytes);
}

const char *sequence_fault(const struct topic_set *set, struct span body, enum error *code)
{
    *code = ERROR_INVALID_ARGUMENT;
    if (set->type < VALUE_JSON || set->type > VALUE_DOUBLE)
        return "the value's type is 1 json, 2 string, 3 binary, 4 int64 or 5 double";
    if (set->policy >= TOPIC_POLICIES)
        return "the policy is 0 conflate, 1 always, 2 off or 3 unsubscribe";
    if (set->mode >= TOPIC_SET_MODES || set->constraint >= TOPIC_CONSTRAINTS)
        return "mode is 0, 1 or 2, constraint 0, 1, 2 or 3";
    if (set->expected_bytes > body.bytes ||
        (set->expected_bytes > 0 && set->constraint != TOPIC_CONSTRAINT_VALUE_IS))
        return "expected_bytes goes with constraint 2, and counts bytes of the body";
    bool is_number = set->type == VALUE_INT64 || set->type == VALUE_DOUBLE;
    if (is_number && body.bytes - set->expected_bytes != NUMBER_BYTES)
        return "an int64 or a double has 8 bytes";
    *code = ERROR_LIMIT_REACHED;
    if (body.bytes - set->expected_bytes > TOPIC_VALUE_BYTES_MAX)
        return "a topic's value has at most 1 MiB";
    *code = ERROR_OK;
    return NULL;
}

static void refuse(struct topic_result *result, enum error code, const char *text)
{
    result->code = (uint16_t)code;
    result->text = span_text(text);
}

static bool has_definition(const struct topic *topic, const struct topic_set *set)
{
    const struct session_id nobody = {0};
    struct session_id creator = set->remove_with_session ? set->asker : nobody;
    struct session_id owner = topic->creator == NULL ? nobody : topic->creator->session;
    return topic->value_type == set->type && topic->policy == set->policy &&
           session_id_equal(creator, owner);
}

/* Of a topic that is there. True: it is to be set. */
static bool may_set_there(const struct topic *topic, const struct topic_set *set,
                          struct topic_result *result)
{
    uint8_t needed = set->mode == TOPIC_SET_CREATE ? TOPIC_RIGHT_MODIFY : TOPIC_RIGHT_UPDATE;
    if ((set->rights & needed) == 0) {
        refuse(result, ERROR_ACCESS_DENIED,
               set->mode == TOPIC_SET_CREATE ? "modify_topic is needed at that path"
                                             : "update_topic is needed at that path");
        return false;
    }
    if (set->mode == TOPIC_SET_CREATE ? !has_definition(topic, set)
                                      : topic->value_type != set->type) {
        refuse(result, ERROR_TOPIC_EXISTS_MISMATCH, error_sentence(ERROR_TOPIC_EXISTS_MISMATCH));
        return false;
    }
    return set->mode != TOPIC_SET_CREATE || set->constraint != TOPIC_CONSTRAINT_NONE;
}

static bool may_create(const struct topic_set *set, struct topic_result *result)
{
    if (set->mode == TOPIC_SET_UPDATE) {
        refuse(result, ERROR_NO_SUCH_TOPIC, "there is no such topic, and mode 2 creates none");
        return false;
    }
    if ((set->rights & TOPIC_RIGHT_MODIFY) == 0) {
        refuse(result, ERROR_ACCESS_DENIED,
               "there is no such topic; to create it modify_topic is needed at that path");
        return false;
    }
    return true;
}

static bool is_satisfied(const struct topic *topic, const struct topic_set *set, struct span body)
{
    struct topic_version named = {.term = set->term, .instance = set->instance, .n = set->n};
    bool is_there = tree_is_there(topic);
    switch ((enum topic_constraint)set->constraint) {
    case TOPIC_CONSTRAINT_NONE:
        return true;
    case TOPIC_CONSTRAINT_NO_TOPIC:
        return !is_there;
    case TOPIC_CONSTRAINT_VALUE_IS:
        return is_there && span_equal(tree_value(topic), span_of(body.data, set->expected_bytes));
    case TOPIC_CONSTRAINT_VERSION_IS:
        return is_there && topic_version_order(&topic->version, &named) == 0;
    case TOPIC_CONSTRAINTS:
        break;
    }
    return false;
}

static void version_say(const struct topic *topic, struct topic_result *result)
{
    if (!tree_is_there(topic))
        return;
    result->term = topic->version.term;
    result->instance = topic->version.instance;
    result->n = topic->version.n;
}

static void write(struct topics *topics, const struct topic *topic, const struct topic_set *set,
                  struct span body, struct topic_result *result)
{
    struct topic_entry entry = {.type = TOPIC_ENTRY_SET,
                                .path = set->path,
                                .value_type = set->type,
                                .policy = set->policy,
                                .value = value_in(set, body)};
    if (tree_is_there(topic)) {
        entry.policy = topic->policy;
        if (topic->creator != NULL)
            entry.creator = topic->creator->session;
    } else {
        if (set->remove_with_session)
            entry.creator = set->asker;
        topic = NULL; /* what is created begins a term of its own */
    }
    merge_next_version(topics, topic, &entry);
    if (bug_is_planted(BUG_SET_FORGOTTEN) && entry.n % 4 == 0) {
        result->n = entry.n;
        return;
    }
    if (authors_write(topics, &entry) != ERROR_OK) {
        refuse(result, ERROR_LIMIT_REACHED,
               "the topics' memory of a node is full (memory.topics), or there are too many");
        return;
    }
    result->term = entry.term;
    result->instance = topics->own.instance;
    result->n = entry.n;
    count(topics->context, COUNTER_topic_updates);
}

void sequence_set(struct topics *topics, const struct topic_set *set, struct span body,
                  struct topic_result *result)
{
    enum error code;
    *result = (struct topic_result){0};
    const char *fault = sequence_fault(set, body, &code);
    if (fault != NULL) {
        refuse(result, code, fault);
        return;
    }
    const struct topic *topic = tree_find(&topics->tree, TOPIC_ENTRY_SET, set->path);
    bool is_there = tree_is_there(topic);
    version_say(topic, result);
    if (is_there ? !may_set_there(topic, set, result) : !may_create(set, result))
        return;
    bool is_refused = !is_satisfied(topic, set, body);
    if (is_refused && bug_is_planted(BUG_REFUSED_MADE))
        write(topics, topic, set, body, result);
    if (is_refused)
        refuse(result, ERROR_UNSATISFIED_CONSTRAINT, error_sentence(ERROR_UNSATISFIED_CONSTRAINT));
    else if (!is_there || set->mode != TOPIC_SET_CREATE)
        write(topics, topic, set, body, result);
}

enum error sequence_remove(struct topics *topics, struct span path)
{
    const struct topic *topic = tree_find(&topics->tree, TOPIC_ENTRY_SET, path);
    if (!tree_is_there(topic))
        return ERROR_NO_SUCH_TOPIC;
    if (sequencers_find(topics, topic->path_hash) != topics->own.instance ||
        sequencers_must_wait(topics, topic->path_hash))
        return ERROR_CLUSTER_REPARTITION;
    struct topic_entry entry = {.type = TOPIC_ENTRY_REMOVED, .path = tree_path(topic)};
    merge_next_version(topics, topic, &entry);
    return authors_write(topics, &entry);
}
