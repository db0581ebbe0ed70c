/*
 * Who holds the taps, found in the thread pool: a walk over /proc takes longer than links may wait
 * for the loop where thousands of processes run. Edge.
 */
#ifndef TW_TAP_LOOK_H
#define TW_TAP_LOOK_H

#include <stdbool.h>
#include <uv.h>

#include "agent/held_taps.h"

struct tap_look {
	void *data; /* the owner's */
	bool busy;
	/* private */
	uv_work_t work;
	struct link_table taps; /* of whose links name, kind and index count */
	pid_t agent;
	struct held_taps held;
	int error;
	void (*found)(struct tap_look *look, struct held_taps *held, int error);
};

/*
 * Takes `taps` over and calls `found` once, from the loop, with what a held_taps_find() on it gave;
 * what `held` then has is to be taken over, or is freed behind the call. Not while one is busy;
 * `look` stays until it has found. Returns 0, or a negative errno when it cannot begin: nothing is
 * called then.
 */
int tap_look_start(struct tap_look *look, uv_loop_t *loop, struct link_table *taps, pid_t agent,
		   void (*found)(struct tap_look *look, struct held_taps *held, int error));

#endif
