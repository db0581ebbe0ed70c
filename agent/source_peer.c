#include "agent/source_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct source_peer {
	struct source_peer_conf conf;
	char link[IFNAME_SIZE];
	struct guest_socket *socket;
	int fd; /* the guest's; -1: it is not there */
	int rest_fd; /* memfd */
	struct ipc_rest rest;
	bool used; /* a worker has it, or had */
	bool saved; /* and left it between two frames, but for what is in `rest` */
};

/* Of one connection; streams go on over the next. */
static void forget_bytes(struct source_peer *peer)
{
	peer->rest.in = peer->rest.out = 0;
}

static void forget_fd(struct source_peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	peer->used = peer->saved = false;
	forget_bytes(peer);
}

static void send_peer(struct source_peer *peer, struct ipc_channel *channel)
{
	const struct ipc_link_fd what = {
		.slot = peer->conf.slot,
		.kind = peer->conf.kind == PEER_STREAM ? IPC_LINK_FD_STREAM : IPC_LINK_FD_DGRAM,
		.rest.slot = peer->conf.slot,
	};

	if (ipc_send(channel, IPC_LINK_FD, &what, peer->fd) == 0)
		peer->used = true;
	peer->saved = false;
	forget_bytes(peer);
}

static void on_connected(void *data, int fd)
{
	struct source_peer *peer = data;
	struct ipc_channel *channel = peer->conf.ops->channel(peer->conf.data, peer->conf.slot);

	forget_fd(peer);
	peer->fd = fd;
	peer->conf.ops->told(peer->conf.data, peer->conf.slot, NULL);
	if (channel)
		send_peer(peer, channel);
}

static void on_refused(void *data, const char *why)
{
	struct source_peer *peer = data;

	peer->conf.ops->told(peer->conf.data, peer->conf.slot, why);
}

int source_peer_open(uv_loop_t *loop, const struct source_peer_conf *conf, struct source_peer **ret,
		     struct err *err)
{
	struct source_peer *peer = calloc(1, sizeof(*peer));
	struct guest_socket_conf socket = {
		.dir = conf->dir,
		.kind = conf->kind,
		.connected = on_connected,
		.refused = on_refused,
		.data = peer,
	};
	int code;

	if (!peer)
		return err_errno(err, -ENOMEM, "cannot wait for the guest of %s", conf->dir.link);
	peer->conf = *conf;
	peer->rest.slot = conf->slot;
	(void)snprintf(peer->link, sizeof(peer->link), "%s", conf->dir.link);
	peer->conf.dir.link = peer->link;
	peer->fd = -1;
	forget_fd(peer);
	peer->rest_fd = memfd_create("tapwarden-relay", MFD_CLOEXEC);
	if (peer->rest_fd < 0) {
		code = err_errno(err, -errno, "cannot keep what waits for the guest of %s",
				 conf->dir.link);
		free(peer);
		return code;
	}
	code = guest_socket_open(loop, &socket, &peer->socket, err);
	if (code) {
		close(peer->rest_fd);
		free(peer);
		return code;
	}
	*ret = peer;
	return 0;
}

void source_peer_close(struct source_peer *peer)
{
	if (!peer)
		return;
	guest_socket_close(peer->socket);
	forget_fd(peer);
	close(peer->rest_fd);
	free(peer);
}

bool source_peer_is(const struct source_peer *peer, const struct source_peer_conf *conf)
{
	return peer->conf.kind == conf->kind && peer->conf.dir.uid == conf->dir.uid &&
	       peer->conf.dir.gid == conf->dir.gid;
}

bool source_peer_ready(struct source_peer *peer)
{
	if (peer->fd >= 0 && peer->conf.kind == PEER_STREAM && peer->used && !peer->saved) {
		forget_fd(peer);
		guest_socket_dial(peer->socket);
	}
	return peer->fd >= 0;
}

void source_peer_tell(struct source_peer *peer, struct ipc_channel *channel)
{
	const struct ipc_link_fd rest = {
		.slot = peer->conf.slot,
		.kind = IPC_LINK_FD_REST,
		.rest = peer->rest,
	};

	ipc_send(channel, IPC_LINK_FD, &rest, peer->rest_fd);
	peer->rest.streams = 0;
	if (peer->fd >= 0)
		send_peer(peer, channel);
}

bool source_peer_attached(const struct source_peer *peer)
{
	return peer->fd >= 0;
}

void source_peer_lost(struct source_peer *peer, int reason)
{
	char why[128];

	/* A worker that is relieved may tell of one that was replaced. */
	if (peer->fd < 0)
		return;
	(void)snprintf(why, sizeof(why), "its guest is gone: %s",
		       reason == -EPROTO ? "it sent what is no frame"
		       : reason		 ? strerror(-reason)
					 : "it closed its end");
	forget_fd(peer);
	peer->conf.ops->told(peer->conf.data, peer->conf.slot, why);
	guest_socket_dial(peer->socket);
}

void source_peer_rest(struct source_peer *peer, const struct ipc_rest *rest)
{
	peer->rest = *rest;
	peer->saved = peer->fd >= 0 && peer->used && !rest->cut;
	if (!peer->saved)
		forget_bytes(peer);
}
