/* links: capture/regex_match.c */
/* links: capture/extract.c capture/pattern.c capture/regex.c capture/record.c */
/* links: capture/pattern_compose.c */
/* links: capture/json_writer.c agent/base/buf.c agent/base/parse.c agent/base/err.c */
/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c agent/base/utf8.c */
/*
 * A pattern and a subject: "FLAGS REGEX\nPRECEDED-BY\nFOLLOWED-BY\nGROUP\nSUBJECT". Whatever
 * compiles has to find matches that are in order and inside the subject, end by itself, and make
 * records that are whole.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/extract.h"
#include "capture/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct subject {
	const struct pattern *pattern;
	struct frame frame;
	size_t end; /* of the match before */
};

static void check_span(const struct subject *s, struct span span)
{
	if (!span_is_set(span))
		return;
	if (span.end > s->frame.payload_len || span.start > span.end)
		abort();
}

static void on_match(void *data, const struct extract_match *match)
{
	struct subject *s = data;
	const struct record_head head = { .host = "h", .link = "l", .set = "s", .guest = "" };
	struct record_alert alert = {
		.frame = &s->frame,
		.rule = "r",
		.pattern = s->pattern,
		.match = match,
		.payload_bytes = 64,
	};
	struct buf line;

	check_span(s, match->whole);
	if (match->whole.start < s->end)
		abort();
	s->end = match->whole.end;
	for (size_t i = 0; i < pattern_n_groups(s->pattern); i++)
		check_span(s, match->groups[i]);
	buf_init(&line, RECORD_MAX);
	if (record_alert(&line, &head, &alert) || memchr(line.data, '\n', line.len))
		abort();
	buf_done(&line);
}

/* The text up to the next newline; what is empty is not given. */
static char *field(const uint8_t **data, size_t *size)
{
	const uint8_t *newline = *size ? memchr(*data, '\n', *size) : NULL;
	size_t len = newline ? (size_t)(newline - *data) : *size;
	char *text = len ? strndup((const char *)*data, len) : NULL;

	*data += newline ? len + 1 : len;
	*size -= newline ? len + 1 : len;
	return text;
}

static void run(const struct pattern_conf *conf, const uint8_t *data, size_t size)
{
	static const uint8_t zeroes[16];
	struct subject s = { .frame = { .src_mac = zeroes,
					.dst_mac = zeroes,
					.ip_version = 4,
					.src_ip = zeroes,
					.dst_ip = zeroes,
					.payload_len = size } };
	static struct regex_scratch *scratch; /* as in a worker: one for all */
	struct pattern *pattern = NULL;
	uint8_t *exact = malloc(size + !size);
	struct err err;

	if (!exact || (!scratch && regex_scratch_new(&scratch)))
		goto out;
	memcpy(exact, data, size);
	s.frame.payload = exact;
	if (pattern_compile(conf, &pattern, &err))
		goto out;
	s.pattern = pattern;
	(void)extract(pattern, &extract_live, scratch, exact, size, on_match, &s, NULL);
out:
	pattern_free(pattern);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pattern_conf conf = { .match_limit = 1000 };
	uint8_t flags;
	char *group;

	if (size < 3 || size > 4096)
		return 0;
	flags = data[0];
	data += 2;
	size -= 2;
	conf.utf = flags & 1;
	conf.caseless = flags & 2;
	conf.multiline = flags & 4;
	conf.dotall = flags & 8;
	conf.regex = field(&data, &size);
	conf.preceded_by = field(&data, &size);
	conf.followed_by = field(&data, &size);
	group = field(&data, &size);
	conf.groups = (struct strv){ &group, group != NULL };
	if (conf.regex)
		run(&conf, data, size);
	free(conf.regex);
	free(conf.preceded_by);
	free(conf.followed_by);
	free(group);
	return 0;
}
