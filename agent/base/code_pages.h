/*
 * Code that was made while the process runs is never written again, and no other is made. Edge.
 */
#ifndef TW_CODE_PAGES_H
#define TW_CODE_PAGES_H

#include <stdbool.h>

#include "agent/base/err.h"

/* What the kernel has of it: mseal(2) since Linux 6.10, PR_SET_MDWE (prctl(2)) since 6.3. */
struct code_pages {
	bool sealed; /* nor is it unmapped or made writable again: always so without any */
	bool no_more; /* nothing that is or was writable becomes code */
};

/*
 * Takes writing from every page that can be executed. PCRE2 keeps its machine code and what it
 * notes about that in the same pages: to compile a pattern or to free one ends the process from
 * here on, to match does not. /proc/self/maps must be there. Returns 0, or a negative errno when
 * such pages may be left.
 */
int code_pages_seal(struct code_pages *ret, struct err *err);

#endif
