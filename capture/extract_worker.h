/*
 * One thread of an extraction: pieces of a text in, records out. Edge.
 */
#ifndef TW_EXTRACT_WORKER_H
#define TW_EXTRACT_WORKER_H

#include "capture/extract_order.h"
#include "capture/extract_out.h"
#include "capture/hit_format.h"
#include "capture/stream_match.h"
#include "capture/text_input.h"
#include "capture/text_scan.h"

/*
 * What may be kept of one match where the subject is not held as a whole: a line longer than
 * TEXT_INPUT_LINE_MAX, and a text that is one subject.
 */
#define EXTRACT_LINE_MATCH_MAX	((size_t)8 << 20)
#define EXTRACT_WHOLE_MATCH_MAX ((size_t)1 << 30)

/* Losses of one input that are told one by one; JSON has all of them. */
#define EXTRACT_LOSSES_TOLD 5u

/* Said where extract_outlet.full is set. */
#define EXTRACT_OUT_OF_MEMORY "out of memory: not all that was found is shown"

enum extract_show {
	EXTRACT_RECORDS,
	EXTRACT_COUNT, /* of matches, a line for each input */
	EXTRACT_QUIET, /* whether there is one at all */
};

struct extract_range;
struct extract_records;
struct extract_records_part;
struct extract_range_rule;

/* What all threads share and none changes. */
struct extract_plan {
	const struct search *search;
	struct hit_format format;
	enum extract_show show;
	bool whole; /* the text is one subject */
	const struct extract_range_rule *range; /* what is searched; NULL: all */
	const struct pattern *separator; /* of records; NULL: there are lines, or one text */
	/* What was not searched, once for each place; from any thread. */
	void (*complain)(void *data, const char *text);
	/* More of an input was searched; from any thread. */
	void (*searched)(void *data, const char *source, uint64_t bytes);
	void *data;
};

struct extract_worker {
	const struct extract_plan *plan;
	struct text_scan scan;
	struct extract_outlet outlet;
	struct extract_order order; /* of several rules, in a subject in parts */
	bool ordered; /* what is found now */
	bool disordered; /* too much would have waited: that was told */
	const char *source;
	struct text_input *input; /* whose piece is searched */
	uint64_t told; /* hits of the piece */
	uint64_t sure; /* of them, those whose records stay: the piece was intact then */
	size_t sure_len; /* of the outlet's records */
	uint64_t skip; /* hits that come again and have their records already */
	struct search_count *counts; /* as they were before the piece */
	/* A subject in parts. */
	struct stream_match *matchers; /* one for each rule; NULL: not needed yet */
	size_t matcher; /* the one that is fed */
	const uint8_t *part;
	uint64_t part_offset;
	uint64_t part_lines; /* before the part, of a text that is one subject */
	uint64_t counted, counted_lines; /* a place in the part, or its end, and the lines before */
	struct extract_range *range; /* NULL: the plan has none */
	uint64_t ranges, dropped;
	uint64_t range_limited, range_overrun; /* as of a range_text */
	struct extract_records *separated; /* NULL: the plan has no separator */
	struct extract_records_part *separated_part; /* NULL: no part was searched yet */
	const struct hit_line *record; /* in hand; NULL: none */
	uint64_t records;
	uint64_t rests; /* of texts that others search in parts, which this one searched alone */
	uint64_t bytes; /* searched */
	uint64_t losses; /* of subjects in parts */
	uint64_t gaps; /* places that were not, or not fully, searched */
};

/* -ENOMEM. Plan and out outlive the worker. */
int extract_worker_init(struct extract_worker *worker, const struct extract_plan *plan,
			struct extract_out *out);
void extract_worker_done(struct extract_worker *worker);

/* Searches what the input gives. 0, -ENOMEM or the error of text_input_next(). */
int extract_worker_run(struct extract_worker *worker, struct text_input *input);

#endif
