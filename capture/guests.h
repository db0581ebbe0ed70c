/*
 * What the frames of watched links say of their guests: told as events, kept in the counters pages.
 *
 * Edge: emits records and logs. neighbours.h learns the addresses.
 */
#ifndef TW_GUESTS_H
#define TW_GUESTS_H

#include "agent/base/config.h"
#include "agent/base/ipc_msg.h"
#include "agent/base/stats.h"
#include "capture/emitter.h"
#include "capture/neighbours.h"
#include "capture/talkers.h"

/* A guest has a lease, or has none any more. */
typedef void (*guests_lease_cb)(void *data, const struct ipc_lease *lease);

/* The same for all links of a worker. */
struct guests {
	const struct config *config;
	struct stats_page *stats;
	struct emitter *emitter;
	uint64_t ticked_ns;
	guests_lease_cb lease; /* NULL: nobody wants to know */
	void *data;
	struct neighbourhood hood;
};

struct guest_link {
	const struct ipc_link *link;
	struct neighbours neighbours;
	struct talkers talkers;
	uint64_t sampled[STATS_RATES]; /* what the rates have of the counters */
};

/*
 * All are the caller's and outlive the guests, which do not move. `alone`: no other worker has
 * links whose guests may have the same addresses.
 */
void guests_init(struct guests *guests, const struct config *config, struct stats_page *stats,
		 struct emitter *emitter, bool alone);

/*
 * Goes on where another worker was relieved. `guest`, which is zero, does not move; `link` is the
 * caller's.
 */
void guests_begin(struct guests *guests, struct guest_link *guest, const struct ipc_link *link);
void guests_end(struct guest_link *guest);

/* `bytes` is the length on the wire. */
void guests_frame(struct guest_link *guest, const struct frame *frame,
		  enum stats_direction direction, size_t bytes, uint64_t time_ns);

/* Every second while frames come. */
void guests_tick(struct guests *guests, uint64_t now_ns);

#endif
