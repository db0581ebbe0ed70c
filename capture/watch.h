/*
 * A link that is watched: where its frames come from, polled by the loop, and what they are tried
 * on.
 *
 * Edge. A watch owns its descriptors and is freed by the loop some time after watch_close().
 */
#ifndef TW_WATCH_H
#define TW_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/base/ipc_msg.h"
#include "capture/egress_filter.h"
#include "capture/inspect.h"
#include "capture/relay.h"
#include "capture/source.h"
#include "capture/turn.h"

struct watch {
	struct ipc_link link;
	struct inspected_link inspected;
	struct source source;
	uv_poll_t poll; /* of the source, where it has no relay */
	struct relay *relay; /* of an inline link; else NULL */
	struct egress_filter filter; /* of that, for what its guest sends */
	uint64_t batch_ns; /* of that: when the frames that are passed now were read */
	bool shut; /* of that: rules are missing, and nothing passes */
	struct relay_rest rest; /* of that: what the worker before saved, until the peer is there */
	int rest_fd; /* of that: where its relay is saved for the next worker; -1: nowhere */
	bool quiet; /* the source told an error: polled again by the next tick */
	struct turn turn; /* where it has no relay */
	void (*batch_end)(void *data);
	void (*peer_lost)(void *data, uint32_t slot, int reason);
	void *data;
};

struct watch_conf {
	struct inspector *inspector;
	struct rule_mask mask;
	const struct link_keys *keys; /* of an inline link; NULL: the configuration knows it not */
	bool no_rules; /* they could not be loaded */
	void (*batch_end)(void *data); /* after every batch of frames: flush */
	void (*peer_lost)(void *data, uint32_t slot, int reason); /* of an inline link */
	void *data;
};

/* Takes `fd`, also when this fails. 0 or a negative errno. */
int watch_open(uv_loop_t *loop, const struct ipc_link *link, int fd, const struct watch_conf *conf,
	       struct watch **ret, struct err *err);

/* One more descriptor of the link, taken over. 0 or a negative errno. */
int watch_take_fd(struct watch *watch, const struct ipc_link_fd *what, int fd, struct err *err);

/* The same link, of which the agent knows more now. False: it is another one. */
bool watch_renew(struct watch *watch, const struct ipc_link *link);

/* Stops the relay of an inline link and saves what it has in hand; false where there is none. */
bool watch_save(struct watch *watch, struct ipc_rest *ret);

/* No callback after this; the source is let go, not emptied. */
void watch_close(struct watch *watch);

/*
 * Reads what the source holds, bounded, and tells what it lost. What is read after `until_ns` of
 * CLOCK_MONOTONIC is not searched any more, but counted.
 */
void watch_drain(struct watch *watch, uint64_t until_ns, uint64_t now_ns);

/*
 * Of a source that nobody reads after this, between two watch_drain(): waits until `until_ns` of
 * CLOCK_MONOTONIC for what came before the first, and tells what does not come as lost.
 */
void watch_settle(struct watch *watch, uint64_t until_ns, uint64_t now_ns);

/*
 * At once and every second while there is something to do: tells losses, and looks after a link
 * that went down.
 */
void watch_tick(struct watch *watch, uint64_t now_ns);

#endif
