#include "web/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_add(struct findings *findings, unsigned int line, enum finding_level level,
		  const char *fmt, ...)
{
	struct finding *v = NULL;
	char *text = NULL;
	va_list ap;

	if (findings->n < FINDINGS_MAX)
		v = realloc(findings->v, (findings->n + 1) * sizeof(*v));
	if (!v) {
		findings->left_out++;
		return;
	}
	findings->v = v;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		v[findings->n++] = (struct finding){ line, level, text };
	else
		findings->left_out++;
}

void findings_sort(struct findings *findings)
{
	/* Nearly in order already, and stable. */
	for (size_t i = 1; i < findings->n; i++) {
		struct finding finding = findings->v[i];
		size_t at = i;

		for (; at > 0 && findings->v[at - 1].line > finding.line; at--)
			findings->v[at] = findings->v[at - 1];
		findings->v[at] = finding;
	}
}

size_t findings_count(const struct findings *findings, enum finding_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->n; i++)
		n += findings->v[i].level == level;
	return n;
}

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		free(findings->v[i].text);
	free(findings->v);
	memset(findings, 0, sizeof(*findings));
}

const char *finding_level_name(enum finding_level level)
{
	static const char *const names[] = {
		[FINDING_ERROR] = "error",
		[FINDING_WARNING] = "warning",
		[FINDING_NOTE] = "note",
	};

	return names[level];
}
