/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_TABLE_H
#define PKIN_CLI_TABLE_H

#include <stdio.h>

#include "cli.h"

/* A small table of texts with aligned columns. Cells are copied, and made safe for a terminal. */
typedef struct pkin_i_table pkin_i_table;

/* `headings[c]` may have two lines, parted by '\n'; columns whose bit is set in `right` are aligned to the right. */
pkin_i_table *pkin_i_table_new(const char *const *headings, size_t n_columns, uint32_t right);
void pkin_i_table_free(pkin_i_table *table);

/* Cells are added row by row, left to right. */
void pkin_i_table_text(pkin_i_table *table, const char *text);
void pkin_i_table_count(pkin_i_table *table, uint64_t n);
/* Draws a line above the next row. */
void pkin_i_table_rule(pkin_i_table *table);
/* Cuts the longest cells of the columns from `first` on, so that rows fit the terminal, or 120 columns elsewhere. */
void pkin_i_table_fit(pkin_i_table *table, size_t first);

/* With `color` the heading is bold. */
void pkin_i_table_print(const pkin_i_table *table, FILE *stream, bool color);

/* Columns that a UTF-8 text takes on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks. */
size_t pkin_i_display_width(const char *text);

#endif
