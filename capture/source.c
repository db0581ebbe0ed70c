#include "capture/source.h"

#include <unistd.h>

/* The smallest room that a frame takes in a ring; bounds what a drain reads under traffic. */
#define FRAME_ROOM_MIN 64

/* Some times the queue of a tap, which is as long as the link's txqueuelen: 500 unless set. */
#define TAP_FRAMES_MAX 4096

struct source_kind {
	int (*open)(struct source *source, const struct ipc_link *link, int fd,
		    struct stats_link *stats, struct err *err);
	void (*close)(struct source *source);
	int (*fd)(const struct source *source);
	size_t (*read)(struct source *source, size_t max, source_frame_cb cb, void *data);
	size_t (*frames_max)(const struct source *source);
	size_t (*settle)(struct source *source, uint64_t until_ns);
	int (*losses)(struct source *source, struct source_losses *ret);
	int (*error)(struct source *source);
	void (*take_fd)(struct source *source, const struct ipc_link_fd *what, int fd);
};

/* ---- packet rings ---------------------------------------------------------------------------- */

static int packet_open(struct source *source, const struct ipc_link *link, int fd,
		       struct stats_link *stats, struct err *err)
{
	(void)stats;
	return source_packet_open(&source->packet, fd, link->ring_block_size, link->ring_blocks,
				  err);
}

static void packet_close(struct source *source)
{
	source_packet_close(&source->packet);
}

static int packet_fd(const struct source *source)
{
	return source->packet.fd;
}

static size_t packet_read(struct source *source, size_t max, source_frame_cb cb, void *data)
{
	return source_packet_read(&source->packet, max, cb, data);
}

static size_t packet_frames_max(const struct source *source)
{
	return (size_t)source->packet.block_size * source->packet.blocks / FRAME_ROOM_MIN;
}

static size_t packet_settle(struct source *source, uint64_t until_ns)
{
	return source_packet_settle(&source->packet, until_ns);
}

static int packet_losses(struct source *source, struct source_losses *ret)
{
	return source_packet_losses(&source->packet, ret);
}

static int packet_error(struct source *source)
{
	return source_packet_error(&source->packet);
}

static void packet_take_fd(struct source *source, const struct ipc_link_fd *what, int fd)
{
	(void)source;
	(void)what;
	close(fd);
}

/* ---- taps ------------------------------------------------------------------------------------ */

static int tap_open(struct source *source, const struct ipc_link *link, int fd,
		    struct stats_link *stats, struct err *err)
{
	(void)err;
	source_tap_open(&source->tap, fd, link->ifindex, stats);
	return 0;
}

static void tap_close(struct source *source)
{
	source_tap_close(&source->tap);
}

static int tap_fd(const struct source *source)
{
	return source->tap.fd;
}

static size_t tap_read(struct source *source, size_t max, source_frame_cb cb, void *data)
{
	return source_tap_read(&source->tap, max, cb, data);
}

static size_t tap_frames_max(const struct source *source)
{
	(void)source;
	return TAP_FRAMES_MAX;
}

static size_t tap_settle(struct source *source, uint64_t until_ns)
{
	(void)source;
	(void)until_ns;
	return 0;
}

static int tap_losses(struct source *source, struct source_losses *ret)
{
	return source_tap_losses(&source->tap, ret);
}

static int tap_error(struct source *source)
{
	(void)source;
	return 0;
}

static void tap_take_fd(struct source *source, const struct ipc_link_fd *what, int fd)
{
	source_tap_count(&source->tap, fd, what->dropped);
}

/* ---- inline: the frames are the relay's matter ----------------------------------------------- */

static int inline_open(struct source *source, const struct ipc_link *link, int fd,
		       struct stats_link *stats, struct err *err)
{
	(void)fd;
	(void)err;
	source_tap_open(&source->tap, -1, link->ifindex, stats);
	return 0;
}

static size_t inline_read(struct source *source, size_t max, source_frame_cb cb, void *data)
{
	(void)source;
	(void)max;
	(void)cb;
	(void)data;
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct source_kind kinds[IPC_SOURCES] = {
	[IPC_SOURCE_PACKET] = { packet_open, packet_close, packet_fd, packet_read,
				packet_frames_max, packet_settle, packet_losses, packet_error,
				packet_take_fd },
	[IPC_SOURCE_TAP] = { tap_open, tap_close, tap_fd, tap_read, tap_frames_max, tap_settle,
			     tap_losses, tap_error, tap_take_fd },
	[IPC_SOURCE_INLINE] = { inline_open, tap_close, tap_fd, inline_read, tap_frames_max,
				tap_settle, tap_losses, tap_error, tap_take_fd },
};

int source_open(struct source *source, const struct ipc_link *link, int fd,
		struct stats_link *stats, struct err *err)
{
	source->kind = &kinds[link->source];
	return source->kind->open(source, link, fd, stats, err);
}

void source_close(struct source *source)
{
	source->kind->close(source);
}

int source_fd(const struct source *source)
{
	return source->kind->fd(source);
}

size_t source_read(struct source *source, size_t max, source_frame_cb cb, void *data)
{
	return source->kind->read(source, max, cb, data);
}

size_t source_frames_max(const struct source *source)
{
	return source->kind->frames_max(source);
}

size_t source_settle(struct source *source, uint64_t until_ns)
{
	return source->kind->settle(source, until_ns);
}

int source_losses(struct source *source, struct source_losses *ret)
{
	return source->kind->losses(source, ret);
}

int source_error(struct source *source)
{
	return source->kind->error(source);
}

void source_take_fd(struct source *source, const struct ipc_link_fd *what, int fd)
{
	source->kind->take_fd(source, what, fd);
}
