/* Entries of a payload log, read back: payload_log.h says how they look. Pure. */
#ifndef TW_PAYLOAD_READER_H
#define TW_PAYLOAD_READER_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/link_types.h"
#include "agent/base/stats.h"
#include "capture/frame.h"

/*
 * What an entry says; the frame's addresses are in `ip`, its payload in the bytes that were read.
 */
struct payload_entry {
	uint64_t time_ns;
	char link[IFNAME_SIZE];
	enum stats_direction direction;
	struct frame frame; /* addresses, ports, protocol and payload; truncated when it was cut */
	uint8_t ip[2][16]; /* source, destination */
};

enum payload_result {
	PAYLOAD_ENTRY,
	PAYLOAD_MORE, /* its end is not there yet */
	PAYLOAD_BAD, /* no entry begins here */
};

/* The entry at `data`; `ret_used` is its length. PAYLOAD_LOG_ENTRY_MAX bytes always suffice. */
enum payload_result payload_read(const uint8_t *data, size_t len, struct payload_entry *ret,
				 size_t *ret_used);

#endif
