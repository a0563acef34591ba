/* output.c - see output.h. In tables and lines for people control characters are escaped (by
 * libsmartcols) or shown as '?': a session's properties are other people's bytes. */
#include "client/ctl/output.h"

#include <libsmartcols/libsmartcols.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl/values.h"

enum { CELL_BYTES = 48 }; /* of a number in a table */

static const char *const format_names[] = {
    [OUTPUT_TABLE] = "table", [OUTPUT_WIDE] = "wide", [OUTPUT_JSON] = "json",
    [OUTPUT_JSONL] = "jsonl", [OUTPUT_CSV] = "csv",
};

bool output_parse_format(const char *name, enum output_format *format)
{
    for (int i = OUTPUT_TABLE; i <= OUTPUT_CSV; i++) {
        if (strcmp(name, format_names[i]) == 0) {
            *format = (enum output_format)i;
            return true;
        }
    }
    return false;
}

bool output_is_json(const struct output *output)
{
    return output->format == OUTPUT_JSON || output->format == OUTPUT_JSONL;
}

/* ---- cells ---- */

static const cJSON *cell_of(const cJSON *row, const struct output_column *column)
{
    const cJSON *holder =
        column->inside == NULL ? row : cJSON_GetObjectItemCaseSensitive(row, column->inside);
    return cJSON_GetObjectItemCaseSensitive(holder, column->name);
}

/* A span of time in microseconds as three digits and a unit. */
static const char *format_us(double us, char text[CELL_BYTES])
{
    static const struct {
        double us;
        const char *unit;
    } units[] = {{1, "us"}, {1e3, "ms"}, {1e6, "s"}};
    size_t unit = us < 1e3 ? 0 : us < 1e6 ? 1 : 2;
    double number = us / units[unit].us;
    int decimals = unit > 0 && number < 10 ? 1 : 0;
    (void)snprintf(text, CELL_BYTES, "%.*f%s", decimals, number, units[unit].unit);
    return text;
}

/* The cell as it is, in words or digits. */
static const char *plain_text(const cJSON *cell, char text[CELL_BYTES])
{
    _Static_assert((int)VALUES_DOUBLE_BYTES <= (int)CELL_BYTES, "a double fits in a cell");
    if (cell == NULL || cJSON_IsNull(cell))
        return "";
    if (cJSON_IsString(cell))
        return cell->valuestring;
    if (cJSON_IsBool(cell))
        return cJSON_IsTrue(cell) ? "true" : "false";
    if (cJSON_IsNumber(cell))
        return values_format_double(cell->valuedouble, text);
    return cJSON_IsRaw(cell) ? cell->valuestring : "";
}

/* The cell for people. */
static const char *shown_text(const cJSON *cell, enum output_look look, char text[CELL_BYTES])
{
    if (look == OUTPUT_MARK)
        return cJSON_IsTrue(cell) ? "*" : "";
    const char *plain = plain_text(cell, text);
    if (*plain == '\0')
        return "-";
    switch (look) {
    case OUTPUT_YES:
        return cJSON_IsTrue(cell) ? "yes" : "no";
    case OUTPUT_US:
        return cJSON_IsNumber(cell) ? format_us(cell->valuedouble, text) : plain;
    case OUTPUT_MS:
        return format_us(cell->valuedouble * 1000, text);
    case OUTPUT_TEXT:
    case OUTPUT_NUMBER:
    case OUTPUT_MARK:
    case OUTPUT_STATE:
        break;
    }
    return plain;
}

/* The words that states are told in, with what they mean for whoever looks. */
static const char *color_of(const char *word)
{
    static const struct {
        const char *word, *color;
    } colors[] = {{"alive", "green"}, {"active", "green"},   {"yes", "green"},
                  {"OK", "green"},    {"suspect", "yellow"}, {"disconnected", "yellow"},
                  {"dead", "red"},    {"no", "red"},         {"left", "darkgray"}};
    for (size_t i = 0; i < sizeof colors / sizeof colors[0]; i++)
        if (strcmp(colors[i].word, word) == 0)
            return colors[i].color;
    return NULL;
}

/* ---- tables ---- */

static bool is_shown(const struct output *output, const struct output_column *column)
{
    return !column->is_wide || output->format != OUTPUT_TABLE;
}

static bool is_right(enum output_look look)
{
    return look == OUTPUT_NUMBER || look == OUTPUT_US || look == OUTPUT_MS;
}

static bool table_add_row(const struct output *output, struct libscols_table *table,
                          const cJSON *row, const struct output_view *view)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);
    size_t at = 0;
    for (size_t i = 0; line != NULL && i < view->columns_count; i++) {
        const struct output_column *column = &view->columns[i];
        char text[CELL_BYTES];
        if (!is_shown(output, column))
            continue;
        const char *shown = shown_text(cell_of(row, column), column->look, text);
        if (scols_line_set_data(line, at, shown) != 0)
            return false;
        struct libscols_cell *cell = scols_line_get_cell(line, at++);
        if (column->look == OUTPUT_STATE || column->look == OUTPUT_YES)
            (void)scols_cell_set_color(cell, color_of(shown));
    }
    return line != NULL;
}

