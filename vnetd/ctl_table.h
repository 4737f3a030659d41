/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_table.h - tables for people that awk can cut: aligned columns, no frames.
 *
 * Columns are two blanks apart. A cell is one word, except in the last column, which is free text
 * and is not padded. An empty cell prints as "-". Colour only tints, nothing needs it.
 */
#ifndef VNET_VNETD_CTL_TABLE_H
#define VNET_VNETD_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"
#include "lib/util.h"

#define TABLE_COLS_MAX 12

enum tint { TINT_NONE, TINT_BAD, TINT_WARN, TINT_GOOD };

struct table_cell {
	size_t text;  /* where it begins in the table's text; NUL-terminated */
	size_t width; /* in columns of a terminal */
	enum tint tint;
};

struct table {
	const char *const *head; /* borrowed, NULL-terminated */
	size_t ncols;
	struct table_cell *cell; /* row by row */
	size_t ncells, cap;
	struct strbuf text; /* of all cells, cleaned for a terminal */
	size_t
	    least[TABLE_COLS_MAX]; /* columns are at least this wide: for rows that follow later */
	bool headless;             /* print no header */
	bool bad;                  /* out of memory: nothing is printed */
};

/* head: titles, NULL-terminated, at most TABLE_COLS_MAX. */
void table_init(struct table *t, const char *const *head);
void table_fini(struct table *t);

/* The next cell, from left to right, row after row. */
void table_add(struct table *t, const char *text);
void table_addf(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A number; empty where it is not known. */
void table_add_number(struct table *t, bool known, uint64_t n);
void table_add_tinted(struct table *t, enum tint tint, const char *text);

/* Appends the header and all rows. */
void table_print(struct strbuf *out, const struct table *t, bool colour);

/* Appends `text` between the escapes of a tint, or plain. */
void tint_add(struct strbuf *out, enum tint tint, bool colour, const char *text);

#endif
