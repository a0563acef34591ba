/* test_cluster.c - a mesh is judged by what all of its nodes say. */
#include <criterion/criterion.h>

#include <string.h>

#include "client/ctl/cluster.h"
#include "proto/command.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

enum { ROOM = 4096 };

struct told {
    uint8_t nodes[ROOM];
    struct writer writer;
    struct weft_result result;
};

static void told_init(struct told *told)
{
    *told = (struct told){.result = {.is_complete = true}};
    writer_init(&told->writer, told->nodes, ROOM);
}

static void told_add(struct told *told, enum error code, const struct status_row *row)
{
    uint8_t bytes[256];
    struct writer writer;
    writer_init(&writer, bytes, sizeof bytes);
    if (row != NULL)
        group_encode(&status_row_schema, row, &writer);
    const struct node_answer answer = {.node = span_text("n"),
                                       .code = (uint16_t)code,
                                       .rows = span_of(bytes, sizeof bytes - writer.left)};
    group_encode(&node_answer_schema, &answer, &told->writer);
    told->result.nodes = (struct weft_rows){told->nodes, ROOM - told->writer.left};
}

static const struct status_row good = {
    .is_ready = true, .members = 2, .members_hash = 5, .directory_hash = 6, .topics_hash = 7};

Test(cluster, nodes_with_equal_hashes_agree)
{
    struct told told;
    told_init(&told);
    told_add(&told, ERROR_OK, &good);
    told_add(&told, ERROR_OK, &good);
    struct cluster_view view = cluster_view_of(&told.result);
    cr_assert(view.is_agreed);
    cr_assert_eq(view.ready, 2);
    cr_assert_eq(view.nodes, 2);
    cr_assert_eq(view.members, 2);
}

Test(cluster, one_other_hash_is_no_agreement)
{
    struct status_row others[] = {good, good, good};
    others[0].members_hash++;
    others[1].directory_hash++;
    others[2].topics_hash++;
    for (size_t i = 0; i < 3; i++) {
        struct told told;
        told_init(&told);
        told_add(&told, ERROR_OK, &good);
        told_add(&told, ERROR_OK, &others[i]);
        cr_assert_not(cluster_view_of(&told.result).is_agreed);
    }
}

Test(cluster, a_node_that_is_not_ready_is_counted_as_that)
{
    struct told told;
    struct status_row row = good;
    row.is_ready = false;
    told_init(&told);
    told_add(&told, ERROR_OK, &good);
    told_add(&told, ERROR_OK, &row);
    struct cluster_view view = cluster_view_of(&told.result);
    cr_assert(view.is_agreed);
    cr_assert_eq(view.ready, 1);
}

Test(cluster, a_node_without_an_answer_is_no_agreement)
{
    struct told told;
    told_init(&told);
    told_add(&told, ERROR_OK, &good);
    told_add(&told, ERROR_CLUSTER_ROUTING, NULL);
    struct cluster_view view = cluster_view_of(&told.result);
    cr_assert_not(view.is_agreed);
    cr_assert_eq(view.nodes, 2);
    cr_assert_eq(view.answered, 1);
}

Test(cluster, no_answers_at_all_agree_on_nothing)
{
    struct told told;
    told_init(&told);
    cr_assert_not(cluster_view_of(&told.result).is_agreed);
}

TestSuite(cluster_straw, .init = node_straw_up, .fini = node_straw_down);

Test(cluster_straw, a_missing_node_makes_the_status_partial_and_is_named)
{
    struct play play;
    play_run(&play, "-s $S -o json cluster status");
    cr_assert_eq(play.code, EXIT_PARTIAL);
    cr_assert_str_eq(play.err, "weftctl: PARTIAL: hay did not answer; see `weftctl node ls`, then "
                               "run again\n");
    cJSON *document = cJSON_Parse(play.out);
    cr_assert_eq(cJSON_GetObjectItem(document, "members")->valueint, 2);
    cr_assert(cJSON_IsFalse(cJSON_GetObjectItem(document, "converged")));
    cr_assert(cJSON_IsFalse(cJSON_GetObjectItem(document, "complete")));
    cr_assert_eq(cJSON_GetObjectItem(document, "nodes_asked")->valueint, 2);
    const cJSON *nodes = cJSON_GetObjectItem(document, "nodes");
    cr_assert_eq(cJSON_GetArraySize(nodes), 2);
    const cJSON *straw_node = cJSON_GetArrayItem(nodes, 1); /* after hay */
    cr_assert_str_eq(cJSON_GetObjectItem(straw_node, "members_hash")->valuestring,
                     "ffffffffffffffff");
    cr_assert_str_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(nodes, 0), "error")->valuestring,
                     "CLUSTER_ROUTING");
    cJSON_Delete(document);
}

Test(cluster_straw, a_check_that_fails_is_critical_after_its_time)
{
    struct play play;
    play_run(&play, "-s $S -t 50ms check cluster --nodes 2");
    cr_assert_eq(play.code, 2);
    cr_assert_str_eq(play.out, "CRITICAL: 1 of 2 nodes ready; 1 answered of 2 members\n");
    play_run(&play, "-s $S -t 50ms -o json check cluster --nodes 2");
    cr_assert_not_null(strstr(play.out, "\"CRITICAL\""));
}

Test(cluster_straw, a_check_that_was_not_asked_right_is_unknown)
{
    struct play play;
    play_run(&play, "-s $S check cluster");
    cr_assert_eq(play.code, 3);
    play_run(&play, "-s $S check cluster --nodes many");
    cr_assert_eq(play.code, 3);
}
