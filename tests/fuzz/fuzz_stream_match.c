/* links: capture/regex_match.c */
/* links: capture/stream_match.c capture/extract.c capture/pattern.c capture/regex.c */
/* links: capture/pattern_compose.c */
/* links: capture/stream_sleep.c capture/stream_window.c */
/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: capture/literal_find.c agent/base/buf.c agent/base/parse.c agent/base/err.c */
/*
 * A pattern and a subject in pieces: "FLAGS CUTS REGEX\nSUBJECT". The matches have to be those that
 * the whole subject gives; each bit of CUTS, over and over, says whether the subject is cut behind
 * a byte. Where little may be kept, what is given up has to be the same for all cuts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/stream_match.h"
#include "tests/fuzz/pattern_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOLD_MAX (1u << 20)

/* What may be kept so that something is given up, too. */
#define SMALL_MAX 128u

struct told {
	const struct pattern *pattern;
	const uint8_t *subject;
	struct buf text;
	size_t overflows; /* also told */
	bool lost; /* where depends on the cuts */
};

static void add_span(struct told *told, const uint8_t *base, uint64_t offset, struct span span)
{
	if (!span_is_set(span)) {
		buf_adds(&told->text, ":-");
		return;
	}
	buf_addf(&told->text, ":%zu-%zu", (size_t)offset + span.start, (size_t)offset + span.end);
	if (memcmp(base + span.start, told->subject + offset + span.start, span.end - span.start) !=
	    0)
		abort();
}

static void on_hit(void *data, const struct hit *hit)
{
	struct told *told = data;

	add_span(told, hit->subject, hit->offset, hit->match->whole);
	for (size_t i = 0; i < pattern_n_groups(told->pattern); i++)
		add_span(told, hit->subject, hit->offset, hit->match->groups[i]);
	buf_addc(&told->text, '\n');
}

static void on_match(void *data, const struct extract_match *match)
{
	struct told *told = data;

	on_hit(told, &(struct hit){ .match = match, .subject = told->subject });
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	struct told *told = data;

	if (from > to)
		abort();
	told->lost = told->lost || why != STREAM_LOSS_OVERFLOW;
	told->overflows++;
	buf_addf(&told->text, "lost %zu-%zu\n", (size_t)from, (size_t)to);
}

static const struct stream_match_ops ops = { .match = on_hit, .loss = on_loss };

/* Sleeps whenever it may, and wakes for each text: as rules on streams do. */
struct sleeper {
	struct stream_match *sm;
	const uint8_t *subject;
	size_t tail; /* bytes that are kept; 0: it never sleeps */
	bool asleep;
};

static struct stream_tail tail_at(const struct sleeper *s, size_t at)
{
	size_t len = at < s->tail ? at : s->tail;

	return (struct stream_tail){
		.bytes = s->subject + (at - len),
		.len = len,
		.offset = at - len,
		.start = len < at ? STREAM_TAIL_CUT : STREAM_TAIL_BEGIN,
	};
}

static void wake(struct sleeper *s, size_t from, size_t to)
{
	const struct stream_tail tail = tail_at(s, from);
	size_t seam = from < LITERAL_BYTES_MAX - 1 ? 0 : from - (LITERAL_BYTES_MAX - 1);

	if (!s->asleep || !literal_find(s->sm->finder, s->subject + seam, to - seam))
		return;
	s->asleep = false;
	stream_match_wake(s->sm, &tail);
}

static void put_to_sleep(struct sleeper *s, size_t at)
{
	const struct stream_tail tail = tail_at(s, at);

	if (s->tail && !s->asleep)
		s->asleep = stream_match_sleep(s->sm, &tail);
}

