#include "capture/range_text.h"

/* What is shown outside ranges needs no END to be sure of. */
static struct range_conf bounded(const struct range_conf *conf)
{
	struct range_conf ret = *conf;

	if (ret.outside)
		ret.open_end = RANGE_EMIT;
	if (ret.open_end == RANGE_DROP && !ret.max_bytes)
		ret.max_bytes = RANGE_HELD_MAX;
	return ret;
}

void range_text_init(struct range_text *t, const struct range_conf *conf,
		     const struct pattern *begin, const struct pattern *end,
		     struct regex_scratch *scratch, const struct range_text_ops *ops, void *data)
{
	const struct range_conf own = bounded(conf);

	*t = (struct range_text){ .scratch = scratch, .ops = ops, .data = data };
	range_init(&t->range, &own);
	line_matcher_init(&t->begin, begin);
	line_matcher_init(&t->end, end);
	buf_init(&t->held, own.max_bytes);
}

void range_text_done(struct range_text *t)
{
	buf_done(&t->held);
}

/* ---- what is shown --------------------------------------------------------------------------- */

static bool holds_back(const struct range_text *t)
{
	return t->range.conf.open_end == RANGE_DROP;
}

static uint64_t lines_before(struct range_text *t, const uint8_t *p)
{
	if (!t->number_lines)
		return 0;
	t->before += lines_count(t->numbered, (size_t)(p - t->numbered));
	t->numbered = p;
	return t->before;
}

static void tell_span(struct range_text *t)
{
	uint64_t offset = t->offset + (uint64_t)(t->span - t->piece);

	if (!t->span_len)
		return;
	if (!holds_back(t)) {
		t->ops->shown(t->data, t->span, t->span_len, offset, lines_before(t, t->span));
	} else {
		if (!t->held.len) {
			t->held_offset = offset;
			t->held_before = lines_before(t, t->span);
		}
		buf_add(&t->held, t->span, t->span_len);
	}
	t->span_len = 0;
}

static void show(struct range_text *t, const uint8_t *lines, size_t len)
{
	if (!len)
		return;
	if (t->span_len && t->span + t->span_len != lines)
		tell_span(t);
	if (!t->span_len)
		t->span = lines;
	t->span_len += len;
	t->shown_end = lines + len;
}

/* What was held back of a range is shown, or was for nothing. */
static void tell_held(struct range_text *t, struct range_closed *closed)
{
	t->out_of_memory = t->out_of_memory || t->held.failed;
	if (closed->reason != RANGE_CLOSED_END || t->held.failed) {
		t->n_dropped++;
		t->n_overrun += closed->reason == RANGE_CLOSED_LIMIT || t->held.failed;
		closed->shown_lines = closed->shown_bytes = 0;
	} else if (t->held.len) {
		t->ops->shown(t->data, (const uint8_t *)t->held.data, t->held.len, t->held_offset,
			      t->held_before);
	}
	buf_reset(&t->held);
}

static void tell_closed(struct range_text *t, struct range_closed *closed)
{
	tell_span(t);
	t->n_ranges++;
	if (holds_back(t))
		tell_held(t, closed);
	if (t->ops->closed)
		t->ops->closed(t->data, closed, t->begun);
}

/* ---- one line -------------------------------------------------------------------------------- */

struct line {
	struct range_text *text;
	const uint8_t *line;
	size_t len;
	bool known_begin, known_end; /* by the search that found the line */
	size_t behind; /* with known_begin */
};

static bool line_begins(void *data, size_t *ret_behind)
{
	struct line *line = data;
	struct range_text *t = line->text;

	if (line->known_begin) {
		*ret_behind = line->behind;
		return true;
	}
	return line_matches(&t->begin, t->scratch, line->line, line->len, 0, ret_behind,
			    &t->n_limited);
}

static bool line_ends(void *data, size_t from)
{
	struct line *line = data;
	struct range_text *t = line->text;
	size_t behind;

	if (line->known_end)
		return true;
	return line_matches(&t->end, t->scratch, line->line, line->len, from, &behind,
			    &t->n_limited);
}

