#include "capture/watch_relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd_io.h"
#include "agent/base/log.h"
#include "capture/tcp_reset.h"

/* Both ends are told; the frame itself does not go on. */
static void reset(struct watch *watch, enum stats_direction direction, const struct frame *frame,
		  const uint8_t *bytes)
{
	const enum stats_direction back = direction == STATS_FROM_GUEST ? STATS_TO_GUEST
									: STATS_FROM_GUEST;
	uint8_t segment[TCP_RESET_MAX];
	size_t len;

	/* Of fragments the headers are not where those of a segment are. */
	if (frame->part || frame->fragment)
		return;
	len = tcp_reset(frame, bytes, TCP_RESET_TARGET, segment);
	if (len)
		relay_inject(watch->relay, direction, segment, len);
	len = tcp_reset(frame, bytes, TCP_RESET_SOURCE, segment);
	if (len)
		relay_inject(watch->relay, back, segment, len);
}

/* Where no pattern is tried there is nothing to spare, and the kernel's own look is enough. */
static bool is_filtered(const struct watch *watch, enum stats_direction direction,
			const uint8_t *frame, size_t len)
{
	return direction == STATS_FROM_GUEST && watch->inspected.sift.all.any &&
	       !egress_filter_passes(&watch->filter, frame, len);
}

static enum stats_relay_drop judge(void *data, enum stats_direction direction, const uint8_t *frame,
				   size_t len)
{
	struct watch *watch = data;
	struct source_frame source = {
		.in = { .bytes = frame, .len = len, .wire_len = len },
		.direction = direction,
		.time_ns = watch->batch_ns,
	};
	const struct frame *decoded;
	enum pattern_action action;

	if (is_filtered(watch, direction, frame, len))
		return STATS_RELAY_FILTER;
	action = inspect_judge(&watch->inspected, &source, &decoded);
	if (action == ACTION_RESET)
		reset(watch, direction, decoded, frame);
	return action == ACTION_LOG && !watch->shut ? STATS_RELAY_DROPS : STATS_RELAY_VERDICT;
}

/*
 * For each frame, the clock would be a quarter of all that is done beside reading and writing it.
 */
static void on_batch_begin(void *data, uint64_t end_ns)
{
	struct watch *watch = data;

	watch->inspected.until_ns = end_ns + TURN_GRACE_NS;
	watch->batch_ns = clock_ns(CLOCK_REALTIME);
}

static void on_batch_end(void *data)
{
	struct watch *watch = data;

	watch->batch_end(watch->data);
}

static void on_peer_lost(void *data, int reason)
{
	struct watch *watch = data;

	watch->peer_lost(watch->data, watch->link.slot, reason);
}

static const struct relay_ops relay_ops = { .batch_begin = on_batch_begin,
					    .judge = judge,
					    .batch_end = on_batch_end,
					    .peer_lost = on_peer_lost };

int watch_relay_open(uv_loop_t *loop, struct watch *watch, int fd, const struct watch_conf *conf,
		     struct err *err)
{
	struct relay_conf relay = {
		.stats = &conf->inspector->stats->relays[watch->link.slot],
		.has_peer = watch->link.has_peer,
		.ops = &relay_ops,
		.data = watch,
	};

	watch->shut = !conf->keys || (conf->no_rules && conf->keys->fail == INLINE_FAIL_CLOSED);
	if (conf->keys)
		relay.frame_ns = (uint64_t)conf->keys->deadline_ms * NS_PER_MS;
	watch->inspected.deadline_ns = relay.frame_ns;
	return relay_open(loop, fd, &relay, &watch->relay, err);
}

/* What the worker before knew of the link's streams; the memory is given back. */
static int take_streams(struct watch *watch, const struct ipc_rest *rest, int fd, struct err *err)
{
	void *bytes = malloc(rest->streams);
	int code = bytes ? fd_read_all_at(fd, bytes, rest->streams, rest->streams_at) : -ENOMEM;

	if (code == 0)
		code = inspect_restore(&watch->inspected, bytes, rest->streams,
				       clock_ns(CLOCK_REALTIME));
	watch->inspected.sift.lost |= code != 0;
	free(bytes);
	if (ftruncate(fd, rest->streams_at) < 0 && code == 0)
		code = -errno;
	return code ? err_errno(err, code, "cannot go on with the streams of the worker before")
		    : 0;
}