static struct libscols_table *table_new(const struct output *output, const struct output_view *view)
{
    struct libscols_table *table = scols_new_table();
    if (table == NULL)
        return NULL;
    bool has_colors = !output->is_plain && isatty(STDOUT_FILENO);
    (void)scols_table_enable_colors(table, has_colors);
    (void)scols_table_set_column_separator(table, "  ");
    for (size_t i = 0; i < view->columns_count; i++) {
        const struct output_column *column = &view->columns[i];
        int flags = is_right(column->look) ? SCOLS_FL_RIGHT : 0;
        if (is_shown(output, column) &&
            scols_table_new_column(table, column->title, 0, flags) == NULL) {
            scols_unref_table(table);
            return NULL;
        }
    }
    return table;
}

static bool write_table(const struct output *output, const cJSON *document, const cJSON *rows,
                        const struct output_view *view)
{
    struct libscols_table *table = table_new(output, view);
    bool is_made = table != NULL;
    if (rows == NULL)
        is_made = is_made && table_add_row(output, table, document, view);
    for (const cJSON *row = rows == NULL ? NULL : rows->child; row != NULL; row = row->next)
        is_made = is_made && table_add_row(output, table, row, view);
    if (is_made && scols_table_is_empty(table)) { /* the heading still says what there might be */
        for (size_t i = 0, shown = 0; i < view->columns_count; i++)
            if (is_shown(output, &view->columns[i]))
                printf("%s%s", shown++ == 0 ? "" : "  ", view->columns[i].title);
        (void)putchar('\n');
    } else if (is_made) {
        is_made = scols_print_table(table) == 0;
    }
    scols_unref_table(table);
    if (is_made && view->footer != NULL)
        puts(view->footer);
    return is_made;
}

/* ---- CSV, RFC 4180 but for the line's end ---- */

static void write_csv_text(const char *text)
{
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        fputs(text, stdout);
        return;
    }
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            (void)putchar('"');
        (void)putchar(*text);
    }
    (void)putchar('"');
}

static void write_csv_heading(const struct output_view *view)
{
    for (size_t i = 0; i < view->columns_count; i++) {
        (void)fputs(i == 0 ? "" : ",", stdout);
        write_csv_text(view->columns[i].name);
    }
    (void)putchar('\n');
}

static void write_csv_row(const cJSON *row, const struct output_view *view)
{
    for (size_t i = 0; i < view->columns_count; i++) {
        char text[CELL_BYTES];
        (void)fputs(i == 0 ? "" : ",", stdout);
        write_csv_text(plain_text(cell_of(row, &view->columns[i]), text));
    }
    (void)putchar('\n');
}

static void write_csv(const cJSON *document, const cJSON *rows, const struct output_view *view)
{
    write_csv_heading(view);
    if (rows == NULL)
        write_csv_row(document, view);
    for (const cJSON *row = rows == NULL ? NULL : rows->child; row != NULL; row = row->next)
        write_csv_row(row, view);
}

/* ---- JSON ---- */

static bool write_json(const cJSON *item, bool is_one_line)
{
    char *text = is_one_line ? cJSON_PrintUnformatted(item) : cJSON_Print(item);
    if (text != NULL)
        puts(text);
    cJSON_free(text);
    return text != NULL;
}

static bool write_json_lines(const cJSON *document, const cJSON *rows)
{
    bool is_written = true;
    if (rows == NULL)
        return write_json(document, true);
    for (const cJSON *row = rows->child; row != NULL && is_written; row = row->next)
        is_written = write_json(row, true);
    return is_written;
}

/* ---- the two ways in ---- */

bool output_write(const struct output *output, const cJSON *document,
                  const struct output_view *view)
{
    const cJSON *list =
        view->list == NULL ? NULL : cJSON_GetObjectItemCaseSensitive(document, view->list);
    const cJSON *shown = view->rows != NULL ? view->rows : list;
    bool is_written = true;
    switch (output->format) {
    case OUTPUT_JSON:
        is_written = write_json(document, false);
        break;
    case OUTPUT_JSONL:
        is_written = write_json_lines(document, list);
        break;
    case OUTPUT_CSV:
        write_csv(document, shown, view);
        break;
    case OUTPUT_TABLE:
    case OUTPUT_WIDE:
        is_written = write_table(output, document, shown, view);
        break;
    }
    (void)fflush(stdout);
    return is_written;
}

static void write_line(const cJSON *object, const struct output_view *view)
{
    for (size_t i = 0; i < view->columns_count; i++) {
        char text[CELL_BYTES];
        const char *shown =
            shown_text(cell_of(object, &view->columns[i]), view->columns[i].look, text);
        (void)fputs(i == 0 ? "" : "  ", stdout);
        for (; *shown != '\0'; shown++)
            (void)putchar((unsigned char)*shown < ' ' || *shown == '\x7f' ? '?' : *shown);
    }
    (void)putchar('\n');
}

bool output_stream(struct output *output, const cJSON *object, const struct output_view *view)
{
    bool is_written = true;
    switch (output->format) {
    case OUTPUT_JSON:
    case OUTPUT_JSONL:
        is_written = write_json(object, true);
        break;
    case OUTPUT_CSV:
        if (!output->has_begun)
            write_csv_heading(view);
        write_csv_row(object, view);
        break;
    case OUTPUT_TABLE:
    case OUTPUT_WIDE: /* no table: nobody knows how wide the rest will be */
        write_line(object, view);
        break;
    }
    output->has_begun = true;
    (void)fflush(stdout);
    return is_written;
}

void output_restart(const struct output *output)
{
    bool is_for_people = output->format == OUTPUT_TABLE || output->format == OUTPUT_WIDE;
    if (is_for_people && isatty(STDOUT_FILENO))
        fputs("\033[H\033[J", stdout);
}
