/*
 * The matches in the lines of a text, which comes in blocks of whole lines.
 *
 * Pure. A subject is one line without its LF or CRLF: nothing that a match, a lookahead or \z sees
 * is behind it. Where a rule cannot match without certain texts, only lines that hold one are
 * looked at. The matches of a line are told in the order of where they start, then of the rules.
 */
#ifndef TW_TEXT_SCAN_H
#define TW_TEXT_SCAN_H

#include "capture/hit.h"
#include "capture/hit_kept.h"
#include "capture/search.h"

struct text_scan {
	const struct search *search;
	struct regex_scratch *scratch;
	hit_cb cb;
	/*
	 * In the place of `cb`, for many hits at once of a rule that tells nothing but them; set by
	 * the owner. `block` goes on to `end`; nobody stops within.
	 */
	void (*spans_cb)(void *data, const uint8_t *block, const uint8_t *end,
			 const struct span *spans, size_t n);
	void *data;
	bool count_lines; /* whether hits have the number of their line */
	bool first_only; /* nothing is searched behind the first hit */
	bool stop; /* nothing more of the block is: may be set by the callback */

	struct search_count *counts; /* of each rule */
	/* How often each rule was given up on by all scans of one input; NULL: this one is all. */
	uint64_t *given_up;
	uint64_t hits;
	uint64_t lines; /* before `counted` */
	const uint8_t *counted;
	uint64_t offset; /* of the block in hand */
	const uint8_t *block;
	struct text_scan_several *several; /* NULL: one rule */
	struct hit_kept kept; /* what several had in the line in hand */
};

/* The search and the callback's data outlive the scan. -ENOMEM. */
int text_scan_init(struct text_scan *scan, const struct search *search, hit_cb cb, void *data);
void text_scan_done(struct text_scan *scan);

/*
 * Whole lines; only the last line of the text may lack its LF. `offset` is where the block begins
 * in the input, and with count_lines `scan->lines` how many lines are before it, which is kept.
 */
void text_scan_block(struct text_scan *scan, const uint8_t *block, size_t len, uint64_t offset);

/*
 * One subject as it stands, in the place of a block of lines; the number of its line, with
 * count_lines, is one more than `scan->lines`.
 */
void text_scan_subject(struct text_scan *scan, const uint8_t *subject, size_t len, uint64_t offset);

#endif
