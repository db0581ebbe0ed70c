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

/* The same for all links of a worker. */
struct guests {
	const struct config *config;
	struct stats_page *stats;
	struct emitter *emitter;
	struct neighbourhood hood;
};

struct guest_link {
	const struct ipc_link *link;
	struct neighbours neighbours;
};

/* All are the caller's and outlive the guests, which do not move. */
void guests_init(struct guests *guests, const struct config *config, struct stats_page *stats,
		 struct emitter *emitter);

/* Goes on where another worker was relieved. `guest`, which is zero, does not move; `link` is the caller's. */
void guests_begin(struct guests *guests, struct guest_link *guest, const struct ipc_link *link);
void guests_end(struct guest_link *guest);

void guests_frame(struct guest_link *guest, const struct frame *frame,
		  enum stats_direction direction, uint64_t time_ns);

#endif
