/*
 * The frames that `reach --probe` sends. Pure.
 *
 * They are harmless: a stack that gets one drops it, and a router does not forward it. The first
 * kind is of the experimental ethertype 0x88b5 (IEEE 802). Where a filter looks into frames the
 * others are tried too: ARP of an experimental operation (RFC 5494), and IP whose transport
 * checksum is wrong.
 */
#ifndef TW_REACH_FRAME_H
#define TW_REACH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/link_types.h"

enum reach_kind {
	REACH_KIND_PLAIN,
	REACH_KIND_FALSE, /* plain, of a MAC that is not the sender's */
	REACH_KIND_OTHER, /* the second of the experimental ethertypes, 0x88b6 */
	REACH_KIND_ARP,
	REACH_KIND_TCP,
	REACH_KIND_UDP,
	REACH_KIND_ICMP,
	REACH_KIND_TCP6,
	REACH_KIND_UDP6,
	REACH_KINDS
};

/* "0x88b5", "a false MAC", "0x88b6", "ARP", "TCP" ...; the ethertypes, in the host's order. */
extern const char *const reach_kind_names[REACH_KINDS];
extern const uint16_t reach_kind_types[REACH_KINDS];

/* Whether the kind has a port. */
bool reach_kind_has_port(enum reach_kind kind);

#define REACH_FRAME_LEN	 96
#define REACH_FRAME_MARK 84 /* where its mark begins, behind the longest headers */

/* Which frame it is, of which run: as on the wire. */
struct reach_mark {
	uint32_t run[2];
	uint32_t shot;
};

struct reach_frame {
	const uint8_t *from, *to; /* MACs */
	const struct guest_addrs *from_addrs,
		*to_addrs; /* the first of a family is taken; NULL: none */
	enum reach_kind kind;
	uint16_t port; /* of both sides */
	struct reach_mark mark;
};

void reach_frame_write(const struct reach_frame *frame, uint8_t ret[REACH_FRAME_LEN]);

#endif
