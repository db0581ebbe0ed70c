/*
 * The records that end in one part of a file which several threads share. Edge.
 *
 * Where the separators are is found at once; the records between them are known, and told, when the
 * part before gave on where the last one of it ends. The last part is read as a text by itself.
 */
#ifndef TW_EXTRACT_RECORDS_PART_H
#define TW_EXTRACT_RECORDS_PART_H

#include "capture/extract_records.h"
#include "capture/extract_relay.h"

/* What a worker keeps from part to part. */
struct extract_records_part {
	struct extract_worker *worker;
	struct separators separators;
	struct extract_relay *relay;
	int fd; /* stays the caller's */
	struct buf text; /* of the file, from `offset` on */
	uint64_t offset;
	struct buf first; /* the record that began before `offset` */
};

/*
 * For the worker's plan, which has a separator that separators_alone() has nothing against. 0 or
 * -errno.
 */
int extract_records_part_new(struct extract_worker *worker, struct extract_records_part **ret);
void extract_records_part_free(struct extract_records_part *part);

/*
 * Part `number` of the file, from `begin` to before `stop`; UINT64_MAX: to its end. Always gives on
 * what the next one waits for. Adds to the worker's `bytes`; `ret_ended` is where the reading
 * ended. 0 or a negative errno.
 */
int extract_records_part(struct extract_records_part *part, struct extract_relay *relay, int fd,
			 uint64_t number, uint64_t begin, uint64_t stop, uint64_t *ret_ended);

#endif
