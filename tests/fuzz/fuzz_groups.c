/* fuzz_groups.c - runs of groups and the groups inside them; the first byte says of which sort. */
#include "tests/fuzz/proto_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_properties(struct span rows)
{
    struct session_row row;
    enum error error;
    while (group_next(&session_row_schema, &rows, &row, &error))
        (void)frame_walk_groups(&property_schema, row.properties);
}

static void walk_rows(struct span answers)
{
    struct node_answer answer;
    enum error error;
    while (group_next(&node_answer_schema, &answers, &answer, &error)) {
        (void)frame_walk_groups(&status_row_schema, answer.rows);
        (void)frame_walk_groups(&session_row_schema, answer.rows);
        walk_properties(answer.rows);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct schema *const sorts[] = {
        &property_schema,      &node_address_schema, &node_answer_schema, &session_row_schema,
        &member_row_schema,    &handler_row_schema,  &status_row_schema,  &counter_row_schema,
        &member_record_schema, &log_head_schema,     &verdict_row_schema, &role_schema,
        &session_item_schema,  &topic_path_schema,   &topic_row_schema,
    };
    struct reader reader;
    reader_init(&reader, span_of(data, size));
    const struct schema *schema = sorts[reader_u8(&reader) % (sizeof sorts / sizeof sorts[0])];
    struct span run = reader_rest(&reader);
    (void)frame_walk_groups(schema, run);
    if (schema == &session_row_schema)
        walk_properties(run);
    if (schema == &node_answer_schema)
        walk_rows(run);
    return 0;
}
