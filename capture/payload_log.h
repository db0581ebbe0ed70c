/*
 * The payload log: what was sent, byte for byte, each payload behind a line that says its length.
 *
 * Pure. An entry is one header line, LEN bytes as they were on the wire, and a newline:
 *
 *   @ 2026-11-22T16:20:01.123456789Z web01 from 192.0.2.1:50096 > 192.0.2.2:80 TCP 18
 *   GET / HTTP/1.0
 *   <CR LF, and the newline that ends the entry>
 *
 * The fields are: "@", the time, the link, "from" or "to" (the guest), source ">" destination (an
 * IPv6 address in brackets; ICMP has no ports), protocol, LEN, and "cut" when the capture did not
 * keep all of it. A reader that counts LEN bytes cannot be misled by a payload that looks like a
 * header; for grep(1) and sed(1) each payload begins on a line of its own.
 */
#ifndef TW_PAYLOAD_LOG_H
#define TW_PAYLOAD_LOG_H

#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/stats.h"
#include "capture/frame.h"

/* A header and the largest payload that an IP packet carries. */
#define PAYLOAD_LOG_ENTRY_MAX (66u << 10)

/* Replaces what is in `out` by the entry of the frame's payload. 0, or -ENOBUFS if too long. */
int payload_log_entry(struct buf *out, uint64_t time_ns, const char *link,
		      enum stats_direction direction, const struct frame *frame);

/*
 * The length of the longest prefix of `data`, the start of a log, that consists of whole entries;
 * `ret_entries` (may be NULL) is how many. What is behind it was torn off or is no payload log.
 */
size_t payload_log_whole(const void *data, size_t len, uint64_t *ret_entries);

#endif
