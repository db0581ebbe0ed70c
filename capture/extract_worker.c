#include "capture/extract_worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/plural.h"
#include "capture/extract_range.h"
#include "capture/extract_records_part.h"
#include "capture/json_writer.h"
#include "capture/lines.h"

/*
 * Nothing is written, nor stops the search, that comes from a piece which was not all of the file.
 * What is in the outlet then goes, and the piece is searched again.
 */
static bool is_sure(struct extract_worker *worker)
{
	if (worker->input && !text_input_intact(worker->input)) {
		worker->scan.stop = true;
		return false;
	}
	worker->sure = worker->told;
	return true;
}

static void write_due(struct extract_worker *worker)
{
	if (!extract_outlet_due(&worker->outlet) || !is_sure(worker))
		return;
	extract_outlet_record(&worker->outlet);
	worker->sure_len = worker->outlet.buf.len;
}

static void on_hit(void *data, const struct hit *hit)
{
	struct extract_worker *worker = data;

	worker->told++;
	if (worker->skip) {
		worker->skip--;
		return;
	}
	switch (worker->plan->show) {
	case EXTRACT_RECORDS:
		hit_format_add(&worker->plan->format, worker->source, hit, worker->record,
			       &worker->outlet.buf);
		write_due(worker);
		break;
	case EXTRACT_COUNT:
		break;
	case EXTRACT_QUIET:
		if (is_sure(worker))
			extract_out_stop(worker->outlet.out);
		break;
	}
}

static void on_spans(void *data, const uint8_t *block, const uint8_t *end, const struct span *spans,
		     size_t n)
{
	struct extract_worker *worker = data;
	size_t skipped = worker->skip < n ? (size_t)worker->skip : n;

	worker->told += n;
	worker->skip -= skipped;
	if (worker->plan->show != EXTRACT_RECORDS)
		return;
	hit_format_spans(&worker->plan->format, block, end, spans + skipped, n - skipped,
			 &worker->outlet.buf);
	write_due(worker);
}

int extract_worker_init(struct extract_worker *worker, const struct extract_plan *plan,
			struct extract_out *out)
{
	*worker = (struct extract_worker){ .plan = plan };
	extract_outlet_init(&worker->outlet, out, 0);
	if (text_scan_init(&worker->scan, plan->search, on_hit, worker))
		return -ENOMEM;
	worker->counts = calloc(plan->search->n + 1, sizeof(*worker->counts));
	if (!worker->counts)
		return -ENOMEM;
	if (plan->show == EXTRACT_COUNT ||
	    (plan->show == EXTRACT_RECORDS && hit_format_is_bare(&plan->format)))
		worker->scan.spans_cb = on_spans;
	worker->scan.count_lines = plan->format.lines;
	worker->scan.first_only = plan->show == EXTRACT_QUIET;
	if (plan->separator)
		return extract_records_new(worker, &worker->separated);
	return plan->range ? extract_range_new(worker, &worker->range) : 0;
}

void extract_worker_done(struct extract_worker *worker)
{
	for (size_t i = 0; worker->matchers && i < worker->plan->search->n; i++)
		stream_match_done(&worker->matchers[i]);
	free(worker->matchers);
	free(worker->counts);
	extract_range_free(worker->range);
	extract_records_free(worker->separated);
	extract_records_part_free(worker->separated_part);
	text_scan_done(&worker->scan);
	extract_outlet_done(&worker->outlet);
}

/* ---- a subject in parts ---------------------------------------------------------------------- */

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
	on_hit(worker, &hit);
}

