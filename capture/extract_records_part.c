#include "capture/extract_records_part.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/base/fd_io.h"

/* What is read behind a part, again and again until its last separator is known to end. */
#define BEHIND ((size_t)4 << 10)

#define STEP ((size_t)256 << 10)

int extract_records_part_new(struct extract_worker *worker, struct extract_records_part **ret)
{
	struct extract_records_part *part = calloc(1, sizeof(*part));
	int code;

	if (!part)
		return -ENOMEM;
	part->worker = worker;
	buf_init(&part->text, SIZE_MAX / 2);
	buf_init(&part->first, SIZE_MAX / 2);
	code = separators_init(&part->separators, worker->plan->separator);
	if (code) {
		free(part);
		return code;
	}
	*ret = part;
	return 0;
}

void extract_records_part_free(struct extract_records_part *part)
{
	if (!part)
		return;
	separators_done(&part->separators);
	buf_done(&part->text);
	buf_done(&part->first);
	free(part);
}

/*
 * Appends what the file has at `at`, but not more than `want`: how much that was, or a negative
 * errno.
 */
static ssize_t read_to(struct buf *to, int fd, uint64_t at, size_t want)
{
	char *room = buf_reserve(to, want);
	ssize_t n = room ? fd_read_at(fd, room, want, (off_t)at) : -ENOMEM;

	to->len += n > 0 ? (size_t)n : 0;
	return n;
}

/* What a search that begins at `from` looks back at. */
static size_t lookback(const struct extract_records_part *part, uint64_t from)
{
	size_t lookback = pattern_lookback(part->worker->plan->separator);

	/* One more: a search may begin with the CR before. */
	return from <= lookback ? (size_t)from : lookback + 1;
}

/* ---- where the separators are ---------------------------------------------------------------- */

/* Until all are known that begin in the part, in what was read of it and then in what is. */
static int search_from(struct extract_records_part *part, uint64_t from)
{
	struct regex_scratch *scratch = part->worker->scan.scratch;
	size_t at = from < part->offset + part->text.len ? (size_t)(from - part->offset)
							 : part->text.len;

	while (!separators_feed(&part->separators, scratch, (uint8_t *)part->text.data + at,
				part->text.len - at)) {
		ssize_t n;

		at = part->text.len;
		n = read_to(&part->text, part->fd, part->offset + at, BEHIND);
		if (n < 0)
			return (int)n;
		if (n == 0) {
			part->separators.unsure = true;
			break;
		}
	}
	return 0;
}

static int guess(struct extract_records_part *part, uint64_t begin, uint64_t stop)
{
	const size_t before = lookback(part, begin);
	const uint8_t *text;
	uint64_t from = begin;
	ssize_t n;

	buf_reset(&part->text);
	part->offset = begin - before;
	n = read_to(&part->text, part->fd, part->offset, before + (size_t)(stop - begin) + BEHIND);
	if (n < 0)
		return (int)n;
	text = (uint8_t *)part->text.data;
	/* A search that comes from before may not begin between CR and LF. */
	if (begin && (size_t)n >= before && text[before - 1] == '\r')
		from--;
	separators_begin(&part->separators, begin, stop, from, text,
			 (size_t)n < before ? (size_t)n : (size_t)(from - part->offset));
	return search_from(part, from);
}

/* A separator of the part before ends at `from`, which is in this one. */
static int search_again(struct extract_records_part *part, uint64_t from)
{
	const size_t len = lookback(part, from);

	while (part->offset + part->text.len < from) {
		ssize_t n = read_to(&part->text, part->fd, part->offset + part->text.len, STEP);

		if (n == 0)
			part->separators.list.n = 0;
		if (n <= 0)
			return (int)n;
	}
	separators_again(&part->separators, from,
			 (uint8_t *)part->text.data + (from - part->offset) - len, len);
	return search_from(part, from);
}

/*
 * Waits for the part before, and tells the next one where it begins. `code`: this one was not read.
 */
static int settle(struct extract_records_part *part, uint64_t number, int code,
		  struct record_carry *ret)
{
	struct separators *s = &part->separators;
	union extract_carry carry;

	extract_relay_take(part->relay, number, &carry);
	*ret = carry.record;
	if (code || carry.record.begin >= s->stop) {
		s->list.n = 0;
		s->unsure = false;
	} else if (!s->unsure && carry.record.begin > s->from) {
		code = search_again(part, carry.record.begin);
	}
	if (s->list.n) {
		const struct separator *last = &s->list.v[s->list.n - 1];

		carry.record.n += s->list.n;
		carry.record.begin = s->begin + last->at + last->len;
	}
	code = code || !s->list.failed ? code : -ENOMEM;
	if (code || s->unsure)
		carry.record.begin = RECORD_NOWHERE;
	extract_relay_give(part->relay, &carry);
	return code;
}

/* ---- the records ----------------------------------------------------------------------------- */

