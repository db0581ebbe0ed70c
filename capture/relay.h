/*
 * A guest's frames passed between the tap that this process holds and the guest's QEMU, each after
 * a verdict.
 *
 * Edge. The peer is a unix socket that the agent connected: `-netdev stream` (frames behind their
 * lengths, frame_buf.h) or `-netdev dgram` (a frame a datagram). Neither side is ever waited for:
 * what a peer does not take within the buffer's bound is dropped, newest first, and counted, as a
 * network card does with a full ring.
 */
#ifndef TW_RELAY_H
#define TW_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/base/link_types.h"
#include "agent/base/stats.h"

struct relay_ops {
	/* Frames may come now, for so long: until `end_ns` of CLOCK_MONOTONIC (turn.h). */
	void (*batch_begin)(void *data, uint64_t end_ns);
	/* Why the frame may not go on; STATS_RELAY_DROPS: it may. It may call relay_inject(). */
	enum stats_relay_drop (*judge)(void *data, enum stats_direction direction,
				       const uint8_t *frame, size_t len);
	/* After each batch of frames, for what is better done once than for each. */
	void (*batch_end)(void *data);
	/*
	 * The peer is gone, `reason` as a negative errno, 0 when it closed its end; it was let go.
	 */
	void (*peer_lost)(void *data, int reason);
};

struct relay_conf {
	struct stats_relay *stats;
	bool has_peer; /* one is attached at once: nothing is read before */
	uint64_t frame_ns; /* the longest that a verdict takes; 0: nobody knows */
	const struct relay_ops *ops;
	void *data;
};

struct relay;

/*
 * Takes `tap_fd` over (also when this fails): a macvtap without packet information and without vnet
 * header, non-blocking. Until a peer is attached, frames to the guest are dropped and counted. 0 or
 * a negative errno.
 */
int relay_open(uv_loop_t *loop, int tap_fd, const struct relay_conf *conf, struct relay **ret,
	       struct err *err);

/*
 * Takes `peer_fd`, a connected socket, in place of the peer before; what waited for that is
 * dropped.
 */
int relay_attach(struct relay *relay, enum peer_kind kind, int peer_fd, struct err *err);
bool relay_attached(const struct relay *relay);

/*
 * What is in hand when another process is to go on with tap and peer: bytes from the peer that
 * had no turn or are no whole frame yet, and those that it has not taken. relay_save() takes them
 * out and into the file, one behind the other; nothing is passed after it, and when it fails they
 * are dropped. relay_restore() follows relay_attach(). 0 or a negative errno.
 */
struct relay_rest {
	size_t in, out;
};

int relay_save(struct relay *relay, int fd, struct relay_rest *ret);
int relay_restore(struct relay *relay, int fd, const struct relay_rest *rest);

/*
 * A frame of our own, behind those that are on their way in that direction; dropped when it is
 * full.
 */
void relay_inject(struct relay *relay, enum stats_direction direction, const uint8_t *frame,
		  size_t len);

/* No callback after this. The loop frees the relay. */
void relay_close(struct relay *relay);

#endif