static void feed_line(struct range_text *t, struct line *line, uint64_t now_ns)
{
	const struct range_test test = { line_begins, line_ends, line };
	struct range_step step;

	range_line(&t->range, line->len, now_ns, &test, &step);
	if (step.closed_before)
		tell_closed(t, &step.before);
	if (step.opened)
		t->begun = t->offset + (uint64_t)(line->line - t->piece);
	if (step.shown)
		show(t, line->line, line->len);
	if (step.closed)
		tell_closed(t, &step.range);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static void feed_run(struct range_text *t, const uint8_t *run, const uint8_t *end)
{
	size_t len = (size_t)(end - run);
	uint64_t lines = 0;

	if (!len)
		return;
	if (t->count_lines && t->range.open) {
		lines = lines_count(run, len);
		lines += run[len - 1] != '\n';
	}
	if (range_run(&t->range, lines, len))
		show(t, run, len);
}

static void search_from(struct range_text *t, const uint8_t *p, const uint8_t *end,
			struct range_place *ret)
{
	uint64_t limited = 0;
	struct line_match match = line_matcher_next(t->range.open ? &t->end : &t->begin, t->scratch,
						    p, end, &limited);

	*ret = (struct range_place){
		.from = (size_t)(p - t->piece),
		.line = (size_t)((match.line ? match.line : end) - t->piece),
		.len = match.line ? match.len : 0,
		.behind = match.behind,
		.limited = limited,
		.open = t->range.open,
	};
}

/* The next line, from `p` on, that closes the open range, or opens one. */
static struct line_match find_next(struct range_text *t, const uint8_t *p, const uint8_t *end)
{
	struct range_place place;

	if (!t->known ||
	    !range_places_find(t->known, t->range.open, (size_t)(p - t->piece), &place))
		search_from(t, p, end, &place);
	if (t->found)
		range_places_add(t->found, &place);
	t->n_limited += place.limited;
	return (struct line_match){
		.line = place.len ? t->piece + place.line : NULL,
		.len = place.len,
		.behind = place.behind,
	};
}

/* The run up to the next line that may change anything, and that line. Returns where it ends. */
static const uint8_t *feed_next(struct range_text *t, const uint8_t *p, const uint8_t *end,
				uint64_t now_ns)
{
	bool open = t->range.open;
	struct line_match match = find_next(t, p, end);
	struct line line = {
		.text = t,
		.line = match.line,
		.len = match.len,
		.known_begin = !open,
		.known_end = open,
		.behind = match.behind,
	};

	feed_run(t, p, match.line ? match.line : end);
	if (!match.line)
		return end;
	feed_line(t, &line, now_ns);
	return match.line + match.len;
}

void range_text_feed(struct range_text *t, const uint8_t *piece, size_t len, uint64_t now_ns)
{
	const uint8_t *p = piece, *end = piece + len;
	struct range_closed closed;

	t->piece = t->numbered = piece;
	t->piece_end = end;
	t->shown_end = NULL;
	if (range_tick(&t->range, now_ns, &closed))
		tell_closed(t, &closed);
	while (p < end) {
		struct line line = { .text = t, .line = p };

		if (!t->range.open || range_takes_runs(&t->range)) {
			p = feed_next(t, p, end, now_ns);
			continue;
		}
		p = line_end(p, end);
		line.len = (size_t)(p - line.line);
		feed_line(t, &line, now_ns);
	}
	tell_span(t);
	(void)lines_before(t, end);
	t->offset += len;
	t->known = t->found = NULL;
}

bool range_text_continue(struct range_text *t, size_t len, bool ends)
{
	t->offset += len;
	t->before += t->number_lines && ends;
	if (t->range.open)
		t->range.so_far.bytes += len;
	return t->shown_end == t->piece_end && !holds_back(t);
}

bool range_text_splits(const struct range_conf *conf)
{
	const struct range range = { .conf = bounded(conf) };

	return range_takes_runs(&range);
}

void range_text_leave(const struct range_text *t, struct range_carry *ret)
{
	*ret = (struct range_carry){
		.depth = t->range.open ? t->range.depth : 0,
		.so_far = t->range.so_far,
		.begun = t->begun,
		.before = t->before,
	};
}

void range_text_resume(struct range_text *t, const struct range_carry *carry, uint64_t offset)
{
	t->range.open = carry->depth > 0;
	t->range.depth = carry->depth;
	t->range.so_far = carry->so_far;
	t->begun = carry->begun;
	t->before = carry->before;
	t->offset = offset;
}

void range_text_end(struct range_text *t, enum range_reason reason)
{
	struct range_closed closed;

	if (range_close(&t->range, reason, &closed))
		tell_closed(t, &closed);
	t->offset = t->before = 0;
}
