#include "capture/extract_subject.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "agent/base/plural.h"
#include "capture/extract_worker.h"
#include "capture/json_writer.h"
#include "capture/lines.h"

/*
 * The rules take turns after so much, which bounds what has to wait for those whose turn is later.
 */
#define ORDER_SLICE ((size_t)4 << 10)

/* ---- records --------------------------------------------------------------------------------- */

struct buf *extract_subject_records(struct extract_worker *worker)
{
	return worker->ordered ? &worker->order.buf : &worker->outlet.buf;
}

/* Where the rule goes on that is the furthest behind: what any tells begins there or later. */
static uint64_t least_needed(const struct extract_worker *worker, size_t *ret_rule)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < worker->plan->search->n; i++) {
		uint64_t needs = stream_match_needs(&worker->matchers[i]);

		if (needs >= least)
			continue;
		least = needs;
		*ret_rule = i;
	}
	return least;
}

static void write_before(struct extract_worker *worker, uint64_t before)
{
	while (extract_order_take(&worker->order, before, &worker->outlet.buf))
		extract_outlet_record(&worker->outlet);
}

/* The order, and nothing else, is given up where one rule holds back too much. */
static void make_room(struct extract_worker *worker)
{
	struct err text;
	size_t rule = 0;

	write_before(worker, least_needed(worker, &rule));
	if (extract_order_size(&worker->order) <= EXTRACT_ORDER_MAX)
		return;
	if (!worker->disordered) {
		err_set(&text, 0,
			"%s: more than %zu MiB would wait for what rule %s may find before them: "
			"records are no longer in the order of the text",
			worker->source, EXTRACT_ORDER_MAX >> 20,
			worker->plan->search->rules[rule].name);
		worker->plan->complain(worker->plan->data, text.text);
	}
	worker->disordered = true;
	while (extract_order_size(&worker->order) > EXTRACT_ORDER_MAX / 2 &&
	       extract_order_take(&worker->order, UINT64_MAX, &worker->outlet.buf))
		extract_outlet_record(&worker->outlet);
}

void extract_subject_record(struct extract_worker *worker, uint64_t place, size_t rule)
{
	if (!worker->ordered) {
		extract_outlet_record(&worker->outlet);
		return;
	}
	if (!extract_order_add(&worker->order, place, rule))
		worker->outlet.full = true;
	if (extract_order_size(&worker->order) > EXTRACT_ORDER_MAX)
		make_room(worker);
}

/* ---- what is found --------------------------------------------------------------------------- */

/*
 * The lines before a match. The subject's window may begin before the part in hand, and may hold
 * nothing of what is before it.
 */
static uint64_t lines_before(struct extract_worker *worker, const struct hit *hit)
{
	const uint8_t *start = hit->subject + hit->match->whole.start;
	uint64_t at = hit->offset + hit->match->whole.start;

	if (at < worker->counted)
		return worker->counted_lines - lines_count(start, (size_t)(worker->counted - at));
	worker->counted_lines += lines_count(worker->part + (worker->counted - worker->part_offset),
					     (size_t)(at - worker->counted));
	worker->counted = at;
	return worker->counted_lines;
}

static void on_part_hit(void *data, const struct hit *in_part)
{
	struct extract_worker *worker = data;
	struct hit hit = *in_part;

	hit.rule = worker->matcher;
	if (worker->scan.count_lines)
		hit.line = worker->plan->whole ? lines_before(worker, in_part) + 1
					       : worker->scan.lines + 1;
	worker->scan.hits++;
	worker->scan.counts[hit.rule].matches++;
	worker->scan.cb(worker->scan.data, &hit);
}

