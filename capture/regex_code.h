/*
 * What PCRE2 made of a regular expression: between regex.c, which compiles it, and regex_match.c.
 *
 * Pure. PCRE2 is included here alone.
 */
#ifndef TW_REGEX_CODE_H
#define TW_REGEX_CODE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "capture/regex.h"

struct regex {
	pcre2_code *code;
	uint32_t name_entry_size;
	bool jit;
	bool utf;
	bool calls; /* it has (?R), (?1), (?&name) or the like */
	bool skips_crlf; /* no match starts between CR and LF, unless the search begins there */
	char jit_reason[128];
};

#endif
