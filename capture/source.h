/*
 * Where the frames of a watched link come from: a packet ring (source_packet.h) or a tap
 * (source_tap.h), behind one table of functions. Edge.
 */
#ifndef TW_SOURCE_H
#define TW_SOURCE_H

#include "agent/base/err.h"
#include "agent/base/ipc_msg.h"
#include "capture/source_packet.h"
#include "capture/source_tap.h"

struct source_kind;

struct source {
	const struct source_kind *kind;
	union {
		struct source_packet packet;
		struct source_tap tap;
	};
};

/*
 * Takes `fd`, also when this fails, but that of an inline link, which is for a relay. `stats` has
 * the counters of the link. 0 or a negative errno.
 */
int source_open(struct source *source, const struct ipc_link *link, int fd,
		struct stats_link *stats, struct err *err);
void source_close(struct source *source);

/* What is to be polled for frames. */
int source_fd(const struct source *source);

/* Hands over at most `max` frames that are there; returns how many. Never waits. */
size_t source_read(struct source *source, size_t max, source_frame_cb cb, void *data);

/* More frames than it can hold: what a drain under traffic reads at most. */
size_t source_frames_max(const struct source *source);

/* See source_packet_settle(): with no ring there is nothing that is waited for. */
size_t source_settle(struct source *source, uint64_t until_ns);

int source_losses(struct source *source, struct source_losses *ret);

/* Why polling it told an error; 0 when that is not known. */
int source_error(struct source *source);

/* One more descriptor for the link, taken over. */
void source_take_fd(struct source *source, const struct ipc_link_fd *what, int fd);

#endif