static void feed(struct stream_match *sm, struct regex_scratch *scratch, const uint8_t *subject,
		 size_t size, uint8_t cuts, bool sleeps)
{
	struct sleeper sleeper = { .sm = sm, .subject = subject };
	size_t from = 0;

	if (sleeps && sm->finder)
		sleeper.tail = stream_match_tail(sm->pattern);
	sleeper.asleep = sleeper.tail > 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t *piece;

		if (!(cuts >> (i % 8) & 1) && i + 1 < size)
			continue;
		/* A piece of its own, so that nothing is read behind it. */
		piece = malloc(i + 1 - from);
		if (!piece)
			abort();
		memcpy(piece, subject + from, i + 1 - from);
		wake(&sleeper, from, i + 1);
		if (!sleeper.asleep)
			stream_match_feed(sm, scratch, piece, i + 1 - from);
		free(piece);
		put_to_sleep(&sleeper, i + 1);
		from = i + 1;
	}
	if (!sleeper.asleep)
		stream_match_end(sm, scratch, 0);
}

struct task {
	const struct pattern *pattern;
	const struct extract_policy *policy;
	const uint8_t *subject;
	size_t size;
};

static struct regex_scratch *scratch_of_all(void) /* as in a worker */
{
	static struct regex_scratch *scratch;

	if (!scratch && regex_scratch_new(&scratch))
		abort();
	return scratch;
}

/* False: the pattern looks back too far for the bound. */
static bool in_pieces(const struct task *task, size_t max, uint8_t cuts, bool sleeps,
		      struct told *ret)
{
	struct literal_finder finder;
	struct stream_match sm;

	*ret = (struct told){ .pattern = task->pattern, .subject = task->subject };
	buf_init(&ret->text, TOLD_MAX);
	if (pattern_required(task->pattern)->n)
		literal_finder_init(&finder, pattern_required(task->pattern));
	if (stream_match_init(&sm, task->pattern,
			      pattern_required(task->pattern)->n ? &finder : NULL, task->policy,
			      max, &ops, ret))
		return false;
	feed(&sm, scratch_of_all(), task->subject, task->size, cuts, sleeps);
	stream_match_done(&sm);
	return true;
}

static void in_one(const struct task *task, struct told *ret)
{
	*ret = (struct told){ .pattern = task->pattern, .subject = task->subject };
	buf_init(&ret->text, TOLD_MAX);
	ret->lost = extract(task->pattern, task->policy, scratch_of_all(), task->subject,
			    task->size, on_match, ret, NULL) != EXTRACT_DONE;
}

static void expect_same(struct told *whole, struct told *pieces, uint8_t cuts)
{
	if (!whole->lost && !pieces->lost &&
	    (whole->text.len != pieces->text.len ||
	     (whole->text.len &&
	      memcmp(whole->text.data, pieces->text.data, whole->text.len) != 0))) {
		fprintf(stderr, "/%s/ cuts %02x: whole\n%s\nin pieces\n%s\n",
			pattern_text(whole->pattern), cuts,
			whole->text.data ? whole->text.data : "",
			pieces->text.data ? pieces->text.data : "");
		abort();
	}
	buf_done(&whole->text);
	buf_done(&pieces->text);
}

static void compare(const struct task *task, uint8_t cuts, bool sleeps)
{
	struct told whole, pieces;

	if (in_pieces(task, 1 << 20, cuts, sleeps, &pieces)) {
		in_one(task, &whole);
		pieces.lost = pieces.lost || pieces.overflows;
		expect_same(&whole, &pieces, cuts);
	}
	if (in_pieces(task, SMALL_MAX, 0, false, &whole) &&
	    in_pieces(task, SMALL_MAX, cuts, false, &pieces))
		expect_same(&whole, &pieces, cuts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pattern_conf conf = { 0 };
	struct extract_policy policy = { .max = SIZE_MAX };
	struct pattern *pattern;
	char *groups[] = { "0", "1" };
	size_t len;
	const uint8_t *text = pattern_case(data, size, 2, &conf, &len);

	if (!text)
		return 0;
	policy.starts = data[0] & 16;
	policy.keep_empty = data[0] & 32;
	conf.groups = (struct strv){ groups, data[0] & 64 ? 2 : 1 };
	if (conf.regex && pattern_compile(&conf, &pattern, NULL) == 0) {
		const struct task task = { pattern, &policy, text, len };

		compare(&task, data[1], data[0] & 128);
		pattern_free(pattern);
	}
	free(conf.regex);
	return 0;
}
