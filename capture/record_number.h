/*
 * The numbers in a record's line: read from the log that an agent before this one left, and
 * replaced where one worker made the record and another numbers it. Pure.
 */
#ifndef TW_RECORD_NUMBER_H
#define TW_RECORD_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

/* What JavaScript holds exactly. */
#define RECORD_SEQ_MAX ((UINT64_C(1) << 53) - 1)

struct record_numbers {
	uint64_t seq;
	uint64_t next; /* the seq that comes next: */
	bool lost; /* behind a gap of records, not seq + 1 */
	bool has_payload; /* others of its frame may name it by payload_seq */
	bool names_payload; /* by the next one: */
	uint64_t payload_seq;

	/* private: where in the line they are */
	size_t seq_at, seq_len, payload_at, payload_len;
};

/* Of a line without its newline. -EBADMSG for one that is no record of ours. */
int record_numbers_read(const char *line, size_t len, struct record_numbers *ret);

/*
 * Replaces what is in `out` by that line with other numbers: `numbers` is what was read of it, and
 * `payload_seq` NULL takes that key out. Whether it fitted is asked of `out`.
 */
void record_numbers_write(struct buf *out, const char *line, size_t len,
			  const struct record_numbers *numbers, uint64_t seq,
			  const uint64_t *payload_seq);

#endif
