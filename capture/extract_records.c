#include "capture/extract_records.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Room for what is fed at once behind the largest record. */
#define TEXT_MAX (EXTRACT_RECORD_MAX + SEPARATOR_MAX + ((size_t)4 << 20))

/* Something about record `n` + 1, which is a gap. */
static void complain(struct extract_worker *worker, uint64_t n, uint64_t offset, const char *what)
{
	struct err text;

	worker->gaps++;
	err_set(&text, 0, "%s: record %" PRIu64 " at byte %" PRIu64 ": %s", worker->source, n + 1,
		offset, what);
	worker->plan->complain(worker->plan->data, text.text);
}

/* ---- one record ------------------------------------------------------------------------------ */

static void write_record(struct extract_worker *worker, const struct hit_line *line)
{
	struct hit_line shown = *line;

	worker->scan.hits++;
	if (worker->plan->show == EXTRACT_QUIET)
		extract_out_stop(worker->outlet.out);
	if (worker->plan->show != EXTRACT_RECORDS)
		return;
	shown.line = worker->plan->format.lines ? line->line : 0;
	hit_format_line(&worker->plan->format, worker->source, &shown, &worker->outlet.buf);
	extract_outlet_record(&worker->outlet);
}

void extract_records_tell(struct extract_worker *worker, const struct hit_line *line)
{
	worker->records++;
	if (line->len > EXTRACT_RECORD_MAX) {
		complain(worker, line->line - 1, line->offset,
			 "it is larger than 16 MiB: it was not searched");
	} else if (!worker->plan->search->n) {
		write_record(worker, line);
	} else {
		worker->record = line;
		worker->scan.lines = line->line - 1;
		text_scan_subject(&worker->scan, line->text, line->len, line->offset);
		worker->record = NULL;
	}
}

/* The record up to `end` in the input, and the separator behind it. */
static void take(struct extract_records *records, uint64_t end, size_t rt_len)
{
	const uint8_t *record = (const uint8_t *)records->text.data + records->begin;
	const size_t held = (size_t)(end - records->offset) - records->begin;
	const struct hit_line line = {
		.text = record,
		.len = held + records->too_large,
		.offset = records->offset + records->begin - records->too_large,
		.line = records->n + 1,
		.rt = record + held,
		.rt_len = rt_len,
		.is_record = true,
	};

	extract_records_tell(records->worker, &line);
	records->too_large = 0;
	records->n++;
	records->begin += held + rt_len;
}

static void on_separator(void *data, const struct hit *hit)
{
	struct extract_records *records = data;
	struct span whole = hit->match->whole;

	/* A lookbehind may have it begin in the separator before. */
	if (hit->offset + whole.start >= records->offset + records->begin)
		take(records, hit->offset + whole.start, whole.end - whole.start);
}

static void on_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	struct extract_records *records = data;

	(void)why;
	(void)to;
	complain(records->worker, records->n, from,
		 "--rs could not be looked for in all of it: it may be several");
}

static const struct stream_match_ops ops = { .match = on_separator, .loss = on_loss };

/* ---- the text -------------------------------------------------------------------------------- */

int extract_records_new(struct extract_worker *worker, struct extract_records **ret)
{
	struct extract_records *records = calloc(1, sizeof(*records));
	int code;

	if (!records)
		return -ENOMEM;
	records->worker = worker;
	buf_init(&records->text, TEXT_MAX);
	code = separator_search_init(&records->separator, worker->plan->separator, &records->finder,
				     &ops, records);
	if (code) {
		free(records);
		return code;
	}
	stream_match_begin(&records->separator, 0);
	*ret = records;
	return 0;
}

void extract_records_free(struct extract_records *records)
{
	if (!records)
		return;
	stream_match_done(&records->separator);
	buf_done(&records->text);
	free(records);
}

static void drop(struct extract_records *records, size_t n)
{
	memmove(records->text.data, records->text.data + n, records->text.len - n);
	records->text.len -= n;
	records->offset += n;
	records->begin -= n;
}

/* Of a record that is too large the last bytes stay: a separator may have begun in them. */
static void bound(struct extract_records *records)
{
	size_t held = records->text.len - records->begin;

	if (held > EXTRACT_RECORD_MAX + SEPARATOR_MAX ||
	    (records->too_large && held > 2 * SEPARATOR_MAX)) {
		records->too_large += held - SEPARATOR_MAX;
		records->begin += held - SEPARATOR_MAX;
	}
	if (records->begin > records->text.len / 2)
		drop(records, records->begin);
}

void extract_records_feed(struct extract_records *records, const uint8_t *data, size_t len)
{
	buf_add(&records->text, data, len);
	stream_match_feed(&records->separator, records->worker->scan.scratch, data, len);
	bound(records);
}

void extract_records_resume(struct extract_records *records, uint64_t begin, uint64_t n,
			    uint64_t from, const uint8_t *before, size_t len)
{
	records->offset = begin;
	records->n = n;
	stream_match_resume(&records->separator, before, len, from - len, from > len);
}

void extract_records_skip(struct extract_records *records, const uint8_t *data, size_t len)
{
	buf_add(&records->text, data, len);
	bound(records);
}

void extract_records_end(struct extract_records *records)
{
	stream_match_end(&records->separator, records->worker->scan.scratch, 0);
	if (records->text.failed)
		complain(records->worker, records->n, records->offset,
			 "out of memory: it was not searched");
	else if (records->text.len > records->begin || records->too_large)
		take(records, records->offset + records->text.len, 0);
	buf_reset(&records->text);
	records->begin = 0;
	records->offset = records->n = 0;
}
