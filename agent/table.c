#include "agent/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CELLS_MAX (16u << 20)

/* A longer cell of the last column goes on in the next line anyway: no other column goes for it. */
#define PROSE_COUNTED 24u

void table_init(struct table *table, const char *const headline[])
{
	*table = (struct table){ 0 };
	buf_init(&table->cells, CELLS_MAX);
	while (headline[table->columns])
		table_add(table, "%s", headline[table->columns++]);
}

void table_done(struct table *table)
{
	buf_done(&table->cells);
}

void table_add(struct table *table, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!text[0])
		strcpy(text, "-");
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < ' ' || *p > '~')
			buf_addf(&table->cells, "\\x%02x", *p);
		else
			buf_addc(&table->cells, (char)*p);
	}
	buf_addc(&table->cells, '\0');
	table->n++;
}

static void measure(const struct table *table, size_t width[TABLE_COLUMNS_MAX])
{
	const char *cell = table->cells.data;

	for (size_t i = 0; i < table->n; i++, cell += strlen(cell) + 1) {
		const size_t column = i % table->columns, len = strlen(cell);

		if (len > width[column] && (column + 1 < table->columns || len <= PROSE_COUNTED))
			width[column] = len;
	}
}

static size_t line_width(const struct table *table, const size_t width[TABLE_COLUMNS_MAX])
{
	size_t sum = 0;

	for (size_t i = 0; i < table->columns; i++)
		sum += table->without[i] ? 0 : width[i] + 2;
	return sum - 2;
}

/* By the first row, the headline; the last one when no other has the name. */
static size_t column_of(const struct table *table, const char *name)
{
	const char *cell = table->cells.data;
	size_t i = 0;

	for (; i + 1 < table->columns && strcmp(cell, name) != 0; i++)
		cell += strlen(cell) + 1;
	return i;
}

bool table_fit(struct table *table, size_t width, const char *const spare[])
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };
	bool any = false;

	if (table->cells.failed)
		return false;
	measure(table, widths);
	for (size_t i = 0; spare[i] && line_width(table, widths) > width; i++) {
		table->without[column_of(table, spare[i])] = true;
		any = true;
	}
	return any;
}

void table_print(const struct table *table, struct buf *out)
{
	size_t width[TABLE_COLUMNS_MAX] = { 0 };
	const char *cell = table->cells.data;

	if (table->cells.failed) {
		out->failed = true;
		return;
	}
	measure(table, width);
	for (size_t i = 0; i < table->n; i++, cell += strlen(cell) + 1) {
		const size_t column = i % table->columns;

		if (column + 1 == table->columns)
			buf_addf(out, "%s\n", cell);
		else if (!table->without[column])
			buf_addf(out, "%-*s  ", (int)width[column], cell);
	}
}
