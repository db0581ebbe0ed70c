#include "agent/base/ini.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/utf8.h"

/* What is told goes to terminals and into JSON, and what was read may be any bytes. */
static char *printable_or_null(const char *s)
{
	struct buf copy;

	if (!s)
		return NULL;
	buf_init(&copy, 4 * strlen(s)); /* \xNN each */
	buf_adds(&copy, "");
	utf8_add_printable(&copy, s);
	return buf_take(&copy);
}

static void fault_done(struct fault *fault)
{
	free(fault->file);
	free(fault->section);
	free(fault->key);
	free(fault->text);
}

void faults_add(struct faults *faults, const char *file, unsigned int line, const char *section,
		const char *key, const char *fmt, ...)
{
	struct fault fault = { .line = line };
	struct fault *list;
	char *text;
	va_list ap;

	if (faults->n >= FAULTS_MAX)
		goto dropped;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	fault.text = printable_or_null(text);
	free(text);
	fault.file = printable_or_null(file);
	fault.section = printable_or_null(section);
	fault.key = printable_or_null(key);
	list = realloc(faults->list, (faults->n + 1) * sizeof(*list));
	if (list)
		faults->list = list;
	if (!list || !fault.text || !fault.file || (section && !fault.section) ||
	    (key && !fault.key)) {
		fault_done(&fault);
		goto dropped;
	}
	faults->list[faults->n++] = fault;
	return;
dropped:
	faults->n_dropped++;
}

static int compare(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order == 0)
		order = (x->line > y->line) - (x->line < y->line);
	if (order == 0)
		order = strcmp(x->key ? x->key : "", y->key ? y->key : "");
	return order ? order : strcmp(x->text, y->text);
}

void faults_sort(struct faults *faults)
{
	if (faults->n)
		qsort(faults->list, faults->n, sizeof(*faults->list), compare);
}

void faults_done(struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		fault_done(&faults->list[i]);
	free(faults->list);
	*faults = (struct faults){ 0 };
}

void fault_format(const struct fault *fault, struct buf *out)
{
	buf_adds(out, fault->file);
	if (fault->line)
		buf_addf(out, ":%u", fault->line);
	buf_adds(out, ": ");
	if (fault->section) {
		buf_addc(out, '[');
		buf_adds(out, fault->section);
		buf_adds(out, fault->key ? "] " : "]: ");
	}
	if (fault->key) {
		buf_adds(out, fault->key);
		buf_adds(out, ": ");
	}
	buf_adds(out, fault->text);
}
