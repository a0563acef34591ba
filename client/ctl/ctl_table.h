/* ctl_table.h - rows of a tree as a table for people, or as CSV.
 * Memory: the caller's. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_TABLE_H
#define WEFT_CLIENT_CTL_CTL_TABLE_H

#include "client/ctl/ctl_output.h"

/* Aligned columns, never cut off; colours only on a terminal. No rows: only the heading. */
void ctl_table_print(const struct ctl *ctl, const cJSON *rows, const struct ctl_column *columns);

/* A heading of keys, then a line a row, quoted as RFC 4180 says. */
void ctl_table_print_csv(const cJSON *rows, const struct ctl_column *columns);

#endif
