/* ctl_table.c - see ctl_table.h. */
#include "client/ctl/ctl_table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void format_us(double us, char *text, size_t room)
{
    if (us < 1000)
        (void)snprintf(text, room, "%.0fus", us);
    else if (us < 1000000)
        (void)snprintf(text, room, us < 10000 ? "%.1fms" : "%.0fms", us / 1000);
    else
        (void)snprintf(text, room, "%.1fs", us / 1000000);
}

/* An object's members as k=v k=v; cut off where the cell is full. */
static void format_map(const cJSON *map, char *text, size_t room)
{
    const cJSON *member;
    size_t used = 0;
    text[0] = '\0';
    cJSON_ArrayForEach(member, map)
    {
        const char *value = cJSON_GetStringValue(member);
        char number[32];
        if (value == NULL) {
            (void)snprintf(number, sizeof number, "%.0f", cJSON_GetNumberValue(member));
            value = number;
        }
        int written = snprintf(text + used, room - used, "%s%s=%s", used == 0 ? "" : " ",
                               member->string, value);
        if (written < 0 || (size_t)written >= room - used)
            return;
        used += (size_t)written;
    }
}

/* The text of a cell; what the row does not have is a dash. */
static void format_cell(const cJSON *row, const struct ctl_column *column, char *text, size_t room)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, column->key);
    bool is_self = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, "self"));
    if (item == NULL || cJSON_IsNull(item))
        (void)snprintf(text, room, "-");
    else if (cJSON_IsObject(item))
        format_map(item, text, room);
    else if (cJSON_IsBool(item))
        (void)snprintf(text, room, "%s", cJSON_IsTrue(item) ? "yes" : "no");
    else if (column->cell == CTL_CELL_US)
        format_us(cJSON_GetNumberValue(item), text, room);
    else if (column->cell == CTL_CELL_MS)
        format_us(cJSON_GetNumberValue(item) * 1000, text, room);
    else if (cJSON_IsNumber(item))
        (void)snprintf(text, room, "%.0f", cJSON_GetNumberValue(item));
    else
        (void)snprintf(text, room, "%s%s", cJSON_GetStringValue(item),
                       column->cell == CTL_CELL_NAME && is_self ? " *" : "");
}

static const char *color_of(const char *state)
{
    if (strcmp(state, "alive") == 0 || strcmp(state, "active") == 0 || strcmp(state, "yes") == 0)
        return "green";
    if (strcmp(state, "dead") == 0 || strcmp(state, "closed") == 0 || strcmp(state, "no") == 0)
        return "red";
    return "yellow";
}

static bool is_shown(const struct ctl *ctl, const struct ctl_column *column)
{
    return !column->is_wide || ctl->format == CTL_WIDE;
}

static bool is_right(enum ctl_cell cell)
{
    return cell == CTL_CELL_NUMBER || cell == CTL_CELL_US || cell == CTL_CELL_MS;
}

static void fill_line(const struct ctl *ctl, struct libscols_table *table, const cJSON *row,
                      const struct ctl_column *columns)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);
    size_t at = 0;
    for (const struct ctl_column *column = columns; column->title != NULL; column++) {
        if (!is_shown(ctl, column) || line == NULL)
            continue;
        char text[CTL_CELL_BYTES * 16];
        format_cell(row, column, text, sizeof text);
        (void)scols_line_set_data(line, at, text);
        if (column->cell == CTL_CELL_STATE)
            (void)scols_cell_set_color(scols_line_get_cell(line, at), color_of(text));
        at++;
    }
}

void ctl_table_print(const struct ctl *ctl, const cJSON *rows, const struct ctl_column *columns)
{
    bool is_colored = !ctl->no_color && isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    const cJSON *row;
    struct libscols_table *table = scols_new_table();
    if (table == NULL)
        return;
    (void)scols_table_enable_colors(table, is_colored);
    (void)scols_table_set_column_separator(table, "  ");
    (void)scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    for (const struct ctl_column *column = columns; column->title != NULL; column++) {
        if (is_shown(ctl, column))
            (void)scols_table_new_column(table, column->title, 0,
                                         is_right(column->cell) ? SCOLS_FL_RIGHT : 0);
    }
    cJSON_ArrayForEach(row, rows) fill_line(ctl, table, row, columns);
    if (scols_table_is_empty(table)) { /* it would not even print the heading */
        for (const struct ctl_column *column = columns; column->title != NULL; column++) {
            if (is_shown(ctl, column))
                (void)printf("%s%s", column == columns ? "" : "  ", column->title);
        }
        (void)putchar('\n');
    } else {
        (void)scols_print_table(table);
    }
    scols_unref_table(table);
}

static void print_quoted(const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        (void)fputs(text, stdout);
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

static void print_csv_cell(const cJSON *item)
{
    char *json = NULL;
    if (cJSON_IsString(item))
        print_quoted(cJSON_GetStringValue(item));
    else if (item != NULL && !cJSON_IsNull(item))
        json = cJSON_PrintUnformatted(item);
    if (json != NULL)
        print_quoted(json);
    cJSON_free(json);
}

void ctl_table_print_csv(const cJSON *rows, const struct ctl_column *columns)
{
    const cJSON *row;
    for (const struct ctl_column *column = columns; column->title != NULL; column++)
        (void)printf("%s%s", column == columns ? "" : ",", column->key);
    (void)puts("");
    cJSON_ArrayForEach(row, rows)
    {
        for (const struct ctl_column *column = columns; column->title != NULL; column++) {
            if (column != columns)
                (void)putchar(',');
            print_csv_cell(cJSON_GetObjectItemCaseSensitive(row, column->key));
        }
        (void)puts("");
    }
}
