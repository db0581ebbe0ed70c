/*
 * What `reach --probe` sends and what it proves: for each cell of the report the frames to send,
 * from which link to which, and afterwards whether what arrived is what the report says. Pure.
 */
#ifndef TW_REACH_SHOTS_H
#define TW_REACH_SHOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/bpf_code.h"
#include "agent/base/err.h"
#include "agent/reach_frame.h"
#include "netlink/reach.h"

/*
 * Two frames for each pair of links, each link with the host and with the outside, and two more
 * where filters are: this is all pairs of 100 links that have but anti-spoof = mac.
 */
#define REACH_SHOTS_MAX 21000

/* Where frames are sent and seen: a link of ours, or one of two on the lower device. */
enum {
	REACH_PORT_HOST, /* what the host's stack gets */
	REACH_PORT_WIRE, /* what leaves by the lower device, and what seems to come in by it */
	REACH_PORT_LINKS, /* the first of the links */
};

struct reach_port {
	const struct link_state *link; /* the lower device itself for the first two */
	const struct link_spec *spec; /* NULL for these */
	struct bpf_code programs[LINK_HOOKS]; /* that the link is to have; empty: none */
	bool is_held; /* by a program that reads its tap: what its own filter drops is not seen */
};

/* One frame; its number in the list is what it carries. */
struct reach_shot {
	size_t cell;
	size_t from, to; /* ports */
	uint8_t outsider[MAC_LEN]; /* who sends, where `from` is the wire */
	enum reach_cast cast;
	enum reach_kind kind;
	uint16_t number; /* of its port, where the kind has one */
	bool is_witness; /* one that filters treat otherwise than a plain one */
	bool passes[LINK_HOOKS]; /* what the filters of `from` and of `to` say of this frame */
	bool is_listed; /* `to` is of mode source and takes what the sender sends */
	bool is_taken; /* such a link takes it from everybody else (flag nodst) */
	bool arrived;
};

/* What the frames of one cell proved, by unicast and broadcast. */
struct reach_proof {
	size_t pairs; /* 0: nothing could be tried */
	size_t arrived[REACH_CASTS]; /* of them, a plain frame */
	size_t differ[REACH_CASTS]; /* pairs that did not do what the report says */
	const char *from, *to; /* names of the first pair, or of the first that differs */
	size_t unproven; /* frames of which it was not seen what the filter of a held tap does */
	const char *held; /* the name of the first such link */
	const struct reach_shot *witness; /* the first, or the first that differs; NULL: none */
	size_t witnesses_differ;
};

/* All of one lower device. Zero-initialise; freed by reach_shots_done(). */
struct reach_shots {
	const struct reach_lower *lower;
	struct reach_port *ports;
	size_t n_ports;
	struct reach_shot *shots;
	size_t n;
	uint32_t run[2]; /* a random number that its frames carry */
	uint8_t nobody[MAC_LEN]; /* unicast, for what is to go out, and what comes in */
	uint8_t someone[MAC_LEN]; /* the like, that a sender says it is */
	bool came_back; /* a frame that was sent by the lower device was received by it again */
	char no_outside[192]; /* why no frame of an outsider can be tried; "" when one can */
	struct reach_proof *proofs; /* one per cell of the lower device */
};

/* What is to be tried. */
struct reach_wish {
	bool all; /* every pair of links, not the first of each cell alone */
	const char *no_outside; /* why frames cannot seem to come in by the wire; NULL: they can */
	uint32_t run[2]; /* a random number */
};

/*
 * Chooses pairs among the links of ours that are up. For each a plain frame is sent, and where
 * filters treat some other frame otherwise, one of these too; where anti-spoof is on, one of a
 * false MAC goes to the wire. -E2BIG with the reason in `err` when these are too many; -ENOMEM.
 */
int reach_shots_plan(const struct reach_lower *lower, const struct reach_wish *wish,
		     struct reach_shots *ret, struct err *err);
void reach_shots_done(struct reach_shots *shots);

/* The bytes of one, with its place in the list. */
void reach_shots_frame(const struct reach_shots *shots, size_t at, uint8_t ret[REACH_FRAME_LEN]);

#endif
