/*
 * An extraction from records that a pattern separates: text in, the records, or the matches in
 * them, out. Edge.
 *
 * As awk splits with RS: the separator belongs to no record, and behind the last one there is a
 * record only if there is text. A record is a subject of its own.
 */
#ifndef TW_EXTRACT_RECORDS_H
#define TW_EXTRACT_RECORDS_H

#include "capture/extract_worker.h"
#include "capture/separators.h"

/* A larger record is not searched, which is a gap. */
#define EXTRACT_RECORD_MAX ((size_t)16 << 20)

struct extract_records {
	struct extract_worker *worker;
	struct stream_match separator;
	struct literal_finder finder;
	struct buf text; /* from the end of the separator before on, and what is dropped of it */
	size_t begin; /* of the record, in `text` */
	uint64_t offset; /* of text.data[0] in the input */
	uint64_t n; /* records before */
	uint64_t too_large; /* bytes of the record in hand that were thrown away */
};

/* For the worker's plan, which has a separator. -ENOMEM, -E2BIG: it looks back too far. */
int extract_records_new(struct extract_worker *worker, struct extract_records **ret);
void extract_records_free(struct extract_records *records);

void extract_records_feed(struct extract_records *records, const uint8_t *data, size_t len);

/* The input ends. */
void extract_records_end(struct extract_records *records);

/*
 * Goes on in the middle of a text, in record `n` + 1, which begins at `begin`: there is a separator
 * only from `from` on, which is what is fed next but for the record's bytes before it, by
 * extract_records_skip(). `before` is what precedes `from`, as for stream_match_resume().
 */
void extract_records_resume(struct extract_records *records, uint64_t begin, uint64_t n,
			    uint64_t from, const uint8_t *before, size_t len);
void extract_records_skip(struct extract_records *records, const uint8_t *data, size_t len);

/* Tells a record, number line->line, or the matches in it; too large a one is complained of. */
void extract_records_tell(struct extract_worker *worker, const struct hit_line *line);

#endif