static int take_rest(struct watch *watch, const struct ipc_rest *rest, int fd, struct err *err)
{
	if (watch->rest_fd >= 0)
		close(watch->rest_fd);
	watch->rest_fd = fd;
	watch->rest = (struct relay_rest){ .in = rest->in, .out = rest->out };
	watch->inspected.sift.lost |= rest->lost;
	return rest->streams ? take_streams(watch, rest, fd, err) : 0;
}

static int take_peer(struct watch *watch, enum peer_kind kind, int fd, struct err *err)
{
	const struct relay_rest rest = watch->rest;
	int code = relay_attach(watch->relay, kind, fd, err);

	watch->rest = (struct relay_rest){ 0 };
	if (code || (!rest.in && !rest.out))
		return code;
	code = relay_restore(watch->relay, watch->rest_fd, &rest);
	return code ? err_errno(err, code, "cannot go on where the worker before was") : 0;
}

static int take_filter(struct watch *watch, int fd, struct err *err)
{
	int code = egress_filter_read(&watch->filter, fd);

	close(fd);
	return code ? err_errno(err, code, "cannot take the filter of its guest over") : 0;
}

int watch_relay_take(struct watch *watch, const struct ipc_link_fd *what, int fd, struct err *err)
{
	switch ((enum ipc_link_fd_kind)what->kind) {
	case IPC_LINK_FD_REST:
		return take_rest(watch, &what->rest, fd, err);
	case IPC_LINK_FD_STREAM:
		return take_peer(watch, PEER_STREAM, fd, err);
	case IPC_LINK_FD_DGRAM:
		return take_peer(watch, PEER_DGRAM, fd, err);
	case IPC_LINK_FD_FILTER:
		return take_filter(watch, fd, err);
	case IPC_LINK_FD_DROPPED:
	case IPC_LINK_FD_KINDS:
		break;
	}
	close(fd);
	return 0;
}

/* Returns how many bytes there are at `at` of the file. */
static size_t save_streams(struct watch *watch, size_t at)
{
	struct buf streams;
	size_t len;
	int code;

	buf_init(&streams, IPC_STREAMS_MAX);
	inspect_save(&watch->inspected, &streams);
	len = streams.len;
	code = fd_write_all_at(watch->rest_fd, streams.data, len, (off_t)at);
	buf_done(&streams);
	if (!code)
		return len;
	watch->inspected.sift.lost = true;
	log_err("%s: cannot hand its streams over: %s: those that go on go by on-error",
		watch->link.name, strerror(-code));
	return 0;
}

/* Where that fails the link goes on as after a worker that died, but for its streams. */
static int save_relay(struct watch *watch, struct relay_rest *ret)
{
	int code = 0;

	*ret = (struct relay_rest){ 0 };
	if (relay_attached(watch->relay))
		code = relay_save(watch->relay, watch->rest_fd, ret);
	if (code)
		log_err("%s: cannot hand over what is in hand: %s: its guest is connected anew",
			watch->link.name, strerror(-code));
	return code;
}

bool watch_save(struct watch *watch, struct ipc_rest *ret)
{
	struct relay_rest rest;
	size_t at, streams;
	int code;

	if (!watch->relay || watch->rest_fd < 0)
		return false;
	code = save_relay(watch, &rest);
	at = rest.in + rest.out;
	streams = save_streams(watch, at);
	*ret = (struct ipc_rest){ .slot = watch->link.slot,
				  .in = (uint32_t)rest.in,
				  .out = (uint32_t)rest.out,
				  .streams = (uint32_t)streams,
				  .streams_at = (uint32_t)at,
				  .lost = watch->inspected.sift.lost,
				  .cut = code != 0 };
	return true;
}
