/* The last records, a page at a time, as a filter lets them through. Pure. */
#ifndef TW_RECORDS_H
#define TW_RECORDS_H

#include <stdint.h>

#include "agent/base/buf.h"
#include "web/event_ring.h"

struct records_filter {
	const char *link, *rule, *type; /* NULL: any */
	/* Nanoseconds of Unix time that records must have: not before, and before. */
	uint64_t since_ns, until_ns; /* 0, UINT64_MAX: any, and none */
	uint64_t limit; /* records; 0: none */
	uint64_t before; /* seq of the record to go on before; UINT64_MAX: the newest first */
};

/*
 * Appends {"records": [RECORD...], "next": N or null}, the newest first; N is the `before` of the
 * next page, null at the oldest record. The records are the ring's own bytes. A page goes on where
 * the one before ended also when another worker has answered that: seqs stay.
 */
void records_page(const struct event_ring *ring, const struct records_filter *filter,
		  struct buf *out);

#endif
