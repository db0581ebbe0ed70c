/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: capture/regex_match.c */
/* links: capture/literal_find.c capture/pattern.c capture/regex.c agent/base/buf.c */
/* links: capture/pattern_compose.c */
/* links: agent/base/parse.c agent/base/err.c */
/*
 * A pattern and a subject: "FLAGS REGEX\nSUBJECT". Wherever the pattern matches, one of the texts
 * that it is said to need has to be, as far from the start as is said; and the search for the texts
 * has to find the first of them that a plain comparison finds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/literal_find.h"
#include "capture/pattern.h"
#include "tests/fuzz/pattern_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_at(const struct literal_set *set, const struct literal *text, const uint8_t *p,
		  size_t left)
{
	if (text->len > left)
		return false;
	for (size_t i = 0; i < text->len; i++) {
		uint8_t byte = p[i];

		if (set->caseless && byte >= 'A' && byte <= 'Z')
			byte |= 0x20;
		if (byte != text->bytes[i])
			return false;
	}
	return true;
}

static bool any_at(const struct literal_set *set, const uint8_t *p, size_t left)
{
	for (size_t i = 0; i < set->n; i++) {
		if (is_at(set, &set->v[i], p, left))
			return true;
	}
	return false;
}

static void check_finder(const struct literal_set *set, const uint8_t *subject, size_t len)
{
	struct literal_finder finder;
	const uint8_t *found;
	size_t at = 0;

	literal_finder_init(&finder, set);
	found = literal_find(&finder, subject, len);
	while (at < len && !any_at(set, subject + at, len - at))
		at++;
	if (found != (at < len ? subject + at : NULL))
		abort();
}

static void check_match(const struct literal_set *set, size_t start, const uint8_t *subject,
			size_t len)
{
	for (size_t at = 0; at < len; at++) {
		int64_t before = (int64_t)at - (int64_t)start;

		if (before >= set->before_min && before <= set->before_max &&
		    any_at(set, subject + at, len - at))
			return;
	}
	abort();
}

static void check(const struct pattern *pattern, const uint8_t *subject, size_t len)
{
	const struct literal_set *set = pattern_required(pattern);
	static struct regex_scratch *scratch; /* as in a worker: one for all */
	size_t offset = 0;

	if (!set->n || (!scratch && regex_scratch_new(&scratch)))
		return;
	check_finder(set, subject, len);
	while (offset <= len &&
	       pattern_match(pattern, scratch, subject, len, offset, 0) == REGEX_MATCH) {
		check_match(set, regex_start(scratch), subject, len);
		offset = regex_start(scratch) + 1;
		while (pattern_is_utf(pattern) && offset < len && (subject[offset] & 0xc0) == 0x80)
			offset++;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pattern_conf conf = { 0 };
	struct pattern *pattern;
	uint8_t *subject;
	size_t len;
	const uint8_t *text = pattern_case(data, size, 1, &conf, &len);

	if (!text)
		return 0;
	/* Of exactly its size, so that a read behind it is seen. */
	subject = malloc(len + !len);
	if (subject)
		memcpy(subject, text, len);
	if (conf.regex && subject && pattern_compile(&conf, &pattern, NULL) == 0) {
		check(pattern, subject, len);
		pattern_free(pattern);
	}
	free(subject);
	free(conf.regex);
	return 0;
}