/* Bytes `from` to `to` of the file; NULL when it has no such ones any more. */
static const uint8_t *bytes_of(struct extract_records_part *part, uint64_t from, uint64_t to)
{
	if (from >= part->offset)
		return (const uint8_t *)part->text.data + (from - part->offset);
	buf_reset(&part->first);
	if (read_to(&part->first, part->fd, from, (size_t)(to - from)) != (ssize_t)(to - from))
		return NULL;
	return (const uint8_t *)part->first.data;
}

static void tell_record(struct extract_records_part *part, const struct record_carry *record,
			uint64_t end, uint32_t rt_len)
{
	/* Of a record that is too large nothing is looked at. */
	bool whole = end - record->begin <= EXTRACT_RECORD_MAX;
	const uint8_t *text = bytes_of(part, whole ? record->begin : end, end + rt_len);
	struct hit_line line = {
		.text = text,
		.len = (size_t)(end - record->begin),
		.offset = record->begin,
		.line = record->n + 1,
		.rt = whole && text ? text + (end - record->begin) : text,
		.rt_len = rt_len,
		.is_record = true,
	};

	if (text)
		extract_records_tell(part->worker, &line);
}

static void tell_records(struct extract_records_part *part, struct record_carry record)
{
	const struct separators *s = &part->separators;

	for (size_t i = 0; i < s->list.n && !extract_out_stopped(part->worker->outlet.out); i++) {
		const uint64_t at = s->begin + s->list.v[i].at;
		const uint32_t len = s->list.v[i].len;

		tell_record(part, &record, at, len);
		record = (struct record_carry){ .begin = at + len, .n = record.n + 1 };
	}
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Goes on in the record that the part before ended in: no separator begins before `begin`. */
static int resume(struct extract_records_part *part, const struct record_carry *record,
		  uint64_t begin, uint64_t *ret_from)
{
	uint64_t from = record->begin > begin ? record->begin : begin;
	const size_t before = lookback(part, from);
	ssize_t n;

	buf_reset(&part->text);
	n = read_to(&part->text, part->fd, from - before, before);
	if (n < 0)
		return (int)n;
	/* As guess() does. */
	if (record->begin < begin && n && part->text.data[n - 1] == '\r') {
		from--;
		n--;
	}
	extract_records_resume(part->worker->separated, record->begin, record->n, from,
			       (uint8_t *)part->text.data, (size_t)n);
	*ret_from = from;
	return 0;
}

/* From `begin` to the end of the text. */
static int read_on(struct extract_records_part *part, const struct record_carry *record,
		   uint64_t begin, uint64_t *ret_ended)
{
	struct extract_records *records = part->worker->separated;
	uint64_t at = record->begin, from = begin;
	ssize_t n;
	int code = resume(part, record, begin, &from);

	if (code)
		return code;
	do {
		size_t want = at < from && from - at < STEP ? (size_t)(from - at) : STEP;

		buf_reset(&part->text);
		n = read_to(&part->text, part->fd, at, want);
		if (n < 0)
			break;
		if (at < from)
			extract_records_skip(records, (uint8_t *)part->text.data, (size_t)n);
		else
			extract_records_feed(records, (uint8_t *)part->text.data, (size_t)n);
		at += (size_t)n;
	} while (n && !extract_out_stopped(part->worker->outlet.out));
	extract_records_end(records);
	part->worker->bytes += at > begin ? at - begin : 0;
	*ret_ended = at;
	return n < 0 ? (int)n : 0;
}

static int last_part(struct extract_records_part *part, uint64_t number, uint64_t begin,
		     uint64_t *ret_ended)
{
	union extract_carry carry;

	extract_relay_take(part->relay, number, &carry);
	extract_relay_give(part->relay, &carry);
	if (carry.record.begin == RECORD_NOWHERE)
		return 0;
	return read_on(part, &carry.record, begin, ret_ended);
}

/* Whether another part reads on to the end, or nothing is known of any: that stays so. */
static bool is_for_nothing(struct extract_relay *relay)
{
	union extract_carry carry;

	extract_relay_peek(relay, &carry);
	return carry.record.begin == RECORD_NOWHERE;
}

int extract_records_part(struct extract_records_part *part, struct extract_relay *relay, int fd,
			 uint64_t number, uint64_t begin, uint64_t stop, uint64_t *ret_ended)
{
	struct record_carry record;
	int code = 0;

	part->relay = relay;
	part->fd = fd;
	if (stop == UINT64_MAX)
		return last_part(part, number, begin, ret_ended);
	if (!is_for_nothing(relay))
		code = guess(part, begin, stop);
	code = settle(part, number, code, &record);
	if (record.begin == RECORD_NOWHERE)
		return code;
	if (part->separators.unsure) {
		part->worker->rests++;
		return code ? code : read_on(part, &record, begin, ret_ended);
	}
	if (!code)
		tell_records(part, record);
	part->worker->bytes += stop - begin;
	*ret_ended = part->offset + part->text.len;
	return code;
}
