#include "agent/base/ini.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
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
	va_list ap;

	if (faults->n >= FAULTS_MAX)
		goto dropped;
	va_start(ap, fmt);
	if (vasprintf(&fault.text, fmt, ap) < 0)
		fault.text = NULL;
	va_end(ap);
	fault.file = strdup(file);
	fault.section = copy_or_null(section);
	fault.key = copy_or_null(key);
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
	buf_add_printable(out, fault->file);
	if (fault->line)
		buf_addf(out, ":%u", fault->line);
	buf_adds(out, ": ");
	if (fault->section) {
		buf_addc(out, '[');
		buf_add_printable(out, fault->section);
		buf_adds(out, fault->key ? "] " : "]: ");
	}
	if (fault->key) {
		buf_add_printable(out, fault->key);
		buf_adds(out, ": ");
	}
	buf_add_printable(out, fault->text);
}
