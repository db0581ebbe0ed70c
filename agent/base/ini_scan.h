/*
 * One line of an INI file, by the rules of iniparser 4.1 without its surprises: whatever iniparser
 * would fold, cut, join or drop in silence is a fault here, and a line without fault means to
 * iniparser what it means here. Pure.
 */
#ifndef TW_INI_SCAN_H
#define TW_INI_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "agent/base/parse.h"

/* iniparser 4.1 reads lines into a buffer of ASCIILINESZ (1024) bytes with newline and NUL. */
#define INI_LINE_MAX 1022

enum ini_line_kind {
	INI_LINE_EMPTY, /* or a comment */
	INI_LINE_SECTION,
	INI_LINE_KEY,
};

struct ini_line {
	enum ini_line_kind kind;
	char name[NAME_MAX_LEN + 1]; /* the section's kind, or the key */
	char section_name[NAME_MAX_LEN + 1]; /* "web" of "[set web]"; "" when there is none */
	/* an upper-case letter in one of them was made lower case, as iniparser does */
	bool folded;
};

/*
 * `line` is without its newline; a CR at its end belongs to the line end. Returns 0, or -EINVAL
 * with the reason; `ret` then tells as much as was understood: the kind, and the key whose value is
 * at fault.
 */
int ini_scan_line(const char *line, size_t len, struct ini_line *ret, struct err *err);

/* Whether `value`, in these quotes ("\"", "'" or ""), is read back as it is. */
bool ini_carries(const char *value, const char *quotes);

#endif
