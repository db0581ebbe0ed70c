#include "capture/extract_range.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* ---- the rule -------------------------------------------------------------------------------- */

int extract_range_compile(const struct pattern_conf *conf, struct extract_range_rule *ret,
			  struct err *err)
{
	int code;

	*ret = (struct extract_range_rule){ .conf = conf->range };
	code = pattern_compile_delimiter(conf, conf->begin, "begin", &ret->begin, err);
	if (!code)
		code = pattern_compile_delimiter(conf, conf->end, "end", &ret->end, err);
	if (code)
		extract_range_rule_done(ret);
	return code;
}

void extract_range_rule_done(struct extract_range_rule *rule)
{
	pattern_free(rule->begin);
	pattern_free(rule->end);
	*rule = (struct extract_range_rule){ 0 };
}

/* What is kept back has to fit with its last line, so that one too long is known to be. */
size_t extract_range_line_max(const struct extract_range_rule *rule)
{
	uint64_t max = rule->conf.open_end == RANGE_DROP ? rule->conf.max_bytes : 0;

	return max >= EXTRACT_RANGE_LINE_MAX ? (size_t)max + 1 : EXTRACT_RANGE_LINE_MAX;
}

/* ---- what is shown --------------------------------------------------------------------------- */

/* A line, or a part of one, with its LF if that is there. */
static void write_line(struct extract_worker *worker, const uint8_t *p, size_t len, uint64_t offset,
		       uint64_t before, bool begun, bool more)
{
	const struct hit_format *format = &worker->plan->format;
	bool ends = len && p[len - 1] == '\n';
	const struct hit_line line = {
		.text = p,
		.len = len - ends,
		.offset = offset,
		.line = format->lines ? before + 1 : 0,
		.begun = begun,
		.more = more || (!ends && format->raw && !format->json),
	};

	hit_format_line(format, worker->source, &line, &worker->outlet.buf);
	extract_outlet_record(&worker->outlet);
}

/* Whether lines are written as they stand in the text. */
static bool as_they_are(const struct hit_format *format)
{
	return !format->json && !format->names && !format->lines && !format->offsets &&
	       !format->escape && format->end == '\n';
}

static void write_lines(struct extract_worker *worker, const uint8_t *lines, size_t len,
			uint64_t offset, uint64_t before)
{
	const uint8_t *p = lines, *end = lines + len;

	if (as_they_are(&worker->plan->format)) {
		const uint8_t *last = line_start(lines, end - 1);

		buf_add(&worker->outlet.buf, lines, (size_t)(last - lines));
		p = last;
	}
	while (p < end) {
		const uint8_t *next = line_end(p, end);

		write_line(worker, p, (size_t)(next - p), offset + (uint64_t)(p - lines), before++,
			   false, false);
		p = next;
	}
}

/* With patterns what counts are their matches, else the ranges, or the lines outside of them. */
static void count_hits(struct extract_worker *worker, uint64_t n)
{
	if (worker->plan->search->n || !n)
		return;
	worker->scan.hits += n;
	if (worker->plan->show == EXTRACT_QUIET)
		extract_out_stop(worker->outlet.out);
}

static void count_outside(struct extract_worker *worker, const uint8_t *lines, size_t len)
{
	if (worker->plan->range->conf.outside)
		count_hits(worker, lines_count(lines, len) + (lines[len - 1] != '\n'));
}

static void on_shown(void *data, const uint8_t *lines, size_t len, uint64_t offset, uint64_t before)
{
	struct extract_range *range = data;
	struct extract_worker *worker = range->worker;

	if (range->in_part) {
		range->part_shown = true;
		return;
	}
	if (worker->plan->search->n) {
		worker->scan.lines = before;
		text_scan_block(&worker->scan, lines, len, offset);
		return;
	}
	count_outside(worker, lines, len);
	if (worker->plan->show == EXTRACT_RECORDS)
		write_lines(worker, lines, len, offset, before);
}

