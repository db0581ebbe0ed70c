/* Text in columns, as status prints it: a headline, no borders, two blanks between. Pure. */
#ifndef TW_TABLE_H
#define TW_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/buf.h"

#define TABLE_COLUMNS_MAX 12

struct table {
	struct buf cells; /* every cell with its NUL, row by row; row 0 is the headline */
	size_t columns;
	size_t n; /* cells */
	bool without[TABLE_COLUMNS_MAX]; /* columns that are left out */
};

/* `headline` has the columns' names, NULL at its end. */
void table_init(struct table *table, const char *const headline[]);
void table_done(struct table *table);

/* The next cell; a row is full after as many cells as there are columns. "" is printed as "-". */
void table_add(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Leaves columns out until lines have no more than `width` characters: those of `spare`, names of
 * the headline with NULL at the end, first to last. The last column is prose as a rule, and may be
 * longer. Returns whether one is left out.
 */
bool table_fit(struct table *table, size_t width, const char *const spare[]);

/* Appends the lines; control bytes and bytes above 0x7e become \xNN. */
void table_print(const struct table *table, struct buf *out);

#endif
