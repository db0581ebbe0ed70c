/*
 * What the files of a relay share, and nobody else: frames between tap and peer, and the relay's
 * life, in relay.c, the peer and what is sent to it in relay_peer.c, and what another process is to
 * go on with in relay_save.c. Edge.
 */
#ifndef TW_RELAY_PARTS_H
#define TW_RELAY_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <uv.h>

#include "capture/frame_buf.h"
#include "capture/relay.h"
#include "capture/turn.h"

/* Frames of one side before the other gets its turn. */
#define RELAY_BATCH 64

/*
 * Frames of a stream that have their verdicts before the first of them is written: one goes through
 * code that the other throws out of the caches of the processor, and a frame by itself costs a
 * twentieth more. The last waits for no more verdicts than it did.
 */
#define RELAY_PASSED_MAX 8

#define RELAY_INJECTED_MAX   8
#define RELAY_INJECTED_BYTES 128

struct relay_injected {
	enum stats_direction direction;
	size_t len;
	uint8_t bytes[RELAY_INJECTED_BYTES];
};

struct relay_peer {
	uv_poll_t poll;
	struct relay *relay;
	enum peer_kind kind;
	int fd;
	bool blocked; /* it does not take more now */
	bool left; /* its turn ended before the frames in `in` */
	uint64_t since_ns; /* when those were read */
	struct frame_buf in;
};

struct relay {
	uv_poll_t poll; /* of the tap */
	int tap;
	struct relay_conf conf;
	struct turn turn;
	struct relay_peer *peer; /* NULL: none */
	struct frame_buf out; /* to the peer */
	struct relay_injected injected[RELAY_INJECTED_MAX]; /* of the frame in hand */
	size_t n_injected;
	struct iovec passed[RELAY_PASSED_MAX]; /* in peer->in, not written to the tap yet */
	size_t n_passed;
	uint8_t scratch[FRAME_BUF_FRAME_MAX]; /* frames that have no room */
};

static inline void relay_drop(struct relay *relay, enum stats_direction direction,
			      enum stats_relay_drop why)
{
	stat_add(&relay->conf.stats->dropped[direction][why], 1);
}

/* From here on frames are asked for as tap and peer can take them now. */
void relay_poll_tap(struct relay *relay);
void relay_poll_peer(struct relay_peer *peer);

/* Whether the peer's turn ended before the frames in `in`. */
void relay_set_left(struct relay_peer *peer, bool left);

/* Lets the peer go, if there is one; what came from it and had no turn is dropped. */
void relay_detach(struct relay *relay);

/* What waits for the peer is dropped. */
void relay_drop_unsent(struct relay *relay);

/* Sends what waits; without a peer, nothing. It may be lost by that. */
void relay_flush(struct relay *relay);

/* The peer is gone, `reason` as a negative errno. */
void relay_lose(struct relay *relay, int reason);

#endif
