/*
 * IP packets that came in fragments, put together.
 *
 * Pure. Time is that of the frames. Bounded in memory: the oldest packet that is not whole goes
 * first; one that is not whole after DEFRAG_TIMEOUT_NS goes too. Where fragments overlap, the first
 * copy of a byte wins in IPv4, as in TCP streams (stream.h); in IPv6 the packet is dropped, as
 * RFC 8200 section 4.5 asks. An exact repetition is neither.
 */
#ifndef TW_DEFRAG_H
#define TW_DEFRAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/time_units.h"
#include "capture/decode.h"
#include "capture/frame.h"

/* As the kernel's ipfrag_time; RFC 8200 has 60 s. */
#define DEFRAG_TIMEOUT_NS (30 * NS_PER_S)

/* Fragments of one packet: 64 KiB in the smallest MTU that IPv4 allows would be more. */
#define DEFRAG_FRAGMENTS_MAX 1024u

/* The longest payload that IPv4's length, or a fragment's offset, can say. */
#define DEFRAG_PAYLOAD_MAX 65535u

enum defrag_result {
	DEFRAG_WAITS,
	DEFRAG_WHOLE, /* this was the last one missing */
	DEFRAG_DROPPED, /* it cannot be, or there is no room */
};

struct defrag_counts {
	uint64_t fragments;
	uint64_t whole; /* packets put together */
	uint64_t incomplete; /* given up: the time was over, or the memory was needed */
	uint64_t beginless; /* of these, without their first bytes, and not whole before */
	uint64_t conflicts; /* fragments that overlap with other bytes */
	uint64_t headless; /* packets of which another fragment came before the first */
	uint64_t dropped; /* fragments that cannot be, and IPv6 packets with an overlap */
};

/* Packets that were whole last: what then comes of one again is seldom a loss. */
#define DEFRAG_WHOLE_KEPT 64u

struct defrag_packet;

/* What makes fragments those of one packet. */
struct defrag_key {
	uint8_t ip[2][16];
	uint32_t id;
	uint32_t link;
	uint16_t vlan;
	uint8_t version;
	uint8_t proto; /* 0 in IPv6: RFC 8200 section 4.5 leaves it out */
	uint32_t zero;
};

/* Which frame a part of the IP payload came in. */
struct defrag_span {
	uint32_t offset;
	uint32_t len;
	uint64_t packet;
};

/*
 * The first bytes of a packet that was given up, up to what is missing; called only where there are
 * any. The frame is decoded and `truncated`; valid during the call.
 */
typedef void (*defrag_incomplete)(void *data, const struct frame *frame, const void *owner,
				  uint64_t packet, uint64_t first_ns);

struct defrag {
	struct defrag_packet **buckets;
	size_t n_buckets;
	uint64_t seed;
	struct defrag_packet *oldest, *newest;
	size_t memory, memory_max;
	defrag_incomplete incomplete;
	void *data;
	struct defrag_counts counts;
	uint8_t *joined; /* DEFRAG_PAYLOAD_MAX bytes, those of the last packet */
	struct defrag_packet *last; /* that packet: its addresses */
	enum decode_reason reason; /* what decoding it came to */
	struct defrag_span spans[DEFRAG_FRAGMENTS_MAX];
	size_t n_spans;
	struct defrag_key whole[DEFRAG_WHOLE_KEPT]; /* a ring: counts.whole is its place */
};

/* `memory_max`, in bytes; `seed` as in flow.h. 0 or -ENOMEM. */
int defrag_init(struct defrag *defrag, size_t memory_max, uint64_t seed,
		defrag_incomplete incomplete, void *data);

/* Gives up what is not whole yet, and frees all. */
void defrag_done(struct defrag *defrag);

/*
 * Takes a frame with `part` set; `owner` is the caller's word for the link. With DEFRAG_WHOLE,
 * `ret` is the packet as a frame, decoded to `reason`; it and `spans`, of its IP payload, which
 * `joined` has, are valid until the next call.
 */
enum defrag_result defrag_add(struct defrag *defrag, const struct frame *frame, uint32_t link,
			      const void *owner, uint64_t packet, uint64_t now_ns,
			      struct frame *ret);

/* Gives up what came by the link. */
void defrag_end_link(struct defrag *defrag, uint32_t link);

/* A fragment, as a frame with what defrag_add() asks for. */
typedef void (*defrag_fragment)(void *data, const struct frame *frame, uint64_t packet,
				uint64_t first_ns);

/* Takes out what came by the link, fragment by fragment, and gives none of it up. */
void defrag_take_link(struct defrag *defrag, uint32_t link, defrag_fragment told, void *data);

/* Every second or so: gives up what is too old. */
void defrag_tick(struct defrag *defrag, uint64_t now_ns);

#endif