static void on_closed(void *data, const struct range_closed *closed, uint64_t offset)
{
	struct extract_range *range = data;
	struct extract_worker *worker = range->worker;
	const struct range_conf *conf = &worker->plan->range->conf;
	bool dropped = conf->open_end == RANGE_DROP && closed->reason != RANGE_CLOSED_END;

	if (!conf->outside)
		count_hits(worker, !dropped);
	if (!worker->plan->format.json || worker->plan->show != EXTRACT_RECORDS)
		return;
	hit_format_range(&worker->plan->format, worker->source, closed, offset,
			 &worker->outlet.buf);
	extract_outlet_record(&worker->outlet);
}

static const struct range_text_ops ops = { .shown = on_shown, .closed = on_closed };

/* ---- one part of several --------------------------------------------------------------------- */

static void show_nothing(void *data, const uint8_t *lines, size_t len, uint64_t offset,
			 uint64_t before)
{
	(void)data;
	(void)lines;
	(void)len;
	(void)offset;
	(void)before;
}

static const struct range_text_ops ops_ahead = { .shown = show_nothing };

void extract_range_part_begin(struct extract_range *range, struct extract_relay *relay,
			      uint64_t part, uint64_t stop, bool last)
{
	range->relay = relay;
	range->part = part;
	range->stop = stop;
	range->last = last;
	range->state = RELAY_TO_TAKE;
}

static void look_ahead(struct extract_range *range, const struct range_carry *carry,
		       uint64_t offset, const uint8_t *lines, size_t len)
{
	range_text_resume(&range->ahead, carry, offset);
	range_text_feed(&range->ahead, lines, len, 0);
}

static void give(struct extract_range *range, const struct range_text *text)
{
	union extract_carry carry;

	range_text_leave(text, &carry.range);
	extract_relay_give(range->relay, &carry);
	range->state = RELAY_GIVEN;
}

/*
 * The search goes first, with a guess at what comes from the parts before. When that is known, the
 * places that were found are gone through without a look at what is between them, so the next part
 * knows it in turn; and then once more, to show what is to be shown. `all`: the part is no more
 * than these lines.
 */
static void take_part(struct extract_range *range, uint64_t offset, const uint8_t *lines,
		      size_t len, bool all)
{
	union extract_carry carry;

	range_places_reset(&range->guessed);
	range_places_reset(&range->found);
	extract_relay_peek(range->relay, &carry);
	range->ahead.count_lines = range->ahead.number_lines = false;
	range->ahead.found = &range->guessed;
	look_ahead(range, &carry.range, offset, lines, len);

	extract_relay_take(range->relay, range->part, &carry);
	range->ahead.count_lines = range->text.count_lines;
	range->ahead.number_lines = range->text.number_lines;
	range->ahead.known = &range->guessed;
	range->ahead.found = &range->found;
	look_ahead(range, &carry.range, offset, lines, len);

	range_text_resume(&range->text, &carry.range, offset);
	range->text.known = &range->found;
	range->state = RELAY_TO_GIVE;
	if (all)
		give(range, &range->ahead);
}

/* Of lines that are too long there is no looking ahead. */
static void wait_for_part(struct extract_range *range, uint64_t offset)
{
	union extract_carry carry;

	if (!range->relay || range->state != RELAY_TO_TAKE)
		return;
	extract_relay_take(range->relay, range->part, &carry);
	range_text_resume(&range->text, &carry.range, offset);
	range->state = RELAY_TO_GIVE;
}

/* ---- of a worker ----------------------------------------------------------------------------- */

int extract_range_new(struct extract_worker *worker, struct extract_range **ret)
{
	const struct extract_range_rule *rule = worker->plan->range;
	struct extract_range *range = calloc(1, sizeof(*range));

	if (!range)
		return -ENOMEM;
	range->worker = worker;
	range_text_init(&range->text, &rule->conf, rule->begin, rule->end, worker->scan.scratch,
			&ops, range);
	range_text_init(&range->ahead, &rule->conf, rule->begin, rule->end, worker->scan.scratch,
			&ops_ahead, range);
	range->text.count_lines = worker->plan->format.json;
	range->text.number_lines = worker->plan->format.lines;
	*ret = range;
	return 0;
}

