#include "capture/extract_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/extract_range.h"
#include "capture/extract_records_part.h"
#include "capture/extract_subject.h"

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
			       extract_subject_records(worker));
		if (worker->ordered)
			extract_subject_record(worker, hit->offset + hit->match->whole.start,
					       hit->rule);
		else
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
	extract_order_init(&worker->order, worker->outlet.buf.max);
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
	extract_subject_done(worker);
	free(worker->counts);
	extract_range_free(worker->range);
	extract_records_free(worker->separated);
	extract_records_part_free(worker->separated_part);
	text_scan_done(&worker->scan);
	extract_order_done(&worker->order);
	extract_outlet_done(&worker->outlet);
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

		if (!shown)
			extract_subject_cut(worker);
		if (!shown || !worker->plan->search->n)
			return 0;
	}
	return extract_subject_part(worker, data, len, offset, begins, last);
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
	extract_subject_end(worker);
	if (worker->separated)
		extract_records_end(worker->separated);
	if (worker->range)
		extract_range_end(worker->range, code ? RANGE_CLOSED_GAP : RANGE_CLOSED_EOF);
	return code;
}
