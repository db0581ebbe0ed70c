/* What was found in a text somebody wants checked: each with its line and how bad it is. Pure. */
#ifndef TW_FINDING_H
#define TW_FINDING_H

#include <stdbool.h>
#include <stddef.h>

enum finding_level {
	FINDING_ERROR, /* it cannot work */
	FINDING_WARNING, /* it may not do what it seems to say */
	FINDING_NOTE, /* worth knowing */
	FINDING_LEVELS
};

struct finding {
	unsigned int line; /* from 1; 0: of the text as a whole */
	enum finding_level level;
	char *text;
};

/* Zero it before the first use. At most FINDINGS_MAX are kept, the rest counted. */
#define FINDINGS_MAX 1000

struct findings {
	struct finding *v;
	size_t n;
	size_t left_out;
};

/* Without memory, and above FINDINGS_MAX, it is counted as left out. */
void findings_add(struct findings *findings, unsigned int line, enum finding_level level,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* By line; those of a line stay in the order in which they came. */
void findings_sort(struct findings *findings);

size_t findings_count(const struct findings *findings, enum finding_level level);

void findings_done(struct findings *findings);

/* "error", "warning", "note" */
const char *finding_level_name(enum finding_level level);

#endif