static void loss_record(struct extract_worker *worker, const char *why, uint64_t from, uint64_t to)
{
	const char *rule = worker->plan->search->rules[worker->matcher].name;
	struct json_writer w = { .out = extract_subject_records(worker) };

	jw_object(&w, NULL);
	jw_text(&w, "source", worker->source);
	jw_text(&w, "rule", rule);
	jw_text(&w, "loss", why);
	jw_u64(&w, "offset", from);
	jw_u64(&w, "length", to - from);
	jw_object_end(&w);
	buf_addc(w.out, worker->plan->format.end);
	extract_subject_record(worker, from, worker->matcher);
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	struct extract_worker *worker = data;
	struct search_count *count = &worker->scan.counts[worker->matcher];
	struct err text;

	count->limited += why == STREAM_LOSS_LIMIT;
	count->overflowed += why == STREAM_LOSS_OVERFLOW;
	count->failed += why != STREAM_LOSS_LIMIT && why != STREAM_LOSS_OVERFLOW;
	worker->gaps++;
	if (worker->plan->format.json && worker->plan->show == EXTRACT_RECORDS)
		loss_record(worker, stream_loss_name(why), from, to);
	if (++worker->losses > EXTRACT_LOSSES_TOLD)
		return;
	err_set(&text, 0,
		"%s: rule %s: %s at bytes %" PRIu64 " to %" PRIu64
		": what starts there was not searched for",
		worker->source, worker->plan->search->rules[worker->matcher].name,
		stream_loss_name(why), from, to);
	worker->plan->complain(worker->plan->data, text.text);
}

static const struct stream_match_ops part_ops = { .match = on_part_hit, .loss = on_loss };

static int matchers_init(struct extract_worker *worker)
{
	const struct search *search = worker->plan->search;
	size_t max = worker->plan->whole ? EXTRACT_WHOLE_MATCH_MAX : EXTRACT_LINE_MATCH_MAX;

	worker->matchers = calloc(search->n + 1, sizeof(*worker->matchers));
	if (!worker->matchers)
		return -ENOMEM;
	for (size_t i = 0; i < search->n; i++) {
		const struct search_rule *rule = &search->rules[i];

		/* 64 KiB of pattern cannot look back further than the bound allows. */
		if (stream_match_init(&worker->matchers[i], rule->pattern,
				      rule->has_finder ? &rule->finder : NULL, &search->policy, max,
				      &part_ops, worker))
			return -ENOMEM;
	}
	return 0;
}

static void search_slice(struct extract_worker *worker, const uint8_t *data, size_t len,
			 uint64_t offset, bool begins, bool last)
{
	worker->part = data;
	worker->part_offset = offset;
	if (begins)
		worker->part_lines = 0;
	for (worker->matcher = 0; worker->matcher < worker->plan->search->n; worker->matcher++) {
		struct stream_match *matcher = &worker->matchers[worker->matcher];

		worker->counted = offset;
		worker->counted_lines = worker->part_lines;
		if (begins)
			stream_match_begin(matcher, offset);
		stream_match_feed(matcher, worker->scan.scratch, data, len);
		if (last)
			stream_match_end(matcher, worker->scan.scratch, offset + len);
	}
	if (!worker->scan.count_lines)
		return;
	if (worker->plan->whole)
		worker->part_lines += lines_count(data, len);
	else
		worker->scan.lines += last;
}

int extract_subject_part(struct extract_worker *worker, const uint8_t *data, size_t len,
			 uint64_t offset, bool begins, bool last)
{
	size_t n, rule;

	if (!worker->matchers && matchers_init(worker))
		return -ENOMEM;
	worker->ordered = worker->plan->search->n > 1 && worker->plan->show == EXTRACT_RECORDS;
	do {
		n = worker->ordered && len > ORDER_SLICE ? ORDER_SLICE : len;
		search_slice(worker, data, n, offset, begins, last && n == len);
		if (worker->ordered)
			write_before(worker, least_needed(worker, &rule));
		begins = false;
		data += n;
		offset += n;
		len -= n;
	} while (len);
	if (last)
		write_before(worker, UINT64_MAX);
	worker->ordered = false;
	return 0;
}

void extract_subject_cut(struct extract_worker *worker)
{
	write_before(worker, UINT64_MAX);
}

void extract_subject_end(struct extract_worker *worker)
{
	struct err text;

	extract_subject_cut(worker);
	if (worker->losses > EXTRACT_LOSSES_TOLD) {
		err_set(&text, 0, "%s: %" PRIu64 " more such %s", worker->source,
			worker->losses - EXTRACT_LOSSES_TOLD,
			plural(worker->losses - EXTRACT_LOSSES_TOLD, "place", "places"));
		worker->plan->complain(worker->plan->data, text.text);
	}
	worker->losses = 0;
}

void extract_subject_done(struct extract_worker *worker)
{
	for (size_t i = 0; worker->matchers && i < worker->plan->search->n; i++)
		stream_match_done(&worker->matchers[i]);
	free(worker->matchers);
}
