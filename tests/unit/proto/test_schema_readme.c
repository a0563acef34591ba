/* test_schema_readme.c - holds the tables in proto/README.md to those in the code: every field with
 * its tag, type, need and limit, every kind and every number with its name. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "proto/envelope.h"
#include "proto/kinds.h"
#include "tests/unit/proto/messages.h"

enum { PAGE_BYTES_MAX = 1 << 18, LINE_BYTES_MAX = 512 };

static char page[PAGE_BYTES_MAX];

static void page_load(void)
{
    FILE *file = fopen(WEFT_SOURCE_DIR "/proto/README.md", "rb");
    cr_assert_not_null(file);
    size_t bytes = fread(page, 1, sizeof page - 1, file);
    fclose(file);
    page[bytes] = '\0';
}

TestSuite(readme, .init = page_load);

static const char *type_name(enum field_type type)
{
    switch (type) {
    case FIELD_UINT:
        return "uint";
    case FIELD_BOOL:
        return "bool";
    case FIELD_ID:
        return "id";
    case FIELD_TEXT:
        return "text";
    case FIELD_BYTES:
        return "bytes";
    case FIELD_GROUPS:
        return "groups";
    }
    return "";
}

static void limit_write(const struct field *field, char *out, size_t bytes)
{
    if (field->type == FIELD_BOOL || field->type == FIELD_ID)
        out[0] = '\0';
    else if (field->max == UINT64_MAX)
        (void)snprintf(out, bytes, "2^64-1 ");
    else if (field->max == UINT32_MAX)
        (void)snprintf(out, bytes, "2^32-1 ");
    else
        (void)snprintf(out, bytes, "%" PRIu64 " ", field->max);
}

/* The row of a field as the page must have it, up to its meaning. */
static void row_write(const struct field *field, char *out, size_t bytes)
{
    char limit[32];
    const char *need = field->need == FIELD_REQUIRED          ? "required "
                       : field->need == FIELD_MUST_UNDERSTAND ? "must understand "
                                                              : "";
    limit_write(field, limit, sizeof limit);
    (void)snprintf(out, bytes, "| %u | `%s` | %s | %s| %s|", field->tag, field->name,
                   type_name(field->type), need, limit);
}

/* Where the table of a schema begins on the page. */
static const char *table_find(const struct schema *schema)
{
    char named[LINE_BYTES_MAX];
    (void)snprintf(named, sizeof named, "ields `%s`:\n", schema->name);
    const char *at = strstr(page, named);
    cr_assert_not_null(at, "proto/README.md has no fields `%s`", schema->name);
    at = strstr(at, "|---|---|---|---|---|---|\n");
    cr_assert_not_null(at);
    return strchr(at, '\n') + 1;
}

Test(readme, has_every_field_of_every_message_and_no_other)
{
    for (size_t i = 0; i < message_schemas_count; i++) {
        const struct schema *schema = message_schemas[i];
        const char *line = table_find(schema);
        for (size_t j = 0; j < schema->fields_count; j++) {
            char row[LINE_BYTES_MAX];
            row_write(&schema->fields[j], row, sizeof row);
            cr_assert(strncmp(line, row, strlen(row)) == 0,
                      "%s: proto/README.md should have\n%s\nand has\n%.*s", schema->name, row,
                      (int)strcspn(line, "\n"), line);
            line = strchr(line, '\n') + 1;
        }
        cr_assert_neq(line[0], '|', "%s: a row too many: %.*s", schema->name,
                      (int)strcspn(line, "\n"), line);
    }
}

Test(readme, has_every_kind)
{
    for (unsigned kind = 1; kind < 256; kind++) {
        char heading[LINE_BYTES_MAX];
        if (strcmp(kind_name(kind), "UNKNOWN_KIND") == 0)
            continue;
        (void)snprintf(heading, sizeof heading, "\n### %s (%u)\n", kind_name(kind), kind);
        cr_expect(strstr(page, heading) != NULL, "proto/README.md lacks %s (%u)", kind_name(kind),
                  kind);
    }
}

Test(readme, has_every_error_and_every_close_reason)
{
    for (unsigned number = 0; number < 65536; number++) {
        char row[LINE_BYTES_MAX];
        if (strcmp(error_name(number), "UNKNOWN_ERROR") == 0)
            continue;
        (void)snprintf(row, sizeof row, "\n| %u | `%s` | %s |", number, error_name(number),
                       error_sentence(number));
        cr_expect(strstr(page, row) != NULL, "proto/README.md lacks%s", row);
    }
    for (unsigned number = 1; number < 256; number++) {
        char row[LINE_BYTES_MAX];
        if (strcmp(close_reason_name(number), "unknown_reason") == 0)
            continue;
        (void)snprintf(row, sizeof row, "\n| %u | `%s` |", number, close_reason_name(number));
        cr_expect(strstr(page, row) != NULL, "proto/README.md lacks%s", row);
    }
}

Test(readme, speaks_of_the_version_that_is_built)
{
    cr_assert_eq(WIRE_VERSION_MAX, 1);
    cr_assert(strstr(page, "This is **version 1**") != NULL);
}
