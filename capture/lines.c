#include "capture/lines.h"

#include <string.h>

const uint8_t *line_end(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;

	return newline ? newline + 1 : end;
}

const uint8_t *line_start(const uint8_t *start, const uint8_t *p)
{
	const uint8_t *newline = p > start ? memrchr(start, '\n', (size_t)(p - start)) : NULL;

	return newline ? newline + 1 : start;
}

size_t line_subject(const uint8_t *line, size_t len)
{
	if (len && line[len - 1] == '\n')
		len--;
	if (len && line[len - 1] == '\r')
		len--;
	return len;
}

/* In blocks whose count fits a byte, so that the compiler can keep many counts in one register. */
uint64_t lines_count(const uint8_t *data, size_t len)
{
	uint64_t n = 0;

	while (len) {
		uint8_t counts[32] = { 0 };
		size_t block = len / sizeof(counts);

		block = block < 255 ? block : 255;
		for (size_t i = 0; i < block; i++) {
			for (size_t j = 0; j < sizeof(counts); j++)
				counts[j] = (uint8_t)(counts[j] + (data[j] == '\n'));
			data += sizeof(counts);
		}
		for (size_t j = 0; j < sizeof(counts); j++)
			n += counts[j];
		len -= block * sizeof(counts);
		for (; !block && len; len--)
			n += *data++ == '\n';
	}
	return n;
}

void line_matcher_init(struct line_matcher *matcher, const struct pattern *pattern)
{
	const struct literal_set *required = pattern_required(pattern);

	*matcher = (struct line_matcher){ .pattern = pattern, .by_literal = required->n > 0 };
	if (matcher->by_literal)
		literal_finder_init(&matcher->finder, required);
}

bool line_matches(const struct line_matcher *matcher, struct regex_scratch *scratch,
		  const uint8_t *line, size_t len, size_t from, size_t *ret_behind,
		  uint64_t *ret_limited)
{
	size_t subject = line_subject(line, len);
	enum regex_result result;

	if (from > subject)
		return false;
	result = pattern_match(matcher->pattern, scratch, line, subject, from, false);
	if (result == REGEX_MATCH) {
		*ret_behind = pattern_whole(scratch).end;
		return true;
	}
	*ret_limited += result != REGEX_NO_MATCH;
	return false;
}

struct line_match line_matcher_next(const struct line_matcher *matcher,
				    struct regex_scratch *scratch, const uint8_t *p,
				    const uint8_t *end, uint64_t *ret_limited)
{
	struct line_match match = { 0 };

	while (p < end) {
		const uint8_t *line = p, *hit = p;

		if (matcher->by_literal) {
			hit = literal_find(&matcher->finder, p, (size_t)(end - p));
			if (!hit)
				break;
			line = line_start(p, hit);
		}
		p = line_end(hit, end);
		match.len = (size_t)(p - line);
		if (line_matches(matcher, scratch, line, match.len, 0, &match.behind,
				 ret_limited)) {
			match.line = line;
			break;
		}
	}
	return match;
}
