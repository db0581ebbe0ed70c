/*
 * What `reach --probe` sends and what it proves: for each cell of the report the frames to send,
 * from which link to which, and afterwards whether what arrived is what the report says. Pure.
 */
#ifndef TW_REACH_SHOTS_H
#define TW_REACH_SHOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "netlink/reach.h"

/* Two frames for each pair of links: this is all pairs of 100 links. */
#define REACH_SHOTS_MAX 20000

/* Where frames are sent and seen: a link of ours, or one of two on the lower device. */
enum {
	REACH_PORT_HOST, /* what the host's stack gets */
	REACH_PORT_WIRE, /* what leaves by the lower device, and what comes in by it */
	REACH_PORT_LINKS, /* the first of the links */
};

struct reach_port {
	const struct link_state *link; /* the lower device itself for the first two */
};

/* One frame; its number in the list is what it carries. */
struct reach_shot {
	size_t cell;
	size_t from, to; /* ports */
	enum reach_cast cast;
	bool is_listed; /* `to` is of mode source and takes what the sender sends */
	bool is_taken; /* such a link takes it from everybody else (flag nodst) */
	bool arrived;
};

/* What the frames of one cell proved, by unicast and broadcast. */
struct reach_proof {
	size_t pairs; /* 0: nothing could be tried */
	size_t arrived[REACH_CASTS]; /* of them */
	size_t differ[REACH_CASTS]; /* pairs that did not do what the report says */
	const char *from, *to; /* names of the first pair, or of the first that differs */
};

/* All of one lower device. Zero-initialise; freed by reach_shots_done(). */
struct reach_shots {
	const struct reach_lower *lower;
	struct reach_port *ports;
	size_t n_ports;
	struct reach_shot *shots;
	size_t n;
	bool came_back; /* a frame that was sent by the lower device was received by it again */
	struct reach_proof *proofs; /* one per cell of the lower device */
};

/*
 * Chooses pairs among the links of ours that are up: for each cell the first, or with `all` every
 * one. -E2BIG with the reason in `err` when these are too many; -ENOMEM.
 */
int reach_shots_plan(const struct reach_lower *lower, bool all, struct reach_shots *ret,
		     struct err *err);
void reach_shots_done(struct reach_shots *shots);

/* Whether the frame has to arrive, with what is known by now of the switch. */
bool reach_shot_is_due(const struct reach_shots *shots, const struct reach_shot *shot);

/* Whether every frame that has to arrive has done so. */
bool reach_shots_are_in(const struct reach_shots *shots);

/* Fills the proofs; returns how many pairs differ. */
size_t reach_shots_judge(struct reach_shots *shots);

#endif
