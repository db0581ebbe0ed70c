/* How inputs of fuzz targets begin: options, a pattern, an LF; the rest is to be searched. */
#ifndef TW_PATTERN_CASE_H
#define TW_PATTERN_CASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "capture/pattern.h"

/*
 * The text, or NULL for what is no such input. There are `head` bytes of options, of which the
 * lowest four bits of the first are the pattern's own. conf->regex is the caller's.
 */
static inline const uint8_t *pattern_case(const uint8_t *data, size_t size, size_t head,
					  struct pattern_conf *conf, size_t *ret_len)
{
	const uint8_t *regex = data + head, *newline;

	if (size < head + 2 || size > 2048)
		return NULL;
	newline = memchr(regex, '\n', size - head);
	if (!newline)
		return NULL;
	conf->match_limit = 10000;
	conf->utf = data[0] & 1;
	conf->caseless = data[0] & 2;
	conf->multiline = data[0] & 4;
	conf->dotall = data[0] & 8;
	conf->regex = strndup((const char *)regex, (size_t)(newline - regex));
	*ret_len = size - (size_t)(newline + 1 - data);
	return newline + 1;
}

#endif