static void loss_record(struct extract_worker *worker, const char *why, uint64_t from, uint64_t to)
{
	const char *rule = worker->plan->search->rules[worker->matcher].name;
	struct json_writer w = { .out = &worker->outlet.buf };

	jw_object(&w, NULL);
	jw_text(&w, "source", worker->source);
	jw_text(&w, "rule", rule);
	jw_text(&w, "loss", why);
	jw_u64(&w, "offset", from);
	jw_u64(&w, "length", to - from);
	jw_object_end(&w);
	buf_addc(&worker->outlet.buf, worker->plan->format.end);
	extract_outlet_record(&worker->outlet);
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

static void tell_losses(struct extract_worker *worker)
{
	struct err text;

	if (worker->losses > EXTRACT_LOSSES_TOLD) {
		err_set(&text, 0, "%s: %" PRIu64 " more such %s", worker->source,
			worker->losses - EXTRACT_LOSSES_TOLD,
			plural(worker->losses - EXTRACT_LOSSES_TOLD, "place", "places"));
		worker->plan->complain(worker->plan->data, text.text);
	}
	worker->losses = 0;
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

static int search_part(struct extract_worker *worker, const uint8_t *data, size_t len,
		       uint64_t offset, bool begins, bool last)
{
	if (!worker->matchers && matchers_init(worker))
		return -ENOMEM;
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
		return 0;
	if (worker->plan->whole)
		worker->part_lines += lines_count(data, len);
	else
		worker->scan.lines += last;
	return 0;
}

/*
 * A line that is too long to be held, in parts. With ranges one behind the other is asked first
 * whether it is shown.
 */
static int take_part(struct extract_worker *worker, const struct text_input *input,
		     const uint8_t *data, size_t len, uint64_t offset, bool begins, bool last)
{
	if (worker->range) {
		/* Lines are shown with their CR and LF. */
		bool shown =
			extract_range_part(worker->range, data, input->given, offset, begins, last);

		if (!shown || !worker->plan->search->n)
			return 0;
	}
	return search_part(worker, data, len, offset, begins, last);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void scan_lines(struct extract_worker *worker, struct text_input *input, const uint8_t *data,
		       size_t len, uint64_t offset)
{
	const size_t size = worker->plan->search->n * sizeof(*worker->counts);
	struct text_scan *scan = &worker->scan;
	uint64_t hits = scan->hits, lines = scan->lines;

	if (!input->mapped) {
		text_scan_block(scan, data, len, offset);
		return;
	}
	memcpy(worker->counts, scan->counts, size);
	worker->input = input;
	worker->told = worker->sure = 0;
	worker->sure_len = worker->outlet.buf.len;
	text_scan_block(scan, data, len, offset);
	worker->input = NULL;
	if (text_input_intact(input))
		return;
	memcpy(scan->counts, worker->counts, size);
	scan->hits = hits;
	scan->lines = lines;
	scan->stop = false;
	worker->bytes -= len;
	worker->outlet.buf.len = worker->sure_len;
	worker->skip = worker->sure;
	text_input_retry(input);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

int extract_worker_run(struct extract_worker *worker, struct text_input *input)
{
	enum text_piece piece = TEXT_END;
	bool in_subject = false;
	const uint8_t *data;
	uint64_t offset;
	size_t len;
	int code = 0;

	while (!extract_out_stopped(worker->outlet.out)) {
		/* A pipe may have nothing for a while. */
		if (!input->seekable)
			extract_outlet_flush(&worker->outlet);
		code = text_input_next(input, &piece, &data, &len, &offset);
		if (code || piece == TEXT_END)
			break;
		worker->bytes += len;
		if (worker->separated)
			extract_records_feed(worker->separated, data, len);
		else if (piece != TEXT_LINES)
			code = take_part(worker, input, data, len, offset, !in_subject,
					 piece == TEXT_LAST_PART);
		else if (worker->range)
			extract_range_feed(worker->range, data, len, offset);
		else
			scan_lines(worker, input, data, len, offset);
		if (code)
			break;
		worker->plan->searched(worker->plan->data, worker->source, len);
		in_subject = piece == TEXT_PART;
	}
	/* What was cut off gives no hits to skip, and those of another part are not for it. */
	worker->skip = 0;
	tell_losses(worker);
	if (worker->separated)
		extract_records_end(worker->separated);
	if (worker->range)
		extract_range_end(worker->range, code ? RANGE_CLOSED_GAP : RANGE_CLOSED_EOF);
	return code;
}
