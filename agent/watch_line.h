/* A record as one line for a terminal. Pure. */
#ifndef TW_WATCH_LINE_H
#define TW_WATCH_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

/* Of matched text on a line; longer is cut and ends in "...". */
#define WATCH_TEXT_MAX 200

struct watch_seq {
	bool known;
	uint64_t seq; /* of the record */
	uint64_t next; /* of the record after it: a gap record stands for several */
};

/*
 * Appends TIME LINK WHAT..., without a newline, from one JSON record: rule, direction, addresses
 * and what matched for an alert; action and detail of an event; what was lost for a gap. Everything
 * outside printable ASCII is \xNN, since a guest chose it. Returns 0, or -EBADMSG for a line that
 * is no record. `ret_seq` is set either way.
 */
int watch_line(const char *record, size_t len, struct buf *out, struct watch_seq *ret_seq);

/*
 * Whether the record is of a link, set, pattern or log of one of the `n` names. A gap is, for what
 * is lost may have been.
 */
bool watch_is_of(const char *record, size_t len, char *const *names, size_t n);

#endif
