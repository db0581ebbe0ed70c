/*
 * A subject that is not held as a whole, a long line or a text, searched in parts. Edge.
 *
 * What several rules find is written in the order of the text, as extract_order.h has it: a record
 * waits until no rule can find one that begins before it, and no longer than EXTRACT_ORDER_MAX
 * allows. Beyond it the oldest are written as they are, and that is told once.
 */
#ifndef TW_EXTRACT_SUBJECT_H
#define TW_EXTRACT_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extract_worker;

/* The next bytes of a subject, at `offset` of the input. -ENOMEM. */
int extract_subject_part(struct extract_worker *worker, const uint8_t *data, size_t len,
			 uint64_t offset, bool begins, bool last);

/* A record of the rule, which begins at `place`, was added to extract_subject_records(). */
void extract_subject_record(struct extract_worker *worker, uint64_t place, size_t rule);
struct buf *extract_subject_records(struct extract_worker *worker);

/* No more of the subject is searched: what waits is written. */
void extract_subject_cut(struct extract_worker *worker);

/* The input ends: that too, and what was lost is told. */
void extract_subject_end(struct extract_worker *worker);

void extract_subject_done(struct extract_worker *worker);

#endif
