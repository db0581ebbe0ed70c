/*
 * Frames to a guest that has no other reader: from the queue of its macvtap, which the agent
 * opened.
 *
 * Edge. Whoever opens a macvtap's queue gets what the link receives (tap_handle_frame() of
 * drivers/net/tap.c); there is no guest then, so nothing comes from one. The queue is the kernel's
 * and outlives its reader: the next one goes on with the very next frame.
 */
#ifndef TW_SOURCE_TAP_H
#define TW_SOURCE_TAP_H

#include <stddef.h>
#include <stdint.h>

#include "capture/source_frame.h"

struct source_tap {
	int fd;
	int dropped_fd; /* -1: not known */
	uint32_t ifindex;
	struct stats_link *stats; /* where the kernel's count is remembered for the next reader */
};

/*
 * Owns `fd` from here on: non-blocking, without packet information and without vnet header. Cannot
 * fail.
 */
void source_tap_open(struct source_tap *source, int fd, uint32_t ifindex, struct stats_link *stats);
void source_tap_close(struct source_tap *source);

/*
 * Owns `fd` from here on: the file where the kernel counts what it dropped, which said `dropped`
 * when the tap was opened.
 */
void source_tap_count(struct source_tap *source, int fd, uint64_t dropped);

/* Hands over at most `max` frames that are there; returns how many. Never waits. */
size_t source_tap_read(struct source_tap *source, size_t max, source_frame_cb cb, void *data);

/* 0, or a negative errno when the kernel's count cannot be read: the link is gone. */
int source_tap_losses(struct source_tap *source, struct source_losses *ret);

#endif