void extract_range_free(struct extract_range *range)
{
	if (!range)
		return;
	range_text_done(&range->text);
	range_text_done(&range->ahead);
	range_places_done(&range->guessed);
	range_places_done(&range->found);
	free(range);
}

void extract_range_feed(struct extract_range *range, const uint8_t *lines, size_t len,
			uint64_t offset)
{
	if (range->relay && range->state == RELAY_TO_TAKE)
		take_part(range, offset, lines, len, !range->last && offset + len >= range->stop);
	range_text_feed(&range->text, lines, len, 0);
}

static void complain(struct extract_range *range, uint64_t offset)
{
	struct extract_worker *worker = range->worker;
	struct err text;

	worker->gaps++;
	err_set(&text, 0,
		"%s: the line at byte %" PRIu64
		" is longer than %zu bytes: it was looked at for --begin and --end no further",
		worker->source, offset, extract_range_line_max(worker->plan->range));
	worker->plan->complain(worker->plan->data, text.text);
}

static void write_part(struct extract_worker *worker, const uint8_t *part, size_t len,
		       uint64_t offset, uint64_t before, bool begins, bool last)
{
	if (begins && worker->plan->range->conf.outside)
		count_hits(worker, 1);
	if (worker->plan->show == EXTRACT_RECORDS)
		write_line(worker, part, len, offset, before, !begins, !last);
}

bool extract_range_part(struct extract_range *range, const uint8_t *part, size_t len,
			uint64_t offset, bool begins, bool last)
{
	uint64_t before;

	wait_for_part(range, offset);
	before = range->text.before;
	if (begins) {
		range->part_shown = false;
		range->in_part = true;
		range_text_feed(&range->text, part, len, 0);
		range->in_part = false;
		complain(range, offset);
	} else {
		range->part_shown = range_text_continue(&range->text, len, last);
	}
	if (!range->part_shown)
		return false;
	range->worker->scan.lines = before;
	if (!range->worker->plan->search->n)
		write_part(range->worker, part, len, offset, before, begins, last);
	return true;
}

void extract_range_end(struct extract_range *range, enum range_reason reason)
{
	struct extract_worker *worker = range->worker;
	struct range_text *text = &range->text;
	uint64_t before;

	wait_for_part(range, 0);
	before = text->before;
	if (!range->relay || range->last || reason == RANGE_CLOSED_GAP)
		range_text_end(text, reason);
	if (range->relay && range->state == RELAY_TO_GIVE) {
		text->before = before;
		give(range, text);
	}
	range->relay = NULL;
	worker->ranges += text->n_ranges;
	worker->dropped += text->n_dropped;
	worker->range_limited += text->n_limited;
	worker->range_overrun += text->n_overrun;
	text->n_limited = text->n_overrun = text->n_ranges = text->n_dropped = 0;
}

static void say_loss(const struct extract_plan *plan, const char *source, uint64_t n,
		     const char *what)
{
	struct err text;

	if (!n)
		return;
	err_set(&text, 0, "%s: %" PRIu64 " %s", source, n, what);
	plan->complain(plan->data, text.text);
}

uint64_t extract_range_tell(const struct extract_plan *plan, const char *source,
			    const struct extract_range_losses *losses)
{
	say_loss(plan, source, losses->limited,
		 "lines on which --begin or --end took more steps than --match-limit: as if they "
		 "did not match");
	say_loss(plan, source, losses->overrun,
		 "ranges that could not be kept back until --end, since they are larger than "
		 "--max-lines or --max-bytes: they are not shown");
	return losses->limited + losses->overrun;
}
