#include "agent/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CELLS_MAX (16u << 20)

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

void table_print(const struct table *table, struct buf *out)
{
	size_t width[TABLE_COLUMNS_MAX] = { 0 };
	const char *cell = table->cells.data;

	if (table->cells.failed) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < table->n; i++, cell += strlen(cell) + 1) {
		if (strlen(cell) > width[i % table->columns])
			width[i % table->columns] = strlen(cell);
	}
	cell = table->cells.data;
	for (size_t i = 0; i < table->n; i++, cell += strlen(cell) + 1) {
		if ((i + 1) % table->columns == 0)
			buf_addf(out, "%s\n", cell);
		else
			buf_addf(out, "%-*s  ", (int)width[i % table->columns], cell);
	}
}
