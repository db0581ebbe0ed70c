/*
 * The guest of an inline link, as the agent has it: the socket that is handed to one worker after
 * the other, and what those had in hand when they were relieved. Edge.
 */
#ifndef TW_SOURCE_PEER_H
#define TW_SOURCE_PEER_H

#include <stdbool.h>
#include <uv.h>

#include "agent/base/ipc.h"
#include "agent/guest_socket.h"

struct source_peer;

struct source_peer_ops {
	/* The worker that has the link; NULL: none serves. */
	struct ipc_channel *(*channel)(void *data, uint32_t slot);
	/* It is there (`what` is NULL), is gone, or cannot be used. */
	void (*told)(void *data, uint32_t slot, const char *what);
};

struct source_peer_conf {
	struct guest_dir dir;
	enum peer_kind kind;
	uint32_t slot;
	const struct source_peer_ops *ops;
	void *data;
};

/* Makes the folder where the guest is to come, and waits for it there. 0 or a negative errno. */
int source_peer_open(uv_loop_t *loop, const struct source_peer_conf *conf, struct source_peer **ret,
		     struct err *err);

/* No callback after this; the guest is let go. NULL is nothing. */
void source_peer_close(struct source_peer *peer);

/* Whether it is the peer that `conf` asks for. */
bool source_peer_is(const struct source_peer *peer, const struct source_peer_conf *conf);

/*
 * A worker is about to get the link: whether it gets a peer with it. One on whose stream another
 * worker died is let go, since nobody knows where its frames begin, and called again.
 */
bool source_peer_ready(struct source_peer *peer);

/* Hands all to a worker, which has the link. */
void source_peer_tell(struct source_peer *peer, struct ipc_channel *channel);

bool source_peer_attached(const struct source_peer *peer);

/* What a worker says of it. */
void source_peer_lost(struct source_peer *peer, int reason);
void source_peer_rest(struct source_peer *peer, const struct ipc_rest *rest);

#endif
